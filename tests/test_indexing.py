"""Indexing and assignment in every form, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arraytorch as torch
from arraytorch.autograd import gradcheck, gradgradcheck

SHAPES = [(), (4,), (0, 3), (3, 4), (2, 1, 3), (2, 3, 4)]
quick = settings(max_examples=100, deadline=None, derandomize=True)


def part(n):
    """An index of one dimension of size n."""
    bound = st.one_of(st.none(), st.integers(-n - 2, n + 2))
    slices = st.builds(slice, bound, bound, st.sampled_from([None, 1, 2, -1, -2]))
    if not n:
        return slices
    ints = st.integers(-n, n - 1)
    arrays = st.lists(ints, min_size=2, max_size=2).map(np.array)
    columns = st.lists(ints, min_size=3, max_size=3).map(lambda v: np.array(v)[:, None])
    masks = (
        st.lists(st.booleans(), min_size=n, max_size=n).map(np.array).filter(lambda m: m.sum() == 2)
    )
    return st.one_of(ints, slices, slices, arrays, columns, masks if n > 1 else slices)


@st.composite
def indexed(draw):
    """A shape and an index that fits it."""
    shape = draw(st.sampled_from(SHAPES))
    count = draw(st.integers(0, len(shape)))
    index = [draw(part(n)) for n in shape[:count]]
    if draw(st.booleans()):
        # An Ellipsis moves what comes after it to the last dimensions.
        at = draw(st.integers(0, len(index)))
        tail = (
            [draw(part(n)) for n in shape[len(shape) - (len(index) - at) :]]
            if at < len(index)
            else []
        )
        index = [*index[:at], Ellipsis, *tail]
    for _ in range(draw(st.integers(0, 1))):
        index.insert(draw(st.integers(0, len(index))), None)
    return shape, tuple(index)


def view_then_pick(index):
    """PyTorch takes ints first, where NumPy counts them as arrays: the two steps that it takes."""
    if not any(isinstance(i, np.ndarray) for i in index):
        return index, None
    first, second = [], []
    for i in index:
        if isinstance(i, np.ndarray):
            first.append(slice(None))
            second.append(i)
        else:
            first.append(i)
            if not isinstance(i, int):
                second.append(i if i is Ellipsis else slice(None))
    return tuple(first), tuple(second)


def picked(x, index):
    """What x[index] should be."""
    first, second = view_then_pick(index)
    view = x[first]
    return view if second is None else view[second]


def as_tensors(index, how):
    """Arrays in an index as tensors, lists or arrays."""
    kinds = {"tensor": torch.from_numpy, "list": lambda a: a.tolist(), "array": lambda a: a}
    return tuple(kinds[how](i) if isinstance(i, np.ndarray) else i for i in index)


def numbered(shape):
    return np.arange(int(np.prod(shape)), dtype="f8").reshape(shape)


@quick
@given(indexed(), st.sampled_from(["tensor", "list", "array"]))
def test_getting(case, how):
    """Values, shapes and, of basic indices, memory are as in NumPy."""
    shape, index = case
    x = numbered(shape)
    t = torch.from_numpy(x)
    got, expected = t[as_tensors(index, how)], picked(x, index)
    assert got.shape == np.shape(expected)
    np.testing.assert_array_equal(got.numpy(), expected)
    basic = not any(isinstance(i, np.ndarray) for i in index)
    if got.numel():
        assert np.shares_memory(got.numpy(), x) == basic


@quick
@given(indexed(), st.integers(0, 3), st.sampled_from(["tensor", "list"]))
def test_setting(case, kind, how):
    """Numbers, tensors, broadcast ones and ones with leading dimensions of size 1 are written."""
    shape, index = case
    x, expected = numbered(shape), numbered(shape)
    first, second = view_then_pick(index)
    place = picked(expected, index)
    if kind == 0:
        value, plain = -1.5, -1.5
    else:
        plain = np.asarray(-1.0 - numbered(np.shape(place)))
        if kind == 2 and plain.ndim:
            plain = plain[..., :1]
        value = torch.from_numpy(plain.copy())
        if kind == 3:
            value = value[None]
    target = expected[first] if second is not None else expected
    target[second if second is not None else (first if first else ...)] = plain
    t = torch.from_numpy(x)
    before = t._version
    t[as_tensors(index, how)] = value
    np.testing.assert_array_equal(x, expected)
    assert t._version > before


@settings(max_examples=25, deadline=None, derandomize=True)
@given(indexed())
def test_gradient_of_getting(case):
    """Elements picked twice gather both gradients."""
    shape, index = case
    index = as_tensors(index, "tensor")
    x = torch.from_numpy(np.asarray(numbered(shape) / 10 + 0.1)).requires_grad_()
    if x[index].numel():
        assert gradcheck(lambda x: x[index] * x[index], x)
        assert gradgradcheck(lambda x: x[index] * x[index], x, fast_mode=True)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(indexed(), st.booleans())
def test_gradient_of_setting(case, scalar):
    """What was overwritten has no gradient; the value has its own."""
    shape, index = case
    arrays = as_tensors(index, "tensor")
    x = torch.from_numpy(np.asarray(numbered(shape) / 10 + 0.1)).requires_grad_()
    place = x.detach()[arrays]
    if not place.numel() or _collide(shape, arrays):
        return  # which of two values wins is nobody's promise
    value = torch.full(() if scalar else place.shape, 0.7, dtype=torch.float64, requires_grad=True)

    def f(x, v):
        y = x * 1
        y[arrays] = v * v
        return y * y

    assert gradcheck(f, (x, value))
    assert gradgradcheck(f, (x, value), fast_mode=True)


def _collide(shape, index):
    """Whether an index names some place twice."""
    flat = torch.from_numpy(numbered(shape))[index].flatten()
    return len(set(flat.tolist())) < flat.numel()


def test_ints_among_arrays_take_their_slice_first():
    """x[i, :, array] keeps the place of the array's dimension, unlike NumPy's."""
    x = torch.zeros(2, 3, 4)
    assert x[0, :, [1, 2]].shape == (3, 2)
    assert x[:, [0, 1], 0].shape == (2, 2)
    assert x[[0], :, [1, 2]].shape == (2, 3)


def test_tensors_as_ints_and_masks():
    """A 0-d integer tensor is an int, and gives a view; bools and bytes are masks."""
    x = torch.arange(6.0).reshape(2, 3)
    row = x[torch.tensor(1)]
    row[0] = 9
    assert x[1, 0].item() == 9
    assert x[torch.tensor(True)].shape == (1, 2, 3) and x[False].shape == (0, 2, 3)
    assert x[torch.tensor([1, 0], dtype=torch.uint8)].shape == (1, 3)
    assert x[x > 3].tolist() == [9.0, 4.0, 5.0]
    assert x[torch.tensor([[0], [1]], dtype=torch.int32), torch.tensor([0, 2])].shape == (2, 2)
    assert x[np.int64(1)].shape == (3,) and x[[True, False]].shape == (1, 3)


def test_negative_steps_are_views():
    """Beyond PyTorch: reversed slices share memory and carry gradients."""
    x = torch.arange(4.0).requires_grad_()
    y = x * 1
    z = y[::-1]
    assert z.tolist() == [3.0, 2.0, 1.0, 0.0] and z.stride() == (-1,)
    z[:2].zero_()
    assert y.tolist() == [0.0, 1.0, 0.0, 0.0]
    (z * torch.tensor([1.0, 2.0, 3.0, 4.0])).sum().backward()
    assert x.grad.tolist() == [4.0, 3.0, 0.0, 0.0]


def test_writes_are_cast():
    """A value takes the tensor's dtype; NumPy's and Python's nested data are values too."""
    x = torch.zeros(3, dtype=torch.int64)
    x[0] = 2.9
    x[1:] = torch.tensor([1.5, -1.5])
    assert x.tolist() == [2, 1, -1]
    x[:2] = np.array([7, 8])
    x[2] = torch.tensor([True])
    assert x.tolist() == [7, 8, 1]
    x += 1
    x[x > 8] *= 2
    assert x.tolist() == [8, 18, 2]


