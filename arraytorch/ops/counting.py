"""Distinct elements, histograms, and whole-tensor comparisons."""

from __future__ import annotations

from typing import Any

from .. import _dtypes
from ..autograd.tape import TensorBase, wrap
from ..backends import backend_of, dtype_of, numpy_dtype, outermost
from ..backends.host import from_nested, ndarray
from ._promote import common_device, dim_of, integer
from ._results import check_tensor, finished, promoted, refuse, refuse_kernel
from .arithmetic import abs
from .comparison import eq, isfinite
from .comparison import isnan as _isnan
from .reduction import EVERY, all

Tensor = Any
Number = int | float | complex | bool

_FEW = 64  # elements that Python finds sooner than they are sorted


def _several(values: Any, inverse: Any, counts: Any, want_inverse: bool, want_counts: bool) -> Any:
    found = [values]
    if want_inverse:
        found.append(inverse)
    if want_counts:
        found.append(counts)
    wrapped: Any = tuple([wrap(a) for a in found])
    return wrapped if len(wrapped) > 1 else wrapped[0]


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """Returns the distinct elements, or slices along ``dim``, in order; with those asked for, the
    index of each among them and how often each occurs. Every NaN is distinct.

    >>> torch.unique(torch.tensor([3, 1, 3]), return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    refuse("unique", input, "c" if dim is None else "")
    x = input._data
    B = backend_of(x)
    if dim is None and not (return_inverse or return_counts) and x.dtype.kind in "iu":
        return wrap(B.unique_values(B.reshape(x, (-1,))))
    if dim is None:
        values, inverse, counts = B.unique(B.reshape(x, (-1,)))
        return _several(values, B.reshape(inverse, x.shape), counts, return_inverse, return_counts)
    d = dim_of(dim, x.ndim)
    if not x.ndim:
        values, inverse, counts = B.unique(B.reshape(x, (1,)))
        return _several(B.reshape(values, ()), inverse, counts, return_inverse, return_counts)
    rows = B.transpose(x, 0, d)
    if x.shape[d] == 0 or 0 in x.shape:
        if x.size == 0 and [n for i, n in enumerate(x.shape) if i != d and n == 0]:
            raise RuntimeError(
                "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied"
            )
    order = B.order_of_rows(
        B.reshape(rows, (x.shape[d], -1)) if x.size else B.zeros((0, 1), x.dtype)
    )
    values, inverse, counts = B.unique_consecutive(B.take(rows, order, 0))
    back = B.empty(order.shape, numpy_dtype(_dtypes.int64))
    B.setitem(back, (order,), inverse)
    return _several(
        B.contiguous(B.transpose(values, 0, d)), back, counts, return_inverse, return_counts
    )


def unique_consecutive(
    input: Tensor,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """Returns the first of each run of equal elements, or slices along ``dim``; see `unique`.

    >>> torch.unique_consecutive(torch.tensor([1, 1, 2, 1]))
    tensor([1, 2, 1])
    """
    check_tensor("unique_consecutive", input)
    refuse_kernel("unique", input, "c")
    x = input._data
    B = backend_of(x)
    if dim is None or not x.ndim:
        values, inverse, counts = B.unique_consecutive(B.reshape(x, (-1,)))
        return _several(values, B.reshape(inverse, x.shape), counts, return_inverse, return_counts)
    d = dim_of(dim, x.ndim)
    if x.size == 0 and [n for i, n in enumerate(x.shape) if i != d and n == 0]:
        raise RuntimeError(
            "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied"
        )
    values, inverse, counts = B.unique_consecutive(B.transpose(x, 0, d))
    return _several(
        B.contiguous(B.transpose(values, 0, d)), inverse, counts, return_inverse, return_counts
    )


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """Returns how often each number from 0 on occurs in a vector, or the sums of their weights.

    >>> torch.bincount(torch.tensor([0, 2, 2]))
    tensor([1, 0, 2])
    """
    check_tensor("bincount", input)
    x = input._data
    if x.dtype.kind not in "iu":
        raise NotImplementedError(
            f"\"bincount_cpu\" not implemented for '{_dtypes.scalar_type_name(dtype_of(x))}'"
        )
    if integer("bincount", "minlength", minlength) < 0:
        raise RuntimeError("minlength should be >= 0")
    B = backend_of(x)
    bounds = (backend_of(x).bounds(x) or (int(x.min()), int(x.max()))) if x.size else None
    if x.ndim != 1 or (bounds is not None and bounds[0] < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is not None and weights._data.shape != x.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    length = max(minlength, 0 if bounds is None else bounds[1] + 1)
    if not length or bounds is None:
        return wrap(B.zeros((length,), numpy_dtype(_dtypes.int64)))
    w = None if weights is None else weights._data
    z = B.bincount(B.cast(x, numpy_dtype(_dtypes.int64)), w, length)
    if w is not None and dtype_of(w) is _dtypes.float32:
        z = B.cast(z, w.dtype)
    return wrap(z)


def histc(
    input: Tensor, bins: int = 100, min: float = 0, max: float = 0, *, out: Tensor | None = None
) -> Tensor:
    """Counts elements in ``bins`` equal bins from ``min`` to ``max``, or over their own range.

    >>> torch.histc(torch.tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3)
    tensor([0., 2., 1., 0.])
    """
    refuse_kernel("histogram_cpu", input, "biuc")
    refuse("histc", input, "bc")
    if integer("histc", "bins", bins) <= 0:
        raise RuntimeError("bins must be > 0")
    if max < min:
        raise RuntimeError("max must be larger than min")
    x = input._data
    B = backend_of(x)
    low, high = float(min), float(max)
    flat = B.reshape(x, (-1,))
    if low == high and x.size:
        low, high = float(B.amin(flat, (0,), False)), float(B.amax(flat, (0,), False))
    if low == high:
        low, high = low - 1, high + 1
    if not -float("inf") < low <= high < float("inf"):
        raise RuntimeError(f"range of [{low}, {high}] is not finite")
    wide = B.cast(flat, B.double)
    inside = (wide >= low) & (wide <= high)
    at = B.floor((wide - low) * (bins / (high - low)))
    at = B.cast(B.clamp(B.where(inside, at, bins), 0, bins), numpy_dtype(_dtypes.int64))
    # The upper edge belongs to the last bin; what is outside was counted in one more.
    at = B.where(inside, B.clamp(at, 0, bins - 1), at)
    counts = B.bincount(at, None, bins + 1)[:bins]
    return finished("histc", wrap(B.cast(counts, x.dtype)), out)


def equal(input: Tensor, other: Tensor) -> bool:
    """Tells whether two tensors have the same shape and elements, of whatever dtypes; NaN equals nothing.

    >>> torch.equal(torch.tensor([1, 2]), torch.tensor([1, 2]))
    True
    """
    try:
        x, y = input._data, other._data
    except AttributeError:
        check_tensor("equal", input, other)
        raise
    if x.__class__ is not ndarray or y.__class__ is not ndarray:
        common_device("equal", [input, other])
    if x.shape != y.shape:
        return False
    if x.dtype is not y.dtype or x.__class__ is not y.__class__:
        return bool(all(eq(input, other)))
    B = backend_of(x)
    found = B.all(B.eq(x, y), EVERY[x.ndim][0], False)
    return bool(found if x.__class__ is ndarray else wrap(B.asarray(found)))


def isclose(
    input: Tensor,
    other: Tensor,
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: bool = False,
) -> Tensor:
    """Tells where ``|input - other| <= atol + rtol * |other|``; infinities must be equal.

    >>> torch.isclose(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.1]))
    tensor([ True, False])
    """
    check_tensor("isclose", input, other)
    common_device("isclose", [input, other])
    if rtol < 0:
        raise RuntimeError(f"rtol must be greater than or equal to zero, but got {rtol}")
    if atol < 0:
        raise RuntimeError(f"atol must be greater than or equal to zero, but got {atol}")
    if input._data.dtype is not other._data.dtype:
        raise RuntimeError(
            f"{dtype_of(input._data)!r} did not match {dtype_of(other._data)!r}: isclose"
        )
    x, y = input.detach(), other.detach()
    close = x == y
    if x._data.dtype.kind not in "biu":
        if equal_nan:
            close = close | (_isnan(x) & _isnan(y))
    elif not rtol and not atol:
        return close
    if x._data.dtype.kind == "b":
        x, y = x.to(_dtypes.uint8), y.to(_dtypes.uint8)
    if x._data.dtype.kind in "u":
        x, y = x.to(_dtypes.int64), y.to(_dtypes.int64)
    error = abs(x - y)
    return close | (isfinite(error) & (error <= atol + abs(rtol * y)))


def allclose(
    input: Tensor,
    other: Tensor,
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: bool = False,
) -> bool:
    """Tells whether all elements are close; see `isclose`.

    >>> torch.allclose(torch.tensor([1.0]), torch.tensor([1.0 + 1e-7]))
    True
    """
    return bool(all(isclose(input, other, rtol, atol, equal_nan)))


def isin(
    elements: Tensor | Number,
    test_elements: Tensor | Number,
    *,
    assume_unique: bool = False,
    invert: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Tells which elements are among ``test_elements``, or are not if ``invert``; NaN never is.

    One of the two may be a number. Raises RuntimeError for bools and complex numbers.

    >>> torch.isin(torch.tensor([1, 2, 3]), torch.tensor([2, 5]))
    tensor([False,  True, False])
    """
    tensors = [t for t in (elements, test_elements) if isinstance(t, TensorBase)]
    if not tensors:
        raise TypeError("isin(): elements and test_elements cannot both be numbers")
    for t in tensors:
        if t._data.dtype.kind in "bc":
            kind = _dtypes.scalar_type_name(dtype_of(t._data))
            raise RuntimeError(f"Unsupported input type encountered for isin(): {kind}")
    if (found := _among_few(elements, test_elements)) is not None:
        return finished("isin", wrap(~found if invert else found), out)
    x, y = (t._data for t in promoted("isin", elements, test_elements))
    B = outermost(x, y)
    flat = B.reshape(x, (-1,))
    if y.size:
        ordered = B.reshape(y, (-1,))
        ordered = B.gather(ordered, 0, B.argsort(ordered, 0, False))
        at = B.clamp(B.searchsorted(ordered, flat, False), 0, y.size - 1)
        found = B.gather(ordered, 0, at) == flat
    else:
        found = B.zeros_like(flat == flat)
    found = B.reshape(found, x.shape)
    return finished("isin", wrap(B.logical_not(found) if invert else found), out)


def _among_few(elements: Any, tests: Any) -> Any:
    """`isin` by a set of Python's, for few numbers of one type in the host's memory.

    No NaN is found there: each is an object of its own.
    """
    x, y = getattr(elements, "_data", None), getattr(tests, "_data", tests)
    if x.__class__ is not ndarray or x.dtype.char not in "fdl" or not 0 < x.size <= _FEW:
        return None
    if y.__class__ is (int if x.dtype.char == "l" else float):
        return x == y if x.ndim else None
    if y.__class__ is not ndarray or y.dtype is not x.dtype or not x.ndim or y.size > _FEW:
        return None
    among = {*y.reshape(-1).tolist()}
    found = [i in among for i in x.reshape(-1).tolist()]
    return from_nested(found, numpy_dtype(_dtypes.bool)).reshape(x.shape)
