"""The table of families that the tests of distributions share, with SciPy's equal of each.

A row says between which bounds parameters are drawn, which distribution of SciPy has the same
values, and what the family leaves out, as PyTorch's does. EXAMPLES have one set of parameters for
every family, those included that SciPy has not; draws.py has PyTorch's draws from them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

import arraytorch as torch

D = torch.distributions


@dataclass(frozen=True)
class Family:
    """A family of single numbers, with its equal in SciPy."""

    name: str
    ref: Any
    ranges: dict[str, tuple[float, float]]
    discrete: bool = False
    lacks: tuple[str, ...] = ()  # what raises NotImplementedError
    whole: tuple[str, ...] = ()  # parameters that are whole numbers

    def __str__(self) -> str:
        return self.name

    def make(self, parameters: dict[str, Any]) -> Any:
        """The distribution with these parameters, in double precision."""
        return getattr(D, self.name)(**{k: double(v) for k, v in parameters.items()})

    def middle(self) -> dict[str, float]:
        """Parameters in the middle of their ranges."""
        found = {k: (low + high) / 2 for k, (low, high) in self.ranges.items()}
        return {k: float(round(v)) if k in self.whole else v for k, v in found.items()}


def double(x: Any) -> Any:
    """A tensor in double precision."""
    return torch.tensor(x, dtype=torch.float64)


class Kumaraswamy:
    """What SciPy lacks: https://en.wikipedia.org/wiki/Kumaraswamy_distribution."""

    def __init__(self, a, b):
        self.a, self.b = a, b

    def logpdf(self, x):
        """log(a b x^(a - 1) (1 - x^a)^(b - 1))."""
        a, b = self.a, self.b
        return np.log(a * b) + (a - 1) * np.log(x) + (b - 1) * np.log1p(-(x**a))

    def cdf(self, x):
        """1 - (1 - x^a)^b."""
        return 1 - (1 - x**self.a) ** self.b

    def ppf(self, q):
        """The inverse of the former."""
        return (1 - (1 - q) ** (1 / self.b)) ** (1 / self.a)

    def _moment(self, n):
        grid = (np.arange(20_000) + 0.5) / 20_000
        return float(np.mean(self.ppf(grid) ** n))

    def mean(self):
        """By averaging over quantiles."""
        return self._moment(1)

    def var(self):
        """By averaging over quantiles."""
        return self._moment(2) - self._moment(1) ** 2

    def entropy(self):
        """By averaging over quantiles."""
        grid = (np.arange(20_000) + 0.5) / 20_000
        return float(-np.mean(self.logpdf(self.ppf(grid))))


def _truncated_exponential(probs):
    """The continuous Bernoulli distribution, for probs below 1/2: exp(logit * x) on [0, 1]."""
    rate = -math.log(probs / (1 - probs))
    return stats.truncexpon(b=rate, scale=1 / rate)


SCALE = (0.2, 3.0)
LOC = (-2.0, 2.0)
SHAPE = (0.3, 6.0)
CHANCE = (0.05, 0.95)
NO_CDF, NO_ICDF, NO_ENTROPY = ("cdf", "icdf"), ("icdf",), ("entropy",)

