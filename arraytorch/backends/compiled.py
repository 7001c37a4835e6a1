"""The choice between NumPy's kernels and those that numba compiles.

numba (the extra ``arraytorch[jit]``) is imported at the first operation on a large array; small ones
never meet it. The environment variable ARRAYTORCH_CPU forces a choice: ``numpy``, or ``numba``, which
then computes arrays of every size.

The kernels take a range of rows, so that threads of our own can share the work, see `sharing`. numba's
own threads are not used: of its two kinds, one ends a forked child and the other ends the process when
two threads call it.
"""

from __future__ import annotations

import importlib
import os
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

_FORCED = os.environ.get("ARRAYTORCH_CPU") or None
if _FORCED not in (None, "numpy", "numba"):
    raise ValueError(f"ARRAYTORCH_CPU must be numpy or numba, but is {_FORCED!r}")
MANY = 2 if _FORCED == "numba" else 1 << 14  # elements from which an array is large


@lru_cache(1)
def in_use() -> bool:
    """Whether numba computes what is large."""
    if _FORCED == "numpy":
        return False
    if _FORCED == "numba" and find_spec("numba") is None:
        raise ImportError("ARRAYTORCH_CPU=numba needs numba: pip install 'arraytorch[jit]'")
    return find_spec("numba") is not None


@lru_cache(32)
def kernels(topic: str) -> Any:
    """The module of compiled kernels for a topic, None where NumPy's are to be used."""
    return importlib.import_module(f".numba_{topic}", __package__) if in_use() else None


def describe() -> str:
    """What computes large arrays, in words; nothing if that is NumPy too."""
    if not in_use():
        return ""
    from importlib.metadata import version

    return f", numba {version('numba')} for " + ("all arrays" if MANY == 2 else "large arrays")
