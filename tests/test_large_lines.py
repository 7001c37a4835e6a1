"""Large arrays that are copied, repeated, crossed or mixed line by line."""

import numpy as np
import pytest
from test_large_arrays import CHOICES, OWN, alike, chosen, rand

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


@pytest.mark.parametrize("times", [2, 3, 7])
def test_copies_of_repeated_elements(times):
    """Along the last dimension and others, in C order and of what lies otherwise."""
    x = rand(30, 70, 20)
    for y in (x, x.swapaxes(0, 2)):
        for dim in range(3):
            result = torch.from_numpy(y).repeat_interleave(times, dim)
            np.testing.assert_array_equal(result.numpy(), np.repeat(y, times, dim))
            assert result.is_contiguous()


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


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_borders_of_images(mode):
    """Those of NumPy's modes, also with one side cropped; and the gradients of all of it."""
    name = {"replicate": "edge", "circular": "wrap"}.get(mode, mode)
    x = rand(2, 3, 40, 9)
    result = F.pad(torch.tensor(x), (2, 8, 3, 0), mode=mode).numpy()
    np.testing.assert_array_equal(result, np.pad(x, ((0, 0), (0, 0), (3, 0), (2, 8)), name))
    result = F.pad(torch.tensor(x), (-2, 1, 0, 0), mode=mode)
    y = x[..., 2:] if mode == "circular" else x
    expected = np.pad(y, ((0, 0),) * 3 + ((0, 1),), name)
    np.testing.assert_array_equal(result.numpy(), expected[..., -8:])
    z = torch.tensor(rand(1, 2, 5, 4, dtype="f8"), requires_grad=True)
    for pad in [(2, 3, 1, 0), (3, -1, -2, 2)]:
        assert torch.autograd.gradcheck(lambda z, pad=pad: F.pad(z, pad, mode=mode), z)
        assert torch.autograd.gradgradcheck(lambda z, pad=pad: F.pad(z, pad, mode=mode), z)


@pytest.mark.parametrize("shape", [(2, 130, 140), (300, 70), (70, 300)])
def test_triangles_of_large_matrices(shape):
    """Bands of rows give NumPy's, whatever the diagonal; NaN of the other triangle is gone."""
    x = rand(*shape)
    x[..., 0, -1] = x[..., -1, 0] = np.nan
    for y in (x, x.swapaxes(-1, -2), x > 0, x.astype("f2")):
        for k in (-400, -65, -64, -1, 0, 1, 63, 64, 99, 400):
            np.testing.assert_array_equal(OWN.tril(y, k), np.tril(y, k))
            np.testing.assert_array_equal(OWN.triu(y, k), np.triu(y, k))


ODD = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e30, -3.0, 3.0], np.float32)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_elementwise_kernels_of_several_large_arrays(choice, dtype):
    """Each in one pass gives what the generic formula does, also of what is not finite."""
    x, y, z = (
        np.concatenate([rand(20000, dtype=dtype, seed=s), ODD.astype(dtype)]) for s in range(3)
    )
    y[-8:] = y[-8:][::-1]
    g = np.broadcast_to(np.array(0.3, dtype), x.shape)
    with np.errstate(all="ignore"):
        for kind in ("square", "size", "huber"):
            alike("gap", x, y, kind, 0.5, 2.0)
            for each in (g, z, z[::-1]):
                alike("gap_backward", each, x, y, kind, np.inf if kind == "square" else 0.5, 2.0)
        alike("addcmul", x, y, z, 0.5), alike("addcdiv", x, y, z, -2)
        alike("lerp", x, y, 0.3), alike("lerp", x, y, 0.7)
        alike("frac", x), alike("within", y, x, -1.0, 1.5, 1 / 6)


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
def test_losses_of_differences(name):
    """Gradients of both arguments, twice, for each reduction, and by samples."""
    loss = getattr(F, name)
    x, y = (torch.tensor(rand(7, dtype="f8", seed=s), requires_grad=True) for s in range(2))
    for reduction in ("mean", "sum", "none"):
        assert torch.autograd.gradcheck(lambda x, y, r=reduction: loss(x, y, reduction=r), (x, y))
        assert torch.autograd.gradgradcheck(
            lambda x, y, r=reduction: loss(x, y, reduction=r), (x, y)
        )
    each = torch.func.vmap(lambda x, y: loss(x, y))(x[:, None], y[:, None])
    torch.testing.assert_close(each, loss(x, y, reduction="none"))


