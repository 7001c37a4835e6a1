"""How gamma and Dirichlet deviates move with their shapes, against differences of SciPy's functions."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

import arraytorch as torch

SHAPE = st.floats(-2, 3).map(lambda e: 10.0**e)
CHANCE = st.floats(0.001, 0.999)
some = settings(max_examples=40, deadline=None)


def double(x):
    """A tensor in double precision."""
    return torch.tensor(x, dtype=torch.float64)


def slope(function, a):
    """A derivative by differences of the fourth order, of the logarithm, which is smoother."""
    h = 1e-3 * a
    near, far = (math.log(function(a + k * h) / function(a - k * h)) for k in (1, 2))
    return function(a) * (8 * near - far) / (12 * h)


@some
@given(SHAPE, CHANCE)
def test_gamma(a, q):
    """A deviate keeps its place among all deviates: x = F^-1(q; a) for each a."""
    x = float(special.gammaincinv(a, q))
    if x < 1e-280:
        return
    wanted = slope(lambda a: special.gammaincinv(a, q), a)
    found = torch._standard_gamma_grad(double(a), double(x)).item()
    assert found == pytest.approx(wanted, rel=1e-6)


@some
@given(SHAPE, SHAPE, CHANCE)
def test_dirichlet(a, b, q):
    """So does a share of two; the derivative is divided by what is left."""
    x = float(special.betaincinv(a, b, q))
    if not 1e-200 < x < 1 - 1e-6:
        return
    wanted = slope(lambda a: special.betaincinv(a, b, q), a) / (1 - x)
    found = torch._dirichlet_grad(double(x), double(a), double(a + b)).item()
    assert found == pytest.approx(wanted, rel=1e-5)


def test_gamma_at_one():
    """Where the shape is 1, the derivative at log 2 is known to many digits: 0.96804482..."""
    x = double(0.6931471805599453)
    found = torch._standard_gamma_grad(double(1.0), x).item()
    assert found == pytest.approx(0.9680448304420446, rel=1e-10)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtypes_shapes_and_devices(dtype):
    """Results are of the dtype and shape of the deviates, for none of them too, and on meta."""
    a = torch.rand(2, 0, 3, dtype=dtype)
    assert torch._standard_gamma_grad(a, a).shape == a.shape
    assert torch._standard_gamma(a).dtype is dtype
    m = torch.ones(2, 3, device="meta", dtype=dtype, requires_grad=True)
    (torch._standard_gamma(m).sum() + torch._sample_dirichlet(m).sum()).backward()
    assert m.grad.shape == (2, 3)


def test_sums_of_gradients():
    """Shares add up to 1 whatever the shapes, so the gradient of their sum is 0."""
    a = double([0.5, 2.0, 30.0]).requires_grad_()
    torch._sample_dirichlet(a).sum().backward()
    assert a.grad.abs().max() < 1e-12


def test_scaled_deviates():
    """What is made of a deviate has the derivative of the chain rule."""
    a = double([0.5, 2.0, 30.0]).requires_grad_()
    x = torch._standard_gamma(a)
    (found,) = torch.autograd.grad(x.log().sum(), a)
    assert torch.allclose(found, torch._standard_gamma_grad(a.detach(), x.detach()) / x)


def test_errors():
    """There are no second derivatives, and no deviates of integers."""
    a = double([0.5, 2.0]).requires_grad_()
    (first,) = torch.autograd.grad(torch._standard_gamma(a).sum(), a, create_graph=True)
    with pytest.raises(NotImplementedError, match="the derivative for 'self' is not implemented."):
        first.sum().backward()
    with pytest.raises(NotImplementedError, match="\"gamma_cpu\" not implemented for 'Long'"):
        torch._standard_gamma(torch.tensor([1]))
    with pytest.raises(NotImplementedError, match="\"dirichlet\" not implemented for 'Long'"):
        torch._sample_dirichlet(torch.tensor([1]))
