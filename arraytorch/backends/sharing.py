"""Threads that share the work of one operation on large arrays.

NumPy's inner loops and the compiled kernels run without the interpreter's lock, so that Python's
threads compute at the same time. An operation is cut into parts; the calling thread takes one after
the other, and so do the others, as soon as they wake up and while there are any left. Whoever comes
late finds nothing, and nobody waits for a thread that has not begun: that makes it safe to share
within a part, from several Python threads at once, and in a forked child.

The parts are large. Between two calls of NumPy a thread holds the interpreter's lock, and threads that
come back for it every few microseconds wait for each other.
"""

from __future__ import annotations

import os
from _queue import Empty, SimpleQueue  # queue's, without the module threading: 2 ms of the import
from _thread import start_new_thread
from collections.abc import Callable
from contextvars import copy_context
from functools import lru_cache, wraps
from itertools import count
from typing import Any

import numpy as np

from .compiled import MANY, in_use, kernels
from .threads import get_num_threads, give_back, library_alone
from .waking import Bell, End, processors, ring_all

SHARE = 1 << 16  # elements that are worth a thread
LARGE = 2 * SHARE  # elements from which one ufunc is worth sharing
PAIR = 1 << 19  # elements from which one is that takes little more time than memory does
# Elements of a part: for one thread few enough for the cache, and enough to be worth a call; for several
# more, as they meet at the interpreter's lock after each call.
BLOCK, PART = 1 << 17, 1 << 19
_WHILE = 0.01  # seconds
# For how many looks, of 0.3 to 0.5 nanoseconds, threads expect the next work: where the matrix library's
# threads want the cores next, and where they do not.
_AMONG_OTHERS, _ALONE = 100_000, 1_000_000


