"""Values that are still to come: `Future`, and waiting for several."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

__all__ = ["Future", "collect_all", "wait_all"]

T = TypeVar("T")
S = TypeVar("S")


class Future(Generic[T]):
    """A value that some thread will set, or the exception that kept it from coming.

    >>> future = torch.futures.Future()
    >>> doubled = future.then(lambda done: 2 * done.value())
    >>> future.set_result(3)
    >>> doubled.wait()
    6
    """

    def __init__(self, *, devices: Any = None) -> None:
        self._lock = threading.Condition()
        self._done = False
        self._result: Any = None
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[Future[T]], Any]] = []

    def done(self) -> bool:
        """Returns whether the value or an exception has come."""
        return self._done

    def wait(self) -> T:
        """Returns the value as soon as it is there, or raises the exception."""
        with self._lock:
            self._lock.wait_for(lambda: self._done)
        return self.value()

    def value(self) -> T:
        """Returns the value, or raises the exception; RuntimeError if neither has come."""
        if not self._done:
            raise RuntimeError("the Future has no value yet: wait() for it")
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[no-any-return]

    def then(self, callback: Callable[[Future[T]], S]) -> Future[S]:
        """Returns the future of what a function makes of this future once it is complete."""
        after: Future[S] = Future()

        def call(done: Future[T]) -> None:
            try:
                result = callback(done)
            except Exception as error:
                after.set_exception(
                    RuntimeError(
                        "Got the following error when running the callback: "
                        f"{type(error).__name__}: {error}"
                    )
                )
            else:
                after.set_result(result)

        self.add_done_callback(call)
        return after

    def add_done_callback(self, callback: Callable[[Future[T]], Any]) -> None:
        """Has a function called with this future once it is complete, at once if it is."""
        with self._lock:
            if not self._done:
                self._callbacks.append(callback)
                return
        callback(self)

    def set_result(self, result: T) -> None:
        """Completes the future with a value, and runs what waits for it."""
        self._complete(result, None)

    def set_exception(self, result: T | BaseException) -> None:
        """Completes the future with an exception for those who ask for its value."""
        assert isinstance(result, Exception), (
            f"{result} is of type {type(result)}, not an Exception."
        )
        self._complete(None, result)

    def _complete(self, result: Any, error: BaseException | None) -> None:
        with self._lock:
            if self._done:
                raise RuntimeError(
                    "Attempting to mark a completed Future as complete again. Note that a Future "
                    "can only be marked completed once."
                )
            self._result, self._error, self._done = result, error, True
            self._lock.notify_all()
        for callback in self._callbacks:
            callback(self)


def collect_all(futures: list[Future[Any]]) -> Future[list[Future[Any]]]:
    """Returns the future of the list of these futures, complete with the last, or a first exception.

    >>> futures = [torch.futures.Future() for _ in range(2)]
    >>> for number, future in enumerate(futures):
    ...     future.set_result(number)
    >>> [future.value() for future in torch.futures.collect_all(futures).wait()]
    [0, 1]
    """
    together: Future[list[Future[Any]]] = Future()
    lock, left = threading.Lock(), [len(futures)]

    def one_more(done: Future[Any]) -> None:
        with lock:
            left[0] -= 1
            if together.done():
                return
            if done._error is not None:
                together.set_exception(done._error)
            elif not left[0]:
                together.set_result(futures)

    if not futures:
        together.set_result(futures)
    for future in futures:
        future.add_done_callback(one_more)
    return together


def wait_all(futures: list[Future[Any]]) -> list[Any]:
    """Returns the values of all futures; raises the first exception among them."""
    return [future.wait() for future in collect_all(futures).wait()]
