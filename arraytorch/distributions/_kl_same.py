"""KL divergences between distributions of one family."""

from __future__ import annotations

from math import inf
from typing import Any

from .._tensor import Tensor
from ..linalg import solve_triangular
from ..ops import digamma, lgamma, where, xlogy
from ._kl_registry import kl_divergence, register_kl
from .bernoulli import Bernoulli
from .beta import Beta
from .binomial import Binomial
from .categorical import Categorical
from .cauchy import Cauchy
from .continuous_bernoulli import ContinuousBernoulli
from .dirichlet import Dirichlet
from .exp_family import ExponentialFamily, bregman_parts
from .exponential import Exponential
from .gamma import Gamma
from .geometric import Geometric
from .half_normal import HalfNormal
from .independent import Independent
from .laplace import Laplace
from .lowrank_multivariate_normal import (
    LowRankMultivariateNormal,
    low_rank_log_det,
    low_rank_mahalanobis,
)
from .multivariate_normal import MultivariateNormal, half_log_det, mahalanobis
from .normal import Normal
from .one_hot_categorical import OneHotCategorical
from .pareto import Pareto
from .poisson import Poisson
from .transformed_distribution import TransformedDistribution
from .uniform import Uniform
from .utils import log1pexp, sum_rightmost

# ----------------------------------------------------------------------------------- discrete


def _of_trial(p: Any, q: Any) -> Tensor:
    """The divergence of a single success or failure."""
    success = p.probs * (log1pexp(-q.logits) - log1pexp(-p.logits))
    failure = (1 - p.probs) * (log1pexp(q.logits) - log1pexp(p.logits))
    success = where(p.probs == 0, 0.0, where(q.probs == 0, inf, success))
    return success + where(p.probs == 1, 0.0, where(q.probs == 1, inf, failure))


register_kl(Bernoulli, Bernoulli)(_of_trial)


@register_kl(Binomial, Binomial)
def _binomial(p: Binomial, q: Binomial) -> Tensor:
    if (p.total_count < q.total_count).any():
        raise NotImplementedError(
            "KL between Binomials where q.total_count > p.total_count is not implemented"
        )
    return where(p.total_count > q.total_count, inf, p.total_count * _of_trial(p, q))


@register_kl(Categorical, Categorical)
def _categorical(p: Any, q: Any) -> Tensor:
    each = p.probs * (p.logits - q.logits)
    return where(p.probs == 0, 0.0, where(q.probs == 0, inf, each)).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot_categorical(p: OneHotCategorical, q: OneHotCategorical) -> Tensor:
    return _categorical(p._categorical, q._categorical)


@register_kl(Geometric, Geometric)
def _geometric(p: Geometric, q: Geometric) -> Tensor:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(Poisson, Poisson)
def _poisson(p: Poisson, q: Poisson) -> Tensor:
    return xlogy(p.rate, p.rate) - xlogy(p.rate, q.rate) - (p.rate - q.rate)


# --------------------------------------------------------------------------------- continuous


@register_kl(Beta, Beta)
def _beta(p: Beta, q: Beta) -> Tensor:
    return _dirichlet(p._dirichlet, q._dirichlet)


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Dirichlet, q: Dirichlet) -> Tensor:
    a, b = p.concentration, q.concentration
    total = a.sum(-1)
    scales = lgamma(total) - lgamma(b.sum(-1)) - (lgamma(a) - lgamma(b)).sum(-1)
    return scales + ((a - b) * (digamma(a) - digamma(total).unsqueeze(-1))).sum(-1)


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoulli(p: ContinuousBernoulli, q: ContinuousBernoulli) -> Tensor:
    scales = p._cont_bern_log_norm() + (-p.probs).log1p()
    scales = scales - q._cont_bern_log_norm() - (-q.probs).log1p()
    return p.mean * (p.logits - q.logits) + scales


