"""Threads that load batches for a DataLoader, each with its own random numbers."""

from __future__ import annotations

import copy
import itertools
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from ...ops.sampling import stand_in
from ...random import Generator

__all__ = ["Crew", "WorkerInfo", "get_worker_info"]


@dataclass
class WorkerInfo:
    """What a worker knows about itself: its number, how many there are, its seed and its dataset."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


_current: ContextVar[WorkerInfo | None] = ContextVar("worker", default=None)


def get_worker_info() -> WorkerInfo | None:
    """Returns what a worker of a DataLoader knows about itself; None elsewhere.

    >>> class Halves(torch.utils.data.IterableDataset):
    ...     def __iter__(self):
    ...         info = torch.utils.data.get_worker_info()
    ...         yield from range(info.id, 4, info.num_workers)
    >>> list(torch.utils.data.DataLoader(Halves(), batch_size=2, num_workers=2))
    [tensor([0, 2]), tensor([1, 3])]
    """
    return _current.get()


_END = object()  # of a worker's stream


class Crew:
    """The workers of a loader, which load its batches in the order of their indices.

    Worker number i gets every batch whose place is i modulo their number, as long as all have
    something to load; up to ``ahead`` of them wait or are done before they are asked for.
    """

    def __init__(
        self,
        count: int,
        dataset: Any,
        make_fetch: Callable[[Any], Callable[[Any], Any]],
        init: Callable[[int], None] | None,
        base_seed: int,
        ahead: int,
        timeout: float,
    ) -> None:
        self.ahead = ahead * count
        self.timeout = timeout
        self.workers = [
            _Worker(WorkerInfo(i, count, base_seed + i, _own(dataset)), make_fetch, init)
            for i in range(count)
        ]

    def run(self, indices: Iterator[Any]) -> Iterator[Any]:
        """Sets the workers to work at once; returns what yields the batches of one epoch."""
        for worker in self.workers:
            worker.results = queue.Queue()
            worker.tasks.put(_Epoch(worker.results))
        active = set(self.workers)
        turns = itertools.cycle(self.workers)
        given: deque[_Worker] = deque()  # who loads the next batches, in their order

        def give() -> None:
            index = next(indices, _END) if active else _END
            if index is not _END:
                worker = next(w for w in turns if w in active)
                worker.tasks.put(index)
                given.append(worker)

        def batches() -> Iterator[Any]:
            while given:
                worker = given.popleft()
                batch = self._result(worker)
                if batch is _END:
                    active.discard(worker)
                give()
                if batch is not _END:
                    yield batch

        for _ in range(self.ahead):
            give()
        return batches()

    def _result(self, worker: _Worker) -> Any:
        try:
            error, batch = worker.results.get(timeout=self.timeout or None)
        except queue.Empty:
            raise RuntimeError(f"DataLoader timed out after {self.timeout} seconds") from None
        if error is not None:
            raise error
        return batch

    def __del__(self) -> None:
        for worker in getattr(self, "workers", ()):
            worker.tasks.put(_END)


class _Epoch:
    """Tells a worker to begin anew, and where the batches go."""

    def __init__(self, results: queue.Queue[Any]) -> None:
        self.results = results


class _Worker:
    """The side of a worker that the loader holds; the thread knows its queue of tasks alone."""

    results: queue.Queue[Any]

    def __init__(
        self,
        info: WorkerInfo,
        make_fetch: Callable[[Any], Callable[[Any], Any]],
        init: Callable[[int], None] | None,
    ) -> None:
        self.tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threading.Thread(
            target=_work, args=(info, make_fetch, init, self.tasks), daemon=True,
            name=f"DataLoader worker {info.id}",
        ).start()  # fmt: skip


def _work(
    info: WorkerInfo,
    make_fetch: Callable[[Any], Callable[[Any], Any]],
    init: Callable[[int], None] | None,
    tasks: queue.SimpleQueue[Any],
) -> None:
    """The life of a worker: until it is told to end, it loads what it is given."""
    _current.set(info)
    stand_in.set(Generator().manual_seed(info.seed).core)
    failure: BaseException | None = None
    if init is not None:
        try:
            init(info.id)
        except Exception as error:
            failure = _noted(error, info)
    results: queue.Queue[Any] = queue.Queue()
    fetch: Any = None
    while (task := tasks.get()) is not _END:
        if isinstance(task, _Epoch):
            results, fetch = task.results, None
            continue
        try:
            if failure is not None:
                raise failure
            if fetch is None:
                fetch = make_fetch(info.dataset)
            results.put((None, fetch(task)))
        except StopIteration:
            results.put((None, _END))
        except BaseException as error:
            results.put((_noted(error, info), None))


def _noted(error: BaseException, info: WorkerInfo) -> BaseException:
    note = f"Caught in worker {info.id} of a DataLoader."
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)
    return error


def _own(dataset: Any) -> Any:
    """A copy for one worker, which may change what it is; its parts are shared."""
    try:
        return copy.copy(dataset)
    except Exception:
        return dataset
