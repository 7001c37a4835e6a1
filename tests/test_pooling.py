"""Pools against windows looked at one by one, their derivatives, PyTorch's numbers and its errors."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import arraytorch as torch
from arraytorch import nn
from arraytorch.autograd import gradcheck, gradgradcheck
from arraytorch.backends.arrays import ArrayKernels
from arraytorch.backends.convolution import ConvolutionKernels, convolution
from arraytorch.backends.numpy_places import NumpyPlaceKernels
from arraytorch.backends.numpy_pooling import NumpyPoolingKernels
from arraytorch.backends.pooling import PoolingKernels
from arraytorch.backends.scattering import ScatterKernels

F = nn.functional
RNG = np.random.default_rng(11)
NAN, INF = float("nan"), float("inf")


def out_of(n, k, s, p, d, ceil):
    count = (n + 2 * p - d * (k - 1) - 1 + (s - 1 if ceil else 0)) // s + 1
    return count - 1 if ceil and (count - 1) * s >= n + p else count


def windows(spatial, size, stride, padding, dilation, ceil):
    """For each output, the places of its window that lie in the input, and all that it counts."""
    out = tuple(map(out_of, spatial, size, stride, padding, dilation, (ceil,) * len(size)))
    for o in product(*map(range, out)):
        starts = [i * s - p for i, s, p in zip(o, stride, padding)]
        edges = [
            [a + j * d for j in range(k) if 0 <= a + j * d < n]
            for a, k, d, n in zip(starts, size, dilation, spatial)
        ]
        counted = np.prod(
            [min(a + k, n + p) - a for a, k, n, p in zip(starts, size, spatial, padding)]
        )
        yield o, list(product(*edges)), counted


def reference_max(x, *geometry):
    """Values and flat indices: the first maximum, the last NaN."""
    values, indices = {}, {}
    for o, places, _ in windows(x.shape[2:], *geometry):
        for n, c in np.ndindex(x.shape[:2]):
            best = None
            for at in places:
                v = x[(n, c, *at)]
                if best is None or v > best or v != v:
                    best, where = v, at
            values[(n, c, *o)] = best
            indices[(n, c, *o)] = np.ravel_multi_index(where, x.shape[2:])
    shape = tuple(np.max(list(values), axis=0) + 1)
    order = list(np.ndindex(shape))
    return (
        np.array([values[i] for i in order]).reshape(shape),
        np.array([indices[i] for i in order]).reshape(shape),
    )


def reference_mean(x, size, stride, padding, ceil, include, override=None):
    values = {}
    ones = (1,) * len(size)
    for o, places, counted in windows(x.shape[2:], size, stride, padding, ones, ceil):
        total = sum(x[(..., *at)] for at in places)
        values[o] = total / (override or (counted if include else len(places)))
    shape = tuple(np.max(list(values), axis=0) + 1)
    return np.stack([values[i] for i in np.ndindex(shape)], -1).reshape(*x.shape[:2], *shape)


# input; size; stride; padding; dilation; ceil_mode
CASES = [
    ((2, 2, 7), (2,), (2,), (0,), (1,), False),
    ((2, 2, 8), (3,), (2,), (1,), (1,), True),
    ((2, 3, 6, 4), (2, 2), (2, 2), (0, 0), (1, 1), False),
    ((2, 2, 7, 7), (2, 2), (2, 2), (0, 0), (1, 1), False),
    ((2, 2, 7, 7), (2, 2), (2, 2), (0, 0), (1, 1), True),
    ((1, 2, 8, 9), (3, 3), (2, 2), (1, 1), (1, 1), True),
    ((1, 2, 9, 8), (2, 3), (1, 2), (1, 0), (3, 2), False),
    ((1, 1, 8, 8), (8, 7), (8, 7), (0, 0), (1, 1), False),
    ((2, 1, 5, 4, 6), (2, 1, 3), (2, 1, 2), (1, 0, 1), (1, 1, 1), True),
]
MAX = F.max_pool1d, F.max_pool2d, F.max_pool3d
AVG = F.avg_pool1d, F.avg_pool2d, F.avg_pool3d


def tied(shape):
    """Few different values, so that windows have ties."""
    return RNG.integers(-2, 3, shape).astype(np.float64)


def with_nan(shape):
    x = RNG.standard_normal(shape)
    x[RNG.random(shape) < 0.2] = NAN
    return x


def lowest(shape):
    """Mostly minus infinity, which padding must not outdo."""
    x = np.full(shape, -INF)
    x[RNG.random(shape) < 0.2] = 1
    return x


@pytest.mark.parametrize("made", [tied, with_nan, lowest])
@pytest.mark.parametrize("case", CASES)
def test_max_pool_takes_the_first_maximum_or_the_last_nan(case, made):
    """Values and indices are those of a scan in order."""
    shape, *geometry = case
    x = made(shape)
    size, stride, padding, dilation, ceil = geometry
    pool = MAX[len(size) - 1]
    values, indices = pool(torch.tensor(x), size, stride, padding, dilation, ceil, True)
    expected = reference_max(x, *geometry)
    np.testing.assert_array_equal(values.numpy(), expected[0])
    np.testing.assert_array_equal(indices.numpy(), expected[1])
    assert indices.dtype is torch.int64
    alone = pool(torch.tensor(x), size, stride, padding, dilation, ceil)
    np.testing.assert_array_equal(alone.numpy(), expected[0])


class Generic(ScatterKernels, PoolingKernels, ConvolutionKernels, ArrayKernels):
    xp = np

    def add_at(self, target, index, value):
        np.add.at(target, index, value)


class Fast(NumpyPoolingKernels, NumpyPlaceKernels, Generic):
    pass


@pytest.mark.parametrize("case", CASES)
def test_gradient_goes_where_the_maximum_was(case):
    """In both kinds of kernels, and back again: gathering is the transpose of scattering."""
    shape, size, stride, padding, dilation, ceil = case
    x = tied(shape)
    values, indices = reference_max(x, size, stride, padding, dilation, ceil)
    ends = [
        (o - 1) * s + d * (k - 1) + 1 - n - p
        for o, s, d, k, n, p in zip(values.shape[2:], stride, dilation, size, shape[2:], padding)
    ]
    c = convolution(stride, tuple(zip(padding, ends)), dilation, 1, size, shape[2:])
    g = RNG.standard_normal(values.shape)
    expected = np.zeros((*shape[:2], np.prod(shape[2:])))
    for at in np.ndindex(values.shape):
        expected[(*at[:2], indices[at])] += g[at]
    for kernels in (Generic(), Fast()):
        _, arg = kernels.max_pool_arg(x, c)
        np.testing.assert_array_equal(kernels.max_pool_indices(arg, c), indices)
        dx = kernels.max_pool_input(g, arg, c)
        np.testing.assert_allclose(dx, expected.reshape(shape), atol=1e-12)
        np.testing.assert_array_equal(kernels.max_pool_gather(x, arg, c), values)
        np.testing.assert_allclose(kernels.max_pool_scatter(g, indices, shape[2:]), dx, atol=1e-12)


@pytest.mark.parametrize("include", [True, False])
@pytest.mark.parametrize("case", [c for c in CASES if set(c[4]) == {1}])
def test_avg_pool_is_the_mean_of_each_window(case, include):
    """With padding counted or not, and with any divisor."""
    shape, size, stride, padding, _, ceil = case
    x = RNG.standard_normal(shape)
    pool = AVG[len(size) - 1]
    y = pool(torch.tensor(x), size, stride, padding, ceil, include)
    np.testing.assert_allclose(
        y.numpy(), reference_mean(x, size, stride, padding, ceil, include), atol=1e-12
    )
    if len(size) > 1:
        y = pool(torch.tensor(x), size, stride, padding, ceil, include, 5)
        expected = reference_mean(x, size, stride, padding, ceil, include, 5)
        np.testing.assert_allclose(y.numpy(), expected, atol=1e-12)


def adaptive(n, out):
    return [(i * n // out, -(-(i + 1) * n // out)) for i in range(out)]


@pytest.mark.parametrize(
    ("spatial", "out"), [((7,), (3,)), ((6, 5), (3, 2)), ((4, 6), (2, 3)), ((5, 3, 4), (2, 4, 4))]
)
def test_adaptive_pools_have_the_windows_of_pytorch(spatial, out):
    """From floor(i n / m) to ceil((i + 1) n / m) along each dimension."""
    x = tied((2, 2, *spatial))
    n = len(spatial) - 1
    means = (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)[n]
    maxima = (F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d)[n]
    mean = means(torch.tensor(x), out).numpy()
    values, indices = maxima(torch.tensor(x), out, True)
    flat = x.reshape(2, 2, -1)
    for at in np.ndindex(out):
        box = tuple(slice(*adaptive(m, k)[i]) for i, m, k in zip(at, spatial, out))
        part = x[(slice(None), slice(None), *box)].reshape(2, 2, -1)
        here = (slice(None), slice(None), *at)
        np.testing.assert_allclose(mean[here], part.mean(-1))
        np.testing.assert_array_equal(values.numpy()[here], part.max(-1))
        picked = np.take_along_axis(flat, indices.numpy()[here][..., None], -1)[..., 0]
        np.testing.assert_array_equal(picked, part.max(-1))


DIFFERENTIABLE = [
    lambda x: F.max_pool2d(x, 2),
    lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True),
    lambda x: F.max_pool2d(x, (6, 7)),
    lambda x: F.max_pool1d(x[0], 3, 1, dilation=2),
    lambda x: F.max_pool3d(x, (1, 2, 2)),
    lambda x: F.avg_pool2d(x, 2),
    lambda x: F.avg_pool2d(x, 3, 2, 1, True, False),
    lambda x: F.avg_pool1d(x[0], 3, 1, 1),
    lambda x: F.avg_pool3d(x, (1, 2, 2), divisor_override=3),
    lambda x: F.adaptive_avg_pool2d(x, (4, 3)),
    lambda x: F.adaptive_avg_pool2d(x, 1),
    lambda x: F.adaptive_avg_pool3d(x, (1, 3, 7)),
    lambda x: F.adaptive_max_pool2d(x, (4, 3)),
    lambda x: F.adaptive_max_pool2d(x, (3, 7)),
    lambda x: F.lp_pool2d(x.abs(), 2, 2),
    lambda x: F.unfold(x, (2, 3), 1, 1, 2),
    lambda x: F.fold(F.unfold(x, 2), (6, 7), 2, padding=0),
]


@pytest.mark.parametrize("function", DIFFERENTIABLE)
def test_pool_gradients(function):
    """First and second derivatives agree with differences."""
    x = torch.tensor(RNG.permutation(84).reshape(1, 2, 6, 7) / 10 + 0.05).requires_grad_()
    assert gradcheck(function, [x])
    assert gradgradcheck(function, [x])


def test_recorded_numbers():
    """From PyTorch 2.13."""
    x = torch.tensor([[[1.0, NAN, 2.0, NAN], [NAN, 3.0, 5.0, 5.0]]])
    assert F.max_pool2d(x, 2, return_indices=True)[1].tolist() == [[[4, 3]]]
    x = torch.tensor([[1.0, 1, 1], [1, 1, 1], [1, 1, 2]], requires_grad=True)
    F.max_pool2d(x[None], 2, 1).sum().backward()
    assert x.grad.tolist() == [[1, 1, 0], [1, 0, 0], [0, 0, 1]]
    x = torch.arange(1.0, 8)[None]
    assert F.avg_pool1d(x, 3, 2, 1, True, False).tolist() == [[1.5, 3, 5, 6.5]]
    expected = [[1, 3, 5, 13 / 3]]
    np.testing.assert_allclose(F.avg_pool1d(x, 3, 2, 1, True, True).numpy(), expected, rtol=1e-6)
    assert F.adaptive_avg_pool1d(x, 3).tolist() == [[2, 4, 6]]
    values, indices = F.adaptive_max_pool1d(x, 3, True)
    assert values.tolist() == [[3, 5, 7]] and indices.tolist() == [[2, 4, 6]]
    y = F.lp_pool1d(torch.tensor([[1.0, 2, 3, 4]]), 3, 2)
    np.testing.assert_allclose(y.numpy(), [[2.0801, 4.4979]], atol=1e-4)


def test_unpooling_inverts_pooling():
    """Maxima return to their places, in the size asked for."""
    x = torch.tensor(RNG.permutation(70).reshape(1, 2, 5, 7).astype(np.float64))
    values, indices = F.max_pool2d(x, 2, return_indices=True)
    y = F.max_unpool2d(values, indices, 2, output_size=(5, 7))
    assert y.shape == x.shape and torch.equal(F.max_pool2d(y, 2), values)
    assert ((y == 0) | (y == x)).all()
    assert nn.MaxUnpool2d(2)(values, indices - indices + 1).shape == (1, 2, 4, 6)
    with pytest.raises(ValueError, match="invalid output_size"):
        F.max_unpool2d(values, indices, 2, output_size=(9, 7))
    with pytest.raises(RuntimeError, match="Found an invalid max index: 99"):
        F.max_unpool2d(values, torch.full(indices.shape, 99), 2)
    with pytest.raises(RuntimeError, match="should be type int64"):
        F.max_unpool2d(values, indices.float(), 2)


def test_dtypes():
    """16-bit floats are averaged in float32; integers have maxima but, mostly, no means."""
    for dtype in (torch.float16, torch.bfloat16):
        y = F.avg_pool2d(torch.ones(1, 64, 64, dtype=dtype), 64)
        assert y.dtype is dtype and y.item() == 1
        assert F.max_pool2d(torch.ones(1, 4, 4, dtype=dtype), 2).dtype is dtype
    assert F.max_pool2d(torch.arange(16).reshape(1, 4, 4), 2).tolist() == [[[5, 7], [13, 15]]]
    assert F.avg_pool2d(torch.tensor([[[-1, -2]]]), (1, 2)).item() == -1  # rounded to zero
    with pytest.raises(NotImplementedError, match="not implemented for 'Int'"):
        F.avg_pool2d(torch.ones(1, 4, 4, dtype=torch.int32), 2)
    with pytest.raises(NotImplementedError, match="not implemented for 'Bool'"):
        F.max_pool2d(torch.ones(1, 4, 4, dtype=torch.bool), 2)
    with pytest.raises(NotImplementedError, match="not implemented for 'Long'"):
        F.adaptive_avg_pool2d(torch.ones(1, 4, 4, dtype=torch.int64), 2)


def test_empty_and_unbatched():
    """No samples give no results; a sample without a batch dimension stays without."""
    x = torch.ones(0, 3, 4, 4, requires_grad=True)
    for y in (F.max_pool2d(x, 2), F.avg_pool2d(x, 2), F.adaptive_max_pool2d(x, 3)):
        assert y.shape[:2] == (0, 3)
        y.sum().backward()
    values, indices = F.max_pool1d(torch.tensor([[1.0, 3.0, 2.0]]), 2, return_indices=True)
    assert values.tolist() == [[3]] and indices.tolist() == [[1]]
    assert F.adaptive_avg_pool2d(torch.ones(2, 4, 4), 0).shape == (2, 0, 0)


def test_windows_in_padding_only_lose_their_gradient():
    """With few distant elements a window may meet none of the input."""
    x = torch.ones(1, 1, 1, requires_grad=True)
    y = F.max_pool1d(x, 2, 1, 1, 2)
    assert y.tolist() == [[[-INF]]]
    y.sum().backward()
    assert x.grad.item() == 0


BAD = [
    (lambda x: F.max_pool2d(x[0, 0], 2), "non-empty 3D or 4D"),
    (lambda x: F.max_pool2d(x, 0), "stride should not be zero"),
    (lambda x: F.max_pool2d(x, 2, 0), "stride should not be zero"),
    (lambda x: F.max_pool2d(x, -1), "kernel size should be greater than zero"),
    (lambda x: F.max_pool2d(x, 2, 2, 2), "pad should be at most half of effective kernel size"),
    (lambda x: F.max_pool2d(x, 2, 2, -1), "pad must be non-negative, but got pad: -1"),
    (lambda x: F.max_pool2d(x, 2, 2, 0, 0), "dilation should be greater than zero"),
    (lambda x: F.max_pool2d(x, 5), r"Calculated output size: \(3x0x0\). Output size is too small"),
    (
        lambda x: F.max_pool2d(x, (2, 2, 2)),
        "kernel_size must either be a single int, or a tuple of two",
    ),
    (lambda x: F.max_pool2d(x[:, :0], 2), "with optional 0 dim batch size for input"),
    (lambda x: F.max_pool1d(x, 2), "max_pool1d: Expected 2D or 3D"),
    (
        lambda x: F.max_pool1d(x[0], 0),
        r"max_pool1d\(\) kernel_size must be greater than zero, but got 0",
    ),
    (lambda x: F.max_pool1d(x[0], 5), r"max_pool1d\(\) Invalid computed output size: 0"),
    (lambda x: F.avg_pool1d(x, 2), "Expected 2 to 3 dimensions, but got 4-dimensional tensor"),
    (lambda x: F.avg_pool2d(x, 2, divisor_override=0), "divisor must be not zero"),
    (lambda x: F.avg_pool3d(x, 5), "smaller than kernel size"),
    (lambda x: F.adaptive_avg_pool2d(x[0, 0], 2), "Expected 3D or 4D tensor, but got"),
    (lambda x: F.adaptive_avg_pool2d(x, (2, 2, 2)), "output_size must be 2"),
    (lambda x: F.adaptive_avg_pool2d(x, -1), "must be greater than or equal to 0"),
    (lambda x: F.adaptive_max_pool2d(x[:, :, :0], 2), "non-zero size for non-batch dimensions"),
    (lambda x: F.unfold(x, 5), "its components must be at least one"),
    (lambda x: F.unfold(x, 2, 0), "dilation should be greater than zero"),
    (lambda x: F.fold(torch.ones(1, 12, 8), (4, 4), 2), "number of sliding blocks 3 . 3 = 9"),
    (lambda x: F.fold(torch.ones(1, 11, 9), (4, 4), 2), "divisible by the product of kernel_size"),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_bad_windows_raise_what_pytorch_raises(call, message):
    """RuntimeError, with the numbers."""
    with pytest.raises(RuntimeError, match=message):
        call(torch.ones(1, 3, 4, 4))


def test_bad_types_raise_type_error():
    """No tensor, no int."""
    with pytest.raises(TypeError, match="argument 'input'"):
        F.max_pool2d([1], 2)
    with pytest.raises(TypeError, match="must be tuple of ints, not float"):
        F.max_pool2d(torch.ones(1, 4, 4), 2.5)


def test_layers_compute_and_print_as_in_pytorch():
    """The layers hand their arguments on, and show them."""
    x = torch.arange(32.0).reshape(1, 2, 4, 4)
    for layer, function in (
        (nn.MaxPool2d(3, 2, 1), lambda t: F.max_pool2d(t, 3, 2, 1)),
        (nn.AvgPool2d(3, 2, 1, True, False), lambda t: F.avg_pool2d(t, 3, 2, 1, True, False)),
        (nn.AdaptiveAvgPool2d((None, 3)), lambda t: F.adaptive_avg_pool2d(t, (4, 3))),
        (nn.AdaptiveMaxPool2d(3), lambda t: F.adaptive_max_pool2d(t, 3)),
        (nn.LPPool2d(2, 2), lambda t: F.lp_pool2d(t, 2, 2)),
        (nn.Unfold(2, stride=2), lambda t: F.unfold(t, 2, stride=2)),
    ):
        assert torch.equal(layer(x), function(x))
    assert repr(nn.MaxPool2d(2)) == (
        "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"
    )
    assert repr(nn.AvgPool1d(2, 3, 1)) == "AvgPool1d(kernel_size=(2,), stride=(3,), padding=(1,))"
    assert repr(nn.AvgPool2d(2)) == "AvgPool2d(kernel_size=2, stride=2, padding=0)"
    assert repr(nn.AdaptiveMaxPool3d(3, True)) == "AdaptiveMaxPool3d(output_size=3)"
    assert (
        repr(nn.LPPool1d(2, 3))
        == "LPPool1d(norm_type=2, kernel_size=3, stride=None, ceil_mode=False)"
    )
    assert repr(nn.MaxUnpool1d(2)) == "MaxUnpool1d(kernel_size=(2,), stride=(2,), padding=(0,))"


@pytest.mark.parametrize("size", [3, 4])  # windows of one size, and of several
def test_adaptive_pools_keep_channels_last(size):
    """Results, and the places of maxima, have their channels last if the images have."""
    x = torch.randn(2, 3, 6, 6)
    last = x.to(memory_format=torch.channels_last)
    packed = (3 * size * size, 1, 3 * size, 3)
    for pool in (F.adaptive_avg_pool2d, F.adaptive_max_pool2d):
        assert pool(last, size).stride() == packed and pool(x, size).is_contiguous()
        torch.testing.assert_close(pool(last, size), pool(x, size))
    values, places = F.adaptive_max_pool2d(last, size, return_indices=True)
    assert values.stride() == places.stride() == packed
