"""The arrays of the meta device: shape, element type and strides, but no elements."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

Shape = tuple[int, ...]


class MetaArray:
    """An array without memory, with the part of numpy.ndarray's interface that kernels use.

    Views know whose memory they would share (``base``) and where they would begin (``offset``, in
    bytes). What would need an element raises as PyTorch's meta tensors do.
    """

    __slots__ = ("__weakref__", "base", "dtype", "offset", "shape", "strides")
    __array_ufunc__ = None
    __hash__ = object.__hash__

    def __init__(
        self,
        shape: Shape,
        dtype: Any,
        strides: Shape | None = None,
        base: MetaArray | None = None,
        offset: int = 0,
    ) -> None:
        self.shape, self.dtype, self.base, self.offset = tuple(shape), np.dtype(dtype), base, offset
        self.strides = c_strides(self.shape, self.dtype.itemsize) if strides is None else strides

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    @property
    def flags(self) -> Flags:
        return Flags(self)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __repr__(self) -> str:
        return f"MetaArray(shape={self.shape}, dtype={self.dtype.name})"

    # elements, of which there are none

    def item(self, *_: Any) -> Any:
        raise RuntimeError("Tensor.item() cannot be called on meta tensors")

    __bool__ = __int__ = __float__ = __index__ = __complex__ = item

    def tolist(self) -> Any:
        raise NotImplementedError("Cannot copy out of meta tensor; no data!")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("a meta array has no elements for NumPy to take")

    def __dlpack__(self, **_: Any) -> Any:
        return self.tolist()

    # views

    def _view(self, shape: Shape, strides: Shape, offset: int = 0, dtype: Any = None) -> MetaArray:
        base = self if self.base is None else self.base
        return MetaArray(shape, dtype or self.dtype, strides, base, self.offset + offset)

    def transpose(self, *dims: Any) -> MetaArray:
        """The dimensions in another order."""
        order: Any = dims[0] if len(dims) == 1 and isinstance(dims[0], (tuple, list)) else dims
        order = order or range(self.ndim)[::-1]
        return self._view(
            tuple([self.shape[d] for d in order]), tuple([self.strides[d] for d in order])
        )

    @property
    def T(self) -> MetaArray:
        return self.transpose()

    def swapaxes(self, i: int, j: int) -> MetaArray:
        """Two dimensions swapped."""
        order = list(range(self.ndim))
        order[i], order[j] = order[j], order[i]
        return self.transpose(order)

    def reshape(self, *shape: Any, **_: Any) -> MetaArray:
        """Another shape, as a view where real memory would allow that."""
        wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
        new = _filled(tuple(wanted), self.size)
        strides = strides_for(self.shape, self.strides, new, self.itemsize)
        return MetaArray(new, self.dtype) if strides is None else self._view(new, strides)

    def ravel(self) -> MetaArray:
        return self.reshape(-1)

    def squeeze(self, axis: Any = None) -> MetaArray:
        axes = range(self.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
        gone = {a % self.ndim for a in axes if self.shape[a] == 1}
        return self[tuple([0 if d in gone else slice(None) for d in range(self.ndim)])]

    def view(self, dtype: Any) -> MetaArray:
        """The same memory read as another type."""
        dtype = np.dtype(dtype)
        if dtype.itemsize == self.itemsize:
            return self._view(self.shape, self.strides, dtype=dtype)
        if not self.ndim or self.shape[-1] != 1 and self.strides[-1] != self.itemsize:
            raise ValueError(
                "to change to a dtype of another size, the last axis must be contiguous"
            )
        size = self.shape[-1] * self.itemsize
        if size % dtype.itemsize:
            raise ValueError(
                "the last axis does not hold a whole number of the new dtype's elements"
            )
        shape = (*self.shape[:-1], size // dtype.itemsize)
        return self._view(shape, (*self.strides[:-1], dtype.itemsize), dtype=dtype)

    @property
    def real(self) -> MetaArray:
        if self.dtype.kind != "c":
            return self
        return self._view(self.shape, self.strides, dtype=np.dtype(f"f{self.itemsize // 2}"))

    @real.setter
    def real(self, value: Any) -> None:
        _check_fits(value, self.shape)

    @property
    def imag(self) -> MetaArray:
        half = self.itemsize // 2
        return self._view(self.shape, self.strides, half, np.dtype(f"f{half}"))

    @imag.setter
    def imag(self, value: Any) -> None:
        _check_fits(value, self.shape)

    # copies

    def copy(self, *_: Any) -> MetaArray:
        return MetaArray(self.shape, self.dtype)

    def astype(self, dtype: Any, *, copy: bool = True) -> MetaArray:
        if not copy and np.dtype(dtype) is self.dtype:
            return self
        return MetaArray(self.shape, dtype, laid_out_like(self, np.dtype(dtype)))

    # indexing

    def __getitem__(self, index: Any) -> MetaArray:
        parts = _full(index, self)
        if any(_is_array(p) or isinstance(p, bool) for p in parts):
            return MetaArray(_picked(parts, self.shape), self.dtype)
        shape, strides, offset, d = [], [], 0, 0
        for part in parts:
            if part is None:
                shape.append(1)
                strides.append(0)
                continue
            n, s = self.shape[d], self.strides[d]
            if isinstance(part, slice):
                start, stop, step = part.indices(n)
                count = len(range(start, stop, step))
                shape.append(count)
                strides.append(s * step)
                offset += start * s if count else 0
            else:
                offset += _in_range(part, n, d) * s
            d += 1
        return self._view(tuple(shape), tuple(strides), offset)

    def __setitem__(self, index: Any, value: Any) -> None:
        _check_fits(value, self[index].shape)

    def __iter__(self) -> Any:
        return iter([self[i] for i in range(len(self))])


class Flags:
    """What ``ndarray.flags`` tells of the layout."""

    writeable = True

    def __init__(self, x: MetaArray) -> None:
        self.c_contiguous = _dense(x.shape, x.strides, x.itemsize)
        self.f_contiguous = _dense(x.shape[::-1], x.strides[::-1], x.itemsize)
        self.contiguous = self.c_contiguous


def c_strides(shape: Shape, itemsize: int) -> Shape:
    """Returns the strides in bytes of an array in C order."""
    strides, step = [], itemsize
    for n in reversed(shape):
        strides.append(step)
        step *= n if n else 1
    return tuple(reversed(strides))


def _dense(shape: Shape, strides: Shape, itemsize: int) -> bool:
    if 0 in shape:
        return True
    wanted = c_strides(shape, itemsize)
    return all(n == 1 or a == b for n, a, b in zip(shape, strides, wanted, strict=True))


def laid_out_like(x: MetaArray, dtype: Any) -> Shape | None:
    """Returns the strides of a result that keeps the order of x's dimensions in memory."""
    order = sorted(range(x.ndim), key=lambda d: (-x.strides[d], d))
    if order == list(range(x.ndim)):
        return None
    permuted = tuple([x.shape[d] for d in order])
    if not _dense(permuted, tuple([x.strides[d] for d in order]), x.itemsize):
        return None
    strides = [0] * x.ndim
    for d, s in zip(order, c_strides(permuted, dtype.itemsize), strict=True):
        strides[d] = s
    return tuple(strides)


