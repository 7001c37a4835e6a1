"""Arguments of several dtypes, and ``out=`` of another dtype than the result has by itself."""

from __future__ import annotations

import pytest

import arraytorch as torch


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_means_of_scattered_floats_are_not_cut(dtype):
    """bfloat16 is a float, too: only the means of integers are whole numbers."""
    x, at = torch.tensor([0.5, 0.75], dtype=dtype), torch.tensor([0, 1])
    for mean in (x.scatter_reduce(0, at, x * 2, "mean"), x.index_reduce(0, at, x * 2, "mean")):
        assert mean.tolist() == [0.75, 1.125] and mean.dtype is dtype
    assert torch.tensor([1, 2]).scatter_reduce(0, at, torch.tensor([2, 2]), "mean").tolist() == [
        1,
        2,
    ]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.complex64])
def test_weight_of_lerp_may_be_a_number_of_any_dtype(dtype):
    """A tensor of no dimensions is as good as a Python number; one of some has to have the dtype."""
    x, weight = torch.tensor([0.5, 1.0], dtype=dtype), torch.tensor(0.5)
    assert torch.lerp(x, x * 3, weight).tolist() == [1.0, 2.0]
    assert torch.lerp(x, x * 3, weight).dtype is x.clone().lerp_(x * 3, weight).dtype is dtype
    with pytest.raises(RuntimeError, match="dtype"):
        torch.lerp(x, x * 3, torch.tensor([0.5, 0.5]))
    assert torch.lerp(torch.tensor([0, 2]), torch.tensor([1, 4]), weight).tolist() == [0.5, 3.0]


def test_values_and_boundaries_of_two_dtypes():
    """They are compared in their common dtype."""
    rows, values = torch.tensor([0, 1, 1, 2]), torch.tensor([1.5, 0.0, 1.0, -1.0])
    assert torch.searchsorted(rows, values).tolist() == [3, 0, 1, 0]
    assert torch.bucketize(values.half(), rows, right=True).tolist() == [3, 1, 3, 0]
    assert torch.bucketize(torch.tensor([True, False]), torch.tensor([0.0, 0.5, 1.0])).tolist() == [
        2,
        0,
    ]
    assert torch.bucketize(values, torch.tensor([False, True])).tolist() == [2, 0, 1, 0]
    order = torch.tensor([2, 1, 0])
    assert torch.searchsorted(torch.tensor([5, 3, 1]), values, sorter=order).tolist() == [
        1,
        0,
        0,
        0,
    ]
    for call in (
        lambda: torch.searchsorted(torch.tensor([False]), torch.tensor([True])),
        lambda: torch.bucketize(torch.tensor([1j]), values),
    ):
        with pytest.raises(NotImplementedError, match="searchsorted_out_cpu"):
            call()


def test_sums_and_products_are_computed_in_the_dtype_of_out():
    """As if that had been asked for: floats are cut before they are summed, not after."""
    x = torch.tensor([0.5, 1.5, 2.5])
    whole, wide = torch.empty((), dtype=torch.int64), torch.empty((), dtype=torch.float64)
    assert torch.sum(x, 0, out=whole).item() == 3
    assert torch.prod(x, 0, out=whole).item() == 0
    assert torch.sum(torch.tensor([2**24 + 1.0, 1.0]), 0, out=wide).item() == 2**24 + 1
    sums = torch.empty(3, dtype=torch.int64)
    assert torch.cumsum(x, 0, out=sums).tolist() == [0, 1, 3]
    assert torch.cumprod(x, 0, out=sums).tolist() == [0, 0, 0]
    small = torch.empty((), dtype=torch.int8)
    assert torch.sum(torch.tensor([100, 101]), 0, out=small).item() == -55
    for op in (torch.cumsum, torch.cumprod):
        with pytest.raises(NotImplementedError, match="not implemented for .Bool."):
            op(x, 0, dtype=torch.bool)
    with pytest.raises(NotImplementedError, match="nansum"):
        torch.nansum(x, 0, out=whole)
    for op in (torch.sum, torch.prod, torch.mean):
        with pytest.raises(RuntimeError, match="Expected out tensor to have dtype"):
            op(x, 0, dtype=torch.float32, out=wide)


def test_factors_of_integers_are_cut():
    """A factor of integers is taken as one."""
    x = torch.tensor([0, 1])
    assert torch.addcmul(x, x, x * 4, value=1.5).tolist() == [0, 5]
    assert x.clone().addcmul_(x, x * 4, value=0.5).tolist() == [0, 1]
    assert torch.index_add(x, 0, x, x * 3, alpha=1.5).tolist() == [0, 4]
