"""Integer arithmetic of large arrays, which NumPy's backend does in float64 where that is exact."""

import numpy as np
import pytest

import arraytorch as torch

KINDS = ["uint8", "int8", "int16", "int32", "int64"]


def some(kind, *shape, seed=0, most=1 << 50):
    info = np.iinfo(kind)
    low, high = max(info.min, -most), min(info.max, most)
    return np.random.default_rng(seed).integers(low, high, shape, endpoint=True).astype(kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("most", [1 << 50, 1 << 62])
def test_quotients_are_rounded_to_zero(kind, most):
    """As of Python's integers, by large and small divisors, exact multiples and their neighbours."""
    x, y = some(kind, 20000, most=most), some(kind, 20000, seed=1, most=most)
    y[::2] = some(kind, 10000, seed=2, most=9)
    y[y == 0] = 1
    with np.errstate(over="ignore"):  # the least by -1
        x[::3] = x[::3] // y[::3] * y[::3]
        x[1::3] = x[1::3] // y[1::3] * y[1::3] - 1
    pairs = zip(x.tolist(), y.tolist(), strict=True)
    quotients = [abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1) for a, b in pairs]
    bits = 8 * x.itemsize
    wrapped = [(q + (1 << (bits - 1))) % (1 << bits) - (1 << (bits - 1)) for q in quotients]
    expected = np.array(wrapped if x.dtype.kind == "i" else quotients).astype(kind)
    result = torch.div(torch.tensor(x), torch.tensor(y), rounding_mode="trunc")
    assert result.numpy().dtype == kind
    assert (result.numpy() == expected).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("most", [1000, 1 << 62])
def test_products_of_matrices_wrap_around(kind, most):
    """Of large elements, too, and of several matrices at once."""
    for shape in ((90, 100), (3, 60, 100)):
        x, y = some(kind, *shape, most=most), some(kind, 100, 70, seed=1, most=most)
        result = torch.tensor(x) @ torch.tensor(y)
        assert result.numpy().dtype == kind
        assert (result.numpy() == np.einsum("...ij,jk->...ik", x, y)).all()
