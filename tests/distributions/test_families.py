"""What the families say is probable, against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from families import CONTINUOUS, EXAMPLES, FAMILIES, D, double, example
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

import arraytorch as torch

each = pytest.mark.parametrize("family", FAMILIES, ids=str)
some = settings(max_examples=10, deadline=None)


def drawn(data, family):
    """Parameters within the ranges of a family, none so small that SciPy stumbles."""
    number = {
        n: st.integers(*r) if n in family.whole else st.floats(*r) for n, r in family.ranges.items()
    }
    return {n: round(float(data.draw(s)), 3) for n, s in number.items()}


@each
@some
@given(data=st.data())
def test_log_prob(family, data):
    """At any quantile, for any parameters, it is SciPy's."""
    parameters = drawn(data, family)
    ref = family.ref(**parameters)
    x = ref.ppf(data.draw(st.floats(0.01, 0.99)))
    wanted = ref.logpmf(x) if family.discrete else ref.logpdf(x)
    found = family.make(parameters).log_prob(double(float(x))).item()
    assert found == pytest.approx(wanted, rel=1e-7, abs=1e-7)


@each
@some
@given(data=st.data())
def test_cdf_and_icdf(family, data):
    """So are the distribution function and its inverse, where there are any."""
    parameters = drawn(data, family)
    ref, ours, q = (
        family.ref(**parameters),
        family.make(parameters),
        data.draw(st.floats(0.01, 0.99)),
    )
    x = float(ref.ppf(q))
    if "cdf" not in family.lacks:
        assert ours.cdf(double(x)).item() == pytest.approx(ref.cdf(x), rel=1e-7, abs=1e-9)
    if "icdf" not in family.lacks:
        assert ours.icdf(double(q)).item() == pytest.approx(x, rel=1e-6, abs=1e-8)


@each
@some
@given(data=st.data())
def test_moments(family, data):
    """So are mean and variance, where they are finite."""
    parameters = drawn(data, family)
    ref, ours = family.ref(**parameters), family.make(parameters)
    if family.name == "VonMises":  # whose variance is that of directions
        assert ours.mean.item() == parameters["loc"]
        return
    loose = family.name in ("ContinuousBernoulli", "Kumaraswamy")
    for wanted, found in ((ref.mean(), ours.mean), (ref.var(), ours.variance)):
        if np.isfinite(wanted):
            assert found.item() == pytest.approx(wanted, rel=1e-3 if loose else 1e-6, abs=1e-6)
        else:
            assert not np.isfinite(found.item())


@each
def test_what_is_lacking(family):
    """What PyTorch has not got raises NotImplementedError, and nothing else does."""
    ours = family.make(family.middle())
    value = ours.sample()
    for name in ("cdf", "icdf", "entropy"):
        argument = () if name == "entropy" else (value * 0 + 0.5 if name == "icdf" else value,)
        if name in family.lacks:
            with pytest.raises(NotImplementedError):
                getattr(ours, name)(*argument)
        else:
            assert getattr(ours, name)(*argument).isfinite().all()


@each
@some
@given(data=st.data())
def test_entropy(family, data):
    """The entropy is SciPy's; the perplexity its exponential."""
    if "entropy" in family.lacks:
        return
    parameters = drawn(data, family)
    ours = family.make(parameters)
    wanted = float(family.ref(**parameters).entropy())
    loose = family.name in ("ContinuousBernoulli", "Kumaraswamy")
    assert ours.entropy().item() == pytest.approx(
        wanted, rel=2e-3 if loose else 1e-5, abs=2e-3 if loose else 1e-5
    )
    assert ours.perplexity().item() == pytest.approx(np.exp(ours.entropy().item()))


@each
def test_mode(family):
    """Nothing near the mode is more probable."""
    ours = family.make(family.middle())
    if family.name in ("Uniform", "ContinuousBernoulli"):
        return
    step = 1.0 if family.discrete else 1e-3
    mode = ours.mode
    top = ours.log_prob(mode)
    for near in (mode - step, mode + step):
        if ours.support.check(near):
            assert ours.log_prob(near) <= top


