"""KL divergences between families: minus the entropy of p, minus the mean of log q over p."""

from __future__ import annotations

import math
from collections.abc import Callable
from math import inf
from typing import Any

from .._tensor import Tensor
from ..ops import broadcast_tensors, digamma, erf, full_like, lgamma, where, xlogy
from ._kl_registry import register_kl
from .bernoulli import Bernoulli
from .beta import Beta
from .binomial import Binomial
from .continuous_bernoulli import ContinuousBernoulli
from .exponential import Exponential
from .gamma import Gamma
from .gumbel import Gumbel
from .laplace import Laplace
from .normal import Normal
from .pareto import Pareto
from .poisson import Poisson
from .uniform import Uniform
from .utils import EULER

# Pairs where p has values that q has not.
_BOUNDED = (Beta, ContinuousBernoulli, Uniform)
_ON_A_HALF = (Exponential, Gamma)
_ON_THE_WHOLE = (Gumbel, Laplace, Normal)
_BEYOND: tuple[tuple[tuple[type, ...], tuple[type, ...]], ...] = (
    ((Beta, ContinuousBernoulli), (Pareto,)),
    (_ON_A_HALF, (*_BOUNDED, Pareto)),
    ((Pareto,), _BOUNDED),
    (_ON_THE_WHOLE, (*_BOUNDED, *_ON_A_HALF, Pareto)),
    ((Poisson,), (Bernoulli, Binomial)),
)


def _infinite(p: Any, q: Any) -> Tensor:
    return full_like(broadcast_tensors(_any_parameter(p), _any_parameter(q))[0], inf)


def _any_parameter(d: Any) -> Tensor:
    """Some tensor of the batch's shape; of a parameter, as `mean` need not exist."""
    return getattr(d, next(name for name in d.arg_constraints if name in dir(d)))


for _ps, _qs in _BEYOND:
    for _p in _ps:
        for _q in _qs:
            register_kl(_p, _q)(_infinite)


def _for_each(families: tuple[type, ...], q: type) -> Callable[[Any], Any]:
    def enter(function: Any) -> Any:
        for family in families:
            register_kl(family, q)(function)
        return function

    return enter


# -------------------------------------------------------------------------------------- means


def _mean_log(p: Any) -> Tensor:
    """The mean of log x over p, whose values are positive."""
    if isinstance(p, Beta):
        return digamma(p.concentration1) - digamma(p.concentration1 + p.concentration0)
    if isinstance(p, Exponential):
        return -EULER - p.rate.log()
    if isinstance(p, Pareto):
        return p.scale.log() + 1 / p.alpha
    return _mean_log_between(p.low, p.high)


def _mean_log_between(low: Tensor, high: Tensor) -> Tensor:
    """The mean of log x over x from low to high."""
    return (xlogy(high, high) - xlogy(low, low)) / (high - low) - 1


def _log_mean_exp(p: Any, loc: Tensor, scale: Tensor) -> Tensor:
    """The logarithm of the mean of exp((loc - x) / scale) over p."""
    if isinstance(p, Normal):
        return (loc - p.loc) / scale + 0.5 * (p.scale / scale).pow(2)
    if isinstance(p, Gumbel):
        return (loc - p.loc) / scale + lgamma(1 + p.scale / scale)
    if isinstance(p, Uniform):
        width = (p.high - p.low) / scale
        return (loc - p.low) / scale + (-(-width).expm1() / width).log()
    power = 1 if isinstance(p, Exponential) else p.concentration
    return loc / scale - power * (1 / (p.rate * scale)).log1p()


# -------------------------------------------------------------------------------- divergences


@_for_each(
    (Beta, ContinuousBernoulli, Exponential, Gamma, Gumbel, Laplace, Pareto, Uniform), Normal
)
def _to_normal(p: Any, q: Normal) -> Tensor:
    squares = (p.variance + (p.mean - q.loc).pow(2)) / q.variance
    return -p.entropy() + 0.5 * squares + q.scale.log() + 0.5 * math.log(2 * math.pi)


