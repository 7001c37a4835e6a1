"""The Bernoulli distribution."""

from __future__ import annotations

from math import nan
from typing import Any

from .._tensor import Tensor
from ..autograd.modes import no_grad
from ..nn.functional import binary_cross_entropy_with_logits
from ..ops import arange, bernoulli, where
from . import constraints
from ._odds import Odds
from .exp_family import ExponentialFamily
from .utils import ONCE, Shape, broadcast_all, log1pexp


class Bernoulli(Odds, ExponentialFamily):
    """1 with probability ``probs``, else 0.

    >>> coin = torch.distributions.Bernoulli(torch.tensor([0.25]))
    >>> coin.log_prob(torch.tensor([1.0])).exp()
    tensor([0.2500])
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.boolean
    has_enumerate_support = True
    _mean_carrier_measure = 0

    def __init__(
        self,
        probs: Tensor | float | None = None,
        logits: Tensor | float | None = None,
        validate_args: bool | None = None,
    ) -> None:
        (given,) = self._take_odds(probs, logits)
        super().__init__(given.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        likelier = (self.probs >= 0.5).to(self.probs)
        return where(self.probs == 0.5, nan, likelier)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Shape = ONCE) -> Tensor:
        with no_grad():
            return bernoulli(self.probs.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self) -> Tensor:
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        return enumerated(
            arange(2, dtype=self._param.dtype, device=self._param.device), self, expand
        )

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.logits,)

    def _log_normalizer(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return log1pexp(x)


def enumerated(values: Tensor, family: Any, expand: bool) -> Tensor:
    """Returns numbers along a new first dimension before those of the batch."""
    values = values.reshape((-1, *[1] * len(family.batch_shape)))
    return values.expand((-1, *family.batch_shape)) if expand else values
