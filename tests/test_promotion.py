"""Type promotion: every pair of dtypes, 0-d tensors and Python numbers, as recorded from PyTorch."""

from __future__ import annotations

import itertools

import pytest

import arraytorch as torch

SHORT = {
    "b": torch.bool, "u8": torch.uint8, "u16": torch.uint16, "u32": torch.uint32,
    "u64": torch.uint64, "i8": torch.int8, "i16": torch.int16, "i32": torch.int32,
    "i64": torch.int64, "f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32,
    "f64": torch.float64, "c64": torch.complex64, "c128": torch.complex128,
}  # fmt: skip
# PyTorch 2.13's promote_types, a row per dtype. Where it refuses wide unsigned integers, marked by
# an apostrophe, we go on as NumPy does; a dash is refused here too.
TABLE = """
     b    u8   u16  u32  u64  i8   i16  i32  i64  f16  bf16 f32  f64  c64  c128
b    b    u8   u16' u32' u64' i8   i16  i32  i64  f16  bf16 f32  f64  c64  c128
u8   u8   u8   u16' u32' u64' i16  i16  i32  i64  f16  bf16 f32  f64  c64  c128
u16  u16' u16' u16  u32' u64' i32' i32' i32' i64' f16  bf16 f32  f64  c64' c128'
u32  u32' u32' u32' u32  u64' i64' i64' i64' i64' f16  bf16 f32  f64  c64' c128'
u64  u64' u64' u64' u64' u64  -    -    -    -    f16  bf16 f32  f64  c64' c128'
i8   i8   i16  i32' i64' -    i8   i16  i32  i64  f16  bf16 f32  f64  c64  c128
i16  i16  i16  i32' i64' -    i16  i16  i32  i64  f16  bf16 f32  f64  c64  c128
i32  i32  i32  i32' i64' -    i32  i32  i32  i64  f16  bf16 f32  f64  c64  c128
i64  i64  i64  i64' i64' -    i64  i64  i64  i64  f16  bf16 f32  f64  c64  c128
f16  f16  f16  f16  f16  f16  f16  f16  f16  f16  f16  f32  f32  f64  c64  c128
bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16 f32  bf16 f32  f64  c64  c128
f32  f32  f32  f32  f32  f32  f32  f32  f32  f32  f32  f32  f32  f64  c64  c128
f64  f64  f64  f64  f64  f64  f64  f64  f64  f64  f64  f64  f64  f64  c128 c128
c64  c64  c64  c64' c64' c64' c64  c64  c64  c64  c64  c64  c64  c128 c64  c128
c128 c128 c128 c128' c128' c128' c128 c128 c128 c128 c128 c128 c128 c128 c128 c128
"""
HEAD, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
PROMOTED = {
    (row[0], column): row[i].rstrip("'") for row in ROWS for i, column in enumerate(HEAD, 1)
}
CATEGORY = {**dict.fromkeys(("u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64"), 1), "b": 0,
            **dict.fromkeys(("f16", "bf16", "f32", "f64"), 2), "c64": 3, "c128": 3}  # fmt: skip
COMPLEX_OF = {
    "f16": "c64",
    "bf16": "c64",
    "f32": "c64",
    "f64": "c128",
    "c64": "c64",
    "c128": "c128",
}


def test_the_table_is_complete():
    """Guards the tests below: a row and a column for each dtype."""
    assert set(SHORT) == set(HEAD) == {row[0] for row in ROWS}
    assert all(len(row) == 16 for row in ROWS)


@pytest.mark.parametrize(("a", "b"), PROMOTED)
def test_pairs_of_dtypes(a, b):
    """promote_types, result_type and an addition agree with the table."""
    expected = PROMOTED[a, b]
    x, y = torch.ones(2, dtype=SHORT[a]), torch.ones(2, dtype=SHORT[b])
    if expected == "-":
        with pytest.raises(RuntimeError):
            torch.promote_types(SHORT[a], SHORT[b])
        with pytest.raises(RuntimeError):
            x + y
        return
    assert torch.promote_types(SHORT[a], SHORT[b]) is SHORT[expected]
    assert torch.result_type(x, y) is SHORT[expected]
    assert (x + y).dtype is (x * y).dtype is SHORT[expected]
    assert torch.where(x == 1, x, y).dtype is SHORT[expected]


