"""Large arrays that are copied, repeated, crossed or mixed line by line."""

import numpy as np
import pytest
from test_large_arrays import CHOICES, OWN, chosen, rand

import arraytorch as torch
from arraytorch.backends.resampling import Taps

F = torch.nn.functional


@pytest.fixture(params=CHOICES)
def choice(request, monkeypatch):
    """Each of the two choices, whatever the environment says."""
    return chosen(request, monkeypatch)


def test_products_in_which_nothing_is_summed(choice):
    """Kronecker's of matrices whose rows are short, long or few, and outer ones by batches."""
    for a, b in [((9, 7), (8, 30)), ((9, 7), (8, 300)), ((2, 8, 3), (40, 9, 5)), ((90,), (80,))]:
        x, y = rand(*a), rand(*b, seed=1)
        result = torch.kron(torch.tensor(x), torch.tensor(y)).numpy()
        np.testing.assert_array_equal(result, np.kron(x, y))
    x, y = rand(9, 40), rand(9, 50)
    for left, right in [
        (x, y),
        (x.T.copy().T, y),
        (x, y[:, ::-1]),
        (x.astype("f8"), y.astype("f8")),
    ]:
        result = torch.einsum("bi,bj->bij", torch.tensor(left), torch.tensor(right)).numpy()
        np.testing.assert_array_equal(result, left[:, :, None] * right[:, None])
    result = OWN.matmul(x[None, :, :, None], y[:, None])
    np.testing.assert_array_equal(result, x[None, :, :, None] * y[:, None])


def test_gradients_of_kronecker_products():
    """Of factors that are repeated to whole rows first."""
    x, y = (torch.tensor(rand(9, 3, dtype="f8", seed=s)) for s in (0, 1))
    x.requires_grad_(), y.requires_grad_()
    assert torch.autograd.gradcheck(lambda x, y: torch.kron(x, y)[::5, ::2], (x, y))


@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "i4", "f2", "c16"])
def test_copies_of_reversed_rows(choice, dtype):
    """Along each dimension and several, of rows that lie apart and of transposed ones, too."""
    x = rand(3, 90, 70, dtype=dtype if dtype != "c16" else "f8").astype(dtype)
    for y in (x, x[:, :, ::2], x[:, ::2], x.swapaxes(1, 2), x.reshape(-1)):
        for dims in [(0,), (y.ndim - 1,), tuple(range(y.ndim))]:
            result = torch.flip(torch.from_numpy(y), dims)
            np.testing.assert_array_equal(result.numpy(), np.flip(y, dims))
            assert result.is_contiguous()
    for k in range(-1, 4):
        turned = torch.rot90(torch.from_numpy(x), k, (1, 2)).numpy()
        np.testing.assert_array_equal(turned, np.rot90(x, k, (1, 2)))


def test_ones_at_many_places():
    """As many as are written one by one instead of compared; of any shape."""
    places = np.random.default_rng(0).integers(0, 50, (8, 9))
    result = F.one_hot(torch.tensor(places), 51)
    np.testing.assert_array_equal(result.numpy(), np.eye(51, dtype=np.int64)[places])
    assert result.dtype == torch.int64


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("taps", [2, 4, 9])
def test_resampling_of_large_arrays(choice, dim, taps):
    """By few and by many elements each, along each dimension, of arrays in C order and of others."""
    x = rand(5, 40, 30, 20)
    n = x.shape[dim]
    index = np.random.default_rng(0).integers(0, n, (2 * n + 1, taps))
    plan = Taps(
        n, tuple(map(tuple, index.tolist())), tuple(map(tuple, rand(2 * n + 1, taps).tolist()))
    )
    for y in (x, x.swapaxes(1, 3).copy().swapaxes(1, 3)):
        result = OWN.resample(y, dim, plan)
        matrix = plan.matrix(np, np.dtype("f8"), None)
        expected = np.moveaxis(np.tensordot(y.astype("f8"), matrix, (dim, 1)), -1, dim)
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)
        assert result.dtype == np.float32


def test_crossed_vectors_are_those_of_numpy():
    """Along any dimension, broadcast, of integers, and refused of bools in PyTorch's words."""
    x, y = rand(4, 3, 5), rand(3, 5, seed=1)
    result = torch.linalg.cross(torch.tensor(x), torch.tensor(y[None]), dim=1)
    np.testing.assert_allclose(result.numpy(), np.cross(x, y[None], axis=1), rtol=1e-6)
    z = torch.tensor([1 + 2j, 0, 3j], dtype=torch.complex128, requires_grad=True)
    w = torch.tensor([2j, 1, 1 - 1j], dtype=torch.complex128, requires_grad=True)
    assert torch.autograd.gradcheck(torch.linalg.cross, (z, w))
    assert torch.autograd.gradgradcheck(torch.linalg.cross, (z, w))
    flags = torch.tensor([True, False, True])
    with pytest.raises(NotImplementedError, match="\"cross\" not implemented for 'Bool'"):
        torch.linalg.cross(flags, flags)
