"""KL divergences, against integrals of the densities."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from families import D, double
from scipy import integrate

import arraytorch as torch
from arraytorch.distributions.kl import _KL_REGISTRY

t = double

# Two of each family of single numbers.
CONTINUOUS = {
    "Beta": (lambda: D.Beta(t(1.7), t(2.5)), lambda: D.Beta(t(2.0), t(1.2))),
    "Cauchy": (lambda: D.Cauchy(t(0.5), t(1.5)), lambda: D.Cauchy(t(-0.5), t(0.7))),
    "ContinuousBernoulli": (
        lambda: D.ContinuousBernoulli(t(0.2)), lambda: D.ContinuousBernoulli(t(0.7))),
    "Exponential": (lambda: D.Exponential(t(1.7)), lambda: D.Exponential(t(0.6))),
    "Gamma": (lambda: D.Gamma(t(1.7), t(2.5)), lambda: D.Gamma(t(2.0), t(1.2))),
    "Gumbel": (lambda: D.Gumbel(t(0.3), t(1.5)), lambda: D.Gumbel(t(-0.2), t(1.8))),
    "HalfNormal": (lambda: D.HalfNormal(t(1.5)), lambda: D.HalfNormal(t(0.8))),
    "Laplace": (lambda: D.Laplace(t(0.3), t(0.7)), lambda: D.Laplace(t(-0.2), t(1.1))),
    "Normal": (lambda: D.Normal(t(0.3), t(0.7)), lambda: D.Normal(t(-0.2), t(1.1))),
    "Pareto": (lambda: D.Pareto(t(0.5), t(5.5)), lambda: D.Pareto(t(0.3), t(3.0))),
    "TransformedDistribution": (
        lambda: D.LogNormal(t(0.3), t(0.7)), lambda: D.LogNormal(t(-0.2), t(1.1))),
    "Uniform": (lambda: D.Uniform(t(0.4), t(0.9)), lambda: D.Uniform(t(0.0), t(1.0))),
    "ExponentialFamily": (lambda: D.Chi2(t(2.5)), lambda: D.Chi2(t(4.0))),
}  # fmt: skip
DISCRETE = {
    "Bernoulli": (lambda: D.Bernoulli(t(0.3)), lambda: D.Bernoulli(t(0.6))),
    "Binomial": (lambda: D.Binomial(5, t(0.3)), lambda: D.Binomial(5, t(0.6))),
    "Categorical": (lambda: D.Categorical(t([0.2, 0.8])), lambda: D.Categorical(t([0.7, 0.3]))),
    "Geometric": (lambda: D.Geometric(t(0.3)), lambda: D.Geometric(t(0.6))),
    "Poisson": (lambda: D.Poisson(t(3.0)), lambda: D.Poisson(t(1.5))),
}
PAIRS = sorted((p.__name__, q.__name__) for p, q in _KL_REGISTRY)


def integral(p, q):
    """The mean of log p - log q over p, by quadrature over the quantiles' range."""

    def part(x):
        value = t(x)
        log_p = p.log_prob(value)
        return (log_p.exp() * (log_p - q.log_prob(value))).item() if log_p.isfinite() else 0.0

    low, high = ends(p)
    middle = p.sample((51,)).median().item()
    return sum(
        integrate.quad(part, *piece, limit=300)[0] for piece in ((low, middle), (middle, high))
    )


def ends(p):
    """Between which numbers a distribution has all that counts."""
    region = p.support
    spread = 60.0
    low = getattr(region, "lower_bound", -spread)
    high = getattr(region, "upper_bound", 4000.0 if isinstance(p, (D.Pareto, D.Cauchy)) else spread)
    low = -4000.0 if isinstance(p, D.Cauchy) else float(low)
    return low + 1e-12 if low > -60 else low, float(high)


