"""The binomial distribution."""

from __future__ import annotations

from typing import Any

from .._tensor import Tensor
from ..autograd.modes import no_grad
from ..ops import arange, binomial, lgamma
from . import constraints
from ._odds import Odds
from .bernoulli import enumerated
from .distribution import Distribution
from .utils import ONCE, Shape, log1pexp


class Binomial(Odds, Distribution):
    """The number of successes in ``total_count`` trials, each with probability ``probs``.

    >>> torch.distributions.Binomial(2, torch.tensor(0.5)).log_prob(torch.tensor(1.0)).exp()
    tensor(0.5000)
    """

    arg_constraints = {
        "total_count": constraints.nonnegative_integer,
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    has_enumerate_support = True

    def __init__(
        self,
        total_count: Tensor | int = 1,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        total, given = self._take_odds(probs, logits, total_count)
        self.total_count = total.to(given)
        super().__init__(given.shape, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        return ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count)

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Shape = ONCE) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with no_grad():
            return binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        n = self.total_count
        log_ways = lgamma(n + 1) - lgamma(value + 1) - lgamma(n - value + 1)
        return log_ways + value * self.logits - n * log1pexp(self.logits)

    def entropy(self) -> Tensor:
        self._common_count("entropy")
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(log_prob.exp() * log_prob).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        n = self._common_count("enumerate_support")
        values = arange(1 + n, dtype=self._param.dtype, device=self._param.device)
        return enumerated(values, self, expand)

    def _common_count(self, what: str) -> int:
        n = int(self.total_count.max())
        if not bool((self.total_count == n).all()):
            raise NotImplementedError(f"Inhomogeneous total count not supported by `{what}`.")
        return n
