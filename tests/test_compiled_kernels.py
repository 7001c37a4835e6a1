"""Kernels for large arrays that have more to go wrong: order, bits, places, series and random words."""

import numpy as np
import pytest
from test_large_arrays import CHOICES, OWN, PLAIN, alike, chosen, needs_numba, rand, run


@pytest.fixture(params=CHOICES)
def choice(request, monkeypatch):
    """Each of the two choices, whatever the environment says."""
    return chosen(request, monkeypatch)


@needs_numba
def test_compiled_twister_draws_what_numpy_draws():
    """Words, pairs of them and uniforms, in turns with NumPy's own, across the ends of states."""
    from arraytorch.backends import numba_twister as twister

    mine, plain = np.random.MT19937(5), np.random.MT19937(5)
    unit = np.float32(2.0**-24)
    for n in (1, 623, 624, 625, 2048, 5000, 1247, 3):
        np.testing.assert_array_equal(twister.words(mine, n), plain.random_raw(n))
        high, low = plain.random_raw(2 * n).reshape(-1, 2).T
        np.testing.assert_array_equal(twister.words64(mine, n), (high << np.uint64(32)) | low)
        expected = (plain.random_raw(n) & np.uint64(0xFFFFFF)).astype("f4") * unit
        np.testing.assert_array_equal(twister.uniform32(mine, n), expected)
        assert mine.random_raw() == plain.random_raw()
    items = np.arange(5000)
    for i, word in enumerate(plain.random_raw(4999)):
        j = i + int(word) % (5000 - i)
        items[i], items[j] = items[j], items[i]
    np.testing.assert_array_equal(twister.permutation(mine, 5000), items)


@needs_numba
@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_compiled_conversions_of_halves(name):
    """All numbers of 16 bits there, and back from between them, from ties, beyond them and from NaN."""
    import ml_dtypes

    from arraytorch.backends import numba_halves

    half = np.dtype(np.float16 if name == "float16" else ml_dtypes.bfloat16)
    every = np.arange(1 << 16, dtype=np.uint16).view(half)
    wide = every.astype(np.float32)
    np.testing.assert_array_equal(numba_halves.cast(every, wide.dtype), wide)
    finite = wide[np.isfinite(wide)]
    ties = (np.sort(finite)[1:] / 2 + np.sort(finite)[:-1] / 2).astype(np.float32)
    odd = np.array([65519.9, 65520, -65520, 3e38, np.inf, -np.inf, 1e-45, -0.0], np.float32)
    near = [np.nextafter(ties, np.float32(s * np.inf)) for s in (1, -1)]
    x = np.concatenate([rand(5000) * 100, finite, ties, *near, odd])
    with np.errstate(all="ignore"):
        expected = x.astype(half)
    result = numba_halves.cast(x, half)
    np.testing.assert_array_equal(result.view(np.uint16), expected.view(np.uint16))
    assert np.isnan(numba_halves.cast(np.array([np.nan, -np.nan], "f4"), half).astype("f4")).all()


@needs_numba
@pytest.mark.parametrize("name", ["erfc", "erfinv", "gammaln", "psi"])
def test_compiled_special_functions(name):
    """Against SciPy in float64, of ordinary numbers and of those next to zeros and poles."""
    from scipy import special

    from arraytorch.backends import numba_special

    x = np.concatenate([rand(5000) * s for s in (0.3, 1, 4, 100)])
    x = np.concatenate(
        [x, 1 + rand(500) * 1e-6, np.arange(-9, 30), [9.3, 1e4, 1e30, 1e-30, -1e-30]]
    )
    x = x.astype("f4")
    if name == "erfinv":
        x = np.concatenate([x[np.abs(x) <= 1], 1 - np.float32(2) ** -np.arange(1, 25)]).astype("f4")
    own = {"gammaln": "lgamma", "psi": "digamma"}.get(name, name)
    with np.errstate(all="ignore"):
        expected = getattr(special, name)(x.astype("f8")).astype("f4")
    if name == "psi":
        expected[(x < 0) & (x == np.floor(x))] = np.nan
    result = getattr(numba_special, own)(x)
    np.testing.assert_allclose(result, expected, rtol=2.5e-7, atol=1e-37)
    ends = getattr(numba_special, own)(np.array([np.nan, np.inf, -np.inf], "f4"))
    with np.errstate(all="ignore"):
        good = getattr(special, name)(np.array([np.nan, np.inf, -np.inf]))
    np.testing.assert_array_equal(
        ends, [np.nan, *((np.inf, np.inf) if name == "gammaln" else good[1:])]
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.int64])
def test_order_of_large_arrays(choice, dtype):
    """Sorted, selected and searched along both dimensions: ties, NaN of both signs, zeros of both signs."""
    x = np.round(rand(300, 80) * 20).astype(dtype)
    if np.dtype(dtype).kind == "f":
        x[5, :4], x[6] = [np.nan, -np.nan, np.inf, -np.inf], -0.0
    for dim in (0, 1):
        for largest in (False, True):
            alike("argsort", x, dim, largest)
            for k in (1, 9, 60):
                places = OWN.topk(x, k, dim, largest)
                expected = PLAIN.topk(x, k, dim, largest)
                np.testing.assert_array_equal(
                    *(np.take_along_axis(x, at, dim) for at in (places, expected))
                )
                if choice == "numba":  # of equal ones the first
                    np.testing.assert_array_equal(places, expected)
        at = OWN.arg_of_rank(x, 33, dim)
        ranked = np.sort(x, dim).take([33], dim)
        np.testing.assert_array_equal(np.take_along_axis(x, at, dim), ranked)
    table = np.sort(x[:40].reshape(2, -1), 1)
    for right in (False, True):
        alike("searchsorted", table, x.reshape(2, -1), right)
        alike("searchsorted", table[0], x.reshape(-1), right)