@pytest.mark.parametrize(
    ("p", "q"), [x for x in PAIRS if x[0] in CONTINUOUS and x[1] in CONTINUOUS]
)
def test_continuous(p, q):
    """A divergence is the integral, or infinite where p has values that q has not."""
    torch.manual_seed(0)
    ours, other = CONTINUOUS[p][0](), CONTINUOUS[q][1]()
    found = D.kl_divergence(ours, other).item()
    values = ours.rsample((200,)).detach() if ours.has_rsample else ours.sample((200,))
    if not other.support.check(values).all():
        assert found == np.inf
        return
    tails = 5e-3 if "Cauchy" in (p, q) else 1e-5
    assert found == pytest.approx(integral(ours, other), rel=tails, abs=tails)


@pytest.mark.parametrize(("p", "q"), [x for x in PAIRS if x[0] in DISCRETE and x[1] in DISCRETE])
def test_discrete(p, q):
    """A divergence is the sum over the values, or infinite."""
    ours, other = DISCRETE[p][0](), DISCRETE[q][1]()
    values = torch.arange(2) if p == "Categorical" else torch.arange(80).double()
    values = values[ours.support.check(values)]
    found = D.kl_divergence(ours, other).item()
    if not other.support.check(values).all():
        assert found == np.inf
        return
    log_p = ours.log_prob(values)
    wanted = (log_p.exp() * (log_p - other.log_prob(values))).sum().item()
    assert found == pytest.approx(wanted, rel=1e-6)


def test_every_pair_is_tested():
    """What is registered is in the tables, or has a test of its own below."""
    own = {"Dirichlet", "Independent", "LowRankMultivariateNormal", "MultivariateNormal",
           "OneHotCategorical", "Shifted"}  # fmt: skip
    named = {name for pair in PAIRS for name in pair}
    assert named - own <= CONTINUOUS.keys() | DISCRETE.keys()


def test_edges():
    """Impossible values count nothing in p, and infinitely in q."""
    kl = D.kl_divergence
    p, q = D.Bernoulli(t([0.0, 1.0, 0.5])), D.Bernoulli(t([0.3, 0.0, 1.0]))
    assert kl(p, q).tolist() == pytest.approx([-np.log(0.7), np.inf, np.inf])
    a, b = D.Categorical(t([0.0, 1.0])), D.Categorical(t([0.5, 0.5]))
    assert kl(a, b).item() == pytest.approx(np.log(2)) and kl(b, a).item() == np.inf
    assert kl(D.Poisson(t(0.0)), D.Poisson(t(3.0))).item() == 3.0
    assert kl(D.Binomial(3, t(0.5)), D.Binomial(2, t(0.5))).item() == np.inf
    with pytest.raises(NotImplementedError, match="q.total_count > p.total_count"):
        kl(D.Binomial(1, t(0.5)), D.Binomial(2, t(0.5)))
    assert kl(D.Pareto(t(0.2), t(2.0)), D.Pareto(t(0.5), t(2.0))).item() == np.inf
    assert kl(D.Uniform(t(0.0), t(2.0)), D.Beta(t(2.0), t(2.0))).item() == np.inf


def test_dirichlet_and_one_hot():
    """Those of shares and of one-hot vectors: by draws, and by the categorical one."""
    torch.manual_seed(0)
    p, q = D.Dirichlet(t([1.5, 2.0, 3.0])), D.Dirichlet(t([2.0, 1.0, 1.5]))
    x = p.sample((20000,))
    wanted = (p.log_prob(x) - q.log_prob(x)).mean().item()
    assert D.kl_divergence(p, q).item() == pytest.approx(wanted, rel=0.05)
    for kind in (D.Categorical, D.OneHotCategorical):
        found = D.kl_divergence(kind(t([0.2, 0.8])), kind(t([0.5, 0.5]))).item()
        assert found == pytest.approx(0.2 * np.log(0.4) + 0.8 * np.log(1.6))


def normals():
    """A normal distribution of two dimensions by a matrix, and one by a factor of low rank."""
    full = D.MultivariateNormal(t([0.3, -1.0]), t([[2.0, 0.3], [0.3, 1.0]]))
    low = D.LowRankMultivariateNormal(t([0.1, 0.5]), t([[1.0], [0.4]]), t([0.7, 1.2]))
    other = D.LowRankMultivariateNormal(t([1.1, 0.5]), t([[0.2], [0.9]]), t([1.7, 0.2]))
    return full, low, other, D.MultivariateNormal(t([0.0, 0.0]), t([[1.0, -0.4], [-0.4, 2.0]]))