FAMILIES = [
    Family("Bernoulli", lambda probs: stats.bernoulli(probs), {"probs": (0.05, 0.85)}, True, NO_CDF),
    Family("Beta", lambda concentration1, concentration0: stats.beta(concentration1, concentration0),
           {"concentration1": SHAPE, "concentration0": SHAPE}, lacks=NO_CDF),
    Family("Binomial", lambda total_count, probs: stats.binom(total_count, probs),
           {"total_count": (1, 60), "probs": CHANCE}, True, NO_CDF, ("total_count",)),
    Family("Cauchy", lambda loc, scale: stats.cauchy(loc, scale), {"loc": LOC, "scale": SCALE}),
    Family("Chi2", lambda df: stats.chi2(df), {"df": (0.5, 9)}, lacks=NO_ICDF),
    Family("ContinuousBernoulli", _truncated_exponential, {"probs": (0.05, 0.48)}),
    Family("Exponential", lambda rate: stats.expon(scale=1 / rate), {"rate": SCALE}),
    Family("FisherSnedecor", lambda df1, df2: stats.f(df1, df2), {"df1": (1, 9), "df2": (1, 9)},
           lacks=(*NO_CDF, *NO_ENTROPY)),
    Family("Gamma", lambda concentration, rate: stats.gamma(concentration, scale=1 / rate),
           {"concentration": SHAPE, "rate": SCALE}, lacks=NO_ICDF),
    Family("GeneralizedPareto",
           lambda loc, scale, concentration: stats.genpareto(concentration, loc, scale),
           {"loc": LOC, "scale": SCALE, "concentration": (-0.6, 0.7)}),
    Family("Geometric", lambda probs: stats.geom(probs, loc=-1), {"probs": CHANCE}, True, NO_CDF),
    Family("Gumbel", lambda loc, scale: stats.gumbel_r(loc, scale), {"loc": LOC, "scale": SCALE}),
    Family("HalfCauchy", lambda scale: stats.halfcauchy(scale=scale), {"scale": SCALE}),
    Family("HalfNormal", lambda scale: stats.halfnorm(scale=scale), {"scale": SCALE}),
    Family("InverseGamma", lambda concentration, rate: stats.invgamma(concentration, scale=rate),
           {"concentration": SHAPE, "rate": SCALE}, lacks=NO_ICDF),
    Family("Kumaraswamy", lambda concentration1, concentration0: Kumaraswamy(concentration1,
           concentration0), {"concentration1": (0.7, 6), "concentration0": (0.7, 6)}),
    Family("Laplace", lambda loc, scale: stats.laplace(loc, scale), {"loc": LOC, "scale": SCALE}),
    Family("LogNormal", lambda loc, scale: stats.lognorm(s=scale, scale=math.exp(loc)),
           {"loc": LOC, "scale": (0.2, 1.5)}),
    Family("NegativeBinomial", lambda total_count, probs: stats.nbinom(total_count, 1 - probs),
           {"total_count": (1, 9), "probs": CHANCE}, True, (*NO_CDF, *NO_ENTROPY)),
    Family("Normal", lambda loc, scale: stats.norm(loc, scale), {"loc": LOC, "scale": SCALE}),
    Family("Pareto", lambda scale, alpha: stats.pareto(alpha, scale=scale),
           {"scale": SCALE, "alpha": SHAPE}),
    Family("Poisson", lambda rate: stats.poisson(rate), {"rate": (0.2, 30)}, True,
           (*NO_CDF, *NO_ENTROPY)),
    Family("StudentT", lambda df, loc, scale: stats.t(df, loc, scale),
           {"df": (0.6, 9), "loc": LOC, "scale": SCALE}, lacks=NO_CDF),
    Family("Uniform", lambda low, high: stats.uniform(low, high - low),
           {"low": (-2, 0), "high": (0.5, 3)}),
    Family("VonMises", lambda loc, concentration: stats.vonmises(concentration, loc),
           {"loc": LOC, "concentration": SHAPE}, lacks=(*NO_CDF, *NO_ENTROPY)),
    Family("Weibull", lambda scale, concentration: stats.weibull_min(concentration, scale=scale),
           {"scale": SCALE, "concentration": SHAPE}),
]  # fmt: skip
CONTINUOUS = [f for f in FAMILIES if not f.discrete]


def mixture(t: Any, n: Any) -> Any:
    """Two normals in unequal shares; n is the module with the families."""
    return n.MixtureSameFamily(n.Categorical(t([0.2, 0.8])), n.Normal(t([0.0, 5.0]), t([1.0, 0.3])))


