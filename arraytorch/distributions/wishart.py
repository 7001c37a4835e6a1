"""The Wishart distribution."""

from __future__ import annotations

import math
import warnings
from math import nan
from typing import Any

from .._size import Size
from .._tensor import Tensor
from ..linalg import slogdet
from ..ops import (
    arange,
    broadcast_shapes,
    digamma,
    ones_like,
    randn,
    tensor,
    tril_indices,
    where,
    zeros_like,
)
from ..ops.solving import cholesky_inverse, cholesky_solve
from ..special import multigammaln
from . import constraints
from .chi2 import Chi2
from .exp_family import ExponentialFamily
from .multivariate_normal import factor_of, half_log_det
from .utils import ONCE, Shape, lazy_property


class Wishart(ExponentialFamily):
    """The sum of x @ x.mT over ``df`` normal vectors x of the given covariance, df maybe fractional.

    The covariance is given by one of three matrices, as for `MultivariateNormal`.

    >>> torch.distributions.Wishart(torch.tensor(3.0), torch.eye(2)).mean
    tensor([[3., 0.],
            [0., 3.]])
    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0

    @property
    def arg_constraints(self) -> dict[str, Any]:
        return {
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
            "df": constraints.greater_than(self.event_shape[-1] - 1),
        }

    def __init__(
        self,
        df: Tensor | float,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        names = ("covariance_matrix", "precision_matrix", "scale_tril")
        given = (covariance_matrix, precision_matrix, scale_tril)
        found = [(n, m) for n, m in zip(names, given) if m is not None]
        assert len(found) == 1, (
            "Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified."
        )
        name, matrix = found[0]
        if matrix.dim() < 2:
            raise ValueError(
                "scale_tril must be at least two-dimensional, with optional leading batch dimensions"
            )
        freedom: Tensor = (
            df if isinstance(df, Tensor) else tensor(df, dtype=matrix.dtype, device=matrix.device)
        )
        batch_shape = broadcast_shapes(freedom.shape, matrix.shape[:-2])
        event_shape = matrix.shape[-2:]
        self._batch_shape, self._event_shape = batch_shape, event_shape  # for arg_constraints
        self.df = freedom.expand(batch_shape)
        n = event_shape[-1]
        if self.df.le(n - 1).any():
            raise ValueError(f"Value of df={df} expected to be greater than ndim - 1 = {n - 1}.")
        self.__dict__[name] = matrix.expand(batch_shape + event_shape)
        super().__init__(batch_shape, event_shape, validate_args=validate_args)
        if self.df.lt(n).any():
            warnings.warn(
                "Low df values detected. Singular samples are highly likely to occur for "
                "ndim - 1 < df < ndim.",
                stacklevel=2,
            )
        self._unbroadcasted_scale_tril = factor_of(name, matrix)
        falling = arange(n, dtype=matrix.dtype, device=matrix.device)
        self._dist_chi2 = Chi2(self.df.unsqueeze(-1) - falling)

    def _expand_rest(self, new: Any, batch_shape: Size) -> None:
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril
        new._dist_chi2 = self._dist_chi2.expand((*batch_shape, self._event_shape[-1]))

    def _whole(self, matrix: Tensor) -> Tensor:
        return matrix.expand(self._batch_shape + self._event_shape)

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The lower Cholesky factor of the covariance."""
        return self._whole(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance."""
        return self._whole(self._unbroadcasted_scale_tril @ self._unbroadcasted_scale_tril.mT)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance."""
        return self._whole(cholesky_inverse(self._unbroadcasted_scale_tril))

    @property
    def mean(self) -> Tensor:
        return self.df.reshape((*self._batch_shape, 1, 1)) * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        """The most probable matrix; NaN where df is at most n + 1."""
        factor = self.df - self._event_shape[-1] - 1
        factor = where(factor > 0, factor, nan)
        return factor.reshape((*self._batch_shape, 1, 1)) * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        V = self.covariance_matrix
        diagonal = V.diagonal(dim1=-2, dim2=-1)
        products = diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2)
        return self.df.reshape((*self._batch_shape, 1, 1)) * (V.pow(2) + products)

    def _bartlett_sampling(self, sample_shape: Shape = ONCE) -> Tensor:
        """M. S. Bartlett's decomposition: chi variables on the diagonal, normals below it."""
        n = self._event_shape[-1]
        noise = self._dist_chi2.rsample(sample_shape).sqrt().diag_embed(dim1=-2, dim2=-1)
        i, j = tril_indices(n, n, offset=-1, device=noise.device)
        below = (*sample_shape, *self._batch_shape, n * (n - 1) // 2)
        noise[..., i, j] = randn(below, dtype=noise.dtype, device=noise.device)
        factor = self._unbroadcasted_scale_tril @ noise
        return factor @ factor.mT

    def rsample(self, sample_shape: Shape = ONCE, max_try_correction: int | None = None) -> Tensor:
        """Returns draws; what rounding made singular is drawn again, ten times unless said.

        Everything is drawn twice, and the first draw forgotten: PyTorch takes it for singular, and
        the numbers are to be the same.
        """
        tries = 10 if max_try_correction is None else max_try_correction
        sample = self._bartlett_sampling(Size(sample_shape))
        batch = tuple(range(len(sample_shape), len(sample_shape) + len(self._batch_shape)))
        again = ones_like(self.support.check(sample))
        again = again.amax(batch) if batch else again
        for _ in range(tries):
            if not again.any():
                break
            drawn = self._bartlett_sampling(again[again].shape)
            sample[again] = drawn
            singular = ~self.support.check(drawn)
            if batch:
                singular = singular.amax(tuple(range(1, singular.dim())))
            remaining = zeros_like(again)
            remaining[again] = singular
            again = remaining
        return sample

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        nu, n = self.df, self._event_shape[-1]
        factor = self._unbroadcasted_scale_tril
        scale = nu * half_log_det(factor) + nu * n / 2 * math.log(2) + multigammaln(nu / 2, n)
        power = (nu - n - 1) / 2 * slogdet(value).logabsdet
        trace = cholesky_solve(value, factor).diagonal(dim1=-2, dim2=-1).sum(-1)
        return power - trace / 2 - scale

    def entropy(self) -> Tensor:
        nu, n = self.df, self._event_shape[-1]
        size = half_log_det(self._unbroadcasted_scale_tril) + n / 2 * math.log(2)
        digammas = digamma(self._dist_chi2.concentration).sum(-1)
        slope = (nu - n - 1) / 2 * digammas
        return (n + 1) * size + multigammaln(nu / 2, n) - slope + n * nu / 2

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        n = self._event_shape[-1]
        return -self.precision_matrix / 2, (self.df - n - 1) / 2

    def _log_normalizer(self, x: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]
        n = self._event_shape[-1]
        half = y + (n + 1) / 2
        return half * (n * math.log(2) - slogdet(-2 * x).logabsdet) + multigammaln(half, n)
