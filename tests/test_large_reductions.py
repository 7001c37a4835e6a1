"""Reductions of large arrays with rows of all lengths, which NumPy's backend does in several ways."""

import numpy as np
import pytest

import arraytorch as torch

SHAPES = [(30011, 2), (9001, 7), (3001, 16), (1501, 33), (701, 96), (301, 257), (5, 7, 901, 3)]
SHAPES += [(40, 33, 20), (3, 2001, 17), (64, 4, 5, 40)]


def some(shape, dtype):
    x = np.random.default_rng([*shape]).standard_normal(shape)
    return np.abs(x * 40).astype(dtype) if dtype == np.uint8 else (x * 40).astype(dtype)


def dims_of(shape):
    n = len(shape)
    return [*[(d,) for d in range(n)], *[(d, d + 1) for d in range(n - 1)], (0, n - 1)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8])
def test_largest_and_smallest_elements(shape, dtype):
    """As NumPy's, over any dimensions, with NaN where there is one."""
    x = some(shape, dtype)
    if x.dtype.kind == "f":
        x.reshape(-1)[:: x.size // 3] = np.nan
    for dims in dims_of(shape):
        for keepdim in (False, True):
            for name, of in (("amax", np.max), ("amin", np.min)):
                result = getattr(torch, name)(torch.tensor(x), dims, keepdim).numpy()
                np.testing.assert_array_equal(result, of(x, dims, keepdims=keepdim))


@pytest.mark.parametrize("shape", SHAPES)
def test_all_and_any_of_masks(shape):
    """As NumPy's, over each dimension."""
    x = some(shape, np.float32) > -70
    for dim in range(len(shape)):
        for keepdim in (False, True):
            t = torch.tensor(x)
            np.testing.assert_array_equal(torch.all(t, dim, keepdim), x.all(dim, keepdims=keepdim))
            np.testing.assert_array_equal(
                torch.any(~t, dim, keepdim), (~x).any(dim, keepdims=keepdim)
            )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["sum", "mean", "var", "norm", "prod"])
def test_sums_and_products(shape, name):
    """To the last digits of what float64 gives."""
    x = some(shape, np.float32) / 40
    if name == "prod":
        x = np.exp(x / 100)
    of = np.linalg.norm if name == "norm" else getattr(np, name)
    for dims in dims_of(shape):
        if name == "prod" and len(dims) > 1:
            continue
        dim = dims[0] if name == "prod" else dims
        for keepdim in (False, True):
            options = {"ddof": 1} if name == "var" else {}
            if name == "norm":
                expected = np.sqrt((x.astype("f8") ** 2).sum(dims, keepdims=keepdim))
                result = torch.linalg.vector_norm(torch.tensor(x), 2, dims, keepdim)
            else:
                expected = of(x.astype("f8"), dim, keepdims=keepdim, **options)
                result = getattr(torch, name)(torch.tensor(x), dim, keepdim=keepdim)
            np.testing.assert_allclose(result.numpy(), expected, rtol=2e-5, atol=3e-5)


@pytest.mark.parametrize("shape", [*SHAPES, (40000,), (2, 20000), (20000, 40), (64, 300)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_running_sums(shape, dtype):
    """By products of pieces, also where the last piece is shorter; infinity and NaN stay where they are."""
    x = some(shape, dtype) / 40
    odd = x.copy()
    odd.reshape(-1)[5::5000] = np.inf
    for dim in range(len(shape)):
        exact = np.cumsum(x.astype("f8"), dim)
        np.testing.assert_allclose(torch.cumsum(torch.tensor(x), dim), exact, rtol=1e-4, atol=2e-3)
        with np.errstate(invalid="ignore"):
            expected = np.cumsum(odd, dim)
        result = torch.cumsum(torch.tensor(odd), dim).numpy()
        np.testing.assert_array_equal(np.isfinite(result), np.isfinite(expected))


def test_gradients_of_running_products():
    """With and without a zero among the factors."""
    x = torch.tensor(np.random.default_rng(8).standard_normal((3, 4)), requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: torch.cumprod(x, 1), x)
    assert torch.autograd.gradgradcheck(lambda x: torch.cumprod(x, 1), x)
    with torch.no_grad():
        x[1, 2] = 0
    assert torch.autograd.gradcheck(lambda x: torch.cumprod(x, 1), x)


@pytest.mark.parametrize(("left", "right"), [("i", "i"), ("ij", "j"), ("j", "jk"), ("bij", "j")])
def test_products_with_large_vectors(left, right):
    """A vector is a row on the left and a column on the right, and no dimension of the result."""
    sizes = {"i": 300, "j": 200, "k": 250, "b": 2} if left != "i" else {"i": 90000}
    x, y = (some([sizes[d] for d in term], np.float64) / 40 for term in (left, right))
    kept = "".join(sorted((set(left) | set(right)) - (set(left) & set(right))))
    expected = np.einsum(f"{left},{right}->{kept}", x, y)
    result = torch.tensor(x) @ torch.tensor(y)
    np.testing.assert_allclose(result.numpy(), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("shape", [(300, 500), (40, 30, 50), (1024, 600)])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("threads", [1, 2])
def test_places_of_extremes_along_the_first_dimension(shape, dtype, threads):
    """The first of equal elements, and the first NaN before all others; and the extremes of all elements."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        rng = np.random.default_rng(0)
        x = rng.standard_normal(shape).astype(dtype).round(1)
        for _ in range(2):
            t = torch.tensor(x)
            every = tuple(range(x.ndim))
            for name, reduce in (("argmax", np.max), ("argmin", np.min)):
                found = getattr(t, name)(0)
                assert found.dtype is torch.int64
                np.testing.assert_array_equal(found.numpy(), getattr(x, name)(0))
                assert getattr(t, name)(0, keepdim=True).shape == (1, *shape[1:])
                extreme = getattr(t, name.replace("arg", "a"))
                np.testing.assert_array_equal(extreme().numpy(), reduce(x))
                assert extreme(every, keepdim=True).shape == (1,) * x.ndim
            values, places = t.max(0)
            np.testing.assert_array_equal(values.numpy(), x.max(0))
            np.testing.assert_array_equal(places.numpy(), x.argmax(0))
            x.reshape(-1)[rng.integers(0, x.size, 50)] = np.nan
    finally:
        torch.set_num_threads(before)
