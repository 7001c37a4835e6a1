"""Numbers of eight bits: arrays of their codes, and a backend that does little with them.

PyTorch has views, copies, indices, conversions and hardly any arithmetic for these types, and refuses
the rest. So they are arrays of a class of their own, whose backend passes on the kernels that move
elements, computes a few by way of float32, and refuses all others by name: no kernel of any other
type is ever asked whether its argument might be one of these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._dtypes import named, scalar_type_name


class Float8Array(np.ndarray):
    """Codes; the element type has one field, which is named for the number format."""


def is_float8(native: Any) -> bool:
    """Returns whether an element type is one of these."""
    return native.names is not None


def labelled(x: Any) -> Any:
    """Returns an array as one of these where its element type is: NumPy forgets the class at times."""
    return x.view(Float8Array) if x.dtype.names is not None else x


def _format(native: Any) -> Any:
    """The element type of ml_dtypes with these codes; it is loaded when it is first needed."""
    import ml_dtypes

    return getattr(ml_dtypes, native.names[0])


def decoded(x: Any) -> Any:
    """Returns the numbers as float32, which holds all of them."""
    bits = np.asarray(x).view(np.uint8)
    return bits.view(_format(x.dtype)).astype(np.float32)


def encoded(x: Any, native: Any) -> Any:
    """Returns the nearest codes, ties to the even one, of numbers of any real type.

    PyTorch's differ from those of ml_dtypes in what lies outside: e4m3fn has its largest number for
    anything larger, e8m0fnu, which has no sign and no zero, the code of the magnitude or its least,
    and a NaN is all ones.
    """
    name = native.names[0]
    x = np.asarray(x).astype(np.float32)
    if name == "float8_e4m3fn":
        x = np.clip(x, np.float32(-448), np.float32(448))
    elif name == "float8_e8m0fnu":
        x = np.abs(x)
    bits = np.asarray(x.astype(_format(native))).view(np.uint8)
    if name == "float8_e5m2":
        bits = np.where(np.isnan(x), bits | np.uint8(3), bits)
    elif name == "float8_e8m0fnu":
        bits = np.where(x == 0, np.uint8(0), bits)
    return bits.view(native).view(Float8Array)


_LARGEST = {
    "float8_e4m3fn": 448.0, "float8_e4m3fnuz": 240.0, "float8_e5m2": 57344.0, "float8_e5m2fnuz": 57344.0
}  # fmt: skip


def filling(value: Any, native: Any) -> Any:
    """Returns the code of one number; RuntimeError if that is beyond the largest."""
    name = native.names[0]
    infinite = name == "float8_e5m2" and abs(value) == np.inf
    if abs(value) > _LARGEST.get(name, np.inf) and not infinite:
        kind = scalar_type_name(named(name))
        raise RuntimeError(f"value cannot be converted to type c10::{kind} without overflow")
    return encoded(value, native)


def recast(x: Any, dtype: Any) -> Any:
    """Returns x as another type, where one of the two is of eight bits."""
    if is_float8(x.dtype):
        x = decoded(x)
    if is_float8(dtype):
        return encoded(x.real if x.dtype.kind == "c" else x, dtype)
    return x.astype(dtype, copy=False)


# Kernels that move elements, or tell of an array without reading any.
_MOVES = frozenset(
    (
        "as_strided",
        "cat",
        "constant_pad",
        "contiguous",
        "settled",
        "data_ptr",
        "describe",
        "device_count",
        "device_of",
        "diagonal",
        "embedding_gather",
        "empty",
        "empty_like",
        "expand",
        "eye",
        "from_host",
        "getitem",
        "host_index",
        "is_contiguous",
        "moved",
        "overlap",
        "permute",
        "repeat",
        "repeat_tile",
        "report",
        "reshape",
        "reshaped",
        "roll",
        "shares",
        "stack",
        "storage_offset",
        "strided_places",
        "strides_of",
        "synchronize",
        "take",
        "to_host",
        "transpose",
        "undiagonal",
        "where",
        "zeros",
        "zeros_like",
    )
)


class Float8Backend:
    """The kernels that there are for these types, over those of NumPy's backend."""

    level = 1  # it is asked where arrays of both kinds meet, such as codes and indices
    device_type = "cpu"
    checks_bounds = True
    array_types = (Float8Array, np.void)

    def __init__(self, plain: Any) -> None:
        self._plain = plain

    def __getattr__(self, name: str) -> Any:
        if name == "xp" or name.startswith("__"):
            raise AttributeError(name)
        kernel = getattr(self._plain, name)
        if name in _MOVES:
            return _relabelling(kernel)
        if name == "generator":
            raise NotImplementedError("random numbers are not implemented for types of eight bits")
        return _refusal(name)

    def asarray(self, x: Any) -> Any:
        """An array of what a kernel returned."""
        return labelled(np.asarray(x))

    def cast(self, x: Any, dtype: Any) -> Any:
        """x as another type, itself if it is of that type."""
        return x if x.dtype is dtype else recast(x, dtype)

    def bitcast(self, x: Any, dtype: Any) -> Any:
        """A view of the same memory as elements of another type."""
        return labelled(x.view(np.ndarray).view(dtype))

    def copy(self, x: Any) -> Any:
        """A contiguous copy."""
        return np.array(x, order="C", subok=True)

    def owned(self, x: Any) -> Any:
        """A copy."""
        return self.copy(self.asarray(x))

    def full(self, shape: Any, value: Any, dtype: Any, index: int | None = None) -> Any:
        """An array of one value."""
        return self._plain.full(shape, value, dtype)

    def ones_like(self, x: Any) -> Any:
        """Ones of x's shape and type."""
        return self.full(x.shape, 1, x.dtype)

    def write(self, target: Any, value: Any) -> None:
        """Copies value, broadcast and converted, into the memory of target."""
        target[...] = self._fitting(target, value)

    def setitem(self, x: Any, index: Any, value: Any) -> None:
        """x[index] = value."""
        x[index] = self._fitting(x, value)

    def assigned(self, x: Any, value: Any, index: Any) -> Any:
        """A copy of x with value written at index."""
        out = self.copy(x)
        self.setitem(out, index, value)
        return out

    @staticmethod
    def _fitting(target: Any, value: Any) -> Any:
        native = getattr(value, "dtype", None)
        if native is target.dtype:
            return value
        return encoded(value, target.dtype) if native is None else recast(value, target.dtype)

    # What is computed: by way of float32, rounded once.

    def eq(self, x: Any, y: Any) -> Any:
        """Whether elements are equal."""
        return np.equal(decoded(x), decoded(y))

    def ne(self, x: Any, y: Any) -> Any:
        """Whether elements differ."""
        return np.not_equal(decoded(x), decoded(y))

    def isnan(self, x: Any) -> Any:
        """Whether elements are NaN."""
        return np.isnan(decoded(x))

    def abs(self, x: Any) -> Any:
        """The magnitudes."""
        if not named(x.dtype.names[0]).is_signed:
            raise _refused("abs", x)
        return encoded(np.abs(decoded(x)), x.dtype)

    def mul(self, x: Any, y: Any) -> Any:
        """The products of arrays; as in PyTorch, not those with a number."""
        if x.ndim != y.ndim and not (x.ndim and y.ndim):
            raise _refused("mul", x)
        return encoded(decoded(x) * decoded(y), x.dtype)

    def all(self, x: Any, dims: Any, keepdim: bool) -> Any:
        """Whether all elements are nonzero."""
        return self._plain.all(decoded(x), dims, keepdim)

    def any(self, x: Any, dims: Any, keepdim: bool) -> Any:
        """Whether some element is nonzero."""
        return self._plain.any(decoded(x), dims, keepdim)

    def count_nonzero(self, x: Any, dims: Any) -> Any:
        """The number of nonzero elements."""
        return self._plain.count_nonzero(decoded(x), dims)


def _relabelling(kernel: Callable[..., Any]) -> Callable[..., Any]:
    def relabelled(*args: Any, **kwargs: Any) -> Any:
        result = kernel(*args, **kwargs)
        if isinstance(result, np.ndarray):
            return labelled(result)
        return (
            tuple(map(labelled, result))
            if isinstance(result, tuple) and _arrays(result)
            else result
        )

    return relabelled


def _arrays(results: tuple[Any, ...]) -> bool:
    return all(isinstance(r, np.ndarray) for r in results)


def _refused(name: str, x: Any) -> NotImplementedError:
    kind = scalar_type_name(named(x.dtype.names[0]))
    return NotImplementedError(f"\"{name}_cpu\" not implemented for '{kind}'")


def _refusal(name: str) -> Callable[..., Any]:
    def refuse(*args: Any, **_: Any) -> Any:
        arrays = [a for a in args if isinstance(a, (Float8Array, np.void))]
        if not arrays:  # a list of them
            arrays = [a for group in args if isinstance(group, (list, tuple)) for a in group]
        if not arrays:
            raise NotImplementedError(f'"{name}_cpu" not implemented for types of eight bits')
        raise _refused(name, arrays[0])

    return refuse
