"""Matrix products, convolutions and recurrent layers of large arrays, shared by threads or compiled."""

from importlib.util import find_spec

import numpy as np
import pytest
import scipy.signal

import arraytorch as torch
from arraytorch.backends import compiled, numpy_convolution, numpy_products, numpy_recurrence
from arraytorch.backends.convolution import ConvolutionKernels, convolution
from arraytorch.backends.generic import ArrayModuleBackend
from arraytorch.backends.numpy import NumpyBackend
from arraytorch.backends.recurrence import Steps

needs_numba = pytest.mark.skipif(
    find_spec("numba") is None or not compiled.in_use(), reason="needs the extra `jit`"
)
DTYPES = [np.float32, np.float64]
OWN, PLAIN = NumpyBackend(), ArrayModuleBackend(np)


class Generic(ConvolutionKernels):
    xp = np


def rand(*shape, dtype=np.float32, seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(dtype)


def assert_near(result, expected):
    """The difference is rounding, measured by what the array is as a whole."""
    assert result.shape == expected.shape
    unit = np.finfo(result.dtype).eps
    scale = np.linalg.norm(expected) + np.sqrt(expected.size)
    assert np.linalg.norm(result - expected) <= 30 * unit * scale


def wide(*arrays):
    return [None if x is None else x.astype("f8") for x in arrays]


@pytest.fixture
def threads():
    """Sets the number of threads, and sets it back."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def geometries(count):
    """Random convolutions: samples, inputs, outputs and the geometry."""
    random = np.random.default_rng(5)

    def some(least, most, n):
        return tuple(map(int, random.integers(least, most, n)))

    found = []
    while len(found) < count:
        dims = int(random.integers(1, 4))
        most = {1: 90, 2: 35, 3: 9}[dims]
        groups = int(random.choice([1, 1, 1, 2, 3]))
        inputs, outputs = groups * some(1, 9, 1)[0], groups * some(1, 30, 1)[0]
        if random.random() < 0.3:
            groups = outputs = inputs
        padding = tuple(zip(some(-1, 4, dims), some(-1, 4, dims), strict=True))
        c = convolution(
            some(1, 4, dims),
            padding,
            some(1, 3, dims),
            groups,
            some(1, 5, dims),
            some(1, most, dims),
        )
        if min(c.out) > 0:
            found.append((some(1, 4, 1)[0], inputs, outputs, c))
    return found


@needs_numba
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", geometries(40))
def test_compiled_convolution_of_any_geometry(case, dtype):
    """All three kernels give what the generic ones give in float64."""
    from arraytorch.backends import numba_convolution

    n, inputs, outputs, c = case
    x = rand(n, inputs, *c.spatial, dtype=dtype)
    w = rand(outputs, inputs // c.groups, *c.size, dtype=dtype)
    g = rand(n, outputs, *c.out, dtype=dtype)
    b, at_input = rand(outputs, dtype=dtype), rand(inputs, dtype=dtype)
    kernels, plain = numba_convolution, Generic()
    for bias in (None, b):
        assert_near(kernels.conv(x, w, c, bias), plain.conv(*wide(x, w), c, *wide(bias)))
    for bias in (None, at_input):
        assert_near(
            kernels.conv_input(g, w, c, bias), plain.conv_input(*wide(g, w), c, *wide(bias))
        )
    assert_near(kernels.conv_weight(x, g, c), plain.conv_weight(*wide(x, g), c))


@pytest.mark.parametrize("size", [(40, 56), (32, 32), (64, 48), (31, 37)])
def test_convolution_of_large_images_is_scipys(size):
    """An independent reference: a sum of correlations, for whole lines and for cut ones."""
    x, w = rand(2, 3, *size), rand(10, 3, 3, 3)
    y = torch.nn.functional.conv2d(torch.tensor(x), torch.tensor(w), padding=1).numpy()
    for n in range(2):
        for o in range(10):
            expected = sum(
                scipy.signal.correlate(x[n, i].astype("f8"), w[o, i].astype("f8"), "same")
                for i in range(3)
            )
            assert_near(y[n, o], expected)


@pytest.mark.parametrize("groups", [1, 8])
def test_convolution_spreads_nan_no_further_than_it_must(groups):
    """Neither padding nor what lies beside a window is multiplied with what is infinite."""
    x, w, g = rand(2, 8, 40, 41), rand(8, 8 // groups, 3, 3), rand(2, 8, 40, 41)
    x[1, 2, 0, 40], x[0, 3, 20, 0], g[0, 1, 39, 40] = np.inf, np.nan, np.nan
    c = convolution((1, 1), ((1, 1), (1, 1)), (1, 1), groups, (3, 3), (40, 41))
    with np.errstate(invalid="ignore"):
        for name, args in (("conv", (x, w)), ("conv_input", (g, w))):
            result, expected = (getattr(k, name)(*args, c) for k in (OWN, Generic()))
            np.testing.assert_array_equal(np.isfinite(result), np.isfinite(expected))
        if groups > 1 and find_spec("numba") and compiled.in_use():
            result, expected = OWN.conv_weight(x, g, c), Generic().conv_weight(x, g, c)
            np.testing.assert_array_equal(np.isfinite(result), np.isfinite(expected))


def test_convolution_of_views():
    """Turned, strided, broadcast and reversed operands; a batch of none."""
    x, w = (
        rand(64, 40, 6, 5).transpose(3, 2, 1, 0),
        rand(3, 3, 6, 14)[:, ::-1].transpose(3, 2, 0, 1),
    )
    c = convolution((1, 1), ((1, 1), (1, 1)), (1, 1), 1, (3, 3), (40, 64))
    g = np.broadcast_to(rand(14, 1, 64), (5, 14, 40, 64))
    assert_near(OWN.conv(x, w, c), Generic().conv(*wide(x, w), c))
    assert_near(OWN.conv_input(g, w, c), Generic().conv_input(*wide(g, w), c))
    assert_near(OWN.conv_weight(x, g, c), Generic().conv_weight(*wide(x, g), c))
    assert OWN.conv(x[:0], w, c).shape == (0, 14, 40, 64)
    assert not OWN.conv_weight(x[:0], g[:0], c).any()


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 3])
def test_threads_share_convolutions(number, size, threads, monkeypatch):
    """Any number of threads gives the same to rounding, with the matrix library or without."""
    p = size // 2
    c = convolution((1, 1), ((p, p), (p, p)), (1, 1), 1, (size, size), (40, 40))
    x, w, g = rand(5, 24, 40, 40), rand(40, 24, size, size), rand(5, 40, 40, 40)
    threads(number)
    monkeypatch.setattr(numpy_convolution, "_WORTH", 1)
    for _ in range(2):
        assert_near(OWN.conv(x, w, c), Generic().conv(*wide(x, w), c))
        assert_near(OWN.conv_input(g, w, c), Generic().conv_input(*wide(g, w), c))
        assert_near(OWN.conv_weight(x, g, c), Generic().conv_weight(*wide(x, g), c))
        assert torch.get_num_threads() == number
        monkeypatch.setattr(numpy_convolution, "kernels", lambda topic: None)


@needs_numba
@pytest.mark.parametrize(("number", "samples"), [(2, 8), (3, 10)])
@pytest.mark.parametrize("outputs", [200, 203])
def test_threads_share_the_outputs_of_small_images(number, samples, outputs, threads):
    """Where the columns of an image are too few for all threads to get as many."""
    c = convolution((1, 1), ((1, 1), (1, 1)), (1, 1), 1, (3, 3), (4, 4))
    x, w, bias = rand(samples, 64, 4, 4), rand(outputs, 64, 3, 3), rand(outputs)
    threads(number)
    expected = Generic().conv(*wide(x, w), c) + bias.astype("f8")[:, None, None]
    assert_near(OWN.conv(x, w, c, bias), expected)
    g = rand(samples, outputs, 4, 4)
    assert_near(OWN.conv_input(g, w, c), Generic().conv_input(*wide(g, w), c))


EDGES = [1, 2, 7, 8, 9, 15, 16, 17, 47, 48, 49, 97]


@needs_numba
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows", EDGES)
def test_compiled_products_at_the_edges_of_tiles(rows, dtype):
    """Around the numbers of rows and columns of a tile, of either order in memory."""
    from arraytorch.backends import numba_products

    for columns in EDGES:
        for depth in (1, 5, 16, 400):
            x, y = rand(rows, depth, dtype=dtype), rand(depth, columns, dtype=dtype)
            expected = x.astype("f8") @ y
            for order in ("C", "F"):
                for other in ("C", "F"):
                    a, b = np.array(x, order=order), np.array(y, order=other)
                    assert_near(numba_products.matmul(a, b), expected)
            assert_near(numba_products.times(y)(x), expected)
            assert_near(numba_products.times(np.array(y, order="F"))(x), expected)


@needs_numba
def test_large_products(threads):
    """Threads share rows or columns; views; 0 times infinity is NaN, as ever."""
    for number in (1, 3):
        threads(number)
        for m, k, n in ((700, 128, 256), (20, 300, 2000), (2000, 64, 40)):
            x, y = rand(m, k), rand(k, n)
            assert_near((torch.tensor(x) @ torch.tensor(y)).numpy(), x.astype("f8") @ y)
            flipped = torch.tensor(x).flip(0)[::2] @ torch.tensor(y)[:, ::3]
            assert_near(flipped.numpy(), x.astype("f8")[::-1][::2] @ y[:, ::3])
    x, y = np.zeros((200, 200), "f4"), rand(200, 200)
    y[7, 9] = np.inf
    z = torch.tensor(x) @ torch.tensor(y)
    assert z[:, 9].isnan().all() and z.isnan().sum() == 200


def walks(mode):
    """Steps whose sequences are all as long, that end, and that begin, and where rows of them are."""
    counts = ([9] * 7, [9, 9, 7, 4, 4, 1], [1, 4, 4, 7, 9, 9])
    for rows in counts:
        stops = np.cumsum(rows)
        yield Steps(mode, tuple(zip((stops - rows).tolist(), stops.tolist(), strict=True)))


@needs_numba
@pytest.mark.parametrize("mode", ["LSTM", "GRU", "RNN_TANH"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_compiled_walks_of_recurrent_layers(mode, dtype, monkeypatch):
    """States and all gradients, with and without a gradient of the last state."""
    monkeypatch.setattr(numpy_recurrence, "MANY", 1)
    size, gates = 20, {"LSTM": 4, "GRU": 3, "RNN_TANH": 1}[mode]
    for steps in walks(mode):
        x = rand(max(stop for _, stop in steps.spans), 6, dtype=dtype)
        h = rand(9, size, dtype=dtype)
        c = rand(9, size, dtype=dtype, seed=1) if mode == "LSTM" else None
        weights = [rand(gates * size, n, dtype=dtype) / 3 for n in (6, size)]
        weights += [rand(gates * size, dtype=dtype, seed=n) for n in (1, 2)]
        outs = [
            (k, k.recurrence(*a, None, steps), a)
            for k, a in ((OWN, [x, h, c, *weights]), (PLAIN, wide(x, h, c, *weights)))
        ]
        for result, expected in zip(outs[0][1][:3], outs[1][1][:3], strict=True):
            if result is not None:
                assert_near(result, expected)
        for last in (None, rand(9, size, dtype=dtype, seed=3)):
            given = [rand(*outs[0][1][0].shape, dtype=dtype, seed=4), last]
            given += [last] if mode == "LSTM" else []
            found = [
                k.recurrence_backward(
                    given if k is OWN else wide(*given), *a, None, steps, out[0], out[3], (True,) * 7 + (False,)
                )
                for k, out, a in outs
            ]  # fmt: skip
            for result, expected in zip(*found, strict=True):
                if expected is not None and result is not None:
                    assert_near(result, expected)


@needs_numba
def test_compiled_tanh():
    """Relative errors of a few units over the whole range; infinities and NaN."""
    from arraytorch.backends.numba_recurrence import _tanh

    x = np.concatenate([np.logspace(-20, 2, 3000), [0, np.inf]]).astype("f4")
    for sign in (1, -1):
        result = np.array([_tanh(sign * v) for v in x])
        np.testing.assert_allclose(result, np.tanh(sign * x.astype("f8")), rtol=4e-7)
    assert np.isnan(_tanh(np.float32(np.nan)))


@pytest.mark.parametrize("number", [1, 2, 3])
def test_threads_share_batches_of_products(number, threads, monkeypatch):
    """Any layout, any leading dimensions, broadcast or not; the number of threads is kept."""
    threads(number)
    monkeypatch.setattr(numpy_products, "_WORTH", 1)
    x, y = rand(3, 4, 30, 50), rand(3, 4, 50, 40)
    for a in (x, np.ascontiguousarray(x.swapaxes(2, 3)).swapaxes(2, 3), x[:, ::-1], x[:1]):
        for b in (y, np.ascontiguousarray(y.swapaxes(2, 3)).swapaxes(2, 3), y[..., ::2], y[0, :1]):
            result = OWN.matmul(a, b)
            assert_near(result, np.matmul(a.astype("f8"), b))
            assert result.flags.c_contiguous
    assert OWN.matmul(x, y.astype("f8")).dtype == np.float64
    assert OWN.matmul(x[..., :0], y[..., :0, :]).sum() == 0
    with pytest.raises(ValueError):
        OWN.matmul(x, x)
    assert torch.get_num_threads() == number
