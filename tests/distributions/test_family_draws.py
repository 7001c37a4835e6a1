"""What is drawn: PyTorch's numbers, the right distribution, and gradients."""

from __future__ import annotations

import numpy as np
import pytest
from draws import DRAWS
from families import CONTINUOUS, EXAMPLES, FAMILIES, D, double, example
from scipy import stats

import arraytorch as torch

each = pytest.mark.parametrize("family", FAMILIES, ids=str)


@pytest.mark.parametrize("name", EXAMPLES)
def test_draws_are_pytorchs(name):
    """The same numbers after the same seed."""
    torch.manual_seed(0)
    found = example(name).sample((2,))
    np.testing.assert_allclose(found.numpy(), DRAWS[name], rtol=3e-5, atol=1e-6)


@pytest.mark.parametrize("name", EXAMPLES)
def test_rsample_draws_what_sample_draws(name):
    """And what has no gradients says so by NotImplementedError."""
    one = example(name)
    if not one.has_rsample:
        if name not in ("LogitRelaxedBernoulli",):
            with pytest.raises(NotImplementedError):
                one.rsample()
        return
    torch.manual_seed(0)
    found = one.rsample((2,))
    np.testing.assert_allclose(found.detach().numpy(), DRAWS[name], rtol=3e-5, atol=1e-6)


@each
def test_draws_have_the_distribution(family):
    """The Kolmogorov-Smirnov test, or for whole numbers the counts, find nothing unusual."""
    torch.manual_seed(7)
    parameters = family.middle()
    ref = family.ref(**parameters)
    x = family.make(parameters).sample((3000,)).numpy()
    if not family.discrete:
        assert stats.kstest(x, ref.cdf).pvalue > 1e-3
        return
    values = np.arange(ref.ppf(0.02), ref.ppf(0.98) + 1)
    wanted = ref.pmf(values) * x.size
    found = np.array([(x == v).sum() for v in values])
    assert (np.abs(found - wanted) < 5 * np.sqrt(wanted) + 5).all()


def test_draws_of_several_numbers_have_the_moments():
    """The mean and, element by element, the variance."""
    torch.manual_seed(3)
    for name in ("Dirichlet", "Multinomial", "MultivariateNormal", "LowRankMultivariateNormal",
                 "Wishart", "OneHotCategorical", "MixtureSameFamily"):  # fmt: skip
        one = EXAMPLES[name](double, D)
        x = one.sample((8000,))
        wide = 6 * one.stddev / 8000**0.5
        assert ((x.mean(0) - one.mean).abs() < wide + 1e-9).all(), name
        assert torch.allclose(x.var(0), one.variance, rtol=0.15, atol=1e-3), name


def test_lkj_draws_have_the_distribution():
    """The first correlation has a beta distribution from -1 to 1."""
    torch.manual_seed(3)
    r = D.LKJCholesky(3, double(1.7)).sample((3000,))[:, 1, 0].numpy()
    shape = 1.7 + 0.5
    assert stats.kstest(r, stats.beta(shape, shape, loc=-1, scale=2).cdf).pvalue > 1e-3


MADE_OF_TWO = ("FisherSnedecor", "StudentT")  # where a draw does not tell what it was made of


@pytest.mark.parametrize("family", CONTINUOUS, ids=str)
def test_gradients_of_draws(family):
    """A draw moves with a parameter such that the probability below it stays: -(dF/dp) / (dF/dx)."""
    parameters = family.middle()
    kind = getattr(D, family.name)
    tensors = {k: double(v).requires_grad_() for k, v in parameters.items()}
    ours = kind(**tensors)
    if not ours.has_rsample or family.name in MADE_OF_TWO:
        return
    for seed in range(4):
        torch.manual_seed(seed)
        x = ours.rsample()
        found = torch.autograd.grad(x, list(tensors.values()), allow_unused=True, retain_graph=True)
        at = x.item()
        density = np.exp(family.ref(**parameters).logpdf(at))
        for name, slope in zip(tensors, found, strict=True):
            step = 1e-5
            up, down = (
                family.ref(**{**parameters, name: parameters[name] + s}).cdf(at)
                for s in (step, -step)
            )
            sign = -1.0 if at < 0 and family.name.startswith("Half") else 1.0
            wanted = -sign * (up - down) / (2 * step) / density
            assert slope.item() == pytest.approx(wanted, rel=2e-4, abs=1e-5), name


