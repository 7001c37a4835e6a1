"""Keeps the memory of freed arrays in the process, for the next ones.

The GNU C library gives memory back to the system as soon as 8 MB or so are free, and fetches it anew for
the next array. The system clears each page when it is touched first, which takes longer than most
operations: the gradients of layer norm of a million numbers take half as long without. Up to `_KEPT`
bytes stay; what the process uses at most does not change.
"""

from __future__ import annotations

import ctypes
import os
import sys

_KEPT = 256 << 20  # free bytes from which memory is given back
_MAPPED = 128 << 20  # bytes from which an array has memory of its own, which is always given back
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # numbers of mallopt's parameters in malloc.h
_CHOICES = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_", "GLIBC_TUNABLES")


def keep() -> bool:
    """Tells the C library, unless it is another one or the user has chosen by its own variables."""
    if not sys.platform.startswith("linux") or any(name in os.environ for name in _CHOICES):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    # Before version 2.35 the library takes no more than 32 MB for the first of the two.
    mapped = mallopt(_MMAP_THRESHOLD, _MAPPED) or mallopt(_MMAP_THRESHOLD, 32 << 20)
    return bool(mapped and mallopt(_TRIM_THRESHOLD, _KEPT))
