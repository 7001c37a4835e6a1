"""The Weibull distribution."""

from __future__ import annotations

from .._tensor import Tensor
from ..ops import lgamma, ones_like
from . import constraints
from .exponential import Exponential
from .transformed_distribution import TransformedDistribution
from .transforms import AffineTransform, PowerTransform
from .utils import EULER, broadcast_all


class Weibull(TransformedDistribution):
    """scale * X ** (1 / concentration), where X is exponentially distributed.

    >>> torch.distributions.Weibull(3.0, 1.0).mean
    tensor(3.)
    """

    arg_constraints = {"scale": constraints.positive, "concentration": constraints.positive}
    support = constraints.positive

    def __init__(
        self,
        scale: Tensor | float,
        concentration: Tensor | float,
        validate_args: bool | None = None,
    ) -> None:
        self.scale, self.concentration = broadcast_all(scale, concentration)
        base = Exponential(ones_like(self.scale), validate_args=validate_args)
        power = PowerTransform(self.concentration.reciprocal())
        steps = [power, AffineTransform(loc=0, scale=self.scale)]
        super().__init__(base, steps, validate_args=validate_args)

    def _log_moment(self, n: int) -> Tensor:
        return lgamma(1 + n / self.concentration)

    @property
    def mean(self) -> Tensor:
        return self.scale * self._log_moment(1).exp()

    @property
    def mode(self) -> Tensor:
        c = self.concentration
        return self.scale * ((c - 1).clamp(min=0) / c).pow(1 / c)

    @property
    def variance(self) -> Tensor:
        spread = self._log_moment(2).exp() - (2 * self._log_moment(1)).exp()
        return self.scale.pow(2) * spread

    def entropy(self) -> Tensor:
        c = self.concentration
        return EULER * (1 - 1 / c) + (self.scale / c).log() + 1
