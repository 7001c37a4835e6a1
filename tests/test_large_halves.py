"""Large arrays of float16, which NumPy's backend converts by arithmetic on bits."""

import numpy as np
import pytest

import arraytorch as torch

ALL = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
FINITE = ALL[np.isfinite(ALL)]


def halves(x):
    return torch.tensor(x).half().numpy()


def same_bits(a, b):
    return (a.view(np.uint16) == b.view(np.uint16)).all()


def test_all_float16_become_their_float32_and_come_back():
    """Each of the 65536, those below the normal numbers among them, infinity and NaN."""
    for x in (ALL, FINITE):
        wide = torch.tensor(x).float().numpy()
        np.testing.assert_array_equal(wide, x.astype(np.float32))
        assert (np.signbit(wide) == np.signbit(x))[~np.isnan(x)].all()
    assert same_bits(halves(FINITE.astype(np.float32)), FINITE)


def test_the_nearest_float16_is_chosen():
    """The even one of two that are as near; infinity from half a step beyond the largest on."""
    edges = np.sort(FINITE[FINITE >= 0].astype(np.float64))
    middle = ((edges[1:] + edges[:-1]) / 2).astype(np.float32)
    for x in (middle, np.nextafter(middle, np.float32(1e9)), np.nextafter(middle, np.float32(0))):
        for y in (x, -x):
            assert same_bits(halves(y), y.astype(np.float16))
    beyond = np.tile(np.array([65519.996, 65520, -65520, 1e30, -1e30, 1], np.float32), 4000)
    with np.errstate(over="ignore"):
        assert same_bits(halves(beyond), beyond.astype(np.float16))


@pytest.mark.parametrize("power", [-60, -26, -20, -14, -8, 0, 9])
def test_numbers_of_all_sizes_become_float16(power):
    """With zeros of both signs among them."""
    x = (np.random.default_rng(1).standard_normal(40000) * 2.0**power).astype(np.float32)
    assert same_bits(halves(x), x.astype(np.float16))
    x[::3], x[1::3] = 0, -0.0
    assert same_bits(halves(x), x.astype(np.float16))


def test_sums_and_products_of_float16():
    """Computed in float32 and rounded once."""
    x = np.random.default_rng(2).standard_normal((200, 150)).astype(np.float16)
    t = torch.tensor(x)
    for dim in (0, 1):
        expected = x.astype(np.float64).sum(dim)
        np.testing.assert_allclose(t.sum(dim).numpy(), expected, rtol=1e-3, atol=1e-3)
    expected = x.astype(np.float64) @ x.T.astype(np.float64)
    np.testing.assert_allclose((t @ t.T).numpy(), expected, rtol=1e-3, atol=2e-2)