def _filled(shape: Shape, size: int) -> Shape:
    if -1 in shape:
        at = shape.index(-1)
        rest = prod(shape[:at] + shape[at + 1 :])
        shape = shape[:at] + (size // rest if rest else 0,) + shape[at + 1 :]
    if prod(shape) != size:
        raise ValueError(f"cannot reshape array of size {size} into shape {shape}")
    return shape


def strides_for(shape: Shape, strides: Shape, new: Shape, itemsize: int) -> Shape | None:
    """Returns the strides of a view in the shape ``new``, or None if that needs a copy.

    The old dimensions, those of size 1 left out, are taken in groups whose sizes multiply to the
    same as a group of new ones; a group must lie in memory as one run.
    """
    if 0 in shape:
        return c_strides(new, itemsize)
    old = [(n, s) for n, s in zip(shape, strides, strict=True) if n != 1]
    result: list[int] = []
    i = 0
    for j, n in enumerate(new):
        if len(result) > j:
            continue
        if n == 1:
            result.append(0)
            continue
        count, group = n, [n]
        have, start = old[i][0], i
        i += 1
        while have != count:
            if have < count:
                if old[i - 1][1] != old[i][0] * old[i][1]:
                    return None
                have *= old[i][0]
                i += 1
            else:
                group.append(new[j + len(group)])
                count *= group[-1]
        for k in range(start, i - 1):
            if old[k][1] != old[k + 1][0] * old[k + 1][1]:
                return None
        step, run = old[i - 1][1], []
        for size in reversed(group):
            run.append(step)
            step *= size
        result += reversed(run)
    return tuple(result[: len(new)])


# ---------------------------------------------------------------------------------- indexing


def _is_array(part: Any) -> bool:
    return isinstance(part, (MetaArray, np.ndarray, list, tuple))


def _full(index: Any, x: MetaArray) -> list[Any]:
    """The index as a list of parts, one for each dimension of x besides None."""
    parts = list(index) if isinstance(index, tuple) else [index]
    used = sum(
        p.ndim if _is_mask(p) else 1
        for p in parts
        if p is not None and p is not Ellipsis and not isinstance(p, bool)
    )
    if used > x.ndim:
        raise IndexError(
            f"too many indices for array: array is {x.ndim}-dimensional, but {used} were indexed"
        )
    missing: list[Any] = [slice(None)] * (x.ndim - used)
    for i, part in enumerate(parts):
        if part is Ellipsis:
            return parts[:i] + missing + parts[i + 1 :]
    return parts + missing


def _is_mask(part: Any) -> bool:
    return isinstance(part, (MetaArray, np.ndarray)) and part.dtype.kind == "b"


def _picked(parts: list[Any], shape: Shape) -> Shape:
    """The shape of advanced indexing: where the index arrays stand if together, else in front."""
    kept: list[int] = []
    arrays: list[Shape] = []
    at: list[int] = []
    together, before, d = True, 0, 0
    for i, part in enumerate(parts):
        if part is None:
            kept.append(1)
        elif isinstance(part, slice):
            kept.append(len(range(*part.indices(shape[d]))))
            d += 1
        else:
            if isinstance(part, bool):
                arrays.append((int(part),))
            elif _is_mask(part):
                arrays.append((_count(part),))
                d += part.ndim
            else:
                arrays.append(
                    tuple(np.shape(part)) if not isinstance(part, MetaArray) else part.shape
                )
                d += 1
            if at and at[-1] != i - 1:
                together = False
            if not at:
                before = len(kept)
            at.append(i)
    lead = before if together else 0
    joint = np.broadcast_shapes(*arrays)
    return (*kept[:lead], *joint, *kept[lead:])


def _count(mask: Any) -> int:
    if isinstance(mask, MetaArray):
        raise unknown("nonzero")
    return int(mask.sum())


def unknown(name: str) -> NotImplementedError:
    """Returns the error for a result whose shape would depend on elements."""
    return NotImplementedError(
        f"{name}: attempted to run this operator with Meta tensors, but the shape of its result "
        "depends on the elements, which meta tensors do not have"
    )


def _in_range(i: int, n: int, d: int) -> int:
    if not -n <= i < n:
        raise IndexError(f"index {i} is out of bounds for axis {d} with size {n}")
    return i % n


def _check_fits(value: Any, shape: Shape) -> None:
    own: Any = getattr(value, "shape", ())
    while len(own) > len(shape) and own[0] == 1:
        own = own[1:]
    try:
        fits = np.broadcast_shapes(own, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"could not broadcast input array from shape {own} into shape {shape}")


def install_operators(function: Callable[[str], Any], reduction: Callable[[str], Any]) -> None:
    """Gives MetaArray the operators and methods that the namespace computes."""
    for name, ufunc in _OPERATORS.items():
        apply = function(ufunc)
        setattr(MetaArray, f"__{name}__", _operator(apply))
        setattr(MetaArray, f"__r{name}__", _reflected(apply))
        setattr(MetaArray, f"__i{name}__", _in_place(apply))
    for name, ufunc in _COMPARISONS.items():
        setattr(MetaArray, f"__{name}__", _operator(function(ufunc)))
    for name, ufunc in _UNARY.items():
        setattr(MetaArray, f"__{name}__", function(ufunc))
    for name in ("sum", "prod", "mean", "max", "min", "all", "any", "argmax", "argmin"):
        setattr(MetaArray, name, reduction(name))


_OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "true_divide",
    "floordiv": "floor_divide", "mod": "remainder", "pow": "power", "matmul": "matmul",
    "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor", "lshift": "left_shift",
    "rshift": "right_shift",
}  # fmt: skip
_COMPARISONS = {
    "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater",
    "ge": "greater_equal",
}  # fmt: skip
_UNARY = {"neg": "negative", "pos": "positive", "abs": "absolute", "invert": "invert"}


def _operator(apply: Any) -> Any:
    return lambda x, y: apply(x, y)


def _reflected(apply: Any) -> Any:
    return lambda x, y: apply(y, x)


def _in_place(apply: Any) -> Any:
    return lambda x, y: apply(x, y, out=x)