@pytest.mark.parametrize(("a", "b"), [p for p, e in PROMOTED.items() if e != "-"])
def test_0d_tensors_count_by_category_only(a, b):
    """A tensor with dimensions decides, unless the 0-d one is of a higher category."""
    x, zero = torch.ones(2, dtype=SHORT[a]), torch.ones((), dtype=SHORT[b])
    if (CATEGORY[a], CATEGORY[b]) == (2, 3):
        expected = SHORT[COMPLEX_OF[a]]  # the precision is the tensor's
    elif CATEGORY[b] > CATEGORY[a]:
        expected = SHORT[PROMOTED[a, b]]
    else:
        expected = SHORT[a]
    assert (x + zero).dtype is (zero + x).dtype is (x * zero).dtype is expected
    assert torch.ones((), dtype=SHORT[a]).add(zero).dtype is SHORT[PROMOTED[a, b]]


@pytest.mark.parametrize("a", SHORT)
def test_python_numbers(a):
    """They widen the category, to the default dtype, and nothing within it."""
    for shape in ((2,), ()):
        x = torch.ones(shape, dtype=SHORT[a])
        assert (x * True).dtype is SHORT[a]
        assert (x * 2).dtype is (2 * x).dtype is SHORT["i64" if a == "b" else a]
        assert (x * 2.0).dtype is (2.0 * x).dtype is SHORT["f32" if CATEGORY[a] < 2 else a]
        assert (x * 2j).dtype is SHORT[COMPLEX_OF.get(a, "c64")]
        assert (x == 2.5).dtype is torch.bool


def test_division_gives_floats():
    """Integers divide to the default dtype, whatever their width, and it can be changed."""
    for a, b in itertools.product(("b", "u8", "i64"), repeat=2):
        assert (
            torch.ones(2, dtype=SHORT[a]) / torch.ones(2, dtype=SHORT[b])
        ).dtype is torch.float32
    torch.set_default_dtype(torch.float64)
    try:
        assert (torch.ones(2, dtype=torch.int32) / 2).dtype is torch.float64
        assert (
            torch.tensor(1.0).dtype is torch.float64 and torch.tensor(1j).dtype is torch.complex128
        )
    finally:
        torch.set_default_dtype(torch.float32)


def test_values_are_computed_in_the_promoted_type():
    """No detour over a narrower one loses bits, and integers wrap around as in C."""
    assert (torch.tensor([2**53 + 1]) + torch.tensor([1], dtype=torch.int8)).item() == 2**53 + 2
    assert (torch.tensor([200], dtype=torch.uint8) + 100).item() == 44
    assert (torch.tensor([100], dtype=torch.int8) * 2).item() == -56
    assert (
        torch.rsub(torch.tensor([5], dtype=torch.uint8), torch.tensor([1], dtype=torch.int8)).item()
        == -4
    )
    assert (torch.tensor([0.1], dtype=torch.float64) * torch.tensor(0.1)).item() == 0.1 * float(
        torch.tensor(0.1).item()
    )


@pytest.mark.parametrize(("change", "target"), [(1.5, "i64"), (1j, "f32"), (2, "b"), (1.0, "b")])
def test_results_in_place_must_fit_the_category(change, target):
    """A category may not shrink: an integer tensor does not become a float in place."""
    x = torch.ones(2, dtype=SHORT[target])
    with pytest.raises(RuntimeError, match="can't be cast to the desired output type"):
        x.mul_(change)
    y = torch.ones(2, dtype=torch.float16)
    y += torch.ones(2, dtype=torch.float64)
    assert y.dtype is torch.float16 and y.tolist() == [2.0, 2.0]


def test_can_cast():
    """Within a category and upwards."""
    assert torch.can_cast(torch.float64, torch.float16) and torch.can_cast(torch.bool, torch.uint8)
    assert not torch.can_cast(torch.float16, torch.int64)
    assert not torch.can_cast(torch.complex64, torch.float64)


@pytest.mark.parametrize("dtype", [torch.int32, torch.uint8, torch.float16, torch.bool])
def test_numbers_minus_tensors(dtype):
    """A number may stand first, whatever the tensor's dtype but bool."""
    x = torch.tensor([1, 0], dtype=dtype)
    if dtype is torch.bool:
        with pytest.raises(RuntimeError, match="with a bool tensor is not supported"):
            3 - x
        return
    assert (3 - x).tolist() == [2, 3] and (3 - x).dtype is dtype
    assert (2.5 - x).tolist() == [1.5, 2.5]
    with pytest.raises(RuntimeError, match="with a bool tensor is not supported"):
        True - x