@pytest.mark.parametrize(
    ("index", "error", "words"),
    [
        (2, IndexError, "out of bounds"),
        ((0, -4), IndexError, "out of bounds"),
        ((0, 0, 0), IndexError, "too many indices"),
        (torch.tensor([0, 2]), IndexError, "out of bounds"),
        (torch.tensor([0.5]), IndexError, "must be long, int, byte or bool tensors"),
        (torch.ones(3, dtype=torch.bool), IndexError, "shape of the mask"),
        ("a", IndexError, "only integers, slices"),
        (1.5, IndexError, "only integers, slices"),
        (
            ([0, 1], [0, 1, 2]),
            IndexError,
            "shape mismatch: indexing tensors could not be broadcast",
        ),
    ],
)
def test_wrong_indices(index, error, words):
    """PyTorch's exception class, and words that say what does not fit."""
    x = torch.zeros(2, 3)
    with pytest.raises(error, match=words):
        x[index]
    with pytest.raises(error, match=words):
        x[index] = 0


def test_values_that_do_not_fit():
    """A RuntimeError with both shapes; nothing is written."""
    x = torch.zeros(2, 3)
    with pytest.raises(RuntimeError, match=r"shape mismatch.*\[2, 3\]"):
        x[:, 1:] = torch.ones(2, 3)
    with pytest.raises(RuntimeError, match="shape mismatch"):
        x[x == 0] = torch.ones(5)
    assert x.sum().item() == 0
    with pytest.raises(IndexError, match="0-dim tensor"):
        torch.tensor(1.0)[0]
