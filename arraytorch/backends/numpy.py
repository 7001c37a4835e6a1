"""NumPy: the backend of the CPU, and the one that all others are compared with."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import Any

import numpy as np

from .._device import CPU, device
from .._dtypes import ALL, EIGHT_BITS, bfloat16
from . import compiled, freed_memory, numpy_arithmetic, numpy_halves, numpy_integers, numpy_moves
from .compiled_pooling import CompiledPooling
from .compiled_sorting import CompiledSorting
from .float8 import labelled, recast
from .generic import ArrayModuleBackend
from .numpy_attention import NumpyAttention
from .numpy_convolution import NumpyConvolutionKernels
from .numpy_grid import NumpyGrid
from .numpy_linalg import NumpyLinalg
from .numpy_moves import NumpyMoves
from .numpy_normalization import NumpyNormalization
from .numpy_numbers import ZERO
from .numpy_optimizers import NumpyOptimizerKernels
from .numpy_places import NumpyPlaceKernels, triangles
from .numpy_pointwise import NumpyPointwiseKernels
from .numpy_pooling import NumpyPoolingKernels
from .numpy_products import dot
from .numpy_products import matmul as products
from .numpy_recurrence import NumpyRecurrence
from .numpy_reduction import NumpyReductionKernels, ones
from .numpy_resampling import NumpyResampling
from .numpy_sampling import NumpyGenerator
from .numpy_scans import scanned
from .numpy_softmax import NumpySoftmax
from .numpy_sorting import NumpySortingKernels
from .numpy_special import NumpySpecialKernels
from .philox import rounds
from .sharing import LARGE, rowwise, share
from .threads import get_num_threads

# What NumPy broadcasts it copies into buffers of so many elements, unless rows are longer: of 8192, its
# own choice, half of the time that arithmetic with rows or columns of a large matrix takes.
if np.getbufsize() == 8192:
    np.setbufsize(768)
freed_memory.keep()

_CONVERTED = frozenset({"fe", "fE", "ef", "Ef", "lf"})  # what compiled kernels convert, from and to
_SINGLE = np.dtype(np.float32)
_CODES = np.dtypes.VoidDType  # the class of element types of eight bits
_IN_PLACE = 1 << 16  # bytes from which adding in place pays for asking who else holds the array
_MANY = compiled.MANY
_TURNED = 1 << 14  # elements from which a transposed matrix is copied piece by piece
_MUCH = 1 << 20 if _MANY > 2 else 0  # multiplications from which there may be a compiled product
_MANY_WEIGHTS = 1 << 13  # elements of a matrix from which there is a choice how to multiply with it
_FEW = 1 << 10  # elements of a factor up to which a product is one for the library
_FEW_STEPS = 32  # values up to which Python's own numbers are faster
_SPACED = 1 << 15  # values of `linspace` that are computed at a time
_PIECE = 1 << 13  # elements of which Philox makes numbers at a time
_getrefcount = getattr(sys, "getrefcount", None)
if (
    getattr(sys, "_is_gil_enabled", lambda: True)() is False
):  # counts are deferred: do not trust them
    _getrefcount = None


@lru_cache(1024)
def _repeating(shape: tuple[int, ...], strides: tuple[int, ...], ndim: int) -> tuple[int, ...]:
    """The strides of an array that is repeated along its dimensions of size 1 and new leading ones."""
    own = [0 if n == 1 else s for n, s in zip(shape, strides, strict=True)]
    return (0,) * (ndim - len(shape)) + tuple(own)


@lru_cache(16)
def _triangle(rows: int, columns: int, diagonal: int, upper: bool, itemsize: int) -> Any:
    """All bits of what lies in a triangle of a matrix that is not large, as integers of a size."""
    inside = np.tri(rows, columns, diagonal - upper, np.bool_)
    return -(inside != upper).astype(f"i{itemsize}")


def _is_masked(x: Any) -> bool:
    """Whether matrices are few and small enough for a mask that is kept."""
    return x.size <= 1 << 18 and x.shape[-2] * x.shape[-1] <= 1 << 16 and x.itemsize <= 8


def _masked(x: Any, diagonal: int, upper: bool) -> Any:
    """The triangles of matrices by their bits: a third of the time of choosing between x and 0."""
    mask = _triangle(*x.shape[-2:], diagonal, upper, x.itemsize)
    return np.bitwise_and(x.view(mask.dtype), mask, order="C").view(x.dtype)


class _Probe:
    """Measures what getrefcount says of an array that nobody but the engine holds.

    That differs between versions of Python, which do not count all references of running frames;
    these methods call as the engine does.
    """

    def count(self, x: Any) -> int:
        return _getrefcount(x) if _getrefcount is not None else 0

    def in_owned(self) -> int:
        grads = {0: np.empty(1)}
        _, g = grads.popitem()
        return self.count(g)

    def in_accumulate(self) -> int:
        grads = {0: np.empty(1)}

        def give() -> int:
            before = grads[0]
            return self._add(before)

        return give()

    def _add(self, before: Any) -> int:
        return self.count(before)

    def in_whole(self) -> int:
        base = np.empty((1, 1)).reshape(1).base
        return _getrefcount(base) if _getrefcount is not None else 0


_ALONE_IN_OWNED, _ALONE_IN_ACCUMULATE = _Probe().in_owned(), _Probe().in_accumulate()
_ALONE_IN_WHOLE = _Probe().in_whole() + 1  # a view holds it


def _whole(x: Any) -> bool:
    """Whether x has memory of its own, or is a view of all of what nobody else knows, as a kernel leaves it."""
    base = x.base
    if base is None:
        return True
    if base.__class__ is not np.ndarray or base.base is not None or base.nbytes != x.nbytes:
        return False
    return _getrefcount(base) <= _ALONE_IN_WHOLE and x.flags.c_contiguous  # type: ignore[misc]


def _owner(x: Any) -> Any:
    """The array that has the memory of a view."""
    while True:
        base = x.base
        if not isinstance(base, np.ndarray):
            base = getattr(base, "base", None)  # as_strided's views have a holder in between
            if not isinstance(base, np.ndarray):
                return x
        x = base


def _flat(owner: Any) -> Any:
    """An array with memory of its own, its axes in the order in which they lie there."""
    if owner.flags.c_contiguous:
        return owner
    return owner.transpose(sorted(range(owner.ndim), key=lambda axis: -owner.strides[axis]))


def _spaced(start: int, stop: int, first: Any, last: Any, out: Any) -> None:
    """Some of the values of `linspace`, a few at a time, which stay in the cache."""
    steps, half = out.size, out.size // 2
    wide = np.float64 if out.dtype == np.float32 else np.longdouble
    step = wide((last - first) / out.dtype.type(steps - 1))
    count: Any = np.arange(min(_SPACED, stop - start), dtype=wide)
    while start < stop:
        end = min(start + _SPACED, half if start < half else stop, stop)
        base, origin = (0, first) if start < half else (steps - 1, last)
        places = count[: end - start] + (start - base)
        places *= step
        places += origin
        out[start:end] = places
        start = end


class NumpyBackend(
    CompiledPooling,
    CompiledSorting,
    NumpySortingKernels,  # next, as super() looks at one class after the other
    NumpyMoves,
    NumpyAttention,
    NumpyConvolutionKernels,
    NumpyGrid,
    NumpyPoolingKernels,
    NumpyPlaceKernels,
    NumpyLinalg,
    NumpyNormalization,
    NumpySoftmax,
    NumpySpecialKernels,
    NumpyOptimizerKernels,
    NumpyPointwiseKernels,
    NumpyRecurrence,
    NumpyReductionKernels,
    NumpyResampling,
    ArrayModuleBackend,
):
    """Kernels on NumPy arrays, SciPy's where NumPy has none."""

    device_type = "cpu"
    checks_bounds = True
    _exchanged = False  # whether there has been a large array of 16-bit floats
    # A ufunc turns a 0-d result into a scalar; rules may meet one before it is an array again.
    array_types = (
        np.ndarray,
        *(np.dtype(d.name).type for d in ALL if d not in {bfloat16, *EIGHT_BITS}),
    )

    def __init__(self) -> None:
        super().__init__(np)
        self.floor_divide, self.remainder, self.fmod = _floor_divide, _remainder, _fmod

    def _mersenne(self, index: int | None) -> NumpyGenerator:
        return NumpyGenerator()

    def philox(self, seed: int, counter: int, n: int, index: int | None = None) -> Any:
        # In pieces whose sixty intermediate arrays stay in the cache: three times as fast.
        words = np.empty((4, n), "u8")
        for at in range(0, n, _PIECE):
            part = words[:, at : at + _PIECE]
            part[...] = rounds(np.arange(at, at + part.shape[1], dtype="u8"), seed, counter)
        return tuple(words)

    def device_of(self, x: Any) -> device:
        return CPU

    def describe(self) -> str:
        threads = get_num_threads()
        by = "one thread" if threads == 1 else f"{threads} threads"
        return f"NumPy {np.__version__}{compiled.describe()}, {by}"

    def from_host(self, x: Any, index: int | None = None) -> Any:
        return x

    def to_host(self, x: Any) -> Any:
        return x

    def trunc_divide(self, x: Any, y: Any) -> Any:
        y = _no_zero(x, y)
        quotient = numpy_integers.trunc_divide(x, y)
        return super().trunc_divide(x, y) if quotient is None else quotient

    asarray = staticmethod(np.asarray)  # type: ignore[assignment]  # scalars become 0-d arrays

    def _special_namespace(self) -> Any:
        import scipy.special

        return scipy.special

    def _fft_namespace(self) -> Any:
        # Several times as fast as numpy.fft in more than one dimension.
        import scipy.fft

        return scipy.fft

    def _fft_options(self, x: Any) -> dict[str, Any]:
        return {"workers": get_num_threads()} if x.size >= LARGE else {}

    # arrays of eight-bit numbers are a class of their own, see float8.py

    def empty(self, shape: Any, dtype: Any, index: int | None = None) -> Any:
        x = np.empty(shape, dtype)
        if x.size >= _MANY and x.dtype.char in "eE":
            self._meet_halves()
        return x if x.dtype.kind != "V" else labelled(x)

    def zeros(self, shape: Any, dtype: Any, index: int | None = None) -> Any:
        x = np.zeros(shape, dtype)
        if x.size >= _MANY and x.dtype.char in "eE":
            self._meet_halves()
        return x if x.dtype.kind != "V" else labelled(x)

    def eye(self, n: int, m: int, dtype: Any, index: int | None = None) -> Any:
        return (
            np.eye(n, m, dtype=dtype)
            if dtype.__class__ is not _CODES
            else recast(np.eye(n, m), dtype)
        )

    def cast(self, x: Any, dtype: Any) -> Any:
        if x.dtype is dtype:
            return x
        if dtype.__class__ is _CODES:
            return recast(x, dtype)
        if x.dtype.kind == "c" and dtype.kind not in "cb":
            x = x.real
        if x.size >= _MANY:
            if x.dtype.char in "eE" or dtype.char in "eE":
                self._meet_halves()
                if x.dtype.kind in "iu":  # by way of float32, as in PyTorch
                    x = self.cast(x, _SINGLE)
            if not x.flags.c_contiguous:
                if x.dtype.char in "eE" or dtype.char in "eE":
                    return self._cast_strided(x, dtype)
            elif x.dtype.char + dtype.char in _CONVERTED:
                if (own := compiled.kernels("halves")) is not None:
                    return own.cast(x, dtype)
                if x.dtype.char != "l":  # by arithmetic on bits, or shared among threads
                    return numpy_halves.convert(x, dtype)
            else:
                return numpy_moves.copied(x, dtype)
        return x.astype(dtype, copy=False)

    def _widened(self, x: Any) -> Any:
        return self.cast(x, _SINGLE) if x.dtype.itemsize == 2 else x

    def _cast_strided(self, x: Any, dtype: Any) -> Any:
        """What repeats is converted once, and what is merely transposed as it lies in memory."""
        if 0 in x.strides:
            few = x[tuple([slice(None) if s else slice(0, 1) for s in x.strides])]
            return np.broadcast_to(self.cast(few, dtype), x.shape).copy()
        order = sorted(range(x.ndim), key=lambda d: -x.strides[d])
        if (y := x.transpose(order)).flags.c_contiguous and order != list(range(x.ndim)):
            return self.cast(y, dtype).transpose(np.argsort(order))
        return x.astype(dtype)

    def _meet_halves(self) -> None:
        """Exchanges kernels for such that know large arrays of 16-bit floats, see `halves`."""
        if not self._exchanged:
            from . import meet_halves

            self._exchanged = True
            meet_halves()

    def bitcast(self, x: Any, dtype: Any) -> Any:
        return labelled(x.view(dtype))

    # memory

    def owned(self, x: Any) -> Any:
        if x.__class__ is not np.ndarray:
            return np.asarray(x)
        if _getrefcount is not None and _getrefcount(x) <= _ALONE_IN_OWNED and _whole(x):
            return x
        return x.copy() if x.nbytes <= _IN_PLACE else self.copy(x)

    def accumulate(self, x: Any, y: Any) -> Any:
        if x.nbytes > _IN_PLACE and x.dtype is y.dtype and x.__class__ is np.ndarray:
            if _getrefcount is not None and _getrefcount(x) <= _ALONE_IN_ACCUMULATE and _whole(x):
                return self.add(x, y, out=x)
            return self.add(x, y)
        return x + y

    def add_into(self, target: Any, x: Any) -> None:
        if target.nbytes > _IN_PLACE and target.dtype is x.dtype and target.shape == x.shape:
            self.add(target, x, out=target)
        else:
            target += x

    def data_ptr(self, x: Any) -> int:
        """The address of the first element."""
        return x.__array_interface__["data"][0] if x.size else 0

    def diagonal(self, x: Any, offset: int, dim1: int, dim2: int) -> Any:
        z = x.diagonal(offset, dim1, dim2)  # a fifth of the time of strides computed here
        z.setflags(write=x.flags.writeable)
        return z

    def undiagonal(self, g: Any, shape: tuple[int, ...], offset: int, dim1: int, dim2: int) -> Any:
        if (dim1, dim2) != (len(shape) - 2, len(shape) - 1) or not g.size:
            return super().undiagonal(g, shape, offset, dim1, dim2)
        columns = shape[-1]  # one place of the diagonal is a row and a column behind the other
        out = np.zeros(shape, g.dtype)
        start = offset if offset >= 0 else -offset * columns
        end = start + (g.shape[-1] - 1) * (columns + 1) + 1
        out.reshape(*shape[:-2], -1)[..., start : end : columns + 1] = g
        return out

    def roll(self, x: Any, shifts: tuple[int, ...], dims: tuple[int, ...]) -> Any:
        if len(dims) != 1 or not x.size:
            return super().roll(x, shifts, dims)
        (dim,), lead = dims, (slice(None),) * dims[0]  # np.roll takes four times as long
        shift = shifts[0] % x.shape[dim]
        parts = x[(*lead, slice(x.shape[dim] - shift, None))], x[(*lead, slice(-shift or None))]
        return self.settled(np.concatenate(parts, dim) if shift else x.copy())

    def tril(self, x: Any, diagonal: int) -> Any:
        if _is_masked(x):
            return _masked(x, diagonal, False)
        return triangles(x, diagonal, False)

    def triu(self, x: Any, diagonal: int) -> Any:
        if _is_masked(x):
            return _masked(x, diagonal, True)
        return triangles(x, diagonal, True)

    def storage_offset(self, x: Any) -> int:
        """How many elements after the start of its memory x begins."""
        owner = _owner(x)
        if owner is x:
            return 0
        return (
            x.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
        ) // x.itemsize

    def ramp(self, start: Any, step: Any, n: int, dtype: Any, index: int | None = None) -> Any:
        if dtype.char == "l" and start.__class__ is int is step.__class__ and step:
            if abs(start) + abs(step) * n < 1 << 62:
                return np.arange(start, start + n * step, step, dtype)
        if dtype.char in "fd" and start == 0 and step == 1 and n <= 1 << 24:
            return np.arange(0, n, 1, dtype)
        return super().ramp(start, step, n, dtype, index)

    def linspace(
        self, start: Any, end: Any, steps: int, dtype: Any, index: int | None = None
    ) -> Any:
        """Values from start to end, with PyTorch's roundings: of the step, and of each value once.

        Coordinates of pixels come from here, and how they are rounded decides between neighbours.
        """
        if dtype.char not in "fd" or steps < 2:
            return super().linspace(start, end, steps, dtype, index)
        first, last = dtype.type(start), dtype.type(end)
        if dtype.char == "f" and steps <= _FEW_STEPS:  # by Python's numbers, in half the time
            gap, low, high = (
                float((last - first) / dtype.type(steps - 1)),
                float(first),
                float(last),
            )
            half = steps // 2
            lower = [low + i * gap for i in range(half)]
            return np.array(lower + [high - i * gap for i in range(steps - half)[::-1]], dtype)
        out = np.empty(steps, dtype)
        share(_spaced, steps, steps, first, last, out)
        return out

    # shape

    def expand(self, x: Any, shape: tuple[int, ...]) -> Any:
        if x.ndim == 0 and x.__class__ is np.ndarray:
            return np.ndarray(shape, x.dtype, x, 0, (0,) * len(shape))
        strides = _repeating(x.shape, x.strides, len(shape))
        if x.__class__ is np.ndarray and x.flags.c_contiguous and x.size:
            return np.ndarray(shape, x.dtype, x, 0, strides)  # 0.5 us against 3
        # broadcast_to would return a read-only array.
        return np.lib.stride_tricks.as_strided(x, shape, strides)

    def as_strided(
        self, x: Any, size: tuple[int, ...], stride: tuple[int, ...], offset: int
    ) -> Any:
        owner = _owner(x)
        step = x.dtype.itemsize
        self._check_room(owner.nbytes // step, size, stride, offset)
        if 0 in size:
            return np.empty(size, x.dtype)
        strides = [s * step for s in stride]
        return np.ndarray(size, x.dtype, _flat(owner), offset * step, strides)

    def logcumsumexp(self, x: Any, dim: int) -> Any:
        if x.dtype.kind != "f" or x.dtype.itemsize == 2 or not x.shape[dim]:
            return super().logcumsumexp(x, dim)
        return np.logaddexp.accumulate(x, dim)

    def _scan(self, function: Any, x: Any, dim: int) -> Any:
        if isinstance(function, np.ufunc) and x.shape[dim]:
            return scanned(function, x, dim)
        return super()._scan(function, x, dim)

    def linear_bias(self, g: Any) -> Any:
        if g.ndim == 2 and g.dtype.kind == "f" and g.dtype.itemsize != 2 and len(g) <= 1024:
            return ones(len(g), g.dtype).dot(g)
        return super().linear_bias(g)

    def step(self, x: Any) -> Any:
        return np.invert(np.less_equal(x, ZERO[x.dtype])).astype(x.dtype)

    def ones_like(self, x: Any) -> Any:
        if x.ndim == 0:
            return np.array(1, x.dtype)
        z = np.empty(x.shape, x.dtype)
        z.fill(1)
        return z

    def matmul(self, x: Any, y: Any) -> Any:
        if x.dtype.char not in "fd":
            return self._other_products(x, y)
        # dot takes 0.4 us less than matmul for two matrices, and means the same.
        if x.ndim == 2 == y.ndim:
            return _dot(x, y)
        if x.size <= _FEW >= y.size:
            return x.dot(y) if 0 < x.ndim <= 2 >= y.ndim > 0 else np.matmul(x, y, order="C")
        return products(x, y)

    def _other_products(self, x: Any, y: Any) -> Any:
        if x.dtype.itemsize == 2 and x.dtype.kind not in "iu":
            return self.cast(self.matmul(self._widened(x), self._widened(y)), x.dtype)
        if (z := numpy_integers.matmul(x, y)) is not None:
            return z
        return _dot(x, y) if x.ndim == 2 == y.ndim else products(x, y)

    def linear(self, x: Any, weight: Any, bias: Any) -> Any:
        if x.dtype.itemsize == 2 and x.dtype.kind not in "iu":  # rounded once
            wide = [None if a is None else self._widened(a) for a in (x, weight, bias)]
            return self.cast(self.linear(*wide), x.dtype)
        if x.ndim == 2:
            z = _dot(x, weight.T)
        elif x.ndim > 2 and x.size:  # one product takes less time than many, also after a copy
            z = _dot(x.reshape(-1, x.shape[-1]), weight.T).reshape(*x.shape[:-1], len(weight))
        else:
            z = np.matmul(x, weight.T, order="C")
        if bias is not None:
            if bias.shape != z.shape[-1:]:
                raise ValueError("bias")
            if z.size >= LARGE and compiled.in_use():  # else the library's threads want the cores
                rowwise(lambda z: np.add(z, bias, out=z), z.reshape(-1, bias.size))
            else:
                np.add(z, bias, out=z)
        return z

    def linear_input(self, g: Any, weight: Any) -> Any:
        if g.ndim > 2 and g.flags.c_contiguous and g.dtype.char in "fd" and g.size:
            flat = _dot(g.reshape(-1, g.shape[-1]), weight)
            return flat.reshape(*g.shape[:-1], weight.shape[-1])
        return super().linear_input(g, weight)

    def bags(self, x: Any, index: Any) -> Any:
        large = index.size * x.shape[1] >= compiled.MANY and x.dtype.char in "fd"
        if not large or not x.flags.c_contiguous or (own := compiled.kernels("lines")) is None:
            return super().bags(x, index)
        return own.bags(x, np.ascontiguousarray(index, "i8"))

    def embedding_backward(self, g: Any, index: Any, rows: int, padding: int, scale: bool) -> Any:
        if g.dtype.kind != "f" or g.dtype.itemsize == 2 or index.size * g.shape[-1] < 4096:
            return super().embedding_backward(g, index, rows, padding, scale)
        # A sparse matrix with a one per index: its product adds rows 20 times as fast as add.at.
        from scipy.sparse import csc_array

        flat = index.reshape(-1)
        weights = self._row_weights(flat, rows, padding, scale)
        ones = np.ones(flat.size, g.dtype) if weights is None else weights.astype(g.dtype)
        spread = csc_array((ones, flat, np.arange(flat.size + 1)), (rows, flat.size))
        return spread.tocsr() @ np.ascontiguousarray(g.reshape(-1, g.shape[-1]))


def _dot(x: Any, y: Any) -> Any:
    """The product of two matrices, by compiled kernels if they are large and that is faster."""
    if x.size < compiled.MANY > y.size:
        return x.dot(y) if y.size < _MANY_WEIGHTS else dot(x, y)
    if x.size * y.shape[1] < _MUCH or (own := compiled.kernels("products")) is None:
        return dot(x, y)
    return own.matmul(x, y) if own.is_faster(x, y) else dot(x, y)


# An integer divided by 0, of which NumPy only warns, raises here.


def _floor_divide(x: Any, y: Any) -> Any:
    return numpy_arithmetic.floor_divide(x, _no_zero(x, y))


def _remainder(x: Any, y: Any) -> Any:
    return numpy_arithmetic.remainder(x, _no_zero(x, y))


def _fmod(x: Any, y: Any) -> Any:
    return numpy_arithmetic.fmod(x, _no_zero(x, y))


def _no_zero(x: Any, y: Any) -> Any:
    if y.__class__ is int:
        wrong = y == 0 and x.dtype.kind in "biu"  # of floats, 0 is an ordinary divisor
    else:
        wrong = y.__class__ is not float and y.dtype.kind in "iu" and np.count_nonzero(y) < y.size
    if wrong and x.size:
        raise RuntimeError("ZeroDivisionError")
    return y
