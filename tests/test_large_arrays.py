"""Large arrays, for which the CPU has other kernels: blocks for NumPy, and those that numba compiles."""

import math
import os
import subprocess
import sys
import textwrap
from importlib.util import find_spec

import numpy as np
import pytest

import arraytorch as torch
from arraytorch.backends import (
    box_muller,
    compiled,
)
from arraytorch.backends.generic import ArrayModuleBackend
from arraytorch.backends.numpy import NumpyBackend

F = torch.nn.functional
needs_numba = pytest.mark.skipif(find_spec("numba") is None, reason="needs the extra `jit`")


class Plain(ArrayModuleBackend):
    """The generic kernels over NumPy, with none of its own."""

    def _special_namespace(self):
        import scipy.special

        return scipy.special


PLAIN, OWN = Plain(np), NumpyBackend()
ROWS, PLANES = (70, 401), (6, 8, 21, 31)


def rand(*shape, dtype=np.float32, seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(dtype)


CHOICES = ["numpy", pytest.param("numba", marks=needs_numba)]


@pytest.fixture(params=CHOICES)
def choice(request, monkeypatch):
    """Each of the two choices, whatever the environment says."""
    return chosen(request, monkeypatch)


def chosen(request, monkeypatch):
    if request.param == "numpy":
        for name, module in list(sys.modules.items()):
            if name.startswith("arraytorch.backends.") and hasattr(module, "kernels"):
                monkeypatch.setattr(module, "kernels", lambda topic: None)
    elif not compiled.in_use():
        pytest.skip("ARRAYTORCH_CPU=numpy")
    return request.param


def alike(name, *args, **tolerance):
    """The backend's kernel gives what the generic one does, computed in float64."""

    def wide(x):
        return x.astype("f8") if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x

    expected = getattr(PLAIN, name)(*map(wide, args))
    result = getattr(OWN, name)(*args)
    if not isinstance(expected, tuple):
        expected, result = (expected,), (result,)
    for e, r in zip(expected, result, strict=True):
        if e is None:
            assert r is None
            continue
        np.testing.assert_allclose(r, e, **{"rtol": 2e-5, "atol": 2e-6, **tolerance})
        assert r.shape == e.shape
        assert r.dtype == args[0].dtype or r.dtype.kind != "f"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [ROWS, (1, 20001), (20001, 1), (3, 5, 1100)])
def test_softmax_of_large_arrays(choice, shape, dtype):
    """Rows of odd lengths, with numbers far apart, and the gradients."""
    x, g = rand(*shape, dtype=dtype) * 20, rand(*shape, dtype=dtype, seed=1)
    last = len(shape) - 1
    for dim in (last, 0):
        alike("softmax", x, dim)
        alike("log_softmax", x, dim, rtol=1e-5, atol=1e-5)
        alike("softmax_backward", g, OWN.softmax(x, dim), dim)
        alike("log_softmax_backward", g, OWN.log_softmax(x, dim), dim, atol=2e-5)


def test_softmax_of_infinities_and_nan(choice):
    """A row with NaN or an infinity is NaN; -inf has probability 0."""
    x = rand(*ROWS)
    x[0, 3], x[1, 5], x[2, 7], x[3] = np.nan, np.inf, -np.inf, -np.inf
    y = OWN.softmax(x, 1)
    assert np.isnan(y[[0, 1, 3]]).all()
    assert y[2, 7] == 0
    assert np.isfinite(y[4:]).all()
    np.testing.assert_allclose(y[2].sum(), 1, rtol=1e-5)


