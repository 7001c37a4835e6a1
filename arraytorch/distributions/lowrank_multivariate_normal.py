"""The multivariate normal distribution of a covariance of low rank plus a diagonal."""

from __future__ import annotations

import math
from typing import Any

from .._size import Size
from .._tensor import Tensor
from ..linalg import cholesky, solve_triangular
from ..ops import broadcast_shapes, diag_embed, eye
from . import constraints
from .distribution import Distribution
from .multivariate_normal import half_log_det, mahalanobis, times
from .utils import ONCE, Shape, lazy_property, standard_normal


class LowRankMultivariateNormal(Distribution):
    """Normal vectors of covariance W @ W.mT + diag(d): ``cov_factor`` W is tall, ``cov_diag`` is d.

    Only a small matrix is factored, that of as many rows as W has columns, by the formulas of
    Woodbury and of Sylvester.

    >>> W, d = torch.tensor([[1.0], [2.0]]), torch.ones(2)
    >>> torch.distributions.LowRankMultivariateNormal(torch.zeros(2), W, d).covariance_matrix
    tensor([[2., 2.],
            [2., 5.]])
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        loc: Tensor,
        cov_factor: Tensor,
        cov_diag: Tensor,
        validate_args: bool | None = None,
    ) -> None:
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        event = loc.shape[-1:]
        if cov_factor.dim() < 2:
            raise ValueError(
                "cov_factor must be at least two-dimensional, with optional leading batch dimensions"
            )
        if cov_factor.shape[-2:-1] != event:
            raise ValueError(f"cov_factor must be a batch of matrices with shape {event[0]} x m")
        if cov_diag.shape[-1:] != event:
            raise ValueError(f"cov_diag must be a batch of vectors with shape {event}")
        try:
            batch = broadcast_shapes(loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1])
        except RuntimeError:
            raise ValueError(
                f"Incompatible batch shapes: loc {loc.shape}, cov_factor {cov_factor.shape}, "
                f"cov_diag {cov_diag.shape}"
            ) from None
        self.loc = loc.expand(batch + event)
        self.cov_factor = cov_factor.expand(batch + cov_factor.shape[-2:])
        self.cov_diag = cov_diag.expand(batch + event)
        super().__init__(batch, event, validate_args=validate_args)
        self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag = cov_factor, cov_diag
        self._capacitance_tril = self._factored()

    def _factored(self) -> Tensor:
        """The Cholesky factor of I + W.mT @ diag(1 / d) @ W."""
        W, scaled = self._unbroadcasted_cov_factor, self._scaled_transpose()
        return cholesky(scaled @ W + eye(W.shape[-1], dtype=W.dtype, device=W.device))

    def _scaled_transpose(self) -> Tensor:
        return self._unbroadcasted_cov_factor.mT / self._unbroadcasted_cov_diag.unsqueeze(-2)

    def _expand_rest(self, new: Any, batch_shape: Size) -> None:
        new._unbroadcasted_cov_factor = self._unbroadcasted_cov_factor
        new._unbroadcasted_cov_diag = self._unbroadcasted_cov_diag
        new._capacitance_tril = self._capacitance_tril

    def _whole(self, matrix: Tensor) -> Tensor:
        return matrix.expand(self._batch_shape + self._event_shape + self._event_shape)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @lazy_property
    def variance(self) -> Tensor:  # type: ignore[override]
        """The diagonal of the covariance."""
        rows = self._unbroadcasted_cov_factor.pow(2).sum(-1) + self._unbroadcasted_cov_diag
        return rows.expand(self._batch_shape + self._event_shape)

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The lower Cholesky factor of the covariance."""
        root = self._unbroadcasted_cov_diag.sqrt().unsqueeze(-1)
        W = self._unbroadcasted_cov_factor / root
        inner = W @ W.mT + eye(W.shape[-2], dtype=W.dtype, device=W.device)
        return self._whole(root * cholesky(inner))

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance."""
        W = self._unbroadcasted_cov_factor
        return self._whole(W @ W.mT + diag_embed(self._unbroadcasted_cov_diag))

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance."""
        A = solve_triangular(self._capacitance_tril, self._scaled_transpose(), upper=False)
        return self._whole(diag_embed(self._unbroadcasted_cov_diag.reciprocal()) - A.mT @ A)

    def rsample(self, sample_shape: Shape = ONCE) -> Tensor:
        shape = self._extended_shape(sample_shape)
        kind = (self.loc.dtype, self.loc.device)
        common = standard_normal((*shape[:-1], self.cov_factor.shape[-1]), *kind)
        own = standard_normal(shape, *kind)
        spread = self._unbroadcasted_cov_diag.sqrt() * own
        return self.loc + times(self._unbroadcasted_cov_factor, common) + spread

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        off = value - self.loc
        square = low_rank_mahalanobis(self, off)
        n = self._event_shape[0]
        return -0.5 * (n * math.log(2 * math.pi) + low_rank_log_det(self) + square)

    def entropy(self) -> Tensor:
        n = self._event_shape[0]
        result = 0.5 * (n * (1.0 + math.log(2 * math.pi)) + low_rank_log_det(self))
        return result.expand(self._batch_shape)


def low_rank_log_det(d: LowRankMultivariateNormal) -> Tensor:
    """Returns the logarithm of the determinant of the covariance."""
    return 2 * half_log_det(d._capacitance_tril) + d._unbroadcasted_cov_diag.log().sum(-1)


def low_rank_mahalanobis(d: LowRankMultivariateNormal, off: Tensor) -> Tensor:
    """Returns off @ covariance^-1 @ off."""
    along = times(d._scaled_transpose(), off)
    across = (off.pow(2) / d._unbroadcasted_cov_diag).sum(-1)
    return across - mahalanobis(d._capacitance_tril, along)
