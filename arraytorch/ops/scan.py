"""Running sums, products and differences along a dimension."""

from __future__ import annotations

from typing import Any

from .. import _dtypes
from .._dtypes import dtype
from ..autograd.tape import TensorBase, taped
from ..backends import backend_of, numpy_dtype
from ._declare import cast, derivative
from ._promote import axis_instead, dim_of, integer
from ._results import check_tensor, dtype_to_reduce_in, finished, floating, native, refuse
from .indexing import getitem, narrow
from .joining import cat
from .shape import reshape, unsqueeze

Tensor = Any
Number = int | float | complex | bool


def _from_behind(B: Any, g: Any, dim: int) -> Any:
    return B.flip(B.cumsum(B.flip(g, (dim,)), dim), (dim,))


@derivative(
    saves=("dim",),
    kernel="cumsum",
    name="CumsumBackward0",
    d_input=lambda B, g, dim: _from_behind(B, g, dim),
)
def _cumsum(input: Tensor, dim: int) -> Tensor:
    x = input._data
    return taped(_cumsum, backend_of(x).cumsum(x, dim), (input,), (dim,))


def _slope_of_cumprod(B: Any, g: Any, input: Any, out: Any, dim: int) -> Any:
    """d x_k = sum_{j >= k} g_j out_j / x_k, with the first zero of each row treated apart.

    Before it, the formula holds; at it, the products are those without it; behind it, all are 0.
    """
    if input.shape[dim] == 1:
        return g  # exact, also for NaN and infinities
    x = input._data if isinstance(input, TensorBase) else input
    if not backend_of(x).any_zero(x):
        return _from_behind(B, g * B.conj(out), dim) / B.conj(input)
    if isinstance(g, TensorBase):
        return _recursive_slope(B, g, input, dim)
    if not isinstance(g, TensorBase) and not B.any_zero(input):
        return _from_behind(B, g * B.conj(out), dim) / B.conj(input)
    zero = input == 0
    nth = B.cumsum(B.cast(zero, _INT), dim)
    first = zero & (nth == 1)
    usual = _from_behind(B, g * B.conj(out), dim) / B.conj(B.masked_fill(input, zero, 1))
    without = B.cumprod(B.masked_fill(input, first, 1), dim)
    at_first = _from_behind(B, g * B.conj(without), dim)
    return B.where(first, at_first, B.masked_fill(usual, nth > 0, 0))


_INT = numpy_dtype(_dtypes.int64)


def _recursive_slope(B: Any, g: Any, input: Any, dim: int) -> Any:
    """The same from prefix products and the recurrence s_k = g_k + conj(x_{k+1}) s_{k+1}.

    It divides by nothing, so it can be differentiated where x is 0.
    """
    n = input.shape[dim]
    lead = (slice(None),) * dim
    suffix = [g[(*lead, n - 1)]]
    for k in range(n - 2, -1, -1):
        suffix.append(g[(*lead, k)] + B.conj(input[(*lead, k + 1)]) * suffix[-1])
    one = B.zeros_like(input[(*lead, slice(0, 1))]) + 1
    prefix = B.cumprod(B.cat([one, input[(*lead, slice(0, n - 1))]], dim), dim)
    return B.conj(prefix) * B.stack(suffix[::-1], dim)


@derivative(
    saves=("input", "out", "dim"),
    kernel="cumprod",
    name="CumprodBackward0",
    d_input=_slope_of_cumprod,
)
def _cumprod(input: Tensor, dim: int) -> Tensor:
    x = input._data
    z = backend_of(x).cumprod(x, dim)
    return taped(_cumprod, z, (input,), (input, z, dim))


def _slope_of_logcumsumexp(B: Any, g: Any, input: Any, out: Any, dim: int) -> Any:
    """exp(x_k) sum_{j >= k} g_j exp(-out_j), with positive and negative g_j summed as logarithms."""
    # A finite stand-in for log 0, as the slope of what is infinite would be NaN.
    least = B.zeros_like(g) - (6e4 if native(g).itemsize == 2 else 1e30)

    def part(g: Any, counts: Any) -> Any:
        logs = B.where(counts, B.log(B.where(counts, g, B.zeros_like(g) + 1)), least)
        logs = B.flip(logs - B.conj(out), (dim,))
        return B.exp(B.flip(B.logcumsumexp(logs, dim), (dim,)) + B.conj(input))

    if native(input).kind == "c":
        return part(g, g != 0)
    return part(g, g > 0) - part(-g, g < 0)


@derivative(
    saves=("input", "out", "dim"),
    kernel="logcumsumexp",
    name="LogcumsumexpBackward0",
    d_input=_slope_of_logcumsumexp,
)
def _logcumsumexp(input: Tensor, dim: int) -> Tensor:
    x = input._data
    z = backend_of(x).logcumsumexp(x, dim)
    return taped(_logcumsumexp, z, (input,), (input, z, dim))


def _wide(name: str, input: Tensor, dtype: dtype | None) -> Tensor:
    check_tensor(name, input)
    if dtype is _dtypes.bool or dtype is bool:
        raise NotImplementedError(f"\"{name}_out_cpu\" not implemented for 'Bool'")
    if dtype is not None:
        return cast(input, numpy_dtype(dtype))
    return cast(input, _INT) if input._data.dtype.kind in "biu" else input


def _run(op: Any, x: Tensor, dim: int) -> Tensor:
    d = dim_of(dim, x._data.ndim)
    return op(x, d) if x._data.ndim else reshape(op(reshape(x, (1,)), 0), ())


