"""The F distribution."""

from __future__ import annotations

from math import nan

from .._size import Size
from .._tensor import Tensor
from .._type_info import finfo
from ..ops import lgamma, where
from . import constraints
from .distribution import Distribution
from .gamma import Gamma
from .utils import ONCE, Shape, broadcast_all


class FisherSnedecor(Distribution):
    """The quotient of two chi-squared variables, each divided by its degrees of freedom.

    >>> torch.distributions.FisherSnedecor(2.0, 4.0).mean
    tensor(2.)
    """

    arg_constraints = {"df1": constraints.positive, "df2": constraints.positive}
    support = constraints.positive
    has_rsample = True

    def __init__(
        self, df1: Tensor | float, df2: Tensor | float, validate_args: bool | None = None
    ) -> None:
        self.df1, self.df2 = broadcast_all(df1, df2)
        self._gamma1 = Gamma(self.df1 * 0.5, self.df1, validate_args=False)
        self._gamma2 = Gamma(self.df2 * 0.5, self.df2, validate_args=False)
        super().__init__(self.df1.shape, validate_args=validate_args)

    def _expand_rest(self, new: FisherSnedecor, batch_shape: Size) -> None:
        new._gamma1 = self._gamma1.expand(batch_shape)
        new._gamma2 = self._gamma2.expand(batch_shape)

    @property
    def mean(self) -> Tensor:
        return where(self.df2 > 2, self.df2 / (self.df2 - 2), nan)

    @property
    def mode(self) -> Tensor:
        mode = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        return where(self.df1 > 2, mode, nan)

    @property
    def variance(self) -> Tensor:
        df1, df2 = self.df1, self.df2
        above = df1 * (df2 - 2).pow(2) * (df2 - 4)
        return where(df2 > 4, 2 * df2.pow(2) * (df1 + df2 - 2) / above, nan)

    def rsample(self, sample_shape: Shape = ONCE) -> Tensor:
        tiny = finfo(self.df1.dtype).tiny
        upper, lower = self._gamma1.rsample(sample_shape), self._gamma2.rsample(sample_shape)
        return (upper / lower.clamp(min=tiny)).clamp(min=tiny)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        a, b, ratio = self.df1 * 0.5, self.df2 * 0.5, self.df1 / self.df2
        log_beta = lgamma(a) + lgamma(b) - lgamma(a + b)
        power = a * ratio.log() + (a - 1) * value.log()
        return power - (a + b) * (ratio * value).log1p() - log_beta