def test_modes_that_pytorch_gets_wrong():
    """The density of a Weibull distribution of a shape below 1 is largest at 0."""
    assert D.Weibull(2.0, 0.5).mode == 0
    kumaraswamy = D.Kumaraswamy(double(2.0), double(3.0))
    assert kumaraswamy.mode.item() == pytest.approx((1 / 5) ** 0.5)


# -------------------------------------------------------------------------------- several numbers


def close(found, wanted):
    """Compares a tensor with an array."""
    np.testing.assert_allclose(found.detach().numpy(), wanted, rtol=1e-6, atol=1e-9)


def test_multivariate_normal():
    """Mean, covariance, density and entropy, from whichever of the three matrices."""
    loc, cov = (
        np.array([0.5, -1.0, 2.0]),
        np.array([[2.0, 0.3, 0.1], [0.3, 1.0, -0.2], [0.1, -0.2, 0.7]]),
    )
    ref = stats.multivariate_normal(loc, cov)
    x = np.random.default_rng(0).normal(size=(4, 3))
    for kind, matrix in {
        "covariance_matrix": cov,
        "precision_matrix": np.linalg.inv(cov),
        "scale_tril": np.linalg.cholesky(cov),
    }.items():
        ours = D.MultivariateNormal(double(loc), **{kind: double(matrix)})
        close(ours.log_prob(double(x)), ref.logpdf(x))
        close(ours.entropy(), ref.entropy())
        close(ours.covariance_matrix, cov)
        close(ours.precision_matrix, np.linalg.inv(cov))
        close(ours.scale_tril, np.linalg.cholesky(cov))
        close(ours.variance, np.diag(cov))
        assert ours.expand((2, 4)).log_prob(double(x)).shape == (2, 4)


def test_multivariate_normal_of_many_matrices():
    """Each vector meets its own matrix, whichever of the two has more dimensions."""
    rng = np.random.default_rng(0)
    factors = np.tril(rng.normal(size=(3, 2, 2))) + 2 * np.eye(2)
    covs, x = factors @ factors.transpose(0, 2, 1), rng.normal(size=(5, 3, 2))
    ours = D.MultivariateNormal(double(np.zeros(2)), double(covs))
    wanted = [
        [stats.multivariate_normal(np.zeros(2), covs[j]).logpdf(x[i, j]) for j in range(3)]
        for i in range(5)
    ]
    close(ours.log_prob(double(x)), wanted)


def test_low_rank_multivariate_normal():
    """It is the multivariate normal distribution of W W^T + diag(d)."""
    rng = np.random.default_rng(0)
    loc, W, d = rng.normal(size=4), rng.normal(size=(4, 2)), rng.uniform(0.5, 2, 4)
    cov = W @ W.T + np.diag(d)
    ref, x = stats.multivariate_normal(loc, cov), rng.normal(size=(3, 4))
    ours = D.LowRankMultivariateNormal(double(loc), double(W), double(d))
    close(ours.log_prob(double(x)), ref.logpdf(x))
    close(ours.entropy(), ref.entropy())
    close(ours.covariance_matrix, cov)
    close(ours.precision_matrix, np.linalg.inv(cov))
    close(ours.scale_tril, np.linalg.cholesky(cov))
    close(ours.variance, np.diag(cov))


def test_dirichlet():
    """Density, moments and entropy of shares."""
    a, x = np.array([0.7, 2.0, 3.5]), np.array([0.2, 0.5, 0.3])
    ref, ours = stats.dirichlet(a), D.Dirichlet(double(a))
    close(ours.log_prob(double(x)), ref.logpdf(x))
    close(ours.mean, ref.mean())
    close(ours.variance, ref.var())
    close(ours.entropy(), ref.entropy())
    close(D.Dirichlet(double([2.0, 3.0, 4.0])).mode, [1 / 6, 2 / 6, 3 / 6])