def test_cross_entropy_of_many_rows(choice):
    """The loss and its gradient."""
    x, target = rand(*ROWS) * 5, np.arange(70) * 5
    loss, p, kept = OWN.cross_entropy(x, target, -100, True)
    expected, q, rows = PLAIN.cross_entropy(x.astype("f8"), target, -100, True)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    np.testing.assert_allclose(p, q, rtol=2e-5, atol=1e-7)
    g = np.array(0.7, np.float32)
    result = OWN.cross_entropy_backward(g, x, target, -100, True, p, kept)
    wide = PLAIN.cross_entropy_backward(0.7, x.astype("f8"), target, -100, True, q, rows)
    np.testing.assert_allclose(result, wide, rtol=2e-5, atol=1e-7)


NORMS = {
    "layer": ((30, 9, 77), (2,), (1, 1, 77)),
    "layer over two": ((70, 13, 31), (1, 2), (1, 13, 31)),
    "batch": (PLANES, (0, 2, 3), (1, 8, 1, 1)),
    "batch of narrow planes": ((99, 40, 2, 3), (0, 2, 3), (1, 40, 1, 1)),
    "batch of rows": ((300, 70), (0,), (1, 70)),
    "group": ((6, 4, 2, 651), (2, 3), (1, 4, 2, 1)),
    "group of narrow planes": ((60, 4, 20, 6), (2, 3), (1, 4, 20, 1)),
    "instance": (PLANES, (2, 3), (1, 8, 1, 1)),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("kind", NORMS)
def test_norms_of_large_arrays(choice, kind, weighted, dtype):
    """All the ways in which what is standardised and its weights may lie in memory."""
    shape, dims, thin = NORMS[kind]
    x, g = rand(*shape, dtype=dtype) + 3, rand(*shape, dtype=dtype, seed=1)
    weight, bias = (rand(*thin, dtype=dtype, seed=s) if weighted else None for s in (2, 3))
    alike("norm_affine", x, dims, weight, bias, 1e-5, atol=5e-5)
    _, mean, rstd = OWN.norm_affine(x, dims, weight, bias, 1e-5)
    for needs in ((True, weighted, True), (False, weighted, False), (True, False, False)):
        alike("norm_affine_backward", g, x, dims, weight, mean, rstd, needs, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_of_large_arrays(choice, approximate):
    """Near zero and far away, and the gradient."""
    x = np.concatenate([rand(20000) * 3, np.logspace(-20, 2, 3000), [0, -0.0, 30, -30]])
    x, g = x.astype("f4"), rand(x.size, seed=1)
    alike("gelu", x, approximate, rtol=1e-5, atol=2e-6)
    alike("gelu_backward", g, x, approximate, rtol=1e-5, atol=4e-6)


def test_activations_of_large_arrays(choice):
    """sigmoid and silu, into both tails."""
    x, g = rand(20001) * 40, rand(20001, seed=1)
    alike("sigmoid", x, rtol=1e-6)
    alike("silu", x, rtol=1e-6)
    alike("silu_backward", g, x, rtol=1e-5, atol=1e-6)
    x[:6] = 3, -3, np.inf, -np.inf, 2.9999998, -2.9999998
    alike("hardswish", x[4:])
    alike("hardswish_backward", g, x, rtol=1e-5, atol=1e-6)
    x[7] = np.nan
    alike("hardswish_backward", g, x, rtol=1e-5, atol=1e-6)
    for name in ("sigmoid", "silu"):
        assert np.isnan(getattr(OWN, name)(np.full(20000, np.nan, "f4"))).all()


@pytest.mark.parametrize("slope", [0.2, 0, -1.5, 3])
def test_leaky_relu_of_large_arrays(choice, slope):
    """For slopes of every kind, with infinities and NaN, and the gradient."""
    x, g = rand(20001), rand(20001, seed=1)
    x[:5] = np.nan, 0, -0.0, np.inf, -1e30
    alike("leaky_relu", x, slope)
    alike("leaky_relu_backward", g, x, slope)


@pytest.mark.parametrize("options", [(1.0, 1.0, 1.0), (1.67, 1.05, 1.0), (2.0, 1.0, 0.5)])
def test_elu_of_large_arrays(options):
    """elu, selu and celu, with infinities and NaN, and their gradient."""
    x, g = rand(20001) * 3, rand(20001, seed=1)
    x[:5] = np.nan, 0, -0.0, np.inf, -np.inf
    alike("elu", x, *options)
    alike("elu_backward", g, x, *options)
    alpha, scale, rate = options
    y = np.where(x > 0, scale * x, scale * alpha * np.expm1(rate * np.minimum(x, 0)))
    np.testing.assert_allclose(OWN.elu(x, *options), y, rtol=1e-5)


def test_batch_norm_by_known_statistics(choice):
    """The slopes and shifts of channels, and the gradients through them."""
    x, w, b, m, v = (torch.tensor(rand(*s, seed=9)) for s in ((9, 8, 20, 17), *[(8,)] * 4))
    leaves = [t.requires_grad_() for t in (x, w, b)]
    y = F.batch_norm(x, m, v.abs(), w, b)
    wide = [t.detach().double().requires_grad_() for t in leaves]
    expected = F.batch_norm(wide[0], m.double(), v.abs().double(), *wide[1:])
    assert torch.allclose(y.double(), expected, atol=1e-4)
    y.square().sum().backward()
    expected.square().sum().backward()
    for t, e in zip(leaves, wide, strict=True):
        assert torch.allclose(t.grad.double(), e.grad, rtol=1e-3, atol=1e-2)


def test_few_largest_of_many():
    """Searched for one after the other; equal ones come in order of place, and -inf counts too."""
    x = np.round(rand(60, 300) * 3)
    for dim in (0, 1):
        alike("topk", x, 5, dim, True)
    x[1, 3:] = -np.inf
    places = OWN.topk(x, 5, 1, True)
    values = np.take_along_axis(x, places, 1)
    np.testing.assert_array_equal(values, -np.sort(-x, 1)[:, :5])
    assert all(len(set(row)) == 5 for row in places.tolist())


def test_erf_of_large_arrays():
    """Within three units in the last place, up to infinity, and NaN of NaN."""
    x = np.concatenate([np.linspace(-6, 6, 100001), np.logspace(-30, 38, 999), [np.inf, -np.inf]])
    alike("erf", x.astype("f4"), rtol=4e-7, atol=0)
    assert np.isnan(OWN.erf(np.full(20000, np.nan, "f4"))).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.int64])
