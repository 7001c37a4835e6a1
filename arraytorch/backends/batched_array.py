"""The arrays that `vmap` computes with: one array that stands for a sample and holds all of them.

A `BatchedArray` has the shape of a single sample. Its ``value`` has one dimension more, the first,
along which the samples lie; that has size 1 where all samples are equal. Inside another vmap a value
is itself a BatchedArray.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from itertools import count
from math import prod
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from .meta_array import Flags

Shape = tuple[int, ...]
_number = count(1).__next__

# The levels that still have arrays, by number.
LEVELS: WeakValueDictionary[int, Level] = WeakValueDictionary()


class Level:
    """One call of vmap: how many samples it has, and whether it is still going on.

    A later level is an inner one.
    """

    def __init__(self, size: int, randomness: str = "error") -> None:
        self.number, self.size, self.randomness = _number(), size, randomness
        self.active = False
        LEVELS[self.number] = self


class SampleShape(tuple[int, ...]):
    """The shape of one sample, which knows the numbers of the levels, the innermost first.

    A node of the tape keeps the shape of its result, and so tells what its gradient has to be like.
    """

    levels: tuple[int, ...]


def levels_of(x: Any) -> tuple[int, ...]:
    """Returns the numbers of the levels that an array is in, the innermost first."""
    return x.shape.levels if x.__class__ is BatchedArray else ()


class Unreadable(RuntimeError, TypeError):
    """What differs between samples was asked for as one value.

    A TypeError as well, as array libraries' functions raise for arrays that they do not know.
    """


class Product(NamedTuple):
    """How to compute an array of each sample, and how to compute their sum."""

    each: Callable[[], Any]
    total: Callable[[], Any]


class BatchedArray:
    """An array of a sample's shape over one that holds all samples."""

    __slots__ = ("__weakref__", "dtype", "level", "parts", "shape", "value")
    __array_ufunc__ = None
    __hash__ = object.__hash__

    def __init__(self, value: Any, level: Level) -> None:
        self.value, self.level = value, level
        self.parts: Product | None = None
        self.dtype = value.dtype
        self.shape = SampleShape(value.shape[1:])
        self.shape.levels = (level.number, *levels_of(value))

    @classmethod
    def product(cls, parts: Product, shape: Shape, dtype: Any, level: Level) -> BatchedArray:
        """Returns an array that is computed when its value is asked for.

        It may never be: gradients of what all samples share are summed over them, and to compute the
        sum at once is often much cheaper.
        """
        self = cls.__new__(cls)
        self.level, self.parts, self.dtype = level, parts, dtype
        self.shape = SampleShape(shape)
        self.shape.levels = (level.number,)
        return self

    def __getattr__(self, name: str) -> Any:
        # What stands in __slots__ and is not set: the value of a product.
        if name != "value":
            raise AttributeError(f"'BatchedArray' object has no attribute '{name}'")
        return self.force()

    def force(self) -> Any:
        """Computes the value of a product, and returns it."""
        self.value = self.parts.each()  # type: ignore[union-attr]
        self.parts = None
        return self.value

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
    def strides(self) -> Shape:
        return self.value.strides[1:]

    @property
    def flags(self) -> Flags:
        return Flags(self)  # type: ignore[arg-type]

    @property
    def base(self) -> Any:
        return self.value.base

    @property
    def T(self) -> BatchedArray:
        return kernel("permute")(self, tuple(range(self.ndim))[::-1])

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __repr__(self) -> str:
        return f"BatchedArray(level={self.level.number}, value={self.value!r})"

    # elements, which differ from sample to sample

    def item(self, *_: Any) -> Any:
        raise RuntimeError(
            "vmap: It looks like you're calling .item() on a Tensor. We don't support vmap over "
            "calling .item() on a Tensor: it has another value in each sample. Please compute with "
            "the tensor itself."
        )

    tolist = __int__ = __float__ = __index__ = __complex__ = item

    def __bool__(self) -> bool:
        raise RuntimeError(
            "vmap: It looks like you're attempting to use a Tensor in some data-dependent control "
            "flow. We don't support that: the Tensor may be true in one sample and false in "
            "another. torch.where() computes both branches and picks for each sample."
        )

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise Unreadable(
            "vmap: a Tensor that is being vmapped over cannot become a NumPy array, and its elements "
            "cannot be written in-place into a Tensor that is not: an inplace operation is not "
            "possible where the result has more elements than the Tensor it is written to. Please "
            "use the out-of-place form."
        )

    # what kernels do to arrays by methods

    def __getitem__(self, index: Any) -> Any:
        index = index if index.__class__ is tuple else (index,)
        if any(hasattr(part, "dtype") or part.__class__ is bool for part in index):
            return kernel("getitem")(self, index)
        return BatchedArray(self.value[(slice(None), *index)], self.level)

    def __setitem__(self, index: Any, value: Any) -> None:
        kernel("setitem")(self, index if index.__class__ is tuple else (index,), value)

    def __iter__(self) -> Any:
        return iter([self[i] for i in range(len(self))])

    def astype(self, dtype: Any, *, copy: bool = True) -> Any:
        cast = kernel("cast")(self, dtype)
        return kernel("copy")(cast) if copy and cast is self else cast

    def copy(self, *_: Any) -> Any:
        return kernel("copy")(self)

    def reshape(self, *shape: Any, **_: Any) -> Any:
        wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
        if -1 in wanted:
            rest = -prod(wanted)
            wanted = [self.size // rest if n == -1 and rest else max(n, 0) for n in wanted]
        return kernel("reshape")(self, tuple(wanted))

    def ravel(self) -> Any:
        return self.reshape(-1)

    def transpose(self, *dims: Any) -> Any:
        order: Any = dims[0] if len(dims) == 1 and isinstance(dims[0], (tuple, list)) else dims
        return kernel("permute")(self, tuple(order or range(self.ndim)[::-1]))

    def swapaxes(self, i: int, j: int) -> Any:
        return kernel("transpose")(self, i % self.ndim, j % self.ndim)

    def view(self, dtype: Any) -> Any:
        return BatchedArray(self.value.view(dtype), self.level)

    @property
    def real(self) -> Any:
        return kernel("real")(self)

    @property
    def imag(self) -> Any:
        return kernel("imag")(self)

    def _reduced(self, name: str, axis: Any, keepdims: bool) -> Any:
        axes = range(self.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
        return kernel(name)(self, tuple([a % self.ndim for a in axes]), keepdims)

    def sum(self, axis: Any = None, keepdims: bool = False, **_: Any) -> Any:
        return self._reduced("sum", axis, keepdims)

    def all(self, axis: Any = None, keepdims: bool = False) -> Any:
        return self._reduced("all", axis, keepdims)

    def any(self, axis: Any = None, keepdims: bool = False) -> Any:
        return self._reduced("any", axis, keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Any:
        return self._reduced("amax", axis, keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Any:
        return self._reduced("amin", axis, keepdims)

    def __matmul__(self, other: Any) -> Any:
        return kernel("matmul")(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return kernel("matmul")(other, self)

    def __imatmul__(self, other: Any) -> Any:
        return kernel("matmul")(self, other)


class _Kernels:
    """The backend of BatchedArrays, which stands above them and introduces itself."""

    backend: Any = None


def kernel(name: str) -> Callable[..., Any]:
    """Returns a kernel of the backend of BatchedArrays."""
    return getattr(_Kernels.backend, name)


def adopt(backend: Any) -> None:
    """Makes ``backend`` the one that the arrays' methods and operators compute with."""
    _Kernels.backend = backend


# ---------------------------------------------------------------------------------- operators


def aligned(level: Level, operands: Any) -> list[Any]:
    """Operands as arrays that broadcast as those of one sample would, the samples in front."""
    rank = max([getattr(x, "ndim", 0) for x in operands])
    return [
        padded(x.value, rank - x.ndim) if x.__class__ is BatchedArray and x.level is level else x
        for x in operands
    ]


def padded(value: Any, ones: int) -> Any:
    """Returns a view with dimensions of size 1 behind the first."""
    return value[(slice(None), *(None,) * ones)] if ones > 0 else value


def _applied(function: Callable[..., Any], *operands: Any) -> Any:
    level = max([x.level for x in operands if x.__class__ is BatchedArray], key=_by_number)
    return BatchedArray(function(*aligned(level, operands)), level)


_by_number = operator.attrgetter("number")
_TWO = (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and_", "or_", "xor", "lshift",
    "rshift",
)  # fmt: skip
_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
_ONE = ("neg", "pos", "abs", "invert")


def _binary(function: Any) -> Any:
    return lambda x, y: _applied(function, x, y)


def _reflected(function: Any) -> Any:
    return lambda x, y: _applied(function, y, x)


def _unary(function: Any) -> Any:
    return lambda x: BatchedArray(function(x.value), x.level)


def _install() -> None:
    for name in (*_TWO, *_COMPARISONS):
        function, bare_name = getattr(operator, name), name.rstrip("_")
        setattr(BatchedArray, f"__{bare_name}__", _binary(function))
        if name in _TWO:
            setattr(BatchedArray, f"__r{bare_name}__", _reflected(function))
            # Not in memory: another array may have fewer elements, or other eyes on it.
            setattr(BatchedArray, f"__i{bare_name}__", _binary(function))
    for name in _ONE:
        setattr(BatchedArray, f"__{name}__", _unary(getattr(operator, name)))


_install()
