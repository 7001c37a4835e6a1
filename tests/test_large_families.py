"""Scans, masks, norms of labels, windows and columns of large arrays, whose kernels cover families of operations."""

import math

import numpy as np
import pytest

import arraytorch as torch
from arraytorch.backends.generic import ArrayModuleBackend
from arraytorch.backends.numpy import NumpyBackend


class Plain(ArrayModuleBackend):
    """The generic kernels over NumPy, with none of its own."""


PLAIN, OWN = Plain(np), NumpyBackend()


def rand(*shape, dtype=np.float32, seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_running_products_leave_the_range_as_one_after_the_other_would(dtype):
    """Zeros, infinities and numbers whose products underflow or overflow before others bring them back."""
    near_one = np.exp(rand(90, 700, dtype=dtype) / 40)
    near_one[::7] *= np.where(rand(13, 700) > 0, 1, -1)
    tail = [1e30, 1e-30] + [1e-30, 1e30] * 40 if dtype == np.float32 else [1e300, 1e-300] * 41
    for some in ([0.0], [np.inf, 0.0], [np.nan], tail, tail[::-1], [1e30] * 4 + [1e-30] * 8, []):
        x = near_one.copy()
        x[5, 33 : 33 + len(some)] = some
        with np.errstate(all="ignore"):
            found, expected = OWN.cumprod(x, 1), np.cumprod(x, 1)
        np.testing.assert_allclose(found, expected, rtol=2e-4)


def test_running_extremes_of_rows_of_many_lengths():
    """Also of such as are not a power of two, and longer than what is worth doubling."""
    for n in (31, 32, 33, 64, 100, 257, 4096, 5000):
        x = rand(20000 // n + 70, n).round(1)
        x[3, n // 2], x[4, 0] = np.nan, -np.inf
        for name, function in (("cummax", np.maximum), ("cummin", np.minimum)):
            values, places = getattr(OWN, name)(x, 1)
            np.testing.assert_array_equal(values, function.accumulate(x, 1))
            np.testing.assert_array_equal(np.take_along_axis(x, places, 1), values)


def test_products_of_one_long_row():
    """Also if threads have rows of different lengths to share."""
    x = np.exp(rand(150003) / 300)
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            np.testing.assert_allclose(OWN.prod(x, (0,), False), np.prod(x.astype("f8")), rtol=1e-3)
            assert OWN.prod(x.reshape(3, -1), (0, 1), True).shape == (1, 1)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_adaptive_means_of_large_arrays(dtype):
    """Windows that overlap and such that do not, in one to three dimensions, and infinity stays where it is."""
    for shape, out in (
        ((40, 5, 101), (7,)),
        ((6, 8, 21, 31), (5, 31)),
        ((3, 4, 12, 13, 14), (5, 1, 7)),
    ):
        x, g = rand(*shape, dtype=dtype), rand(*shape[:2], *out, dtype=dtype)
        for infinite in (False, True):
            if infinite:
                x[0, 0].flat[5] = g[1, 1].flat[0] = np.inf
            here, there = (B.adaptive_avg_pool(x, out) for B in (OWN, PLAIN))
            np.testing.assert_allclose(here, there, rtol=1e-4, atol=1e-5)
            here, there = (B.adaptive_avg_pool_input(g, shape[2:]) for B in (OWN, PLAIN))
            np.testing.assert_allclose(here, there, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("mean", [True, False])
def test_labels_to_ignore_among_many(dtype, mean):
    """They add nothing to the loss and have no gradient."""
    x, target = rand(300, 70, dtype=dtype), np.random.default_rng(1).integers(0, 70, 300)
    (loss, *kept), (expected, *wanted) = (B.cross_entropy(x, target, 3, mean) for B in (OWN, PLAIN))
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    g = np.array(0.7, dtype)
    here = OWN.cross_entropy_backward(g, x, target, 3, mean, *kept)
    there = PLAIN.cross_entropy_backward(g, x, target, 3, mean, *wanted)
    np.testing.assert_allclose(here, there, rtol=1e-4, atol=1e-7)
    assert (target == 3).any() and not here[target == 3].any()


def test_signs_and_masks_of_bits_know_zeros_and_nan():
    """Signs of zeros, NaN of either sign, infinities and limits themselves."""
    few = np.array([0.0, -0.0, np.nan, -np.nan, np.inf, -np.inf, 0.5, -0.5, 6, 1e-42], "f4")
    x, y = np.tile(few, 2000), np.repeat(few, 2000)
    z = np.copysign(x, y)
    assert (OWN.copysign(x, y).view("i4") == z.view("i4")).all()
    np.testing.assert_array_equal(OWN.sign(x), PLAIN.sign(x))
    for low, high, value in (
        (-0.5, 0.5, 0.0),
        (-math.inf, 0.5, 20.0),
        (-math.inf, -0.5, 0.0),
        (0.0, 6.0, 0.0),
    ):
        a, b = (B.outside(y, x, low, high, value) for B in (OWN, PLAIN))
        np.testing.assert_array_equal(a, b)
        assert (np.signbit(a) == np.signbit(b))[~np.isnan(b)].all()
        a, b = (B.within(y, x, low, high, 0.25) for B in (OWN, PLAIN))
        np.testing.assert_array_equal(a, b)
    for slope in (0.01, -3.0, 0.0, 1.0, 1e30):
        a, b = (B.leaky_relu_backward(y, x, slope) for B in (OWN, PLAIN))
        np.testing.assert_array_equal(a, b)


def test_columns_that_a_vector_names_are_written():
    """Each by one number or its own; named from behind, and twice, where the last counts."""
    for dtype in (np.float32, np.int64):
        x, at = rand(130, 150).astype(dtype), np.array([5, -1, 7, 0, 7])
        for value in (
            np.array(3, dtype),
            rand(5, seed=1).astype(dtype),
            rand(130, 5).astype(dtype),
        ):
            expected = x.copy()
            expected[:, at] = value
            found = OWN.assigned(x, value, (slice(None), at))
            assert found.dtype == dtype
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", ["float32", "float64", "int64"])
def test_numbers_are_added_at_places_within_rows(kind):
    """Named often, never or from behind; to rows and to columns, whichever threads share them."""
    rng = np.random.default_rng(0)
    x = (rand(200, 190) * 9).astype(kind)
    index, src = rng.integers(0, 190, (200, 230)), (rand(200, 230) * 9).astype(kind)
    expected = x.astype("f8")
    np.add.at(expected, (np.arange(200)[:, None], index), src)
    before = torch.get_num_threads()
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            np.testing.assert_allclose(
                OWN.scatter_add(x, 1, index, src), expected, rtol=1e-4, atol=1e-4
            )
    finally:
        torch.set_num_threads(before)
    for at in ((rng.integers(-200, 200, 230),), (slice(None), rng.integers(-190, 190, 230))):
        value = (rand(230, 190) if len(at) == 1 else rand(200, 230)).astype(kind)
        found, expected = x.copy(), x.astype("f8")
        OWN.add_at(found, at, value)
        np.add.at(expected, at, value)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("threads", [1, 3])
def test_sums_whoever_shares_them(threads):
    """Of rows that are many, few, long, short or one, and of columns, by threads or not."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        for shape, dims in (
            ((5000, 430), (1,)),
            ((3, 800001), (1,)),
            ((1 << 21,), (0,)),
            ((700, 3001), (0,)),
        ):
            x = rand(*shape)
            expected = x.sum(dims, dtype="f8")
            np.testing.assert_allclose(OWN.sum(x, dims, False), expected, rtol=1e-4, atol=3e-3)
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_over_the_middle_of_large_arrays(name, dtype):
    """Plane by plane, with its gradient; infinity and large numbers too."""
    x, g = rand(5, 6, 700, dtype=dtype), rand(5, 6, 700, dtype=dtype, seed=1)
    x[0, 1, 2], x[1, :, 3], x[2, 2, 2] = -np.inf, 1e4, 1e4
    here, there = (getattr(B, name)(x, 1) for B in (OWN, PLAIN))
    np.testing.assert_allclose(here, there, rtol=1e-4, atol=1e-5)
    here, there = (getattr(B, f"{name}_backward")(g, there, 1) for B in (OWN, PLAIN))
    np.testing.assert_allclose(here, there, rtol=1e-4, atol=1e-5)