def test_where_of_large_arrays(dtype):
    """Masks of bits choose what a branch would: arrays, numbers, broadcast and other types."""
    x, y = (rand(100, 201, seed=s) * 100 for s in (0, 1))
    mask, x, y = x > y, x.astype(dtype), y.astype(dtype)
    one = np.array(7, dtype)
    for a, b in ((x, y), (x, one), (one, y), (x.T.copy().T, y), (x, y[:1]), (x, y.astype("f8"))):
        expected = np.where(mask, a, b)
        result = OWN.where(mask, a, b)
        assert result.dtype == expected.dtype
        np.testing.assert_array_equal(result, expected)
    np.testing.assert_array_equal(OWN.where(mask, x, 0.5), np.where(mask, x, 0.5))
    np.testing.assert_array_equal(OWN.where(mask, 1, 2), np.where(mask, 1, 2))
    np.testing.assert_array_equal(OWN.masked_fill(x, mask, 3), np.where(mask, one * 0 + 3, x))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["sum", "mean", "prod"])
def test_reductions_of_large_arrays(choice, name, dtype):
    """Rows shorter and longer than a piece, of odd lengths, and dimensions in the middle."""
    for shape in ((50000,), (4, 5000), (5, 4096), (700, 33), (9, 5, 7, 130), (2, 20000, 1)):
        x = np.exp(rand(*shape, dtype=dtype) / 100) if name == "prod" else rand(*shape, dtype=dtype)
        for dims in ((0,), (len(shape) - 1,), tuple(range(len(shape))), (0, len(shape) - 1)):
            for keepdim in (True, False):
                alike(name, x, tuple(sorted(set(dims))), keepdim, rtol=2e-5, atol=1e-4)