@register_kl(Exponential, Exponential)
def _exponential(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return ratio - ratio.log() - 1


@register_kl(Gamma, Gamma)
def _gamma(p: Gamma, q: Gamma) -> Tensor:
    a, b = p.concentration, q.concentration
    scales = b * (p.rate / q.rate).log() + lgamma(b) - lgamma(a)
    return scales + (a - b) * digamma(a) + (q.rate - p.rate) * (a / p.rate)


@register_kl(Normal, Normal)
def _normal(p: Normal, q: Normal) -> Tensor:
    spread = (p.scale / q.scale).pow(2)
    return 0.5 * (spread + ((p.loc - q.loc) / q.scale).pow(2) - 1 - spread.log())


@register_kl(HalfNormal, HalfNormal)
def _half_normal(p: HalfNormal, q: HalfNormal) -> Tensor:
    return _normal(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def _laplace(p: Laplace, q: Laplace) -> Tensor:
    distance = (p.loc - q.loc).abs()
    mean_distance = distance + p.scale * (-distance / p.scale).exp()
    return (q.scale / p.scale).log() + mean_distance / q.scale - 1


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Cauchy, q: Cauchy) -> Tensor:
    # F. Chyzak and F. Nielsen, A closed-form formula for the divergence between Cauchy
    # distributions (2019).
    squares = (p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)
    return squares.log() - (4 * p.scale * q.scale).log()


@register_kl(Pareto, Pareto)
def _pareto(p: Pareto, q: Pareto) -> Tensor:
    ratio = q.alpha / p.alpha
    result = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return where(p.scale < q.scale, inf, result)


@register_kl(Uniform, Uniform)
def _uniform(p: Uniform, q: Uniform) -> Tensor:
    result = ((q.high - q.low) / (p.high - p.low)).log()
    return where((q.low > p.low) | (q.high < p.high), inf, result)


# -------------------------------------------------------------------------------- normal vectors


def _same_event(p: Any, q: Any, what: str) -> None:
    if p.event_shape != q.event_shape:
        raise ValueError(
            f"KL-divergence between two {what} with different event shapes cannot be computed"
        )


def _trace(factor: Tensor, matrix: Tensor) -> Tensor:
    """The trace of C^-1 M @ M.mT, where C is factor @ factor.mT."""
    return solve_triangular(factor, matrix, upper=False).pow(2).sum((-2, -1))


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate_normal(p: MultivariateNormal, q: MultivariateNormal) -> Tensor:
    _same_event(p, q, "Multivariate Normals")
    ours, theirs = p._unbroadcasted_scale_tril, q._unbroadcasted_scale_tril
    squares = _trace(theirs, ours) + mahalanobis(theirs, q.loc - p.loc)
    return half_log_det(theirs) - half_log_det(ours) + 0.5 * (squares - p.event_shape[0])


def _trace_over_low_rank(q: LowRankMultivariateNormal, matrix: Tensor) -> Tensor:
    """The trace of C^-1 M @ M.mT, where C is q's covariance, by Woodbury's formula."""
    across = (matrix.pow(2) / q._unbroadcasted_cov_diag.unsqueeze(-1)).sum((-2, -1))
    return across - _trace(q._capacitance_tril, q._scaled_transpose() @ matrix)


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _low_rank(p: LowRankMultivariateNormal, q: LowRankMultivariateNormal) -> Tensor:
    _same_event(p, q, "Low Rank Multivariate Normals")
    own = p._unbroadcasted_cov_diag.sqrt().diag_embed()
    squares = _trace_over_low_rank(q, p._unbroadcasted_cov_factor) + _trace_over_low_rank(q, own)
    squares = squares + low_rank_mahalanobis(q, q.loc - p.loc)
    sizes = low_rank_log_det(q) - low_rank_log_det(p)
    return 0.5 * (sizes + squares - p.event_shape[0])


@register_kl(MultivariateNormal, LowRankMultivariateNormal)
def _to_low_rank(p: MultivariateNormal, q: LowRankMultivariateNormal) -> Tensor:
    _same_event(p, q, "(Low Rank) Multivariate Normals")
    squares = _trace_over_low_rank(q, p._unbroadcasted_scale_tril)
    squares = squares + low_rank_mahalanobis(q, q.loc - p.loc)
    sizes = low_rank_log_det(q) - 2 * half_log_det(p._unbroadcasted_scale_tril)
    return 0.5 * (sizes + squares - p.event_shape[0])


@register_kl(LowRankMultivariateNormal, MultivariateNormal)
def _from_low_rank(p: LowRankMultivariateNormal, q: MultivariateNormal) -> Tensor:
    _same_event(p, q, "(Low Rank) Multivariate Normals")
    factor = q._unbroadcasted_scale_tril
    own = p._unbroadcasted_cov_diag.sqrt().diag_embed()
    squares = _trace(factor, p._unbroadcasted_cov_factor) + _trace(factor, own)
    squares = squares + mahalanobis(factor, q.loc - p.loc)
    sizes = 2 * half_log_det(factor) - low_rank_log_det(p)
    return 0.5 * (sizes + squares - p.event_shape[0])


# ---------------------------------------------------------------------------- made of others


@register_kl(Independent, Independent)
def _independent(p: Independent, q: Independent) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: TransformedDistribution, q: TransformedDistribution) -> Tensor:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(ExponentialFamily, ExponentialFamily)
def _exponential_family(p: ExponentialFamily, q: ExponentialFamily) -> Tensor:
    """A Bregman divergence: F. Nielsen and V. Garcia, Statistical exponential families (2009)."""
    if type(p) is not type(q):
        raise NotImplementedError(
            "The cross KL-divergence between different exponential families cannot "
            "                            be computed using Bregman divergences"
        )
    ours, normalizer, slopes = bregman_parts(p, p._natural_params)
    theirs = q._natural_params
    result = q._log_normalizer(*theirs) - normalizer
    for mine, other, slope in zip(ours, theirs, slopes, strict=True):
        result = result - sum_rightmost((other - mine) * slope, len(q.event_shape))
    return result