def test_bags_of_many_rows(choice):
    """Their sums and means, of indices of either width, without a gradient and with one."""
    table, index = rand(90, 40), np.random.default_rng(0).integers(0, 90, (30, 20))
    for places in (index, index.astype("i4"), index.T.copy().T):
        for weight in (torch.tensor(table), torch.tensor(table, requires_grad=True)):
            total = F.embedding_bag(torch.tensor(places), weight, mode="sum").detach().numpy()
            np.testing.assert_allclose(total, table[index].sum(1), rtol=1e-5, atol=1e-5)
            mean = F.embedding_bag(torch.tensor(places), weight).detach().numpy()
            np.testing.assert_allclose(mean, table[index].mean(1), rtol=1e-5, atol=1e-6)


def test_erf_of_many_doubles(choice):
    """To the last digits, on both sides of where series meet, and at the ends."""
    from scipy.special import erf

    x = np.concatenate([np.linspace(-7, 7, 30001), [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-300]])
    result = OWN.erf(x)
    np.testing.assert_allclose(result, erf(x), rtol=4e-15)
    np.testing.assert_array_equal(np.signbit(result), np.signbit(x))


@pytest.mark.parametrize("p", [0, 0.5, 1, 2, 3, np.inf])
def test_distances_of_many_rows(p):
    """A few rows at a time, those of SciPy; NaN of a row is that of all its distances."""
    from scipy.spatial.distance import cdist

    x, y = rand(90, 33), rand(70, 33, seed=1)
    expected = cdist(x, y, "minkowski", p=p) if p > 0 else np.full((90, 70), 33.0)
    with torch.no_grad():
        result = torch.cdist(torch.tensor(x), torch.tensor(y), p).numpy()
    np.testing.assert_allclose(result, expected, rtol=2e-5)
    x[3, 5] = np.nan
    for recorded in (False, True):
        result = torch.cdist(torch.tensor(x, requires_grad=recorded), torch.tensor(y), p)
        np.testing.assert_array_equal(
            np.isnan(result.detach().numpy())[:, 0], (np.arange(90) == 3) & (p != 0)
        )


def test_gates_of_large_arrays(choice):
    """Halves of any dimension, and their slopes."""
    x = rand(20, 30, 40) * 5
    for dim in range(3):
        g = rand(*[n // 2 if d == dim else n for d, n in enumerate(x.shape)], seed=1)
        alike("glu", x, dim)
        alike("glu_backward", g, x, dim)


def test_spaced_values_are_those_of_one_rounding_each():
    """Across the middle and the ends of pieces, from either end; as short rows are made."""
    for steps in (70001, 70000):
        result = torch.linspace(-1.5, 3, steps).numpy()
        gap = np.float64((np.float32(3) - np.float32(-1.5)) / np.float32(steps - 1))
        lower = np.arange(steps // 2) * gap - 1.5
        upper = 3 - np.arange(steps - steps // 2)[::-1] * gap
        np.testing.assert_array_equal(result, np.concatenate([lower, upper]).astype(np.float32))


def test_maxima_of_pairs_of_large_arrays(choice):
    """Of neighbours in rows, an odd number of them, too; NaN on either side is the largest."""
    x = rand(6, 5, 20, 101)
    x[0, 0, 0, 2] = x[0, 0, 0, 5] = np.nan
    pairs = x[..., :100].reshape(6, 5, 20, 50, 2)
    rows = F.max_pool1d(torch.tensor(x[:, :, 0]), 2).numpy()
    np.testing.assert_array_equal(rows, pairs[:, :, 0].max(-1))
    planes = F.max_pool2d(torch.tensor(x), 2).numpy()
    np.testing.assert_array_equal(planes, pairs.reshape(6, 5, 10, 2, 50, 2).max((3, 5)))


def test_rows_that_a_vector_names_are_added(choice):
    """Once for each time that they are named, from the front or from behind, to those that are there."""
    x, index = rand(40, 3, 30), np.random.default_rng(0).integers(0, 25, 40)
    for dtype in ("f4", "f8"):
        target = rand(25, 3, 30, dtype=dtype, seed=1)
        expected = target.astype("f8")
        np.add.at(expected, index, x)
        OWN.add_at(target, (np.where(index % 2, index, index - 25),), x.astype(dtype))
        np.testing.assert_allclose(target, expected, rtol=1e-5, atol=1e-5)