@needs_numba
def test_compiled_loops_are_found_on_disk_again():
    """A loop around an expression is compiled in the first process and loaded in the second."""
    program = """
        import arraytorch as torch
        from arraytorch.backends import numba_maps
        made = []
        share = numba_maps.share
        numba_maps.share = lambda loop, *args: (made.append(loop), share(loop, *args))
        torch.nn.functional.softsign(torch.erfc(torch.zeros(300, 300)))
        print(sum(made[0].stats.cache_hits.values()), made[0].stats.cache_path)
    """
    run(program)
    hits, _, path = run(program).stdout.partition(" ")
    if path.strip() == "None":
        pytest.skip("there is no folder that may be written")
    assert hits == "1"


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_scatters_of_large_arrays(choice, dtype):
    """Writes, extremes and products at places that are named once or often, rows and columns."""
    random = np.random.default_rng(0)
    x, y = ((rand(130, 150, seed=s) * 9).astype(dtype) for s in (0, 1))
    if np.dtype(dtype).kind == "f":
        y[3, 4] = np.nan
    once = np.argsort(random.random((130, 150)), 1)
    often = random.integers(0, 130, (130, 150))
    for dim, index in ((1, once), (0, np.argsort(random.random((130, 150)), 0))):
        alike("scatter", x, dim, index, y)
    for dim in (0, 1):
        for reduce in ("amax", "amin"):
            for own in (True, False):
                alike("scatter_reduce", x, dim, often, y, reduce, own)
    near = np.where(y > 0, 1, 2).astype(dtype)
    alike("scatter_reduce", x, 1, often, near, "prod", True)
    columns = np.array([3, -1, 7, 3])
    for value in (dtype(2), np.ones(4, dtype), y[:, :4]):
        expected = x.copy()
        expected[:, columns] = value
        result = OWN.assigned(x, value, (slice(None), columns))
        np.testing.assert_array_equal(result, expected)
    windows = np.arange(145)[:, None] + np.arange(6)
    target, value = np.ones((130, 150), dtype), random.integers(0, 9, (130, 145, 6)).astype(dtype)
    expected = target.copy()
    np.add.at(expected, (slice(None), windows), value)
    OWN.add_at(target, (slice(None), windows), value)
    np.testing.assert_allclose(target, expected)


def test_softmax_along_dimensions_that_others_follow(choice):
    """Of numbers of more and of less than a block of columns, with what is infinite, and gradients."""
    for shape, dim in (((40, 700), 0), ((3, 20, 16, 33), 1), ((30, 11, 70), 1)):
        x, g = rand(*shape) * 5, rand(*shape, seed=1)
        x.reshape(-1)[:3] = -np.inf
        for name in ("softmax", "log_softmax"):
            alike(name, x, dim, rtol=2e-6, atol=2e-6)
            y = getattr(PLAIN, name)(x * 0.1 if name == "softmax" else rand(*shape), dim)
            alike(name + "_backward", g, y, dim, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("mean", [True, False])
def test_cross_entropy_of_rows_of_which_some_are_ignored(choice, mean):
    """Their logits may be anything; of no row at all the mean is NaN."""
    x, target = rand(300, 70), np.random.default_rng(0).integers(0, 70, 300)
    x[5] = np.nan
    for ignored in (3, -100):
        target[[5, 8]] = ignored
        loss, p, kept = OWN.cross_entropy(x, target, ignored, mean)
        good, q, rows = PLAIN.cross_entropy(x, target, ignored, mean)
        np.testing.assert_allclose(loss, good, rtol=1e-5)
        g = np.float32(0.7)
        result = OWN.cross_entropy_backward(g, x, target, ignored, mean, p, kept)
        expected = PLAIN.cross_entropy_backward(g, x, target, ignored, mean, q, rows)
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)
    nothing = np.full(300, 3)
    assert np.isnan(OWN.cross_entropy(x, nothing, 3, True)[0])


def test_pools_of_large_windows_and_of_windows_that_differ(choice):
    """Maxima of 16 by 16 with a padding, and means of windows as equal as possible."""
    from arraytorch.backends.convolution import convolution

    x = np.round(rand(3, 4, 50, 47) * 3)
    c = convolution((9, 8), ((3, 3), (2, 2)), (1, 1), 1, (9, 8), (50, 47))
    alike("max_pool_arg", x, c)
    alike("adaptive_avg_pool", x, (7, 5), rtol=1e-5, atol=1e-6)
    alike("adaptive_avg_pool_input", rand(3, 4, 7, 5), (50, 47), rtol=1e-5, atol=1e-6)


def test_gradient_of_relu_of_large_arrays(choice):
    """Through NaN and nowhere else, also where the gradient is not finite."""
    x, g = rand(20001), rand(20001, seed=1)
    x[:5] = np.nan, 0, -0.0, np.inf, 1e-45
    g[:10] = 1, np.inf, np.nan, 2, 3, np.inf, -np.inf, np.nan, 4, 5
    x[5:8], x[8:10] = -1, 1
    got = OWN.relu_backward(g, x)
    np.testing.assert_array_equal(got, np.where(~(x <= 0), g, 0))
