"""How many threads the CPU's matrix library uses, asked of and told to the library itself."""

from __future__ import annotations

import ctypes
import os
from _thread import allocate_lock
from functools import lru_cache
from typing import Any

import numpy as np

# What the builds of OpenBLAS in the wheels of NumPy, distributions and conda call their functions.
_NAMES = (
    ("scipy_openblas_get_num_threads64_", "scipy_openblas_set_num_threads64_"),
    ("openblas_get_num_threads64_", "openblas_set_num_threads64_"),
    ("scipy_openblas_get_num_threads", "scipy_openblas_set_num_threads"),
    ("openblas_get_num_threads", "openblas_set_num_threads"),
    ("MKL_Get_Max_Threads", "MKL_Set_Num_Threads"),
)


@lru_cache(1)
def _controls() -> tuple[Any, Any] | None:
    """The library's functions that get and set the number, None if it has none that we know."""
    package = os.path.dirname(np.__file__)  # pathlib takes 4 ms to import
    folders = [os.path.join(package, name) for name in ("../numpy.libs", ".dylibs", "_core")]
    found = [(f, name) for f in folders if os.path.isdir(f) for name in sorted(os.listdir(f))]
    libraries = [os.path.join(f, n) for f, n in found if "blas" in n or "mkl" in n]
    for library in [*libraries, None]:  # None: what the process has loaded anyway
        try:
            handle = ctypes.CDLL(library)
        except OSError:
            continue
        for get, set_ in _NAMES:
            if hasattr(handle, get) and hasattr(handle, set_):
                return getattr(handle, get), getattr(handle, set_)
    return None


def get_num_threads() -> int:
    """Returns how many threads one operation on the CPU may use.

    >>> torch.get_num_threads() >= 1
    True
    """
    if _taken:
        return _taken[0]
    controls = _controls()
    return int(controls[0]()) if controls else os.cpu_count() or 1


def set_num_threads(num: int, /) -> None:
    """Sets how many threads one operation on the CPU may use.

    Matrix products use them, and so do kernels that share their rows among threads.
    Raises RuntimeError for a number below 1, or where the matrix library of this NumPy build has
    no such setting; OPENBLAS_NUM_THREADS or its like, set before the start, works there too.

    >>> torch.set_num_threads(torch.get_num_threads())
    """
    if not isinstance(num, int) or isinstance(num, bool):
        raise TypeError(f"set_num_threads expects an int, but got {type(num).__name__}")
    if num < 1:
        raise RuntimeError("set_num_threads expects a positive integer")
    controls = _controls()
    if controls is None:
        raise RuntimeError("set_num_threads: NumPy's matrix library here has no such setting")
    with _lock:
        if _taken:
            _taken[0] = num  # what the library is given back
        else:
            controls[1](num)


class library_alone:
    """Within it, matrix products use the calling thread alone, and threads of ours can share the work.

    The library's own threads spin for some milliseconds after a product, on the cores that ours
    need, and take longer to wake than a small product takes. The number is the process's: products
    of threads elsewhere are slower meanwhile, and as right as ever.

    With ``after`` that lasts until somebody calls `give_back`.
    """

    def __init__(self, after: bool = False) -> None:
        self.after = after

    def __enter__(self) -> None:
        """Takes the library's threads away; costs a microsecond."""
        with _lock:
            _inside[0] += 1
            if not _taken:
                _taken.append(get_num_threads())
                if controls := _controls():
                    controls[1](1)

    def __exit__(self, *_: object) -> None:
        """Gives them back, once nobody is inside any more."""
        with _lock:
            _inside[0] -= 1
            _kept[0] |= self.after
        if not _kept[0]:
            give_back()


def library_is_alone() -> bool:
    """Whether matrix products use the calling thread alone now."""
    return bool(_taken) or get_num_threads() == 1


def give_back() -> bool:
    """Lets the library use its threads again; tells whether it may, as nobody is within `library_alone`."""
    if not _taken:
        return True
    with _lock:
        if _inside[0]:
            return False
        if _taken and (controls := _controls()):
            controls[1](_taken[0])
        _taken.clear()
        _kept[0] = False
    return True


_lock = allocate_lock()
_inside = [0]  # how many are within library_alone
_taken: list[int] = []  # how many threads the library had before they were taken away
_kept = [False]  # whether they are to stay away until they are given back


def _restart() -> None:
    """In a forked child nobody is inside, and nobody holds the lock."""
    global _lock
    _lock, _inside[0] = allocate_lock(), 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_restart)