@pytest.mark.parametrize("i", range(4))
@pytest.mark.parametrize("j", range(4))
def test_normal_vectors(i, j):
    """The textbook formula, by NumPy's matrices, for all pairs of representations."""
    p, q = normals()[i], normals()[j]
    S, T = p.covariance_matrix.numpy(), q.covariance_matrix.numpy()
    off = (q.loc - p.loc).numpy()
    inverse = np.linalg.inv(T)
    log_dets = np.log(np.linalg.det(T) / np.linalg.det(S))
    wanted = 0.5 * (np.trace(inverse @ S) + off @ inverse @ off - 2 + log_dets)
    assert D.kl_divergence(p, q).item() == pytest.approx(wanted, abs=1e-10)


def test_wishart_by_its_natural_parameters():
    """The divergence of exponential families serves matrices, too."""
    torch.manual_seed(0)
    p = D.Wishart(t(5.0), t([[2.0, 0.3], [0.3, 1.0]]))
    q = D.Wishart(t(6.0), t([[1.0, 0.0], [0.0, 1.0]]))
    x = p.sample((4000,))
    wanted = (p.log_prob(x) - q.log_prob(x)).mean().item()
    assert D.kl_divergence(p, q).item() == pytest.approx(wanted, rel=0.05)


def test_independent():
    """Divergences of the parts of an event add up; events must be made alike."""
    p = D.Independent(D.Normal(t([0.0, 1.0]), 1.0), 1)
    q = D.Independent(D.Normal(t([1.0, 1.0]), 1.0), 1)
    assert D.kl_divergence(p, q).item() == pytest.approx(0.5)
    with pytest.raises(NotImplementedError):
        D.kl_divergence(p, D.Independent(q.base_dist, 0))


def test_gradients():
    """Divergences have gradients with respect to both."""
    loc, rate = t(0.5).requires_grad_(), t(2.0).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda a, b: (
            D.kl_divergence(D.Gamma(b, a), D.Chi2(b))
            + D.kl_divergence(D.Normal(a, b), D.Normal(b, a))
        ),
        (loc, rate),
    )


class Narrow(D.Normal):
    """A family that inherits."""


def test_the_most_specific_types_win():
    """A function for ancestors serves, until there is one for the class; two that fit as well warn."""
    p, q = Narrow(t(0.0), t(1.0)), D.Normal(t(1.0), t(1.0))
    assert D.kl_divergence(p, q).item() == 0.5
    entered = {(Narrow, D.Normal): 1.0, (D.Normal, Narrow): 2.0}
    try:
        for pair, value in entered.items():
            D.register_kl(*pair)(lambda p, q, value=value: value)
        assert D.kl_divergence(p, q) == 1.0
        assert D.kl_divergence(q, p) == 2.0
        with pytest.warns(RuntimeWarning, match=r"Ambiguous kl_divergence\(Narrow, Narrow\)"):
            assert D.kl_divergence(p, p) == 1.0
    finally:
        for pair in entered:
            del _KL_REGISTRY[pair]
        D.kl._KL_MEMOIZE.clear()
    with warnings.catch_warnings():
        assert D.kl_divergence(p, q).item() == 0.5


def test_what_is_not_known():
    """Pairs without a formula, and what is no class. (Any class will do, as libraries have their own.)"""
    with pytest.raises(NotImplementedError, match="for p type StudentT and q type HalfCauchy"):
        D.kl_divergence(D.StudentT(1.0), D.HalfCauchy(1.0))
    with pytest.raises(NotImplementedError, match="different exponential families"):
        D.kl_divergence(D.Normal(0.0, 1.0), D.Poisson(1.0))
    with pytest.raises(TypeError, match="Expected type_q to be a Distribution subclass"):
        D.register_kl(D.Normal, 1)
