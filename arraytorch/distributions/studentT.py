"""Student's t distribution."""  # noqa: N999

from __future__ import annotations

import math
from math import inf, nan

from .._size import Size
from .._tensor import Tensor
from ..ops import digamma, lgamma, where
from . import constraints
from .chi2 import Chi2
from .distribution import Distribution
from .utils import ONCE, Shape, broadcast_all, standard_normal


class StudentT(Distribution):
    """A normal variable divided by the root of a chi-squared one over its degrees of freedom.

    >>> torch.distributions.StudentT(3.0).variance
    tensor(3.)
    """

    arg_constraints = {
        "df": constraints.positive,
        "loc": constraints.real,
        "scale": constraints.positive,
    }
    support = constraints.real
    has_rsample = True

    def __init__(
        self,
        df: Tensor | float,
        loc: Tensor | float = 0.0,
        scale: Tensor | float = 1.0,
        validate_args: bool | None = None,
    ) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        self._chi2 = Chi2(self.df, validate_args=validate_args)
        super().__init__(self.df.shape, validate_args=validate_args)

    def _expand_rest(self, new: StudentT, batch_shape: Size) -> None:
        new._chi2 = self._chi2.expand(batch_shape)

    @property
    def mean(self) -> Tensor:
        return where(self.df > 1, self.loc, nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        finite = self.scale.pow(2) * self.df / (self.df - 2)
        return where(self.df > 2, finite, where(self.df > 1, inf, nan).to(finite))

    def rsample(self, sample_shape: Shape = ONCE) -> Tensor:
        shape = self._extended_shape(sample_shape)
        z = standard_normal(shape, self.df.dtype, self.df.device)
        chi2 = self._chi2.rsample(sample_shape)
        return self.loc + self.scale * (z * (chi2 / self.df).rsqrt())

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        half, z = 0.5 * self.df, (value - self.loc) / self.scale
        scale = self.scale.log() + 0.5 * self.df.log() + 0.5 * math.log(math.pi)
        scale = scale + lgamma(half) - lgamma(half + 0.5)
        return -(half + 0.5) * (z**2.0 / self.df).log1p() - scale

    def entropy(self) -> Tensor:
        half = 0.5 * self.df
        log_beta = lgamma(half) + math.lgamma(0.5) - lgamma(half + 0.5)
        slope = (half + 0.5) * (digamma(half + 0.5) - digamma(half))
        return self.scale.log() + slope + 0.5 * self.df.log() + log_beta