def test_multinomial():
    """Density, moments and entropy of counts."""
    p, x = np.array([0.2, 0.5, 0.3]), np.array([1.0, 3.0, 2.0])
    ref, ours = stats.multinomial(6, p), D.Multinomial(6, double(p))
    close(ours.log_prob(double(x)), ref.logpmf(x))
    close(ours.entropy(), ref.entropy())
    close(ours.mean, 6 * p)
    close(ours.variance, 6 * p * (1 - p))
    certain = D.Multinomial(2, logits=double([0.0, -torch.inf]))
    assert certain.log_prob(double([2.0, 0.0])).item() == 0.0


def test_wishart():
    """Density, moments and entropy of matrices, from whichever of the three matrices."""
    V, nu = np.array([[2.0, 0.3], [0.3, 1.0]]), 4.5
    ref, X = stats.wishart(nu, V), np.array([[3.0, 0.4], [0.4, 2.0]])
    for kind, matrix in {
        "covariance_matrix": V,
        "precision_matrix": np.linalg.inv(V),
        "scale_tril": np.linalg.cholesky(V),
    }.items():
        ours = D.Wishart(double(nu), **{kind: double(matrix)})
        close(ours.log_prob(double(X)), ref.logpdf(X))
        close(ours.entropy(), ref.entropy())
        close(ours.mean, ref.mean())
        close(ours.variance, ref.var())
        close(ours.mode, ref.mode())
    assert D.Wishart(double(3.0), double(V)).mode.isnan().all()


def test_lkj_of_two_dimensions():
    """The one correlation then has a beta distribution from -1 to 1; three give matrices density 1."""
    ref = stats.beta(1.7, 1.7, loc=-1, scale=2)
    for r in (-0.8, 0.1, 0.6):
        factor = double([[1.0, 0.0], [r, np.sqrt(1 - r * r)]])
        close(D.LKJCholesky(2, double(1.7)).log_prob(factor), ref.logpdf(r))
    # Uniform over 3 x 3 correlation matrices, whose volume is pi^2 / 2, times the Jacobian.
    L = np.linalg.cholesky([[1, 0.3, 0.2], [0.3, 1, -0.4], [0.2, -0.4, 1]])
    wanted = np.log(L[1, 1]) - np.log(np.pi**2 / 2)
    close(D.LKJCholesky(3, double(1.0)).log_prob(double(L)), wanted)


def test_categorical():
    """Probabilities are normalized, logits too; what is impossible adds nothing to the entropy."""
    p = np.array([0.2, 0.0, 0.8])
    ours = D.Categorical(double(5 * p))
    close(ours.probs, p)
    close(ours.log_prob(torch.tensor([0, 2])), np.log(p[[0, 2]]))
    close(ours.entropy(), stats.entropy(p))
    assert ours.mode == 2 and ours.mean.isnan() and ours.variance.isnan()
    close(D.Categorical(logits=double([1.0, 2.0])).probs, stats.logistic.cdf([-1.0, 1.0]))
    assert ours.enumerate_support().tolist() == [0, 1, 2]
    one_hot = D.OneHotCategorical(double(p))
    close(one_hot.log_prob(double([0.0, 0.0, 1.0])), np.log(0.8))
    assert one_hot.enumerate_support().tolist() == np.eye(3).tolist()
    assert one_hot.mode.tolist() == [0.0, 0.0, 1.0]


def test_mixture():
    """Densities and distribution functions are averages, the variance has the spread of the means."""
    ours = EXAMPLES["MixtureSameFamily"](double, D)
    parts, x = [stats.norm(0.0, 1.0), stats.norm(5.0, 0.3)], np.array([0.5, 4.0])
    close(ours.log_prob(double(x)), np.log(0.2 * parts[0].pdf(x) + 0.8 * parts[1].pdf(x)))
    close(ours.cdf(double(x)), 0.2 * parts[0].cdf(x) + 0.8 * parts[1].cdf(x))
    close(ours.mean, 4.0)
    close(ours.variance, 0.2 * 1.0 + 0.8 * 0.09 + 0.2 * 16 + 0.8 * 1)