# name: a function of `tensor` and of the module with the families
EXAMPLES: dict[str, Any] = {
    "Bernoulli": lambda t, n: n.Bernoulli(t([0.2, 0.7])),
    "Beta": lambda t, n: n.Beta(t([0.5, 2.0]), t([3.0, 1.5])),
    "Binomial": lambda t, n: n.Binomial(40, t([0.1, 0.6])),
    "Categorical": lambda t, n: n.Categorical(t([[0.2, 0.7, 1.0], [3.0, 1.0, 2.0]])),
    "Cauchy": lambda t, n: n.Cauchy(t([0.0, 1.5]), t([1.0, 0.3])),
    "Chi2": lambda t, n: n.Chi2(t([1.0, 3.5])),
    "ContinuousBernoulli": lambda t, n: n.ContinuousBernoulli(t([0.2, 0.5])),
    "Dirichlet": lambda t, n: n.Dirichlet(t([[0.5, 2.0, 3.0], [2.0, 3.0, 1.0]])),
    "Exponential": lambda t, n: n.Exponential(t([0.5, 2.0])),
    "FisherSnedecor": lambda t, n: n.FisherSnedecor(t([5.0, 3.0]), t([6.0, 9.0])),
    "Gamma": lambda t, n: n.Gamma(t([0.5, 7.0]), t([1.0, 3.0])),
    "GeneralizedPareto": lambda t, n: n.GeneralizedPareto(t([0.0, 1.0]), 1.5, t([-0.3, 0.0])),
    "Geometric": lambda t, n: n.Geometric(t([0.2, 0.7])),
    "Gumbel": lambda t, n: n.Gumbel(t([0.0, 1.5]), t([1.0, 0.3])),
    "HalfCauchy": lambda t, n: n.HalfCauchy(t([1.0, 0.3])),
    "HalfNormal": lambda t, n: n.HalfNormal(t([1.0, 0.3])),
    "Independent": lambda t, n: n.Independent(n.Normal(t([[0.0, 1.0], [2.0, 3.0]]), 1.0), 1),
    "InverseGamma": lambda t, n: n.InverseGamma(t([2.5, 3.5]), t([1.0, 0.3])),
    "Kumaraswamy": lambda t, n: n.Kumaraswamy(t([1.5, 2.5]), t([1.2, 3.3])),
    "LKJCholesky": lambda t, n: n.LKJCholesky(3, t([0.5, 2.0])),
    "Laplace": lambda t, n: n.Laplace(t([0.0, 1.5]), t([1.0, 0.3])),
    "LogNormal": lambda t, n: n.LogNormal(t([0.0, 1.5]), t([1.0, 0.3])),
    "LogisticNormal": lambda t, n: n.LogisticNormal(t([0.0, 1.5]), t([1.0, 0.3])),
    "LowRankMultivariateNormal": lambda t, n: n.LowRankMultivariateNormal(
        t([[0.0, 1.5], [1.0, 2.0]]), t([[1.0], [0.3]]), t([1.0, 2.0])),
    "MixtureSameFamily": mixture,
    "Multinomial": lambda t, n: n.Multinomial(5, t([0.2, 0.7, 0.1])),
    "MultivariateNormal": lambda t, n: n.MultivariateNormal(
        t([[0.0, 1.5], [1.0, 2.0]]), precision_matrix=t([[2.0, 0.3], [0.3, 1.0]])),
    "NegativeBinomial": lambda t, n: n.NegativeBinomial(t([5.0, 2.5]), t([0.2, 0.7])),
    "Normal": lambda t, n: n.Normal(t([0.0, 1.5]), t([1.0, 0.3])),
    "OneHotCategorical": lambda t, n: n.OneHotCategorical(t([0.2, 0.7, 1.0])),
    "OneHotCategoricalStraightThrough": lambda t, n: n.OneHotCategoricalStraightThrough(
        t([0.2, 0.7, 1.0])),
    "Pareto": lambda t, n: n.Pareto(t([1.0, 2.0]), t([2.5, 3.0])),
    "Poisson": lambda t, n: n.Poisson(t([0.5, 20.0])),
    "RelaxedBernoulli": lambda t, n: n.RelaxedBernoulli(t(0.7), t([0.2, 0.7])),
    "RelaxedOneHotCategorical": lambda t, n: n.RelaxedOneHotCategorical(t(0.7), t([0.2, 0.7, 0.1])),
    "StudentT": lambda t, n: n.StudentT(t([2.5, 4.0]), t([0.0, 1.0]), 2.0),
    "TransformedDistribution": lambda t, n: n.TransformedDistribution(
        n.Normal(t([0.0, 1.0]), 1.0), [n.SigmoidTransform(), n.AffineTransform(1.0, -2.0)]),
    "Uniform": lambda t, n: n.Uniform(t([0.0, 1.0]), t([2.0, 3.0])),
    "VonMises": lambda t, n: n.VonMises(t([0.0, 1.0]), t([0.5, 4.0])),
    "Weibull": lambda t, n: n.Weibull(t([1.0, 2.0]), t([1.5, 0.8])),
    "Wishart": lambda t, n: n.Wishart(t(4.0), t([[2.0, 0.3], [0.3, 1.0]])),
}  # fmt: skip


def example(name: str) -> Any:
    """The example of a family, in single precision."""
    return EXAMPLES[name](torch.tensor, D)
