"""Distances between rows of two matrices, and slices kept from growing too long."""

from __future__ import annotations

from math import inf
from typing import Any

from .._dtypes import scalar_type_name
from ..autograd.modes import grad_enabled
from ..autograd.tape import taped, wrap
from ..backends import backend_of, dtype_of
from ..backends.host import ndarray
from ._declare import derivative
from ._promote import broadcast_shape, dim_of
from ._results import as_array, check_tensor, finished, refuse
from .arithmetic import sqrt
from .comparison import logical_not
from .products import matmul
from .reduction import sum
from .selection import clamp, masked_fill, where
from .shape import expand, transpose, unsqueeze
from .spread import vector_norm

Tensor = Any
_MODES = (
    "use_mm_for_euclid_dist_if_necessary",
    "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
)
_FEW = 25  # rows up to which PyTorch takes differences rather than a product


def _slope_of_length(B: Any, g: Any, input: Any, p: float, out: Any) -> Any:
    """d |x|_p / dx, and 0 wherever a vector is 0; each of several largest gets all for p = inf."""
    if p == 0:
        return B.zeros_like(input)
    lead = (slice(None),) * (len(input.shape) - 1)
    g, out = g[(*lead, None)], out[(*lead, None)]
    zero = B.zeros_like(input)
    if p == 1:
        return g * B.sgn(input)
    if p == inf:
        return B.where(B.abs(input) == out, g * B.sgn(input), zero)
    if p == 2:
        return g * B.where(out == 0, zero, input / B.where(out == 0, out + 1, out))
    flat = (input == 0) | (out == 0)
    safe = B.where(flat, zero + 1, B.abs(input))
    share = B.pow(safe / B.where(out == 0, out + 1, out), p - 1)
    return g * B.where(flat, zero, B.sgn(input) * share)


@derivative(saves=("input", "p", "out"), d_input=_slope_of_length)
def _lengths(input: Tensor, p: float) -> Tensor:
    """The p-norms of vectors along the last dimension, whose slope at the origin is 0."""
    x = input._data
    B = backend_of(x)
    z = as_array(B, B.vector_norm(x, p, (x.ndim - 1,), False), x)
    return taped(_lengths, z, (input,), (input, p, z))


def cdist(
    x1: Tensor,
    x2: Tensor,
    p: float = 2.0,
    compute_mode: str = "use_mm_for_euclid_dist_if_necessary",
) -> Tensor:
    """Returns the p-norm distance of every row of ``x1`` from every row of ``x2``, by batches.

    Shapes (..., P, M) and (..., R, M) give (..., P, R). Euclidean distances of more than 25 rows
    are taken from a matrix product, which is faster and less exact; ``compute_mode`` may demand or
    forbid that. The gradient is 0 where two rows are equal.

    >>> torch.cdist(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[5., 1.]])
    """
    check_tensor("cdist", x1, x2, names=("x1", "x2"))
    if compute_mode not in _MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    for name, t in (("X1", x1), ("X2", x2)):
        if t._data.dtype.kind in "biuc":
            kind = scalar_type_name(dtype_of(t._data))
            raise RuntimeError(f"cdist only supports floating-point dtypes, {name} got: {kind}")
        if t._data.ndim < 2:
            raise RuntimeError(
                f"cdist only supports at least 2D tensors, {name} got: {t._data.ndim}D"
            )
    a, b = x1._data, x2._data
    if a.dtype is not b.dtype:
        first, second = (scalar_type_name(dtype_of(x)) for x in (a, b))
        raise RuntimeError(f"expected scalar type {first} but found {second}")
    if a.shape[-1] != b.shape[-1]:
        raise RuntimeError(
            f"X1 and X2 must have the same number of columns. X1: {a.shape[-1]} X2: {b.shape[-1]}"
        )
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    broadcast_shape("cdist", a.shape[:-2], b.shape[:-2])
    many = max(a.shape[-2], b.shape[-2]) > _FEW
    recorded = grad_enabled.get() and not (x1._node is x2._node is None)
    if p == 2 and (compute_mode == _MODES[1] or (compute_mode == _MODES[0] and many)):
        return _by_product(x1, x2, recorded)
    if not recorded and a.shape[-1] and a.__class__ is b.__class__ is ndarray:
        B = backend_of(a)
        return wrap(B.asarray(B.distances(a, b, float(p))))
    difference = unsqueeze(x1, -2) - unsqueeze(x2, -3)
    if not a.shape[-1]:
        return sum(difference, -1)
    return _lengths(difference, float(p))


def _by_product(x1: Tensor, x2: Tensor, recorded: bool) -> Tensor:
    """|x - y|^2 = |x|^2 + |y|^2 - 2 x y."""
    squares = sum(x1 * x1, -1, True) + transpose(sum(x2 * x2, -1, True), -1, -2)
    squares = clamp(squares - 2 * matmul(x1, transpose(x2, -1, -2)), min=0)
    if not recorded:
        return sqrt(squares)
    apart = squares != 0
    return where(apart, sqrt(where(apart, squares, 1.0)), 0.0)


def renorm(
    input: Tensor, p: float, dim: int, maxnorm: float, *, out: Tensor | None = None
) -> Tensor:
    """Scales down the slices along ``dim`` whose p-norm is above ``maxnorm``, to that.

    >>> torch.renorm(torch.tensor([[1.0, 0.0], [3.0, 4.0]]), 2, 0, 1)
    tensor([[1.0000, 0.0000],
            [0.6000, 0.8000]])
    """
    refuse("renorm", input, "biu")
    if isinstance(p, complex) or p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if isinstance(maxnorm, complex) or maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    ndim = input._data.ndim
    if ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {ndim} dimensions")
    d = dim_of(dim, ndim)
    over = [k for k in range(ndim) if k != d]
    long = vector_norm(input.detach(), p, over, True) > maxnorm
    # Slices that stay, those with NaN among them, have no slope by way of their norms.
    norms = vector_norm(masked_fill(input, logical_not(long), 0), p, over, True)
    factor = where(long, maxnorm / (norms + 1e-7), 1.0)
    return finished("renorm", input * expand(factor, *input._data.shape), out, (input,))
