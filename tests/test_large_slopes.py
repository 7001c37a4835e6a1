"""Gradients of elementwise operations on large arrays, which compiled kernels pull back in one pass."""

import warnings

import numpy as np
import pytest

import arraytorch as torch
from arraytorch import backends
from arraytorch.backends.compiled import MANY

F = torch.nn.functional
N = MANY + 3
ONE = {
    "exp": (-3, 3), "exp2": (-3, 3), "expm1": (-3, 3), "log": (0.1, 3), "log2": (0.1, 3),
    "log10": (0.1, 3), "log1p": (-0.9, 3), "tan": (-1.4, 1.4), "tanh": (-3, 3), "asin": (-0.9, 0.9),
    "acos": (-0.9, 0.9), "atan": (-3, 3), "asinh": (-3, 3), "acosh": (1.1, 3), "atanh": (-0.9, 0.9),
    "erf": (-3, 3), "erfc": (-3, 3), "erfinv": (-0.9, 0.9), "sigmoid": (-3, 3), "square": (-3, 3),
    "sqrt": (0.1, 3), "rsqrt": (0.1, 3), "reciprocal": (0.1, 3), "abs": (-3, 3),
}  # fmt: skip
FUNCTIONS = {
    **{name: (getattr(torch, name), bounds) for name, bounds in ONE.items()},
    "pow2": (lambda x: x**2, (-3, 3)),
    "pow3": (lambda x: x**3.0, (-3, 3)),
    "pow4": (lambda x: x**4, (-3, 3)),
    "pow_of_number": (lambda x: 2.0**x, (-3, 3)),
    "softplus": (lambda x: F.softplus(x, 2.0, 3.0), (-3, 3)),
    "relu6": (F.relu6, (-3, 9)),
    "hardtanh": (F.hardtanh, (-3, 3)),
}
PAIRS = ["hypot", "atan2", "maximum", "minimum"]


@pytest.fixture(autouse=True)
def large_arrays_have_been_made():
    torch.tensor(np.ones(MANY, "f4"))
    assert backends.PULLING[0] is not None


def numbers(low, high, seed=0):
    return np.random.default_rng(seed).uniform(low, high, N).astype("f4")


def gradients(function, arrays, g):
    leaves = [torch.tensor(x, requires_grad=True) for x in arrays]
    function(*leaves).backward(torch.tensor(g))
    return [leaf.grad.numpy() for leaf in leaves]


def differences(function, arrays, g):
    """The central differences of float64, for each argument."""
    found = []
    for i in range(len(arrays)):
        with torch.no_grad():
            sides = [
                function(*[torch.tensor(y + h * (k == i)) for k, y in enumerate(arrays)]).numpy()
                for h in (-1e-6, 1e-6)
            ]
        found.append(g * (sides[1] - sides[0]) / 2e-6)
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_slopes_are_those_of_differences(name):
    """Of numbers away from corners, where differences tell nothing."""
    function, bounds = FUNCTIONS[name]
    x, g = numbers(*bounds), numbers(-2, 2, 1)
    x = x[np.abs(x[:, None] - np.array([-1, 0, 1, 1.5, 6])).min(1) > 1e-3]
    x = np.concatenate([x, x[: N - x.size]])
    (found,) = gradients(function, [x], g)
    (expected,) = differences(function, [x.astype("f8")], g)
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("name", PAIRS)
def test_slopes_of_pairs_are_those_of_differences(name):
    function = getattr(torch, name)
    x, y, g = numbers(0.5, 3), numbers(0.5, 3, 2), numbers(-2, 2, 1)
    y += (np.abs(x - y) < 1e-3) * np.float32(0.01)
    found = gradients(function, [x, y], g)
    expected = differences(function, [x.astype("f8"), y.astype("f8")], g)
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=1e-5)


SPECIAL = np.array([0, -0.0, 1, -1, 1.5, 6, np.inf, -np.inf, np.nan, 100, -100], "f4")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_special_numbers_have_the_slopes_that_few_of_them_have(name):
    function, _ = FUNCTIONS[name]
    x = np.resize(SPECIAL, N)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        (found,) = gradients(function, [x], np.ones(N, "f4"))
        (few,) = gradients(function, [SPECIAL], np.ones(SPECIAL.size, "f4"))
    np.testing.assert_allclose(found[: few.size], few, rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("name", PAIRS)
def test_special_pairs_have_the_slopes_that_few_of_them_have(name):
    x, y = (v.reshape(-1) for v in np.meshgrid(SPECIAL, SPECIAL))
    function, g = getattr(torch, name), np.ones(N, "f4")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found = gradients(function, [np.resize(x, N), np.resize(y, N)], g)
        few = gradients(function, [x, y], g[: x.size])
    for a, b in zip(found, few, strict=True):
        np.testing.assert_allclose(a[: b.size], b, rtol=1e-5)


def test_gradients_of_sums_broadcasts_and_views():
    """What is one number again and again, of another shape, or not contiguous."""
    x = numbers(-2, 2)[: N - 3].reshape(128, -1)
    leaf = torch.tensor(x, requires_grad=True)
    torch.sigmoid(leaf).sum().backward()
    s = 1 / (1 + np.exp(-x.astype("f8")))
    np.testing.assert_allclose(leaf.grad.numpy(), s * (1 - s), rtol=1e-5)
    leaf, column = torch.tensor(x.T.copy(), requires_grad=True), torch.tensor(x[:, :1] + 3)
    torch.maximum(torch.tanh(leaf.t()), column).backward(torch.ones(*x.shape))
    t = np.tanh(x.astype("f8"))
    wanted = np.where(t < x[:, :1] + 3, 0, 1 - t * t)
    np.testing.assert_allclose(leaf.grad.numpy().T, wanted, rtol=1e-4, atol=1e-6)


def test_samples_of_vmap_have_their_own_slopes():
    x = torch.tensor(numbers(-2, 2)[: N - 3].reshape(2, -1))
    g = torch.ones(x.shape[1])

    def pulled(x):
        return torch.func.vjp(torch.sigmoid, x)[1](g)[0]

    s = torch.sigmoid(x)
    np.testing.assert_allclose(torch.vmap(pulled)(x).numpy(), (s * (1 - s)).numpy(), rtol=1e-5)


def test_second_derivatives():
    leaf = torch.tensor(numbers(-2, 2), requires_grad=True)
    (first,) = torch.autograd.grad(torch.tanh(leaf).sum(), leaf, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), leaf)
    t = np.tanh(leaf.detach().numpy().astype("f8"))
    np.testing.assert_allclose(second.numpy(), -2 * t * (1 - t * t), rtol=1e-4, atol=1e-6)
