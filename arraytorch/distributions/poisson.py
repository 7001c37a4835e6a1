"""The Poisson distribution."""

from __future__ import annotations

from .._tensor import Tensor
from ..autograd.modes import no_grad
from ..ops import exp, lgamma, poisson, xlogy
from . import constraints
from .exp_family import ExponentialFamily
from .utils import ONCE, Shape, broadcast_all


class Poisson(ExponentialFamily):
    """The number of events in a time in which ``rate`` are expected.

    >>> torch.distributions.Poisson(1.0).log_prob(torch.tensor(1.0)).exp()
    tensor(0.3679)
    """

    arg_constraints = {"rate": constraints.nonnegative}
    support = constraints.nonnegative_integer

    def __init__(self, rate: Tensor | float, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(self.rate.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.rate

    @property
    def mode(self) -> Tensor:
        return self.rate.floor()

    @property
    def variance(self) -> Tensor:
        return self.rate

    def sample(self, sample_shape: Shape = ONCE) -> Tensor:
        with no_grad():
            return poisson(self.rate.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        rate, value = broadcast_all(self.rate, value)
        return xlogy(value, rate) - rate - lgamma(value + 1)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.rate.log(),)

    def _log_normalizer(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return exp(x)
