"""Reductions and normalisations of ``torch.masked``: elements whose mask is false do not count.

Each replaces what does not count by the identity of the operation, an element that changes no
result, and runs the plain op: where nothing counts, the result is the identity. The definitions are
those of the documentation of PyTorch's `torch.masked`.
"""

from __future__ import annotations

from typing import Any

from .. import _dtypes
from .._dtypes import dtype as Dtype
from ..backends import dtype_of, numpy_dtype
from ._declare import cast
from ._promote import dim_of, dims_of
from ._results import check_tensor
from .arithmetic import sqrt
from .complex_numbers import conj, real
from .elementary import logaddexp as _logaddexp
from .extremes import amax as _amax
from .extremes import amin as _amin
from .extremes import argmax as _argmax
from .extremes import argmin as _argmin
from .reduction import logsumexp as _logsumexp
from .reduction import prod as _prod
from .reduction import sum as _sum
from .scan import cumprod as _cumprod
from .scan import cumsum as _cumsum
from .selection import maximum, where
from .shape import expand
from .softmaxes import log_softmax as _log_softmax
from .softmaxes import softmax as _softmax
from .sorting import nanmedian
from .spread import vector_norm

Tensor = Any

_INF = float("inf")


def _dtype(x: Tensor) -> Dtype:
    return dtype_of(x._data)


def _as(x: Tensor, dtype: Dtype | None) -> Tensor:
    return x if dtype is None or _dtype(x) is dtype else cast(x, numpy_dtype(dtype))


def _extreme(name: str, dtype: Dtype, largest: bool) -> Any:
    """The largest or the smallest value of a dtype, which no other exceeds."""
    if dtype.is_floating_point:
        return _INF if largest else -_INF
    if dtype is _dtypes.bool:
        raise NotImplementedError(f"identity of {name} on torch.bool input")
    if dtype.is_complex:
        raise TypeError(
            "torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'"
        )
    top = 2 ** (dtype.bits - dtype.is_signed) - 1
    return top if largest else -top - 1 if dtype.is_signed else 0


def _fitted(input: Tensor, mask: Tensor) -> Tensor:
    """The mask as bools of the input's shape."""
    shape = input._data.shape
    if mask._data.ndim > len(shape):
        raise IndexError(
            "_input_mask expected broadcastable mask (got mask dimensionality higher than of the "
            "input)"
        )
    if mask._data.shape != shape:
        mask = expand(mask, *shape)
    return mask if mask._data.dtype.kind == "b" else mask != 0


def _filled(name: str, input: Tensor, mask: Any, identity: Any) -> Tensor:
    """The input with the identity, or what gives it for a dtype, where the mask is false."""
    check_tensor(name, input)
    if mask is None:
        return input
    check_tensor(name, mask, names=("mask",))
    value = identity(_dtype(input)) if callable(identity) else identity
    return where(_fitted(input, mask), input, input.new_full((), value))


def _least(name: str) -> Any:
    return lambda dtype: _extreme(name, dtype, False)


def _greatest(name: str) -> Any:
    return lambda dtype: _extreme(name, dtype, True)


def _first(dim: Any, ndim: int) -> int:
    """The dimension of an operation that runs along one: the first of several."""
    if dim is None or isinstance(dim, (tuple, list)):
        return (*dims_of(dim, ndim), 0)[0]
    return dim_of(dim, ndim)


# ------------------------------------------------------------------------------- reductions


