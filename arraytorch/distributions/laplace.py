"""The Laplace distribution."""

from __future__ import annotations

import math

from .._tensor import Tensor
from .._type_info import finfo
from ..ops import empty
from . import constraints
from .distribution import Distribution
from .utils import ONCE, Shape, broadcast_all


class Laplace(Distribution):
    """Exponential to both sides of ``loc``, with mean distance ``scale``.

    >>> torch.distributions.Laplace(0.0, 1.0).log_prob(torch.tensor(1.0)).exp()
    tensor(0.1839)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    def __init__(
        self, loc: Tensor | float, scale: Tensor | float, validate_args: bool | None = None
    ) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return 2 * self.scale.pow(2)

    @property
    def stddev(self) -> Tensor:
        return math.sqrt(2) * self.scale

    def rsample(self, sample_shape: Shape = ONCE) -> Tensor:
        loc = self.loc
        u = empty(self._extended_shape(sample_shape), dtype=loc.dtype, device=loc.device)
        u.uniform_(finfo(loc.dtype).eps - 1, 1)
        return loc - self.scale * u.sign() * (-u.abs()).log1p()

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return -(2 * self.scale).log() - (value - self.loc).abs() / self.scale

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        z = (value - self.loc) / self.scale
        return 0.5 - 0.5 * z.sign() * (-z.abs()).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        half = value - 0.5
        return self.loc - self.scale * half.sign() * (-2 * half.abs()).log1p()

    def entropy(self) -> Tensor:
        return 1 + (2 * self.scale).log()
