"""Sorting, searching, shuffling and scattering of large arrays, for which NumPy's backend has its own ways."""

import numpy as np
import pytest

import arraytorch as torch
from arraytorch.backends import numpy_sampling

KINDS = ["float16", "bfloat16", "float32", "float64"]
KINDS += ["bool", "uint8", "int8", "int16", "int32", "int64"]


def some(kind, *shape):
    """Numbers that occur several times, some of them NaN, infinite or -0 where there is such a thing."""
    x = np.random.default_rng(5).standard_normal(shape).round(1) * 30
    if "float" in kind:
        flat = x.reshape(-1)
        flat[::97], flat[1::91], flat[2::93], flat[3::95] = np.nan, -0.0, np.inf, -np.inf
        flat[4::197] = -np.nan
    return torch.tensor(x > 0 if kind == "bool" else abs(x) if kind == "uint8" else x).to(
        getattr(torch, kind)
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("shape", "dim"), [((40000,), 0), ((150, 230), 1), ((230, 3, 50), 0)])
def test_large_arrays_are_sorted_stably(kind, shape, dim):
    """Equal elements keep their order, in falling order too, and NaN is the largest."""
    x = some(kind, *shape)
    wide = x.double().numpy()
    up = np.argsort(wide, dim, kind="stable")
    assert (torch.argsort(x, dim).numpy() == up).all()
    ordinary = np.where(np.isnan(wide), 1e300, np.clip(wide, -1e299, 1e299))
    down = np.argsort(-ordinary, dim, kind="stable")
    values, places = torch.sort(x, dim, descending=True)
    assert places.dtype == torch.int64
    assert (places.numpy() == down).all()
    np.testing.assert_array_equal(values.double().numpy(), np.take_along_axis(wide, down, dim))


def test_integers_of_all_magnitudes_are_sorted():
    """The whole range of 64 bits counts, the ends too."""
    x = np.random.default_rng(1).integers(-(2**63), 2**63 - 1, 40000)
    x[:4] = 2**63 - 1, -(2**63), 0, -1
    assert (torch.argsort(torch.tensor(x)).numpy() == np.argsort(x, kind="stable")).all()


def test_distinct_elements_of_large_arrays():
    """Values, the place of each among them, and counts; each NaN is one of its own."""
    x = np.random.default_rng(2).integers(-50, 50, 40000)
    found = torch.unique(torch.tensor(x), return_inverse=True, return_counts=True)
    for f, e in zip(found, np.unique(x, return_inverse=True, return_counts=True), strict=True):
        assert (f.numpy() == e).all()
    nan = torch.full((40000,), float("nan"))
    assert torch.unique(nan, return_counts=True)[1].sum() == len(torch.unique(nan)) == 40000


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("kind", ["float32", "float64", "int32", "int64"])
def test_many_values_are_searched_for(kind, right):
    """As many as are below, or not above, NaN being behind all."""
    values = some(kind, 250, 200)
    ordered = torch.sort(some(kind, 500)).values
    found = torch.searchsorted(ordered, values, right=right)
    assert found.shape == (250, 200)
    x, row = values.double().numpy().reshape(-1, 1), ordered.double().numpy()
    before = (row <= x) if right else (row < x)
    lacking = np.isnan(x)
    before = np.where(lacking, ~np.isnan(row) | right, before)
    assert (found.numpy().reshape(-1) == before.sum(1)).all()
    assert (torch.bucketize(values[0], ordered, right=right) == found[0]).all()


def test_large_permutations_are_those_of_swaps():
    """Each step swaps an item with one that is not before it, as PyTorch's does."""
    n = 40000
    steps = np.arange(n)
    partners = steps + np.random.default_rng(3).integers(0, 1 << 31, n) % (n - steps)
    expected = numpy_sampling._swapped_one_by_one(partners)
    assert (numpy_sampling._swapped_as_rows(partners) == expected).all()
    torch.manual_seed(7)
    # The first and last numbers that PyTorch 2.13 gives after this seed.
    p = torch.randperm(n)
    assert p.dtype == torch.int64
    assert (p[:4].tolist(), p[-4:].tolist()) == (
        [21615, 38303, 13217, 38042],
        [38942, 19912, 10674, 24326],
    )


@pytest.mark.parametrize("reduce", ["prod", "amax", "amin"])
@pytest.mark.parametrize("include_self", [True, False])
def test_sources_are_reduced_into_places(reduce, include_self):
    """In each place that is named, whether or not what was there counts."""
    rng = np.random.default_rng(9)
    x, source = rng.standard_normal((90, 250)), rng.standard_normal((90, 240))
    index = rng.integers(0, 250, (90, 240))
    source[5, 7] = np.nan
    combine = {"prod": np.multiply, "amax": np.maximum, "amin": np.minimum}[reduce]
    expected = x.copy()
    if not include_self:
        np.put_along_axis(expected, index, {"prod": 1, "amax": -np.inf, "amin": np.inf}[reduce], 1)
    for row, column in np.ndindex(*index.shape):
        at = row, index[row, column]
        expected[at] = combine(expected[at], source[row, column])
    result = torch.tensor(x).scatter_reduce(
        1, torch.tensor(index), torch.tensor(source), reduce, include_self=include_self
    )
    np.testing.assert_allclose(result.numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("kind", ["uint8", "int8", "int16", "int32", "int64"])
def test_largest_of_many_integers(kind):
    """In order, equal ones in that of their places; all, where they are the smallest there are."""
    x = np.random.default_rng(11).integers(-60, 60, (60, 300)).astype(kind)
    least = np.full((60, 300), np.iinfo(kind).min, kind)
    values, places = torch.topk(torch.tensor(x), 4, 1)
    expected = np.argsort(-x.astype(float), 1, kind="stable")[:, :4]
    assert (places.numpy() == expected).all()
    assert (values.numpy() == np.take_along_axis(x, expected, 1)).all()
    assert (torch.topk(torch.tensor(least), 4, 1)[0] == int(least[0, 0])).all()


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("kind", ["float32", "float64", "int32", "int64", "bfloat16"])
@pytest.mark.parametrize(
    ("shape", "dim", "k"), [((70000,), 0, 30), ((300, 400), 1, 100), ((400, 90), 0, 400)]
)
def test_first_elements_of_large_arrays(kind, largest, shape, dim, k):
    """They come in order, equal ones by place, as from a stable sort; NaN is the largest."""
    x = some(kind, *shape)
    expected = torch.argsort(x, dim, descending=largest).narrow(dim, 0, k)
    assert torch.topk(x, k, dim, largest).indices.equal(expected)
    place = torch.kthvalue(x, k, dim).indices
    lasting = torch.argsort(x, dim).select(dim, k - 1)
    found, right = (x.gather(dim, at.unsqueeze(dim)) for at in (place, lasting))
    np.testing.assert_array_equal(found.double().numpy(), right.double().numpy())


def test_integers_of_a_narrow_range_are_sorted_in_rows():
    """Wherever that lies, and not if they and their places take more than 63 bits."""
    for base, span in [(-(2**63), 2**50), (2**63 - 2**53, 2**53), (-(2**62), 2**63)]:
        x = np.random.default_rng(1).integers(0, span, (200, 300), dtype=np.uint64).astype(np.int64)
        x += base
        for falling in (False, True):
            found = torch.argsort(torch.tensor(x), 1, falling).numpy()
            assert (found == np.argsort(~x if falling else x, 1, kind="stable")).all()
