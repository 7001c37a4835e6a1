"""Continuous relaxations of the Bernoulli distribution."""

from __future__ import annotations

from typing import Any

from .._size import Size
from .._tensor import Tensor
from ..ops import rand
from . import constraints
from ._odds import Odds
from .distribution import Distribution
from .transformed_distribution import TransformedDistribution
from .transforms import SigmoidTransform
from .utils import ONCE, Shape, broadcast_all, clamp_probs, log1pexp, probs_to_logits


class LogitRelaxedBernoulli(Odds, Distribution):
    """The logit of `RelaxedBernoulli`: a logistic variable about ``logits``, over the temperature.

    C. J. Maddison, A. Mnih and Y. W. Teh, The Concrete distribution (2017).
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.real

    def __init__(
        self,
        temperature: Tensor,
        probs: Tensor | float | None = None,
        logits: Tensor | float | None = None,
        validate_args: bool | None = None,
    ) -> None:
        self.temperature = temperature
        (given,) = self._take_odds(probs, logits)
        super().__init__(given.shape, validate_args=validate_args)

    def _expand_rest(self, new: Any, batch_shape: Size) -> None:
        new.temperature = self.temperature

    def rsample(self, sample_shape: Shape = ONCE) -> Tensor:
        shape = self._extended_shape(sample_shape)
        probs = clamp_probs(self.probs.expand(shape))
        u = clamp_probs(rand(shape, dtype=probs.dtype, device=probs.device))
        logistic = u.log() - (-u).log1p()
        return (logistic + probs_to_logits(probs, is_binary=True)) / self.temperature

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        off = logits - value * self.temperature
        temperature = self.temperature
        return broadcast_all(temperature)[0].log() + off - 2 * log1pexp(off)


class RelaxedBernoulli(TransformedDistribution):
    """A number in (0, 1) that nears a draw of `Bernoulli` as the temperature falls to 0.

    >>> d = torch.distributions.RelaxedBernoulli(torch.tensor(0.5), torch.tensor([0.3]))
    >>> d.log_prob(torch.tensor([0.5])).exp()
    tensor([0.4200])
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample: Any = True
    base_dist: LogitRelaxedBernoulli

    def __init__(
        self,
        temperature: Tensor,
        probs: Tensor | float | None = None,
        logits: Tensor | float | None = None,
        validate_args: bool | None = None,
    ) -> None:
        base = LogitRelaxedBernoulli(temperature, probs, logits)
        super().__init__(base, SigmoidTransform(), validate_args=validate_args)

    @property
    def temperature(self) -> Tensor:
        """How soft the draws are."""
        return self.base_dist.temperature

    @property
    def logits(self) -> Tensor:
        """The log-odds."""
        return self.base_dist.logits

    @property
    def probs(self) -> Tensor:
        """The probability."""
        return self.base_dist.probs
