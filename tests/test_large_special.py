"""Special functions of large arrays, and GELU, against SciPy's in float64."""

from operator import attrgetter

import numpy as np
import pytest
from scipy import special

import arraytorch as torch
from arraytorch.backends import numpy_passes

REFERENCES = {
    "erfc": special.erfc,
    "erfinv": special.erfinv,
    "lgamma": special.gammaln,
    "digamma": special.psi,
    "special.ndtr": special.ndtr,
}
ACCURACY = {"special.ndtr": 1e-4}  # far below 0 the rounding of x itself counts, as in PyTorch
EDGES = [0.0, -0.0, 1.0, -1.0, -2.0, 1e-45, 3e38, -3e38, 20.0, 1 - 2**-24, np.inf, -np.inf, np.nan]


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("scale", [1e-3, 0.3, 2.0, 9.0])
def test_special_functions_of_large_arrays(name, scale):
    """To a few units in the last digit of float32, where they are no rounding errors of 0."""
    x = np.random.default_rng(4).standard_normal(20000).astype("f4") * np.float32(scale)
    if name == "erfinv":
        x = x[np.abs(x) < 1]
        x = np.resize(x, 20000)
    expected = REFERENCES[name](x.astype("f8"))
    result = attrgetter(name)(torch)(torch.tensor(x)).numpy()
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, rtol=ACCURACY.get(name, 6e-7), atol=3e-45)


def test_digamma_of_many_doubles():
    """To the last digits of float64 but about its root, where PyTorch loses them too; SciPy's own are
    fewer about the poles."""
    x = np.random.default_rng(6).standard_normal((200, 200)) * 5
    result = torch.digamma(torch.tensor(x)).numpy()
    near = np.abs(x - np.rint(x)) < 0.01
    np.testing.assert_allclose(result[~near], special.psi(x[~near]), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(result[near], special.psi(x[near]), rtol=1e-8)


@pytest.mark.parametrize("name", REFERENCES)
def test_special_functions_at_the_edges(name):
    """Large arrays have the poles and limits of small ones."""
    x = torch.tensor(EDGES)
    function = attrgetter(name)(torch)
    few, many = function(x).numpy(), function(x.repeat(2000)).numpy()[: len(EDGES)]
    np.testing.assert_allclose(many, few, rtol=6e-7)


@pytest.mark.parametrize("quick", [True, False])
def test_gelu_by_powers_of_two_or_tanh(quick, monkeypatch):
    """Which of the two is quicker depends on the processor."""
    monkeypatch.setattr(numpy_passes, "powers_are_quick", lambda: quick)
    x = np.append(np.linspace(-12, 12, 10001), [3e38, -3e38, 1e-30, -0.0]).astype("f4")
    wide, out = x.astype("f8"), np.empty_like(x)
    numpy_passes.gelu(x, out)
    np.testing.assert_allclose(out, wide * special.ndtr(wide), rtol=1e-6, atol=1e-6)
    assert np.signbit(out[-1])
    numpy_passes.gelu_slope(x[:-4], np.full(10001, 2, "f4"), out[:-4])
    near = wide[:-4]
    density = np.exp(-near * near / 2) / np.sqrt(2 * np.pi)
    want = 2 * (special.ndtr(near) + near * density)
    np.testing.assert_allclose(out[:-4], want, rtol=2e-6, atol=2e-6)