def test_sums_lose_no_digits():
    """A sum of four million float32 is as exact as a pairwise one."""
    x = np.random.default_rng(0).random(1 << 22, np.float32)
    exact = x.sum(dtype="f8")
    assert abs(OWN.sum(x, (0,), False) / exact - 1) < 3e-7
    assert abs(OWN.vector_norm(x, 2, (0,), False) / np.sqrt((x.astype("f8") ** 2).sum()) - 1) < 3e-7


def test_norm_and_running_sums_of_large_arrays(choice):
    """Norms of rows long and short, and sums along each dimension."""
    for shape in ((3, 5000), (200, 130), (20000,)):
        x = rand(*shape)
        alike("vector_norm", x, 2, (len(shape) - 1,), True)
        alike("vector_norm", x, 2, tuple(range(len(shape))), False)
        for dim in range(len(shape)):
            alike("cumsum", x, dim, atol=1e-3)
    alike("cumsum", np.arange(40000).reshape(200, 200), 0)


@pytest.mark.parametrize("masked", ["no", "bools", "numbers"])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("saving", [True, False])
def test_attention_of_large_arrays(choice, saving, causal, masked):
    """Many heads at once and a head in parts, with rows that may look nowhere, and the gradients."""
    for lead, rows, columns in (((3, 2), 90, 70), ((2,), 600, 500), ((2, 1), 40, 64)):
        q, k, v, g = (
            rand(*lead, n, d, seed=s)
            for s, (n, d) in enumerate(((rows, 16), (columns, 16), (columns, 9), (rows, 9)))
        )
        mask = None if masked == "no" else rand(rows, columns, seed=7)
        if masked == "bools":
            mask = mask > 0
            mask[3] = False
        dropped = (rand(*lead, rows, columns, seed=8) > 0).astype("f4") * 2
        for drop in (None, dropped):
            args = q, k, v, mask, causal, 0.25, drop
            wide = [
                x.astype("f8") if isinstance(x, np.ndarray) and x.dtype == "f4" else x for x in args
            ]
            expected, q_ = PLAIN.attention(*wide, True)
            out, p = OWN.attention(*args, saving)
            np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-5)
            if not saving:
                assert p is None
                continue
            np.testing.assert_allclose(p, q_, rtol=1e-4, atol=1e-6)
            needs = (True, True, True, False)
            result = OWN.attention_backward(g, *args, p, out, needs)
            good = PLAIN.attention_backward(g.astype("f8"), *wide, q_, expected, needs)
            for r, e in zip(result[:3], good[:3], strict=True):
                np.testing.assert_allclose(r, e, rtol=1e-3, atol=3e-5)


@pytest.mark.parametrize("betas", [(0.9, 0.99), (0.3, 0.8)])
@pytest.mark.parametrize("decay", [0, 0.1])
def test_adam_on_many_parameters(choice, decay, betas):
    """Three steps, against the formula in float64, of parameters packed together and alone."""
    shapes = ((300, 300), (40, 50), (2000,))
    params = [torch.tensor(rand(*s)).requires_grad_() for s in shapes]
    optimizer = torch.optim.AdamW(params, lr=0.01, betas=betas, weight_decay=decay)
    expected = [p.detach().numpy().astype("f8") for p in params]
    moments = [(np.zeros(s), np.zeros(s)) for s in shapes]
    for step in range(1, 4):
        for k, (p, (m, v)) in enumerate(zip(params, moments, strict=True)):
            p.grad = torch.tensor(rand(*p.shape, seed=step))
            g = p.grad.numpy().astype("f8")
            m[...] = betas[0] * m + (1 - betas[0]) * g
            v[...] = betas[1] * v + (1 - betas[1]) * g * g
            root = np.sqrt(v / (1 - betas[1] ** step)) + 1e-8
            expected[k] *= 1 - 0.01 * decay
            expected[k] -= 0.01 * m / (1 - betas[0] ** step) / root
        optimizer.step()
    for p, e in zip(params, expected, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), e, rtol=2e-5, atol=2e-6)