def test_gradients_of_draws_of_two_parts():
    """Where a draw is made of two, the gradients of many have the right mean: that of the mean."""
    torch.manual_seed(0)
    df = double(8.0).requires_grad_()
    D.FisherSnedecor(6.0, df).rsample((20000,)).mean().backward()
    assert df.grad.item() == pytest.approx(-2 / 36, rel=0.1)  # d/dn of n / (n - 2)
    df = double(6.0).requires_grad_()
    D.StudentT(df).rsample((20000,)).pow(2).mean().backward()
    assert df.grad.item() == pytest.approx(-2 / 16, rel=0.2)


@pytest.mark.parametrize("name", ["MultivariateNormal", "LowRankMultivariateNormal", "Laplace",
                                  "LogisticNormal", "RelaxedOneHotCategorical"])  # fmt: skip
def test_gradients_are_those_of_finite_differences(name):
    """Where the noise does not depend on the parameters, `gradcheck` can say so."""
    inputs = {
        "MultivariateNormal": (double([0.5, 1.0]), double([[1.5, 0.0], [0.3, 1.0]])),
        "LowRankMultivariateNormal": (
            double([0.5, 1.0]),
            double([[1.5], [0.3]]),
            double([1.0, 2.0]),
        ),
        "Laplace": (double([0.5, 1.0]), double([1.5, 0.3])),
        "LogisticNormal": (double([0.5, 1.0]), double([1.5, 0.3])),
        "RelaxedOneHotCategorical": (double(0.7), double([0.5, 0.3])),
    }[name]

    def drawn(*parameters):
        torch.manual_seed(0)
        if name == "MultivariateNormal":
            return D.MultivariateNormal(parameters[0], scale_tril=parameters[1].tril()).rsample()
        return getattr(D, name)(*parameters, validate_args=False).rsample((2,))

    assert torch.autograd.gradcheck(drawn, [p.requires_grad_() for p in inputs])


def test_gradients_of_dirichlet_draws():
    """The mean of a share has the derivative that the mean's formula has."""
    torch.manual_seed(0)
    a = double([0.6, 2.0, 3.0]).requires_grad_()
    D.Dirichlet(a).rsample((20000,))[:, 0].mean().backward()
    s = 5.6
    wanted = [(s - 0.6) / s**2, -0.6 / s**2, -0.6 / s**2]
    assert a.grad.tolist() == pytest.approx(wanted, rel=0.05)


def test_wishart_draws_have_gradients():
    """In PyTorch they raise, for what is written in place; the mean of a draw is df V."""
    torch.manual_seed(0)
    V = double([[2.0, 0.3], [0.3, 1.0]]).requires_grad_()
    D.Wishart(double(5.0), V).rsample((4000,))[:, 0, 0].mean().backward()
    assert V.grad[0, 0].item() == pytest.approx(5.0, rel=0.1)


def test_straight_through():
    """The draw is one-hot; its gradient is that of the probabilities."""
    logits = double([0.3, 0.7]).requires_grad_()
    x = D.OneHotCategoricalStraightThrough(logits=logits).rsample()
    assert sorted(x.tolist()) == pytest.approx([0.0, 1.0])
    (slope,) = torch.autograd.grad(x[0], logits)
    (wanted,) = torch.autograd.grad(logits.softmax(-1)[0], logits)
    assert torch.allclose(slope, wanted)


def test_draws_leave_no_history():
    """`sample` gives no gradients, whatever the parameters."""
    loc = torch.zeros(2, requires_grad=True)
    for d in (
        D.Normal(loc, 1.0),
        D.Laplace(loc, 1.0),
        D.Bernoulli(logits=loc),
        D.LogNormal(loc, 1.0),
    ):
        assert not d.sample((3,)).requires_grad