def spans(rows: int, size: int) -> list[tuple[int, int]]:
    """The ranges of rows that threads work on, of an array of so many elements."""
    parts = min(size // SHARE, rows)
    if parts > 1:
        parts = min(parts, get_num_threads())
    if parts <= 1:
        return [(0, rows)]
    return [(rows * i // parts, rows * (i + 1) // parts) for i in range(parts)]


def share(kernel: Callable[..., Any], rows: int, size: int, *args: Any) -> None:
    """Calls ``kernel(start, stop, *args)`` for all of so many rows, with threads if size is large."""
    run(kernel, spans(rows, size), *args)


def blockwise(kernel: Callable[..., Any], *arrays: Any) -> None:
    """Calls ``kernel(*pieces)`` for pieces of contiguous arrays of one size that fit the cache."""
    flat = [x.reshape(-1) for x in arrays]
    run(kernel, _pieces(flat, 1))


def rowwise(kernel: Callable[..., Any], *arrays: Any) -> None:
    """Calls ``kernel(*pieces)`` for some rows at a time: of matrices, of vectors by row and of others."""
    run(kernel, _pieces(arrays, max(arrays[0][0].size, 1)))


def _pieces(arrays: Any, width: int) -> list[tuple[Any, ...]]:
    """The arrays cut along their first dimension, so that all threads have as much to do."""
    n = len(arrays[0])
    count = -(-n * width // BLOCK)
    if count > 1 and (threads := get_num_threads()) > 1:
        count = min(-(-n * width // (PART * threads)) * threads, n)
    if count <= 1:
        return [tuple(arrays)]
    step = -(-n // count)
    return [tuple([x[i : i + step] for x in arrays]) for i in range(0, n, step)]


def blocked(kernel: Callable[..., Any], arrays: int = 1, topic: str = "", into: Any = None) -> Any:
    """An elementwise method of so many arrays and any numbers, in blocks where arrays are large.

    What it computes in between then stays in the cache. float32 goes to the compiled kernel of its name
    among those of ``topic``, where numba is installed. ``into`` does the same as the kernel, but writes
    into its last argument, which spares a pass.
    """
    name = kernel.__name__.lstrip("_")  # _elu is elu of large arrays

    @wraps(kernel)
    def method(self: Any, *args: Any) -> Any:
        x = args[0]
        if x.size < MANY or x.dtype.char not in "fd":
            return kernel(self, *args)
        given, numbers = args[:arrays], args[arrays:]
        if not all(alike(y, x) for y in given):
            return kernel(self, *args)
        if topic and x.dtype.char == "f" and (own := kernels(topic)) is not None:
            return getattr(own, name)(*args)
        out = np.empty(x.shape, x.dtype)

        def part(to: Any, *pieces: Any) -> None:
            if into is None:
                to[...] = kernel(self, *pieces, *numbers)
            else:
                into(*pieces, *numbers, to)

        blockwise(part, out, *given)
        return out

    return method


def alike(y: Any, x: Any) -> bool:
    """Whether y is a contiguous array of x's type and shape."""
    return y.dtype is x.dtype and y.shape == x.shape and y.flags.c_contiguous


def shared(function: Any) -> Any:
    """A ufunc of one operand, as a kernel whose large arrays threads share."""

    def kernel(x: Any, out: Any = None) -> Any:
        if x.size < LARGE:
            return function(x, out)
        if x.dtype.char not in "fd" or not x.flags.c_contiguous or get_num_threads() == 1:
            return function(x, out)
        if out is None:
            out = np.empty(x.shape, x.dtype)
        elif out is not x:
            return function(x, out)
        blockwise(function, x, out)
        return out

    kernel.nin = 1  # type: ignore[attr-defined]  # what the in-place forms know ufuncs by
    return kernel


def shared_one(ufunc: Any, tests: bool = False) -> Any:
    """A ufunc of one operand that takes little more time than memory does; ``tests`` says yes or no."""

    def kernel(x: Any, out: Any = None) -> Any:
        if x.size < PAIR:
            return ufunc(x, out)
        kind = np.dtype(np.bool_) if tests else x.dtype
        if not _divisible(x) or not _receives(out, kind, x):
            return ufunc(x, out)
        if out is None:
            out = np.empty(x.shape, kind)
        blockwise(ufunc, x, out)
        return out

    kernel.nin = 1  # type: ignore[attr-defined]
    return kernel


def shared_pair(ufunc: Any, compares: bool = False) -> Any:
    """A ufunc of two operands, or of an array and a number, whose large arrays threads share."""

    def kernel(x: Any, y: Any, out: Any = None) -> Any:
        try:
            if x.size < PAIR:
                return ufunc(x, y) if out is None else ufunc(x, y, out=out)
        except AttributeError:  # a number
            return ufunc(x, y, out=out)
        return _computed(ufunc, x, y, out, compares)

    kernel.nin = 2  # type: ignore[attr-defined]
    return kernel


def _computed(ufunc: Any, x: Any, y: Any, out: Any, compares: bool) -> Any:
    many = y.__class__ is np.ndarray and y.ndim > 0
    kind, char = np.dtype(np.bool_) if compares else x.dtype, x.dtype.char
    if (
        char in "il" and ufunc is np.true_divide
    ):  # the op converts them first, but tries once before
        raise TypeError("integers are divided as floats")
    numbers = (int,) if char in "il" else (float, int)
    fits = _divisible(x, "fd" if ufunc is np.arctan2 else "fdFDil")
    fits = fits and (_broadcasts(y, x) if many else y.__class__ in numbers)
    if not fits or not _receives(out, kind, x, y if many else None):
        return ufunc(x, y, out=out)
    if out is None:
        out = np.empty(x.shape, kind)
    if not many:
        blockwise(lambda x, out: ufunc(x, y, out=out), x, out)
    elif alike(y, x):
        blockwise(lambda x, y, out: ufunc(x, y, out=out), x, y, out)
    elif y.ndim == x.ndim and len(y) > 1:
        rowwise(lambda x, y, out: ufunc(x, y, out=out), x, y, out)
    else:
        rowwise(lambda x, out: ufunc(x, y, out=out), x, out)
    return out


def _divisible(x: Any, kinds: str = "fd") -> bool:
    """Whether threads may share what is computed from x, block by block."""
    return x.dtype.char in kinds and x.flags.c_contiguous and get_num_threads() > 1


def _receives(out: Any, dtype: Any, x: Any, y: Any = None) -> bool:
    """Whether blocks of out can be written before others of x and y are read; None is to be made."""
    if out is None:
        return True
    if out is not x:
        if out.dtype is not dtype or out.shape != x.shape or not out.flags.c_contiguous:
            return False
        if np.may_share_memory(out, x):
            return False
    return y is None or y is out or not np.may_share_memory(out, y)


def _broadcasts(y: Any, x: Any) -> bool:
    """Whether y has x's type and takes its shape."""
    if y.dtype is not x.dtype or y.ndim > x.ndim:
        return False
    return all(n in (1, m) for n, m in zip(y.shape[::-1], x.shape[::-1]))


def run(kernel: Callable[..., Any], parts: list[tuple[Any, ...]], *args: Any) -> None:
    """Calls ``kernel(*part, *args)`` for each part, with as many threads as may be."""
    helpers = min(len(parts), get_num_threads()) - 1 if len(parts) > 1 else 0
    if not helpers:
        for part in parts:
            kernel(*part, *args)
        return
    work = _Work(kernel, parts, args, helpers < processors())
    with library_alone(after=in_use()):
        _crew().invite(work, helpers)
        work.lead()


class _Work:
    """The parts of an operation, which threads take one after the other."""

    def __init__(self, kernel: Any, parts: list[Any], args: Any, awake: bool) -> None:
        self.kernel, self.args, self.awake = kernel, args, awake
        self.left = parts[::-1]
        self.last, self.finished = len(parts), count(1)
        self.error: BaseException | None = None
        self.end = _ends.pop() if _ends else End()
        self.end.begin()

    def do(self) -> bool:
        """Takes parts as long as there are any; tells whether it has finished the last one."""
        left, kernel, args = self.left, self.kernel, self.args
        last = False
        while left:
            try:
                part = left.pop()
            except IndexError:  # another thread was faster
                break
            try:
                kernel(*part, *args)
            except BaseException as error:  # goes to the caller
                self.error = error
            last = next(self.finished) == self.last
        return last

    def lead(self) -> None:
        """Takes parts, and returns when all are done; raises what a part has raised."""
        if not self.do():
            self.end.wait(self.awake)
        _ends.append(self.end)
        if self.error is not None:
            raise self.error


_ends: list[End] = []  # to be used again
when_starting: list[Callable[[], None]] = []  # whom to tell that there are threads


class _Crew:
    """The threads of this process; what they are invited to do waits in a queue."""

    def __init__(self) -> None:
        self.bells: list[Bell] = []
        self.queue: SimpleQueue[Any] = SimpleQueue()
        for tell in when_starting:
            tell()

    def invite(self, work: _Work, helpers: int) -> None:
        """Tells so many threads of work."""
        while len(self.bells) < helpers:
            self.bells.append(bell := Bell(_ALONE if in_use() else _AMONG_OTHERS))
            start_new_thread(self.serve, (bell,))
        for _ in range(helpers):
            # NumPy's handling of floating-point errors is a context variable.
            self.queue.put((copy_context(), work))
        if work.awake:
            ring_all(self.bells)

    def next(self) -> Any:
        """What to do next; if that takes a while, the matrix library has its threads back."""
        while True:
            try:
                return self.queue.get(True, _WHILE)
            except Empty:
                if give_back():
                    return self.queue.get()

    def serve(self, bell: Bell) -> None:
        """Does what there is to do, for ever; between two works it stays awake for a while."""
        while True:
            context, work = self.next()
            end = work.end if context.run(work.do) else None
            awake = work.awake
            del context, work  # hold no arrays while there is nothing to do
            if end is not None:
                end.release()
            if awake:
                bell.quiet()
                if self.queue.empty():
                    bell.listen(end)
                elif end is not None:
                    end.tell()


@lru_cache(1)
def _crew() -> _Crew:
    return _Crew()


if hasattr(os, "register_at_fork"):  # a child has none of its parent's threads
    os.register_at_fork(after_in_child=_crew.cache_clear)