def test_gather_and_scatter_of_large_arrays(choice):
    """Along rows, where there are compiled loops, and along columns; whole columns, too."""
    i = np.random.default_rng(0).integers(0, 150, (150, 150))
    for dtype in (np.float32, np.float64, np.int32, np.int64):
        x, y = ((rand(150, 150, seed=s) * 99).astype(dtype) for s in (0, 1))
        for dim in (0, 1):
            alike("gather", x, dim, i)
            alike("scatter_add", x, dim, i, y, rtol=1e-4, atol=1e-3)
            np.testing.assert_array_equal(OWN.take(x, i[0], dim), np.take(x, i[0], dim))
        np.testing.assert_array_equal(OWN.getitem(x, (slice(None), i[0])), x[:, i[0]])
        np.testing.assert_array_equal(OWN.getitem(x, (slice(3, 90), i[0])), x[3:90, i[0]])
        np.testing.assert_array_equal(OWN.getitem(x, (slice(None), -1 - i[0])), x[:, -1 - i[0]])


def test_indices_out_of_range_of_large_arrays_raise(choice):
    """Also where compiled loops would not look."""
    x = torch.tensor(rand(200, 200))
    for i in (200, -201):
        with pytest.raises(IndexError):
            x[:, torch.tensor([0, i])]
        with pytest.raises(IndexError):
            x.index_select(1, torch.tensor([0, 200]))
        with pytest.raises((IndexError, RuntimeError)):
            x.gather(1, torch.full((200, 200), i))


def test_copies_of_transposed_matrices():
    """Of odd sizes, of stacks of them, and of dimensions exchanged in other ways."""
    for shape in ((131, 257), (3, 70, 131), (2, 3, 65, 67)):
        x = rand(*shape)
        for turned in (x.swapaxes(-1, -2), x.T, x[..., ::-1].swapaxes(-1, -2), x[..., :1]):
            for copy in (OWN.copy, OWN.contiguous):
                result = copy(turned)
                assert result.flags.c_contiguous
                np.testing.assert_array_equal(result, turned)


@needs_numba
def test_compiled_normals_are_the_same_to_the_last_bit(monkeypatch):
    """The random stream does not depend on what computes it."""
    u = np.random.default_rng(0).random(1 << 17, np.float32)
    u[:32] = 0
    v = u.copy()
    box_muller.fill_blocks32(u, 0.0, 1.0)
    monkeypatch.setattr(box_muller, "kernels", lambda topic: None)
    box_muller.fill_blocks32(v, 0.0, 1.0)
    np.testing.assert_array_equal(u.view(np.int32), v.view(np.int32))


def test_relu_and_clamp_keep_nan():
    """Of large arrays as of small ones."""
    x = rand(20000)
    x[:3] = np.nan, np.inf, -np.inf
    np.testing.assert_array_equal(OWN.relu(x), np.maximum(x, 0))
    for low, high in ((-1, 1), (None, 0.5), (0, None), (2, 1)):
        alike("clamp", x, low, high)


def test_small_powers_are_products():
    """As in PyTorch, which does not call pow for 2 and 3."""
    x = torch.tensor(rand(20000))
    assert torch.equal(x**2, x * x)
    assert torch.equal(x**3, x * x * x)
    assert torch.equal(torch.tensor([2, 3]) ** 3, torch.tensor([8, 27]))


ODD = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 3e38, -3e38, 2.0**30]


