"""The negative binomial distribution."""

from __future__ import annotations

from .._tensor import Tensor
from ..autograd.modes import no_grad
from ..nn.functional import logsigmoid
from ..ops import exp, lgamma, poisson, sigmoid
from . import constraints
from ._odds import Odds
from .distribution import Distribution
from .gamma import Gamma
from .utils import ONCE, Shape, lazy_property


class NegativeBinomial(Odds, Distribution):
    """The number of successes, each with ``probs``, before ``total_count`` failures.

    The count need not be an integer.

    >>> torch.distributions.NegativeBinomial(1, torch.tensor(0.5)).log_prob(torch.tensor(2.0)).exp()
    tensor(0.1250)
    """

    arg_constraints = {
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer

    def __init__(
        self,
        total_count: Tensor | float,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        total, given = self._take_odds(probs, logits, total_count)
        self.total_count = total.to(given)
        super().__init__(given.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.total_count * exp(self.logits)

    @property
    def mode(self) -> Tensor:
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0.0)

    @property
    def variance(self) -> Tensor:
        return self.mean / sigmoid(-self.logits)

    @lazy_property
    def _gamma(self) -> Gamma:
        # A Poisson distribution whose rate is gamma distributed.
        return Gamma(self.total_count, exp(-self.logits), validate_args=False)

    def sample(self, sample_shape: Shape = ONCE) -> Tensor:
        with no_grad():
            return poisson(self._gamma.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        n = self.total_count
        log_ways = lgamma(n + value) - lgamma(1.0 + value) - lgamma(n)
        log_ways = log_ways.masked_fill(n + value == 0.0, 0.0)
        return log_ways + n * logsigmoid(-self.logits) + value * logsigmoid(self.logits)