@_for_each((Beta, ContinuousBernoulli, Gamma, Pareto), Exponential)
def _to_exponential(p: Any, q: Exponential) -> Tensor:
    return -p.entropy() - q.rate.log() + q.rate * p.mean


@_for_each((Beta, Exponential, Pareto), Gamma)
def _to_gamma(p: Any, q: Gamma) -> Tensor:
    scale = q.concentration * q.rate.log() - lgamma(q.concentration)
    return -p.entropy() - scale - (q.concentration - 1) * _mean_log(p) + q.rate * p.mean


@_for_each((Exponential, Gamma, Gumbel, Normal, Uniform), Gumbel)
def _to_gumbel(p: Any, q: Gumbel) -> Tensor:
    mean_z = (q.loc - p.mean) / q.scale
    return -p.entropy() - mean_z + _log_mean_exp(p, q.loc, q.scale).exp() + q.scale.log()


@register_kl(Normal, Laplace)
def _normal_to_laplace(p: Normal, q: Laplace) -> Tensor:
    off = p.loc - q.loc
    z = off / (p.scale * math.sqrt(2))
    mean_distance = p.scale * math.sqrt(2 / math.pi) * (-z.pow(2)).exp() + off * erf(z)
    return -p.entropy() + (2 * q.scale).log() + mean_distance / q.scale


@register_kl(Bernoulli, Poisson)
def _bernoulli_to_poisson(p: Bernoulli, q: Poisson) -> Tensor:
    return -p.entropy() - (xlogy(p.probs, q.rate) - q.rate)  # 0! and 1! are 1


@_for_each((Beta, ContinuousBernoulli), Uniform)
def _unit_to_uniform(p: Any, q: Uniform) -> Tensor:
    result = -p.entropy() + (q.high - q.low).log()
    return where((q.low > 0) | (q.high < 1), inf, result)


def _continuous_bernoulli_mean(p: Any, q: ContinuousBernoulli) -> Tensor:
    """The mean of log q over p, whose values are in [0, 1]."""
    return p.mean * q.logits + (-q.probs).log1p() + q._cont_bern_log_norm()


@register_kl(Beta, ContinuousBernoulli)
def _beta_to_continuous_bernoulli(p: Beta, q: ContinuousBernoulli) -> Tensor:
    return -p.entropy() - _continuous_bernoulli_mean(p, q)


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_to_continuous_bernoulli(p: Uniform, q: ContinuousBernoulli) -> Tensor:
    result = -p.entropy() - _continuous_bernoulli_mean(p, q)
    return where((p.low < 0) | (p.high > 1), inf, result)


@register_kl(Uniform, Beta)
def _uniform_to_beta(p: Uniform, q: Beta) -> Tensor:
    a, b = q.concentration1, q.concentration0
    log_beta = lgamma(a) + lgamma(b) - lgamma(a + b)
    powers = (a - 1) * _mean_log(p) + (b - 1) * _mean_log_between(1 - p.high, 1 - p.low)
    return where((p.low < 0) | (p.high > 1), inf, -p.entropy() + log_beta - powers)


@register_kl(Uniform, Exponential)
def _uniform_to_exponential(p: Uniform, q: Exponential) -> Tensor:
    return where(p.low < 0, inf, _to_exponential(p, q))


@register_kl(Uniform, Gamma)
def _uniform_to_gamma(p: Uniform, q: Gamma) -> Tensor:
    return where(p.low < 0, inf, _to_gamma(p, q))


@register_kl(Uniform, Pareto)
def _uniform_to_pareto(p: Uniform, q: Pareto) -> Tensor:
    scale = q.alpha.log() + q.alpha * q.scale.log()
    result = -p.entropy() - scale + (q.alpha + 1) * _mean_log(p)
    return where(p.low < q.scale, inf, result)