@pytest.mark.parametrize("temperature", [0.9, 1.5])
def test_relaxed_bernoulli_is_a_density(temperature):
    """Its density over (0, 1) has the integral 1."""
    ours = D.RelaxedBernoulli(double(temperature), double(0.3))
    density = lambda x: ours.log_prob(double(x)).exp().item()
    assert integrate.quad(density, 0, 1)[0] == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("name", ["LogisticNormal", "RelaxedOneHotCategorical"])
def test_densities_over_two_shares(name):
    """Their densities over pairs that add up to 1 have the integral 1."""
    ours = {
        "LogisticNormal": lambda: D.LogisticNormal(double([0.3]), double([0.8])),
        "RelaxedOneHotCategorical": lambda: D.RelaxedOneHotCategorical(
            double(0.8), double([0.3, 0.7])
        ),
    }[name]()
    density = lambda x: ours.log_prob(double([x, 1 - x])).exp().item()
    assert integrate.quad(density, 1e-9, 1 - 1e-9)[0] == pytest.approx(1, abs=1e-4)


# ------------------------------------------------------------------------------ what all have


@pytest.mark.parametrize("name", EXAMPLES)
def test_expand(name):
    """An expanded distribution has the same parameters, as views, and draws in the new shape."""
    one = example(name)
    value = one.sample()
    many = one.expand((3, *one.batch_shape))
    assert type(many) is type(one)
    assert many.batch_shape == (3, *one.batch_shape) and many.event_shape == one.event_shape
    assert many.sample((2,)).shape == (2, 3, *one.batch_shape, *one.event_shape)
    assert torch.allclose(many.log_prob(value), one.log_prob(value).expand(many.batch_shape))


@pytest.mark.parametrize("name", EXAMPLES)
def test_draws_are_within_the_support(name):
    """Draws satisfy the support, and have a finite density."""
    one = example(name)
    value = one.sample((20,))
    assert one.support.check(value).all()
    assert one.log_prob(value).isfinite().all()


@pytest.mark.parametrize("name", EXAMPLES)
def test_dtypes(name):
    """Draws and densities are of the parameters' dtype; categories are int64."""
    one = EXAMPLES[name](double, D)
    value = one.sample()
    assert value.dtype is (torch.int64 if name == "Categorical" else torch.float64)
    assert one.log_prob(value).dtype is torch.float64
    for fact in ("mean", "variance", "stddev", "entropy", "mode"):
        try:
            found = getattr(one, fact)
        except NotImplementedError:
            continue
        try:
            found = found() if fact == "entropy" else found
        except NotImplementedError:
            continue
        assert found.dtype is torch.float64 or (name, fact) == ("Categorical", "mode"), fact


@pytest.mark.parametrize("family", CONTINUOUS, ids=str)
def test_entropy_of_exponential_families(family):
    """By their natural parameters it is what their own formula says."""
    ours = family.make(family.middle())
    if not isinstance(ours, D.ExponentialFamily) or family.name in ("Beta",):
        return
    assert D.ExponentialFamily.entropy(ours).item() == pytest.approx(
        ours.entropy().item(), rel=1e-6
    )


def test_entropy_of_a_wishart_distribution_by_its_natural_parameters():
    """That of a family over matrices, too."""
    ours = D.Wishart(double(4.5), double([[2.0, 0.3], [0.3, 1.0]]))
    found = D.ExponentialFamily.entropy(ours).item()
    assert found == pytest.approx(ours.entropy().item())


def test_enumerate_support():
    """All values, before the dimensions of the batch, which are expanded unless it is said."""
    coins = D.Bernoulli(torch.full((3,), 0.5))
    assert coins.enumerate_support().tolist() == [[0.0] * 3, [1.0] * 3]
    assert coins.enumerate_support(expand=False).shape == (2, 1)
    assert D.Binomial(2, torch.full((2,), 0.5)).enumerate_support().tolist() == [
        [0, 0],
        [1, 1],
        [2, 2],
    ]
    with pytest.raises(NotImplementedError, match="Inhomogeneous total count"):
        D.Binomial(torch.tensor([1, 2]), torch.tensor(0.5)).entropy()