def sum(
    input: Tensor,
    dim: Any = None,
    *,
    keepdim: bool | None = False,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Sums what the mask lets count, over ``dim`` or everything: 0 of nothing.

    >>> mask = torch.tensor([True, False, True])
    >>> torch.masked.sum(torch.tensor([1.0, 2.0, 4.0]), mask=mask)
    tensor(5.)
    """
    return _as(_sum(_filled("sum", input, mask, 0), dim, bool(keepdim), dtype=dtype), dtype)


def prod(
    input: Tensor,
    dim: Any = None,
    *,
    keepdim: bool | None = False,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Multiplies what the mask lets count, over ``dim`` or everything: 1 of nothing.

    >>> mask = torch.tensor([True, False, True])
    >>> torch.masked.prod(torch.tensor([3.0, 2.0, 4.0]), mask=mask)
    tensor(12.)
    """
    x = _filled("prod", input, mask, 1)
    x = _as(x, dtype)
    dims = dims_of(dim, x._data.ndim)
    if not dims:
        return _prod(x)
    for d in reversed(dims):
        x = _prod(x, d, bool(keepdim))
    return x


def amax(
    input: Tensor,
    dim: Any = None,
    *,
    keepdim: bool | None = False,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Returns the largest element that counts; of nothing the dtype's smallest value.

    >>> torch.masked.amax(torch.tensor([1.0, 2.0]), mask=torch.tensor([True, False]))
    tensor(1.)
    """
    x = _filled("amax", input, mask, _least("amax"))
    return _as(_amax(x, dims_of(dim, x._data.ndim), bool(keepdim)), dtype)


def amin(
    input: Tensor,
    dim: Any = None,
    *,
    keepdim: bool | None = False,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Returns the smallest element that counts; of nothing the dtype's largest value.

    >>> torch.masked.amin(torch.tensor([1.0, 2.0]), mask=torch.tensor([False, True]))
    tensor(2.)
    """
    x = _filled("amin", input, mask, _greatest("amin"))
    return _as(_amin(x, dims_of(dim, x._data.ndim), bool(keepdim)), dtype)


def _one_dim(name: str, dim: Any) -> None:
    if dim is not None and not hasattr(dim, "__index__"):
        raise TypeError(
            f"{name}(): argument 'dim' (position 2) must be int, not {type(dim).__name__}"
        )


def argmax(
    input: Tensor,
    dim: int | None = None,
    *,
    keepdim: bool | None = False,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Returns the index of the first largest element that counts, in the input's dtype.

    >>> torch.masked.argmax(torch.tensor([1, 3, 2]), mask=torch.tensor([True, False, True]))
    tensor(2)
    """
    x = _filled("argmax", input, mask, _least("argmax"))
    _one_dim("argmax", dim)
    return _as(_argmax(x, dim, bool(keepdim)), dtype or _dtype(input))


def argmin(
    input: Tensor,
    dim: int | None = None,
    *,
    keepdim: bool | None = False,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Returns the index of the first smallest element that counts, in the input's dtype.

    >>> torch.masked.argmin(torch.tensor([1, 3, 2]), mask=torch.tensor([False, True, True]))
    tensor(2)
    """
    x = _filled("argmin", input, mask, _greatest("argmin"))
    _one_dim("argmin", dim)
    return _as(_argmin(x, dim, bool(keepdim)), dtype or _dtype(input))


def _counts(input: Tensor, mask: Any, dim: Any, keepdim: bool) -> Tensor:
    """How many elements count."""
    one = input.new_ones((), dtype=_dtypes.int64)
    every = expand(one, *input._data.shape)
    return _sum(every if mask is None else _fitted(input, mask), dim, keepdim)


def mean(
    input: Tensor,
    dim: Any = None,
    *,
    keepdim: bool | None = False,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Averages what the mask lets count, over ``dim`` or everything: NaN of nothing.

    ValueError for integers, unless ``dtype`` asks for a floating-point one.

    >>> mask = torch.tensor([True, False, True])
    >>> torch.masked.mean(torch.tensor([1.0, 2.0, 4.0]), mask=mask)
    tensor(2.5000)
    """
    check_tensor("mean", input)
    wanted = dtype or _dtype(input)
    if not (wanted.is_floating_point or wanted.is_complex):
        which = "Input" if dtype is None else "Optional"
        raise ValueError(
            f"mean(): Could not infer output dtype. {which} dtype must be either a floating point "
            f"or complex dtype. Got: {wanted!r}"
        )
    total = sum(input, dim, keepdim=keepdim, dtype=dtype, mask=mask)
    return total / _counts(input, mask, dim, bool(keepdim))


def median(
    input: Tensor,
    dim: int = -1,
    *,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Returns the median, the lower of two, of what counts and is not NaN, along ``dim``.

    NaN of nothing, but ValueError where the dtype has none. ``dtype`` has no effect.

    >>> mask = torch.tensor([True, False, True])
    >>> torch.masked.median(torch.tensor([5.0, 2.0, 4.0]), mask=mask)
    tensor(4.)
    """
    check_tensor("median", input)
    own = _dtype(input)
    d = _first(dim, input._data.ndim)
    wide = input if own.is_floating_point else _as(input, _dtypes.float64)
    result = nanmedian(_filled("median", wide, mask, float("nan")), d, bool(keepdim)).values
    if not own.is_floating_point and bool((result != result).any()):
        raise ValueError(
            "masked median expects no fully masked out rows if dtype is not floating point"
        )
    return _as(result, own)


def norm(
    input: Tensor,
    ord: float | None = 2.0,
    dim: Any = None,
    *,
    keepdim: bool | None = False,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Returns the norm of order ``ord`` of what counts; see `torch.linalg.vector_norm`.

    Elements that do not count are zeros, and for the order -inf they are inf.

    >>> mask = torch.tensor([True, False, True])
    >>> torch.masked.norm(torch.tensor([3.0, 2.0, 4.0]), mask=mask)
    tensor(5.)
    """
    check_tensor("norm", input)
    if not isinstance(ord, (int, float)):
        raise TypeError(
            "linalg_vector_norm(): argument 'ord' (position 2) must be Number, not "
            f"{type(ord).__name__}"
        )
    if not (_dtype(input).is_floating_point or _dtype(input).is_complex):
        return vector_norm(input, ord)  # raises
    x = _filled("norm", input, mask, _INF if ord == -_INF else 0)
    return vector_norm(x, ord, dim, bool(keepdim), dtype=dtype)


def _variance(
    input: Tensor, dim: Any, unbiased: Any, correction: Any, keepdim: Any, dtype: Any, mask: Any
) -> Tensor:
    check_tensor("var", input)
    if unbiased is not None and correction is not None:
        raise AssertionError("Only one of unbiased and correction may be given")
    if correction is None:
        correction = 0 if unbiased is False else 1
    x = input
    if not (_dtype(x).is_floating_point or _dtype(x).is_complex) and _dtype(x) is not _dtypes.bool:
        x = _as(x, _dtypes.get_default_dtype())
    if dtype is not None and (dtype.is_floating_point or dtype.is_complex):
        x = _as(x, dtype) if _dtype(x) is not _dtypes.bool else x
    count = _counts(input, mask, dim, True)
    off = x - sum(x, dim, keepdim=True, mask=mask) / count
    squares = off * conj(off) if _dtype(off).is_complex else off * off
    total = sum(squares, dim, keepdim=keepdim, mask=mask)
    free = (_counts(input, mask, dim, bool(keepdim)) - correction).clamp(min=0)
    return _as(total / free, dtype or _dtype(x))


def var(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    *,
    correction: float | None = None,
    keepdim: bool | None = False,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Returns the variance of what counts: squares from the mean over the count less ``correction``.

    The correction is 1 unless given, and 0 for ``unbiased=False``. NaN of nothing.

    >>> mask = torch.tensor([True, False, True])
    >>> torch.masked.var(torch.tensor([1.0, 9.0, 3.0]), mask=mask)
    tensor(2.)
    """
    return _variance(input, dim, unbiased, correction, keepdim, dtype, mask)


def std(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    *,
    correction: float | None = None,
    keepdim: bool | None = False,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Returns the root of `var`.

    >>> mask = torch.tensor([True, False, True])
    >>> torch.masked.std(torch.tensor([1.0, 9.0, 3.0]), correction=0, mask=mask)
    tensor(1.)
    """
    return sqrt(_variance(input, dim, unbiased, correction, keepdim, dtype, mask))


def logsumexp(
    input: Tensor,
    dim: Any = None,
    *,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Returns the logarithm of the sum of exponentials of what counts: -inf of nothing.

    >>> mask = torch.tensor([True, False, True])
    >>> torch.masked.logsumexp(torch.tensor([0.0, 9.0, 0.0]), mask=mask)
    tensor(0.6931)
    """
    check_tensor("logsumexp", input)
    least = -_INF if _dtype(input).is_complex else _least("logsumexp")
    x = _filled("logsumexp", input, mask, least)
    return _as(
        _logsumexp(x, tuple(range(x.ndim)) if dim is None else dim, bool(keepdim)),
        dtype or _dtype(input),
    )


# --------------------------------------------------------- results of the shape of the input


def logaddexp(
    input: Tensor,
    other: Tensor,
    *,
    dtype: Dtype | None = None,
    input_mask: Tensor | None = None,
    other_mask: Tensor | None = None,
) -> Tensor:
    """Returns log(exp(x) + exp(y)), where what does not count adds nothing.

    >>> mask = torch.tensor([True, False])
    >>> torch.masked.logaddexp(torch.zeros(2), torch.zeros(2), other_mask=mask)
    tensor([0.6931, 0.0000])
    """
    least = _least("logaddexp")
    x = _filled("logaddexp", input, input_mask, least)
    y = _filled("logaddexp", other, other_mask, least)
    if dtype is None and _dtype(x) is not _dtype(y):
        dtype = _dtype(input)
    common = _dtypes.promote_types(_dtype(x), _dtype(y))
    return _as(_logaddexp(_as(x, common), _as(y, common)), dtype)


def softmax(
    input: Tensor, dim: int, *, dtype: Dtype | None = None, mask: Tensor | None = None
) -> Tensor:
    """Returns exp(x) over its sum along ``dim``, 0 where it does not count; NaN if nothing does.

    >>> torch.masked.softmax(torch.zeros(3), 0, mask=torch.tensor([True, False, True]))
    tensor([0.5000, 0.0000, 0.5000])
    """
    x = _filled("softmax", input, mask, _least("amax"))
    return _softmax(x, _first(dim, x._data.ndim), dtype)


def log_softmax(
    input: Tensor, dim: int, *, dtype: Dtype | None = None, mask: Tensor | None = None
) -> Tensor:
    """Returns the logarithm of `softmax`.

    >>> torch.masked.log_softmax(torch.zeros(3), 0, mask=torch.tensor([True, False, True]))
    tensor([-0.6931,    -inf, -0.6931])
    """
    x = _filled("log_softmax", input, mask, _least("amax"))
    return _log_softmax(x, _first(dim, x._data.ndim), dtype)


def softmin(
    input: Tensor, dim: int, *, dtype: Dtype | None = None, mask: Tensor | None = None
) -> Tensor:
    """Returns the `softmax` of -x.

    >>> torch.masked.softmin(torch.zeros(3), 0, mask=torch.tensor([True, False, True]))
    tensor([0.5000, 0.0000, 0.5000])
    """
    x = _filled("softmin", input, mask, _greatest("amin"))
    return _softmax(-_as(x, dtype), _first(dim, x._data.ndim))


def normalize(
    input: Tensor,
    ord: float,
    dim: int,
    *,
    eps: float = 1e-12,
    dtype: Dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Divides by the norm of what counts along ``dim``, or by ``eps`` where that is larger.

    What does not count becomes 0.

    >>> mask = torch.tensor([True, False, True])
    >>> torch.masked.normalize(torch.tensor([3.0, 2.0, 4.0]), 2.0, 0, mask=mask)
    tensor([0.6000, 0.0000, 0.8000])
    """
    check_tensor("normalize", input)
    d = _first(dim, input._data.ndim)
    size = norm(input, ord, d, keepdim=True, dtype=dtype, mask=mask)
    size = real(size) if _dtype(size).is_complex else size
    return _filled("normalize", input, mask, 0) / maximum(size, size.new_full((), eps))


def _scanned(name: str, op: Any, input: Tensor, dim: Any, dtype: Any, mask: Any, unit: int) -> Any:
    x = _filled(name, input, mask, unit)
    dtype = dtype or _dtype(input)
    if dtype is _dtypes.bool:
        raise NotImplementedError(f"\"{name}_out_cpu\" not implemented for 'Bool'")
    return op(x, _first(dim, x._data.ndim), dtype=dtype)


def cumsum(
    input: Tensor, dim: int, *, dtype: Dtype | None = None, mask: Tensor | None = None
) -> Tensor:
    """Returns the sums so far along ``dim`` of what counts, in the input's dtype.

    >>> torch.masked.cumsum(torch.tensor([1, 2, 3]), 0, mask=torch.tensor([True, False, True]))
    tensor([1, 1, 4])
    """
    return _scanned("cumsum", _cumsum, input, dim, dtype, mask, 0)


def cumprod(
    input: Tensor, dim: int, *, dtype: Dtype | None = None, mask: Tensor | None = None
) -> Tensor:
    """Returns the products so far along ``dim`` of what counts, in the input's dtype.

    >>> torch.masked.cumprod(torch.tensor([2, 2, 3]), 0, mask=torch.tensor([True, False, True]))
    tensor([2, 2, 6])
    """
    return _scanned("cumprod", _cumprod, input, dim, dtype, mask, 1)