def cumsum(
    input: Tensor,
    dim: int | None = None,
    dtype: dtype | None = None,
    axis: Any = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the sums of the elements so far along ``dim``; integers are summed as int64.

    >>> torch.cumsum(torch.tensor([1, 2, 3]), 0)
    tensor([1, 3, 6])
    """
    if dim is None:
        dim = axis_instead("cumsum", axis)
    x = _wide("cumsum", input, dtype_to_reduce_in(dtype, out))
    return finished("cumsum", _run(_cumsum, x, dim), out, (input,))


def cumprod(
    input: Tensor,
    dim: int | None = None,
    dtype: dtype | None = None,
    axis: Any = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the products of the elements so far along ``dim``; integers are multiplied as int64.

    >>> torch.cumprod(torch.tensor([1, 2, 3]), 0)
    tensor([1, 2, 6])
    """
    if dim is None:
        dim = axis_instead("cumprod", axis)
    x = _wide("cumprod", input, dtype_to_reduce_in(dtype, out))
    return finished("cumprod", _run(_cumprod, x, dim), out, (input,))


def logcumsumexp(
    input: Tensor, dim: int | None = None, axis: Any = None, *, out: Tensor | None = None
) -> Tensor:
    """Returns the logarithms of the sums of exponentials so far along ``dim``, without overflow.

    >>> torch.logcumsumexp(torch.tensor([0.0, 0.0]), 0)
    tensor([0.0000, 0.6931])
    """
    if dim is None:
        dim = axis_instead("logcumsumexp", axis)
    refuse("logcumsumexp", input, "biu")
    return finished("logcumsumexp", _run(_logcumsumexp, input, dim), out, (input,))


def diff(
    input: Tensor,
    n: int = 1,
    dim: int = -1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
    axis: Any = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the ``n``-fold differences of neighbours along ``dim``.

    >>> torch.diff(torch.tensor([1, 3, 2]))
    tensor([ 2, -1])
    """
    if axis is not None:
        dim = axis
    check_tensor("diff", input)
    if not input._data.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n.__class__ is not int:
        n = integer("diff", "n", n)
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    if not n:
        return finished("diff", input.clone(), out, (input,))
    d = dim_of(dim, input._data.ndim)
    parts = [p for p in (prepend, input, append) if p is not None]
    if any(p._data.ndim != input._data.ndim for p in parts):
        raise RuntimeError("diff expects prepend or append to be the same dimension as input")
    x = cat(parts, d) if len(parts) > 1 else input
    for _ in range(min(n, x._data.shape[d])):
        lead = (slice(None),) * d
        after, before = getitem(x, (*lead, slice(1, None))), getitem(x, (*lead, slice(-1)))
        x = after ^ before if x._data.dtype.kind == "b" else after - before
    return finished("diff", x.clone() if x is input else x, out, (input,))


def _trapezoids(y: Tensor, x: Tensor | None, dx: Number, dim: int) -> Tensor:
    """The areas under the segments along dim."""
    y = floating(y) if y._data.dtype.kind == "b" else y
    d = dim_of(dim, y._data.ndim)
    n = max(y._data.shape[d] - 1, 0)
    heights = narrow(y, d, min(n, 1), n) + narrow(y, d, 0, n)
    if x is None:
        return heights * (dx / 2)
    if x._data.ndim == 1:
        widths = diff(x)
        for _ in range(y._data.ndim - 1 - d):
            widths = unsqueeze(widths, -1)
    else:
        widths = diff(x, dim=d - y._data.ndim)
    return heights * widths / 2


def trapezoid(
    y: Tensor, x: Tensor | None = None, *, dx: Number | None = None, dim: int = -1
) -> Tensor:
    """Returns the integral along ``dim`` by the trapezoidal rule, at places ``x`` or ``dx`` apart.

    >>> torch.trapezoid(torch.tensor([1.0, 5.0, 10.0]))
    tensor(10.5000)
    """
    _check_trapezoid("trapezoid", y, x, dim)
    if not y._data.shape[dim_of(dim, y._data.ndim)]:
        return (floating(y) if y._data.dtype.kind == "b" else y * 1.0).sum(dim)
    areas = _trapezoids(y, x, 1 if dx is None else dx, dim)
    return areas.sum(dim)


def cumulative_trapezoid(
    y: Tensor, x: Tensor | None = None, *, dx: Number | None = None, dim: int = -1
) -> Tensor:
    """Returns the integrals so far along ``dim`` by the trapezoidal rule.

    >>> torch.cumulative_trapezoid(torch.tensor([1.0, 5.0, 10.0]))
    tensor([ 3.0000, 10.5000])
    """
    _check_trapezoid("cumulative_trapezoid", y, x, dim)
    return cumsum(_trapezoids(y, x, 1 if dx is None else dx, dim), dim)


def _check_trapezoid(name: str, y: Tensor, x: Any, dim: int) -> None:
    check_tensor(name, y)
    if y._data.dtype.kind == "b" or (isinstance(x, TensorBase) and x._data.dtype.kind == "b"):
        raise RuntimeError(
            f"{name}: received a bool input for `x` or `y`, but bool is not supported"
        )
    d = dim_of(dim, y._data.ndim)
    if isinstance(x, TensorBase) and x._data.ndim == 1 and x._data.size != y._data.shape[d]:
        raise RuntimeError(
            f"{name}: There must be one `x` value for each sample point: got {x._data.size} of them "
            f"for {y._data.shape[d]} samples"
        )


trapz = trapezoid
