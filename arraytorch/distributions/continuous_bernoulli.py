"""The continuous Bernoulli distribution."""

from __future__ import annotations

import math

from .._size import Size
from .._tensor import Tensor
from ..nn.functional import binary_cross_entropy_with_logits
from ..ops import ones_like, rand, where
from . import constraints
from ._odds import Odds
from .exp_family import ExponentialFamily
from .utils import ONCE, Shape, broadcast_all, clamp_probs


class ContinuousBernoulli(Odds, ExponentialFamily):
    """Numbers in [0, 1] with densities proportional to probs ** x * (1 - probs) ** (1 - x).

    G. Loaiza-Ganem and J. P. Cunningham, The continuous Bernoulli: fixing a pervasive error in
    variational autoencoders (2019). Where ``probs`` is between ``lims``, around 1/2, Taylor series
    stand for quotients of differences.

    >>> torch.distributions.ContinuousBernoulli(torch.tensor([0.3, 0.5])).mean
    tensor([0.4302, 0.5000])
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    _mean_carrier_measure = 0
    has_rsample = True

    def __init__(
        self,
        probs: Tensor | float | None = None,
        logits: Tensor | float | None = None,
        lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:
        (given,) = self._take_odds(probs, logits)
        if probs is not None:
            if validate_args is not None and not self.arg_constraints["probs"].check(given).all():
                raise ValueError("The parameter probs has invalid values")
            self.probs = clamp_probs(given)
        self._lims = lims
        super().__init__(given.shape, validate_args=validate_args)

    def _expand_rest(self, new: ContinuousBernoulli, batch_shape: Size) -> None:
        new._lims = self._lims

    def _outside_unstable_region(self) -> Tensor:
        return (self.probs <= self._lims[0]) | (self.probs > self._lims[1])

    def _cut_probs(self) -> Tensor:
        """The probabilities, with a harmless one where series are used."""
        outside = self._outside_unstable_region()
        return where(outside, self.probs, self._lims[0] * ones_like(self.probs))

    def _by_series(self, closed: Tensor, series: Tensor) -> Tensor:
        return where(self._outside_unstable_region(), closed, series)

    def _cont_bern_log_norm(self) -> Tensor:
        """The logarithm of 2 atanh(1 - 2 p) / (1 - 2 p)."""
        p, off = self._cut_probs(), (self.probs - 0.5).pow(2)
        closed = ((-p).log1p() - p.log()).abs().log() - (1 - 2 * p).abs().log()
        return self._by_series(closed, math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * off) * off)

    @property
    def mean(self) -> Tensor:
        p, off = self._cut_probs(), self.probs - 0.5
        closed = p / (2.0 * p - 1.0) + 1.0 / ((-p).log1p() - p.log())
        return self._by_series(closed, 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * off.pow(2)) * off)

    @property
    def stddev(self) -> Tensor:
        return self.variance.sqrt()

    @property
    def variance(self) -> Tensor:
        p, off = self._cut_probs(), (self.probs - 0.5).pow(2)
        closed = p * (p - 1.0) / (1.0 - 2.0 * p).pow(2) + 1.0 / ((-p).log1p() - p.log()).pow(2)
        return self._by_series(closed, 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * off) * off)

    def sample(self, sample_shape: Shape = ONCE) -> Tensor:
        return self.rsample(sample_shape).detach()

    def rsample(self, sample_shape: Shape = ONCE) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return self.icdf(rand(shape, dtype=self.probs.dtype, device=self.probs.device))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        plain = binary_cross_entropy_with_logits(logits, value, reduction="none")
        return self._cont_bern_log_norm() - plain

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        p = self._cut_probs()
        closed = (p.pow(value) * (1.0 - p).pow(1.0 - value) + p - 1.0) / (2.0 * p - 1.0)
        return self._by_series(closed, value).clamp(min=0.0, max=1.0)

    def icdf(self, value: Tensor) -> Tensor:
        p = self._cut_probs()
        log_rest = (-p).log1p()
        closed = ((value * (2.0 * p - 1.0) - p).log1p() - log_rest) / (p.log() - log_rest)
        return self._by_series(closed, value)

    def entropy(self) -> Tensor:
        log_rest = (-self.probs).log1p()
        slope = log_rest - self.probs.log()
        return self.mean * slope - self._cont_bern_log_norm() - log_rest

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.logits,)

    def _log_normalizer(self, x: Tensor) -> Tensor:  # type: ignore[override]
        # log((exp(x) - 1) / x), even in x but for a term x / 2.
        low, high = self._lims[0] - 0.5, self._lims[1] - 0.5
        outside = (x <= low) | (x > high)
        cut = where(outside, x, low * ones_like(x))
        closed = cut.expm1().abs().log() - cut.abs().log()
        square = x.pow(2)
        return where(outside, closed, 0.5 * x + square / 24.0 - square.pow(2) / 2880.0)
