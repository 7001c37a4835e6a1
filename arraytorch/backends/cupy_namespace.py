"""CuPy's functions as the generic kernels expect them, where CuPy lacks an element type."""

from __future__ import annotations

from typing import Any

import cupy
import numpy as np


def _odd(x: Any) -> bool:
    """Whether x is an array of complex numbers or of bfloat16, which some functions do not take."""
    return isinstance(x, cupy.ndarray) and x.dtype.kind in "cV"


def _truth(x: Any) -> Any:
    return x != 0 if _odd(x) else x


class Namespace:
    """The module, but for what is here: of bfloat16, which has no `where`, and of complex numbers."""

    __name__ = "cupy"
    __version__ = cupy.__version__

    def __getattr__(self, name: str) -> Any:
        found = self.__dict__[name] = getattr(cupy, name)
        return found

    @staticmethod
    def where(condition: Any, x: Any, y: Any) -> Any:
        """x where the condition holds, else y; bfloat16 by its bits."""
        types = {a.dtype for a in (x, y) if isinstance(a, cupy.ndarray)}
        if not any(t.kind == "V" for t in types):
            return cupy.where(condition, x, y)
        if len(types) == 1:
            (dtype,) = types
            x, y = (a if isinstance(a, cupy.ndarray) else cupy.full((), a, dtype) for a in (x, y))
            return cupy.where(condition, x.view("u2"), y.view("u2")).view(dtype)
        dtype = np.result_type(*types)
        x, y = (a.astype(dtype) if isinstance(a, cupy.ndarray) else a for a in (x, y))
        return cupy.where(condition, x, y)

    @staticmethod
    def logical_not(x: Any) -> Any:
        """Whether elements are zero."""
        return x == 0 if _odd(x) else cupy.logical_not(x)

    @staticmethod
    def logical_and(x: Any, y: Any) -> Any:
        """Whether both elements are nonzero."""
        return cupy.logical_and(_truth(x), _truth(y))

    @staticmethod
    def logical_or(x: Any, y: Any) -> Any:
        """Whether an element of the two is nonzero."""
        return cupy.logical_or(_truth(x), _truth(y))

    @staticmethod
    def logical_xor(x: Any, y: Any) -> Any:
        """Whether one element of the two is nonzero and the other is not."""
        return cupy.logical_xor(_truth(x), _truth(y))

    @staticmethod
    def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        """Where the largest element stands."""
        return cupy.argmax(_wide(x), axis=axis, keepdims=keepdims)

    @staticmethod
    def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        """Where the smallest element stands."""
        return cupy.argmin(_wide(x), axis=axis, keepdims=keepdims)

    @staticmethod
    def nonzero(x: Any) -> Any:
        """The indices of nonzero elements, an array for each dimension."""
        return cupy.nonzero(_truth(x))


def _wide(x: Any) -> Any:
    return x.astype("f4") if x.dtype.kind == "V" else x
