"""What CuPy lacks on AMD's devices, or altogether, and goes by way of the host instead.

From CuPy 14.2's sources; docs/cuda.md shows the same table, and a test compares the two.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import cupy

# By kernel: on which devices, and why.
GAPS: dict[str, tuple[str, str]] = {
    "eig": ("ROCm", "rocSOLVER has no solver for eigenvalues of general matrices"),
    "airy_ai": ("all", "CuPy has no Airy functions"),
    "ldl": ("all", "CuPy does not wrap the factorization of symmetric indefinite matrices"),
    "ldl_solve": ("all", "CuPy does not wrap it"),
}
_WARNED: set[str] = set()


def lacks(kernel: str) -> bool:
    """Whether the kernel has to run on the host here."""
    where = GAPS.get(kernel, ("", ""))[0]
    if where == "ROCm":
        return bool(cupy.cuda.runtime.is_hip)
    return where == "all"


def on_host(kernel: str, backend: Any, run: Callable[..., Any], *args: Any) -> Any:
    """Runs a kernel of the CPU's backend on copies of the arrays, and says so the first time."""
    if kernel not in _WARNED:
        _WARNED.add(kernel)
        warnings.warn(
            f"{kernel} runs on the CPU, with copies both ways: {GAPS[kernel][1]}", stacklevel=3
        )
    where = next(backend.device_of(x).index for x in args if isinstance(x, cupy.ndarray))
    found = run(*[backend.to_host(x) if isinstance(x, cupy.ndarray) else x for x in args])
    if isinstance(found, tuple):
        return tuple([backend.from_host(x, where) for x in found])
    return backend.from_host(found, where)
