"""Transforms of whole vectors and matrices."""

from __future__ import annotations

import math
from typing import Any

from .._size import Size
from .._tensor import Tensor
from .._type_info import finfo
from ..linalg import cholesky
from ..nn.functional import pad
from ..ops import arange, atanh, diag_embed, eye, tanh
from . import constraints
from ._transform_base import Alike, Transform
from .utils import log1pexp, tril_matrix_to_vec, vec_to_tril_matrix


def _at_least(dims: int, shape: Any) -> Size:
    if len(shape) < dims:
        raise ValueError("Too few dimensions on input")
    return Size(shape)


class SoftmaxTransform(Alike):
    """y = exp(x) / sum(exp(x)) along the last dimension; not bijective, as x + 1 gives the same y.

    >>> torch.distributions.SoftmaxTransform()(torch.zeros(2))
    tensor([0.5000, 0.5000])
    """

    domain = constraints.real_vector
    codomain = constraints.simplex

    def _call(self, x: Tensor) -> Tensor:
        return x.softmax(-1)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def forward_shape(self, shape: Any) -> Size:
        return _at_least(1, shape)

    inverse_shape = forward_shape


class StickBreakingTransform(Alike):
    """Vectors of n real numbers as n + 1 shares of a stick, broken off one after the other.

    Zeros give equal shares: the kth break takes sigmoid(x - log(what is left to be made)).

    >>> torch.distributions.StickBreakingTransform()(torch.zeros(3))
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """

    domain = constraints.real_vector
    codomain = constraints.simplex
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        taken = (x - _log_pieces_left(x)).sigmoid()
        left = (1 - taken).cumprod(-1)
        return pad(taken, [0, 1], value=1) * pad(left, [1, 0], value=1)

    def _inverse(self, y: Tensor) -> Tensor:
        piece = y[..., :-1]
        left = (1 - piece.cumsum(-1)).clamp(min=finfo(y.dtype).tiny)
        return piece.log() - left.log() + _log_pieces_left(piece)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        # The Jacobian is triangular, with y * (1 - sigmoid) on its diagonal.
        return (y[..., :-1].log() - log1pexp(x - _log_pieces_left(x))).sum(-1)

    def forward_shape(self, shape: Any) -> Size:
        shape = _at_least(1, shape)
        return Size((*shape[:-1], shape[-1] + 1))

    def inverse_shape(self, shape: Any) -> Size:
        shape = _at_least(1, shape)
        return Size((*shape[:-1], shape[-1] - 1))


def _log_pieces_left(x: Tensor) -> Tensor:
    n = x.shape[-1]
    return arange(n, 0, -1, dtype=x.dtype, device=x.device).log()


class CorrCholeskyTransform(Transform):
    """Vectors of D (D - 1) / 2 real numbers as Cholesky factors of D x D correlation matrices.

    Each row is a point on the unit sphere: tanh(x) is the share of the length that is left to it.

    >>> torch.distributions.CorrCholeskyTransform()(torch.zeros(1))
    tensor([[1., 0.],
            [0., 1.]])
    """

    domain = constraints.real_vector
    codomain = constraints.corr_cholesky
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        eps = finfo(x.dtype).eps
        shares = vec_to_tril_matrix(tanh(x).clamp(min=-1 + eps, max=1 - eps), diag=-1)
        left = (1 - shares * shares).sqrt().cumprod(-1)
        shares = shares + eye(shares.shape[-1], dtype=x.dtype, device=x.device)
        return shares * pad(left[..., :-1], [1, 0], value=1)

    def _inverse(self, y: Tensor) -> Tensor:
        left = tril_matrix_to_vec(_squares_left(y), diag=-1)
        return atanh(tril_matrix_to_vec(y, diag=-1) / left.sqrt())

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor, intermediates: Any = None) -> Tensor:
        left = tril_matrix_to_vec(_squares_left(y), diag=-1)
        log_slope = -2 * (x + log1pexp(-2 * x) - math.log(2.0))
        return (0.5 * left.log() + log_slope).sum(-1)

    def forward_shape(self, shape: Any) -> Size:
        shape = _at_least(1, shape)
        n = shape[-1]
        size = round((0.25 + 2 * n) ** 0.5 + 0.5)
        if size * (size - 1) // 2 != n:
            raise ValueError("Input is not a flattened lower-diagonal number")
        return Size((*shape[:-1], size, size))

    def inverse_shape(self, shape: Any) -> Size:
        shape = _at_least(2, shape)
        size = shape[-1]
        if shape[-2] != size:
            raise ValueError("Input is not square")
        return Size((*shape[:-2], size * (size - 1) // 2))


def _squares_left(y: Tensor) -> Tensor:
    """1 minus the squares of what comes before in a row."""
    return pad(1 - (y * y).cumsum(-1)[..., :-1], [1, 0], value=1)


class LowerCholeskyTransform(Alike):
    """Square matrices as lower triangular ones, with the exponential of their diagonal.

    >>> torch.distributions.LowerCholeskyTransform()(torch.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.lower_cholesky

    def _call(self, x: Tensor) -> Tensor:
        return x.tril(-1) + diag_embed(x.diagonal(dim1=-2, dim2=-1).exp())

    def _inverse(self, y: Tensor) -> Tensor:
        return y.tril(-1) + diag_embed(y.diagonal(dim1=-2, dim2=-1).log())


class PositiveDefiniteTransform(Alike):
    """Square matrices as positive definite ones: the product of `LowerCholeskyTransform` with itself.

    >>> torch.distributions.PositiveDefiniteTransform()(torch.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.positive_definite

    def _call(self, x: Tensor) -> Tensor:
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y: Tensor) -> Tensor:
        return LowerCholeskyTransform().inv(cholesky(y))


class ReshapeTransform(Transform):
    """Events of one shape as events of another.

    >>> torch.distributions.ReshapeTransform((2, 3), (6,))(torch.zeros(5, 2, 3)).shape
    torch.Size([5, 6])
    """

    bijective = True

    def __init__(self, in_shape: Any, out_shape: Any, cache_size: int = 0) -> None:
        self.in_shape, self.out_shape = Size(in_shape), Size(out_shape)
        if self.in_shape.numel() != self.out_shape.numel():
            raise ValueError("in_shape, out_shape have different numbers of elements")
        super().__init__(cache_size=cache_size)

    @property
    def domain(self) -> Any:  # type: ignore[override]
        """Real numbers in the one shape."""
        return constraints.independent(constraints.real, len(self.in_shape))

    @property
    def codomain(self) -> Any:  # type: ignore[override]
        """Real numbers in the other shape."""
        return constraints.independent(constraints.real, len(self.out_shape))

    def _call(self, x: Tensor) -> Tensor:
        batch = x.shape[: x.dim() - len(self.in_shape)]
        return x.reshape((*batch, *self.out_shape))

    def _inverse(self, y: Tensor) -> Tensor:
        batch = y.shape[: y.dim() - len(self.out_shape)]
        return y.reshape((*batch, *self.in_shape))

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x.new_zeros(x.shape[: x.dim() - len(self.in_shape)])

    def forward_shape(self, shape: Any) -> Size:
        return _exchanged(shape, self.in_shape, self.out_shape)

    def inverse_shape(self, shape: Any) -> Size:
        return _exchanged(shape, self.out_shape, self.in_shape)


def _exchanged(shape: Any, old: Size, new: Size) -> Size:
    shape = _at_least(len(old), shape)
    cut = len(shape) - len(old)
    if shape[cut:] != old:
        raise ValueError(f"Shape mismatch: expected {tuple(shape[cut:])} but got {old}")
    return Size((*shape[:cut], *new))
