"""The meta device: kernels that compute shapes and dtypes, and nothing else.

`MetaNamespace` has NumPy's names over `MetaArray`. The generic kernels run over it as over any
other array library, so that each of them works here without being written again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from .._device import device
from .generic import ArrayModuleBackend
from .meta_array import MetaArray, Shape, install_operators, laid_out_like, unknown

_CONSTANTS = {"inf", "nan", "pi", "e", "finfo", "iinfo", "broadcast_shapes", "newaxis"}


@lru_cache(None)
def _result_dtypes(ufunc: Any, kinds: tuple[Any, ...]) -> Any:
    """What NumPy makes of these dtypes; a type among them stands for a Python number."""
    return ufunc(*[np.empty(0, k) if isinstance(k, np.dtype) else k(1) for k in kinds]).dtype


def _kind(operand: Any) -> Any:
    if isinstance(operand, (MetaArray, np.generic)):
        return operand.dtype
    if type(operand) in (bool, int, float, complex):
        return type(operand)
    if isinstance(operand, np.ndarray) and not operand.ndim:
        return operand.dtype
    raise TypeError(f"a meta kernel got a {type(operand).__name__}")


def elementwise(ufunc: Any) -> Callable[..., Any]:
    """Returns the function on MetaArrays that a ufunc is on arrays."""

    def apply(*operands: Any, out: Any = None, dtype: Any = None) -> Any:
        native = dtype or _result_dtypes(ufunc, tuple([_kind(o) for o in operands]))
        shape = np.broadcast_shapes(*[getattr(o, "shape", ()) for o in operands])
        if out is not None:
            return out
        same = next((o for o in operands if isinstance(o, MetaArray) and o.shape == shape), None)
        strides = None if same is None else laid_out_like(same, np.dtype(native))
        return MetaArray(shape, native, strides)

    apply.__name__ = getattr(ufunc, "__name__", "apply")
    return apply


def reduced(shape: Shape, axis: Any, keepdims: bool) -> Shape:
    """Returns the shape of a reduction."""
    if axis is None:
        axes = set(range(len(shape)))
    else:
        axes = {
            a % max(len(shape), 1) for a in (axis if isinstance(axis, (tuple, list)) else (axis,))
        }
    if keepdims:
        return tuple([1 if d in axes else n for d, n in enumerate(shape)])
    return tuple([n for d, n in enumerate(shape) if d not in axes])


def _reduction(name: str) -> Callable[..., Any]:
    function = getattr(np, name)

    @lru_cache(None)
    def result_dtype(native: Any) -> Any:
        return np.asarray(function(np.ones(1, native))).dtype

    def reduce(
        x: Any,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        keepdims: bool = False,
        **_: Any,
    ) -> Any:
        return MetaArray(reduced(x.shape, axis, keepdims), dtype or result_dtype(x.dtype))

    return reduce


def _scan(name: str) -> Callable[..., Any]:
    reduce = _reduction(name)
    return lambda x, axis=None, dtype=None, **_: MetaArray(x.shape, dtype or reduce(x, None).dtype)


class MetaNamespace:
    """NumPy's functions over `MetaArray`; ufuncs are made from NumPy's own when first asked for."""

    __name__, __version__ = "meta", np.__version__
    sum, prod, mean = map(staticmethod, map(_reduction, ("sum", "prod", "mean")))
    max, min = staticmethod(_reduction("max")), staticmethod(_reduction("min"))
    all, any = staticmethod(_reduction("all")), staticmethod(_reduction("any"))
    argmax, argmin = staticmethod(_reduction("argmax")), staticmethod(_reduction("argmin"))
    cumsum, cumprod = staticmethod(_scan("cumsum")), staticmethod(_scan("cumprod"))

    def __getattr__(self, name: str) -> Any:
        found = getattr(np, name)
        if isinstance(found, np.ufunc):
            found = elementwise(found)
        elif name not in _CONSTANTS and not (
            isinstance(found, type) and issubclass(found, np.generic)
        ):
            raise AttributeError(f"the meta namespace has no function {name}")
        setattr(self, name, found)
        return found

    # creation

    def empty(self, shape: Any, dtype: Any = float) -> Any:
        return MetaArray((shape,) if isinstance(shape, int) else tuple(shape), dtype)

    zeros = ones = empty

    def full(self, shape: Any, value: Any, dtype: Any = None) -> Any:
        return self.empty(shape, np.asarray(value).dtype if dtype is None else dtype)

    def empty_like(self, x: Any, dtype: Any = None) -> Any:
        native = np.dtype(dtype or x.dtype)
        return MetaArray(x.shape, native, laid_out_like(x, native))

    zeros_like = ones_like = empty_like

    def full_like(self, x: Any, value: Any, dtype: Any = None) -> Any:
        return self.empty_like(x, dtype)

    def asarray(self, x: Any, dtype: Any = None) -> Any:
        if isinstance(x, MetaArray):
            return x if dtype is None else x.astype(dtype, copy=False)
        x = np.asarray(x, dtype)
        return MetaArray(x.shape, x.dtype)

    array = asarray

    def copy(self, x: Any) -> Any:
        return MetaArray(x.shape, x.dtype)

    def ascontiguousarray(self, x: Any) -> Any:
        return x if x.flags.c_contiguous else x.copy()

    def arange(self, start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Any:
        if stop is None:
            start, stop = 0, start
        native = np.asarray(start + stop + step).dtype if dtype is None else dtype
        return MetaArray((max(0, int(-((start - stop) // step))),), native)

    def linspace(self, start: Any, stop: Any, num: int, dtype: Any = float) -> Any:
        return MetaArray((num,), dtype)

    def eye(self, n: int, m: int | None = None, dtype: Any = float) -> Any:
        return MetaArray((n, n if m is None else m), dtype)

    # shape

    def broadcast_to(self, x: Any, shape: Shape) -> Any:
        if np.broadcast_shapes(x.shape, shape) != tuple(shape):
            raise ValueError(f"cannot broadcast {x.shape} to {shape}")
        lead = len(shape) - x.ndim
        own = tuple([0 if n == 1 else s for n, s in zip(x.shape, x.strides, strict=True)])
        return x._view(tuple(shape), (0,) * lead + own)

    def moveaxis(self, x: Any, source: int, target: int) -> Any:
        order = [d for d in range(x.ndim) if d != source % x.ndim]
        order.insert(target % x.ndim, source % x.ndim)
        return x.transpose(order)

    def expand_dims(self, x: Any, axis: Any) -> Any:
        axes = (axis,) if isinstance(axis, int) else axis
        total = x.ndim + len(axes)
        new = {a % total for a in axes}
        return x[tuple([None if d in new else slice(None) for d in range(total)])]

    def reshape(self, x: Any, shape: Any) -> Any:
        return x.reshape(shape)

    def swapaxes(self, x: Any, i: int, j: int) -> Any:
        return x.swapaxes(i, j)

    def transpose(self, x: Any, dims: Any = None) -> Any:
        return x.transpose(*(() if dims is None else (tuple(dims),)))

    def concatenate(self, arrays: Any, axis: int = 0) -> Any:
        first, at = arrays[0], axis % max(arrays[0].ndim, 1)
        for x in arrays[1:]:
            if (
                reduced(x.shape, at, False) != reduced(first.shape, at, False)
                or x.ndim != first.ndim
            ):
                raise ValueError("all the input array dimensions except for the concatenation axis "
                                 "must match exactly")  # fmt: skip
        total = sum(x.shape[at] for x in arrays)
        native = np.result_type(*[x.dtype for x in arrays]) if len(arrays) > 1 else first.dtype
        return MetaArray((*first.shape[:at], total, *first.shape[at + 1 :]), native)

    def stack(self, arrays: Any, axis: int = 0) -> Any:
        shape = list(arrays[0].shape)
        shape.insert(axis % (len(shape) + 1), len(arrays))
        return MetaArray(tuple(shape), np.result_type(*[x.dtype for x in arrays]))

    def tile(self, x: Any, repeats: Any) -> Any:
        lead = len(repeats) - x.ndim
        shape = (1,) * lead + x.shape
        return MetaArray(tuple([n * r for n, r in zip(shape, repeats, strict=True)]), x.dtype)

    def repeat(self, x: Any, repeats: Any, axis: int | None = None) -> Any:
        if not isinstance(repeats, int):
            raise unknown("repeat_interleave")
        if axis is None:
            return MetaArray((x.size * repeats,), x.dtype)
        shape = list(x.shape)
        shape[axis] *= repeats
        return MetaArray(tuple(shape), x.dtype)

    def roll(self, x: Any, shift: Any, axis: Any = None) -> Any:
        return MetaArray(x.shape, x.dtype)

    def tril(self, x: Any, k: int = 0) -> Any:
        return MetaArray(x.shape, x.dtype)

    triu = tril

    # choosing and ordering

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        native = _result_dtypes(np.add, (_kind(x), _kind(y)))
        shape = np.broadcast_shapes(*[getattr(o, "shape", ()) for o in (condition, x, y)])
        return MetaArray(shape, native)

    def clip(self, x: Any, low: Any, high: Any) -> Any:
        return MetaArray(
            np.broadcast_shapes(*[getattr(o, "shape", ()) for o in (x, low, high)]), x.dtype
        )

    def frexp(self, x: Any) -> Any:
        return MetaArray(x.shape, x.dtype), MetaArray(x.shape, "i4")

    def angle(self, x: Any) -> Any:
        return MetaArray(x.shape, _real(x.dtype) if x.dtype.kind in "fc" else "f8")

    def take(self, x: Any, index: Any, axis: int) -> Any:
        return MetaArray((*x.shape[:axis], *index.shape, *x.shape[axis + 1 :]), x.dtype)

    def take_along_axis(self, x: Any, index: Any, axis: int) -> Any:
        d = axis % x.ndim
        shape = np.broadcast_shapes(x.shape[:d] + (1,) + x.shape[d + 1 :], index.shape)
        return MetaArray((*shape[:d], index.shape[d], *shape[d + 1 :]), x.dtype)

    def put_along_axis(self, x: Any, index: Any, value: Any, axis: int) -> None:
        self.take_along_axis(x, index, axis)[...] = value

    def argsort(self, x: Any, axis: int = -1, kind: Any = None) -> Any:
        return MetaArray(x.shape, "i8")

    def bincount(self, x: Any, weights: Any = None, minlength: int = 0) -> Any:
        return MetaArray((minlength,), "i8" if weights is None else "f8")

    def nonzero(self, x: Any) -> Any:
        raise unknown("nonzero")

    unique = nonzero

    # products

    def matmul(self, x: Any, y: Any) -> Any:
        if not isinstance(x, MetaArray) or not isinstance(y, MetaArray):
            raise TypeError("a meta kernel got an array of another device")
        a = x.shape if x.ndim > 1 else (1, *x.shape)
        b = y.shape if y.ndim > 1 else (*y.shape, 1)
        if not x.ndim or not y.ndim or a[-1] != b[-2]:
            raise ValueError(f"matmul: shapes {x.shape} and {y.shape} do not fit")
        batch = np.broadcast_shapes(a[:-2], b[:-2])
        ends = (a[-2:-1] if x.ndim > 1 else ()) + (b[-1:] if y.ndim > 1 else ())
        return MetaArray((*batch, *ends), _result_dtypes(np.multiply, (x.dtype, y.dtype)))

    @property
    def linalg(self) -> Any:
        return _LINALG

    @property
    def fft(self) -> Any:
        return _FFT


def _same(x: Any, *_: Any, **__: Any) -> Any:
    return MetaArray(x.shape, x.dtype)


def _real(dtype: Any) -> Any:
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype


def _qr(x: Any, mode: str) -> tuple[Any, Any]:
    m, n = x.shape[-2:]
    k = m if mode == "complete" else min(m, n)
    return MetaArray((*x.shape[:-1], k), x.dtype), MetaArray((*x.shape[:-2], k, n), x.dtype)


def _svd(x: Any, full_matrices: bool) -> tuple[Any, Any, Any]:
    m, n = x.shape[-2:]
    k, batch = min(m, n), x.shape[:-2]
    return (
        MetaArray((*batch, m, m if full_matrices else k), x.dtype),
        MetaArray((*batch, k), _real(x.dtype)),
        MetaArray((*batch, n if full_matrices else k, n), x.dtype),
    )


_LINALG = SimpleNamespace(
    inv=_same,
    cholesky=_same,
    solve=lambda x, y: MetaArray(
        (*np.broadcast_shapes(x.shape[:-2], y.shape[:-2]), *y.shape[-2:]), y.dtype
    ),
    det=lambda x: MetaArray(x.shape[:-2], x.dtype),
    slogdet=lambda x: (
        MetaArray(x.shape[:-2], x.dtype), MetaArray(x.shape[:-2], _real(x.dtype))
    ),
    qr=_qr,
    svd=_svd,
    eigh=lambda x, UPLO: (MetaArray(x.shape[:-1], _real(x.dtype)), _same(x)),
    eig=lambda x: (MetaArray(x.shape[:-1], x.dtype), _same(x)),
)  # fmt: skip


def _fft(x: Any, s: Any = None, axes: Any = (), norm: Any = None) -> Any:
    return MetaArray(_resized(x.shape, s, axes), _complex(x.dtype))


def _rfft(x: Any, s: Any = None, axes: Any = (), norm: Any = None) -> Any:
    shape = list(_resized(x.shape, s, axes))
    shape[axes[-1]] = shape[axes[-1]] // 2 + 1
    return MetaArray(tuple(shape), _complex(x.dtype))


def _irfft(x: Any, s: Any = None, axes: Any = (), norm: Any = None) -> Any:
    shape = list(_resized(x.shape, s, axes))
    if s is None:
        shape[axes[-1]] = 2 * (shape[axes[-1]] - 1)
    return MetaArray(tuple(shape), _real(x.dtype))


def _resized(shape: Shape, s: Any, axes: Any) -> Shape:
    sizes = dict(zip(axes, s, strict=True)) if s is not None else {}
    return tuple([sizes.get(d, n) for d, n in enumerate(shape)])


def _complex(dtype: Any) -> Any:
    return dtype if dtype.kind == "c" else np.dtype("c16" if dtype.itemsize == 8 else "c8")


_FFT = SimpleNamespace(fftn=_fft, ifftn=_fft, rfftn=_rfft, irfftn=_irfft)


class _Special:
    """scipy.special on shapes: each of its functions makes floats of floats."""

    def __getattr__(self, name: str) -> Any:
        return self._apply

    @staticmethod
    def _apply(*operands: Any) -> Any:
        arrays = [o for o in operands if isinstance(o, MetaArray)]
        shape = np.broadcast_shapes(*[x.shape for x in arrays])
        return MetaArray(shape, arrays[-1].dtype)

    @staticmethod
    def airy(x: Any) -> Any:
        return (_same(x),) * 4


class _NoNumbers:
    """A random generator for arrays without elements: it draws nothing and has no state."""

    initial_seed = 0

    def __getattr__(self, name: str) -> Any:
        if not name.endswith("_") or name.startswith("_"):
            raise NotImplementedError(f"{name}: meta tensors have no elements to draw")
        return lambda *_: None

    def reseed(self, seed: int) -> None:
        """Does nothing."""

    def permutation(self, n: int) -> Any:
        return MetaArray((n,), "i8")

    def multinomial(self, p: Any, n: int, replacement: bool) -> Any:
        return MetaArray((*p.shape[:-1], n), "i8")

    def poisson(self, rate: Any) -> Any:
        return MetaArray(rate.shape, rate.dtype)

    standard_gamma = dirichlet = poisson

    def binomial(self, count: Any, prob: Any) -> Any:
        return MetaArray(np.broadcast_shapes(count.shape, prob.shape), count.dtype)


class MetaBackend(ArrayModuleBackend):
    """The generic kernels over arrays without elements."""

    device_type = "meta"
    array_types = (MetaArray,)
    checks_bounds = True  # there is nothing to check

    def __init__(self) -> None:
        super().__init__(MetaNamespace())

    def device_of(self, x: Any) -> device:
        return device("meta")

    def describe(self) -> str:
        return "shapes and dtypes without elements"

    def from_host(self, x: Any, index: int | None = None) -> Any:
        return MetaArray(x.shape, x.dtype)

    def to_host(self, x: Any) -> Any:
        raise NotImplementedError("Cannot copy out of meta tensor; no data!")

    def new_generator(self, index: int | None = None, algorithm: str | None = None) -> Any:
        return _NoNumbers()

    def _special_namespace(self) -> Any:
        return _Special()

    def data_ptr(self, x: Any) -> int:
        """0: there is no memory."""
        return 0

    def storage_offset(self, x: Any) -> int:
        return x.offset // x.itemsize

    def expand(self, x: Any, shape: Shape) -> Any:
        return self.xp.broadcast_to(x, shape)

    def as_strided(self, x: Any, size: Shape, stride: Shape, offset: int) -> Any:
        owner = x if x.base is None else x.base
        self._check_room(owner.nbytes // x.itemsize, size, stride, offset)
        base = owner
        return MetaArray(
            size, x.dtype, tuple([s * x.itemsize for s in stride]), base, offset * x.itemsize
        )

    # what would look at elements

    def bounds(self, x: Any) -> None:
        return None

    def any_zero(self, x: Any) -> bool:
        return False

    def has_nan(self, x: Any) -> bool:
        return False

    def all_finite(self, x: Any) -> bool:
        return True

    def lu(self, x: Any) -> Any:
        batch, k = x.shape[:-2], min(x.shape[-2:])
        return _same(x), MetaArray((*batch, k), "i4"), MetaArray(batch, "i4")

    def ldl(self, x: Any, hermitian: bool) -> Any:
        return self.lu(x)

    def ldl_solve(self, factor: Any, pivots: Any, y: Any, hermitian: bool) -> Any:
        return _same(y)

    def geqrf(self, x: Any) -> Any:
        return _same(x), MetaArray((*x.shape[:-2], min(x.shape[-2:])), x.dtype)

    def permutation(self, pivots: Any, m: int) -> Any:
        return MetaArray((*pivots.shape[:-1], m), "i8")

    def combine_at(self, target: Any, index: Any, value: Any, function: Any) -> None:
        target[index] = value

    def unique(self, x: Any) -> Any:
        raise unknown("unique")

    unique_consecutive = unique

    def logcumsumexp(self, x: Any, dim: int) -> Any:
        return MetaArray(x.shape, x.dtype)

    def mode(self, x: Any, dim: int) -> Any:
        return MetaArray((*x.shape[:dim], 1, *x.shape[dim + 1 :]), "i8")

    def _scan(self, function: Any, x: Any, dim: int) -> Any:
        return MetaArray(x.shape, x.dtype)


install_operators(
    lambda name: getattr(MetaNamespace(), name), lambda name: getattr(MetaNamespace, name)
)
