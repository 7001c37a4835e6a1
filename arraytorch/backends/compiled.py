"""The choice between NumPy's kernels and those that numba compiles, and their threads.

numba (the extra ``arraytorch[jit]``) is imported at the first operation on a large array; small ones
never meet it. The environment variable ARRAYTORCH_CPU forces a choice: ``numpy``, or ``numba``, which
then computes arrays of every size.

Kernels run without the interpreter's lock and take a range of rows, so that threads of our own can
share the work. numba's own threads are not used: of its two kinds, one ends a forked child and the
other ends the process when two threads call it.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from .threads import get_num_threads

_FORCED = os.environ.get("ARRAYTORCH_CPU") or None
if _FORCED not in (None, "numpy", "numba"):
    raise ValueError(f"ARRAYTORCH_CPU must be numpy or numba, but is {_FORCED!r}")
MANY = 2 if _FORCED == "numba" else 1 << 14  # elements from which an array is large
_SHARE = 1 << 16  # elements that are worth a thread


@lru_cache(1)
def in_use() -> bool:
    """Whether numba computes what is large."""
    if _FORCED == "numpy":
        return False
    if _FORCED == "numba" and find_spec("numba") is None:
        raise ImportError("ARRAYTORCH_CPU=numba needs numba: pip install 'arraytorch[jit]'")
    return find_spec("numba") is not None


@lru_cache(16)
def kernels(topic: str) -> Any:
    """The module of compiled kernels for a topic, None where NumPy's are to be used."""
    return importlib.import_module(f".numba_{topic}", __package__) if in_use() else None


def describe() -> str:
    """What computes large arrays, in words; nothing if that is NumPy too."""
    if not in_use():
        return ""
    from importlib.metadata import version

    return f", numba {version('numba')} for " + ("all arrays" if MANY == 2 else "large arrays")


def spans(rows: int, size: int) -> list[tuple[int, int]]:
    """The ranges of rows that threads work on, of an array of so many elements."""
    parts = min(size // _SHARE, rows)
    if parts > 1:
        parts = min(parts, get_num_threads())
    if parts <= 1:
        return [(0, rows)]
    return [(rows * i // parts, rows * (i + 1) // parts) for i in range(parts)]


def share(kernel: Callable[..., None], rows: int, size: int, *args: Any) -> None:
    """Calls ``kernel(start, stop, *args)`` for all of so many rows, with threads if size is large."""
    run(kernel, spans(rows, size), *args)


def run(kernel: Callable[..., None], parts: list[tuple[Any, ...]], *args: Any) -> None:
    """Calls ``kernel(*part, *args)`` for each part, in a thread each."""
    others: list[Any] = []
    if len(parts) > 1:
        pool = _pool(get_num_threads() - 1)
        others = [pool.submit(kernel, *part, *args) for part in parts[1:]]
    kernel(*parts[0], *args)
    for other in others:
        other.result()


@lru_cache(1)
def _pool(threads: int) -> Any:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(threads, "arraytorch")


if hasattr(os, "register_at_fork"):  # a child has none of its parent's threads
    os.register_at_fork(after_in_child=_pool.cache_clear)
