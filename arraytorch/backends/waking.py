"""How threads wait for each other awake: with NumPy alone, and without the interpreter's lock.

A thread that sleeps takes some 30 microseconds to wake, and who wakes it a dozen for the call: together
that is what half a million additions take. So threads that expect something soon look at a byte of
memory over and over. ``logical_or.reduce`` does that for an array of stride 0, which is one byte many
times: it lets go of the interpreter's lock, stops at the first True, and ends when the array does.

Whoever sees the byte change wants the interpreter's lock next, and would sleep if it were still held.
So the byte has to change while who changes it does not hold the lock: within a call of two rows. The
first row, of a line that is True, writes what others look at; the second goes on for some time.
"""

from __future__ import annotations

import os
from _thread import allocate_lock
from functools import lru_cache
from typing import Any

import numpy as np

LINE = 64  # bytes from one line of memory to the next: what a core writes, others read anew
# How many looks, of 0.3 to 0.5 nanoseconds each: as long as another thread takes to get the lock and
# begin, and as long as the end of work may take.
_MOMENT, _WORK = 20_000, 2_000_000

_look = np.logical_or.reduce


def _lines(count: int) -> Any:
    return np.zeros(LINE * count, np.bool_)


def _looks(memory: Any, line: int, count: int) -> Any:
    """The first line, and another, each so many times."""
    return np.ndarray((2, count), np.bool_, memory, 0, (LINE * line, 0))


def _two(memory: Any, line: int) -> Any:
    """A line and the next."""
    return np.ndarray((2,), np.bool_, memory, LINE * line, (LINE,))


class Bell:
    """What a thread listens to when it has nothing to do, for so many looks."""

    def __init__(self, patience: int) -> None:
        memory = _lines(4)  # True, False, the bell, what comes after it
        memory[0] = True
        self.byte = memory[2 * LINE :][:1]
        self._ring, self._rung = _looks(memory, 1, _MOMENT), _two(memory, 2)
        self._listen = _looks(memory, 2, patience)

    def ring(self) -> None:
        """Wakes the listener, and leaves it the interpreter's lock for a moment."""
        _look(self._ring, 1, None, self._rung)

    def quiet(self) -> None:
        """What has rung before does not count any more."""
        self.byte[0] = False

    def listen(self, end: End | None) -> None:
        """Returns when the bell has rung, or when patience ends; first tells of an end."""
        if end is None:
            _look(self._listen[1])
        else:
            _look(self._listen, 1, None, end.told)


def ring_all(bells: list[Bell]) -> None:
    """Rings them, with one moment for all."""
    for bell in bells[:-1]:
        bell.byte[0] = True
    bells[-1].ring()


class End:
    """What a thread waits for until another tells it; can be used again after that."""

    def __init__(self) -> None:
        memory = _lines(2)
        self.told = _two(memory, 0)
        self._byte, self._looks = memory[:1], np.ndarray((_WORK,), np.bool_, memory, 0, (0,))
        self._lock = allocate_lock()
        self._lock.acquire()

    def begin(self) -> None:
        self._byte[0] = False

    def release(self) -> None:
        """Lets the thread return from `wait`; if it waits awake, as soon as it is told as well."""
        self._lock.release()

    def tell(self) -> None:
        self._byte[0] = True

    def wait(self, awake: bool) -> None:
        """Returns after `release`; falls asleep after half a millisecond."""
        if awake:
            _look(self._looks)
        self._lock.acquire()


@lru_cache(1)
def processors() -> int:
    """How many processors this process may use: threads beyond them must not wait awake."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
