"""The generalized Pareto distribution."""

from __future__ import annotations

from math import inf, nan
from typing import Any

from .._tensor import Tensor
from ..ops import isclose, ones_like, rand, where, zeros_like
from . import constraints
from .distribution import Distribution
from .utils import ONCE, Shape, broadcast_all


class GeneralizedPareto(Distribution):
    """The limit of the excess over a high threshold, ``loc``: exponential for concentration 0.

    >>> tail = torch.distributions.GeneralizedPareto(0.0, 1.0, 0.5)
    >>> tail.cdf(torch.tensor(2.0))
    tensor(0.7500)
    """

    arg_constraints = {
        "loc": constraints.real,
        "scale": constraints.positive,
        "concentration": constraints.real,
    }
    has_rsample = True

    def __init__(
        self,
        loc: Tensor | float,
        scale: Tensor | float,
        concentration: Tensor | float,
        validate_args: bool | None = None,
    ) -> None:
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        ends = self.loc - self.scale / self.concentration
        return constraints.interval(self.loc, where(self.concentration < 0, ends, inf))

    def _shape(self) -> tuple[Tensor, Tensor]:
        """Which shapes are 0, where limits take over, and the shapes with 1 in place of 0."""
        flat = isclose(self.concentration, zeros_like(self.concentration))
        return flat, where(flat, ones_like(self.concentration), self.concentration)

    def _z(self, x: Tensor) -> Tensor:
        return (x - self.loc) / self.scale

    def rsample(self, sample_shape: Shape = ONCE) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return self.icdf(rand(shape, dtype=self.loc.dtype, device=self.loc.device))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        z, (flat, c) = self._z(value), self._shape()
        return -where(flat, z, (1 + 1 / c) * (c * z).log1p()) - self.scale.log()

    def log_survival_function(self, value: Tensor) -> Tensor:
        """Returns the logarithm of the probability of more than a value."""
        if self._validate_args:
            self._validate_sample(value)
        z, (flat, c) = self._z(value), self._shape()
        return -where(flat, z, (c * z).log1p() / c)

    def log_cdf(self, value: Tensor) -> Tensor:
        """Returns the logarithm of the probability of no more than a value."""
        return (-self.log_survival_function(value).expm1()).log()

    def cdf(self, value: Tensor) -> Tensor:
        return -self.log_survival_function(value).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        rarity, (flat, c) = -(-value).log1p(), self._shape()
        return self.loc + self.scale * where(flat, rarity, (c * rarity).expm1() / c)

    @property
    def mean(self) -> Tensor:
        c = self.concentration
        return where(c < 1, self.loc + self.scale / (1 - c), nan)

    @property
    def variance(self) -> Tensor:
        c = self.concentration
        return where(c < 0.5, self.scale**2 / ((1 - c) ** 2 * (1 - 2 * c)), nan)

    def entropy(self) -> Tensor:
        return (self.scale.log() + self.concentration + 1).expand(self._batch_shape)

    @property
    def mode(self) -> Tensor:
        return self.loc