@pytest.mark.parametrize(
    "name", ["floor_divide", "remainder", "fmod", "hypot", "logaddexp", "copysign"]
)
@pytest.mark.parametrize("odd", [True, False])
def test_arithmetic_of_large_arrays(name, odd):
    """As NumPy's own, with the odd numbers against each other or without, and against one number."""
    x, y = rand(20000) * 10, rand(20000, seed=1)
    x[:99] = np.round(x[:99])
    y[:99] = 0.1
    if odd:
        x[100:244], y[100:244] = np.repeat(ODD, 12), np.tile(ODD, 12)
    ufunc = getattr(np, name)
    with np.errstate(all="ignore"):
        for a, b in ((x, y), (x, np.float32(0.3).reshape(())), (x, 7), (x[::2], y[::2])):
            expected = ufunc(a, b)
            result = getattr(OWN, name)(a, b)
            assert result.dtype == np.float32
            if name in ("hypot", "logaddexp"):
                np.testing.assert_allclose(result, expected, rtol=5e-7, atol=2e-7)
            else:
                np.testing.assert_array_equal(result, expected)
            if name == "copysign":
                np.testing.assert_array_equal(np.signbit(result), np.signbit(expected))


def test_powers_of_large_arrays():
    """By products, as exact as pow; and roots and quotients as PyTorch takes them."""
    x = rand(20000) * 2
    for y in (2, 3, 4, 5, 7, 16, 31, 4.0, -1, -2, 2.5):
        with np.errstate(all="ignore"):
            expected = np.power(x.astype("f8"), y)
            np.testing.assert_allclose(OWN.pow(x, y), expected, rtol=5e-6, atol=1e-37)
    x = torch.tensor([-math.inf, -0.0, 0.0, -1.0, math.inf, 4.0])
    assert torch.equal((x**0.5)[[1, 2, 4, 5]], torch.tensor([0, 0, math.inf, 2]))
    assert (x**0.5)[[0, 3]].isnan().all()  # also of minus infinity, in PyTorch too
    assert torch.equal(x**-1, torch.tensor([0, -math.inf, math.inf, -1, 0, 0.25]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_running_values_of_large_arrays(choice, dtype):
    """Sums, products and extremes so far along each dimension, with places, ties and NaN."""
    for shape in ((200, 130), (70, 64, 5), (3, 20000), (128, 256)):
        x = np.round(rand(*shape) * 3).astype(dtype)
        if dtype != np.int64:
            x[0, 1], x[1, 2] = np.nan, np.inf
        for dim in range(len(shape)):
            for name in ("cummax", "cummin", "cumsum"):
                result, expected = (getattr(B, name)(x, dim) for B in (OWN, PLAIN))
                if name == "cumsum":
                    result, expected = (result,), (expected,)
                for a, b in zip(result, expected, strict=True):
                    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-3)
        near_one = (1 + rand(*shape) / 50).astype(dtype)
        for dim in range(len(shape)):
            np.testing.assert_allclose(
                OWN.cumprod(near_one, dim), np.cumprod(near_one, dim), rtol=1e-3, atol=1e-30
            )


def test_columns_that_a_vector_names_are_added():
    """Through a matrix that is turned around; also negative, repeated, few and of other types."""
    i = np.random.default_rng(0).integers(-90, 90, 300)
    for dtype in (np.float32, np.float64, np.int64):
        target, value = np.ones((4, 50, 90), dtype), (rand(4, 50, 300) * 9).astype(dtype)
        expected = target.copy()
        for at, given in ((i, value), (i.reshape(3, 100), value.reshape(4, 50, 3, 100))):
            index = (slice(None), slice(None), at)
            np.add.at(expected, index, given)
            OWN.add_at(target, index, given)
            np.testing.assert_allclose(target, expected, rtol=1e-5, atol=1e-4)


def test_few_largest_and_smallest_of_one_vector():
    """Equal ones in order of place."""
    x = np.round(rand(30000) * 50)
    for k in (1, 100, 5000):
        for largest in (True, False):
            alike("topk", x, k, 0, largest)


def run(program, **environment):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_environment_chooses_numpy():
    """ARRAYTORCH_CPU=numpy leaves numba alone, and `show` says so."""
    program = """
        import sys
        import arraytorch as torch
        torch.softmax(torch.zeros(300, 300), 1)
        assert "numba" not in sys.modules
        print(torch.backends.show().splitlines()[0])
    """
    out = run(program, ARRAYTORCH_CPU="numpy")
    assert out.returncode == 0, out.stderr
    assert out.stdout.startswith("cpu: NumPy")
    assert "numba" not in out.stdout


def test_environment_is_checked():
    """A choice that there is not is named."""
    out = run("import arraytorch", ARRAYTORCH_CPU="abacus")
    assert "ARRAYTORCH_CPU must be numpy or numba, but is 'abacus'" in out.stderr


@pytest.mark.skipif(find_spec("numba") is not None, reason="numba is installed")
def test_numba_that_is_missing_is_named():
    """A forced choice that cannot be had says what to install."""
    program = "import arraytorch as torch; torch.softmax(torch.zeros(300, 300), 1)"
    out = run(program, ARRAYTORCH_CPU="numba")
    assert "pip install 'arraytorch[jit]'" in out.stderr


@needs_numba
def test_numba_is_loaded_by_the_first_large_array():
    """Neither the import nor small arrays load it; `show` tells that it is in use."""
    program = """
        import sys
        import arraytorch as torch
        torch.softmax(torch.zeros(30, 30), 1)
        assert "numba" not in sys.modules
        torch.softmax(torch.zeros(300, 300), 1)
        assert "numba" in sys.modules
        print(torch.backends.show().splitlines()[0])
    """
    out = run(program, ARRAYTORCH_CPU="")
    assert out.returncode == 0, out.stderr
    assert "for large arrays" in out.stdout


@needs_numba
def test_kernels_that_cannot_be_kept_on_disk_are_compiled_anew(monkeypatch):
    """Where no folder may be written, numba refuses to cache; that is no reason to fail."""
    import numba

    from arraytorch.backends import numba_math

    def njit(cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return numba_njit(**options)

    numba_njit = numba.njit
    numba_math.compiled()(lambda x: x)(
        1
    )  # compiling imports more of numba, which caches some itself
    monkeypatch.setattr(numba, "njit", njit)
    assert numba_math.compiled()(lambda x: x + 1)(2) == 3


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_rms_norm_of_large_arrays(dtype):
    """Where nothing is recorded it is one kernel: by rows, over two dimensions, of a transposed matrix."""
    x, w = rand(160, 128).astype(dtype), rand(128, seed=1).astype(dtype)
    wide = x.astype("f8")
    expected = wide / np.sqrt((wide * wide).mean(1, keepdims=True) + np.finfo(dtype).eps) * w
    close = {"rtol": 1e-5, "atol": 1e-6}
    norm, t, weight = torch.nn.functional.rms_norm, torch.tensor(x), torch.tensor(w)
    np.testing.assert_allclose(norm(t, (128,), weight).numpy(), expected, **close)
    np.testing.assert_allclose(norm(t, (128,)).numpy() * w, expected, **close)
    turned = norm(torch.tensor(x.T.copy()).t(), (128,), weight)
    np.testing.assert_allclose(turned.numpy(), expected, **close)
    expected = x / np.sqrt((wide * wide).reshape(4, -1).mean(1) + 0.1).repeat(40)[:, None]
    found = norm(t.reshape(4, 40, 128), (40, 128), torch.ones(40, 128, dtype=t.dtype), 0.1)
    np.testing.assert_allclose(found.numpy().reshape(160, 128), expected, **close)
    leaf = torch.tensor(x, requires_grad=True)
    recorded = norm(leaf, (128,), weight)
    assert recorded.requires_grad
    np.testing.assert_allclose(recorded.detach().numpy(), norm(t, (128,), weight).numpy(), **close)
