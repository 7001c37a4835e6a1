"""Writes at indices and into ``out``, which leave the op's way where few checks suffice."""

import numpy as np
import pytest

import arraytorch as torch


def _index(*places):
    return torch.tensor(places)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("scatter_", [5.0, 1.0, 4.0]),
        ("index_copy_", [5.0, 1.0, 4.0]),
        ("scatter_add_", [5.0, 1.0, 7.0]),
        ("index_add_", [5.0, 1.0, 7.0]),
    ],
)
def test_places_of_vectors(name, expected):
    """Sources are written or added at the places, of strided vectors, too, and repeatedly."""
    for x in (torch.tensor([0.0, 1.0, 0.0]), torch.zeros(3, 2)[:, 1]):
        x.copy_(torch.tensor([0.0, 1.0, 0.0]))
        source = torch.tensor([5.0, 3.0, 4.0] if "add" in name else [5.0, 4.0, 4.0])
        assert getattr(x, name)(0, _index(0, 2, 2), source) is x
        assert x.tolist() == expected


def test_rows_are_placed():
    """Along the first dimension of a matrix slices are written and added."""
    x, rows = torch.zeros(3, 2), torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    x.index_copy_(0, _index(2, 0), rows)
    assert x.tolist() == [[3, 4], [0, 0], [1, 2]]
    x.index_add_(0, _index(1, 1), rows)
    assert x.tolist() == [[3, 4], [4, 6], [1, 2]]
    x.index_fill_(0, _index(-1), 7)
    assert x.tolist() == [[3, 4], [4, 6], [7, 7]]
    x.index_put_((_index(-1, 0),), rows)
    assert x.tolist() == [[3, 4], [4, 6], [1, 2]]
    x.index_put_((_index(0, 0),), rows, accumulate=True)
    assert x.tolist() == [[7, 10], [4, 6], [1, 2]]
    x.index_put_((_index(0, 0),), rows, True)
    assert x.tolist() == [[11, 16], [4, 6], [1, 2]]


def test_numbers_are_placed():
    """A number goes to each place, in the dtype of the tensor."""
    assert torch.zeros(3).scatter_(0, _index(2, 0), 1.5).tolist() == [1.5, 0, 1.5]
    assert torch.zeros(3, dtype=torch.int64).index_fill_(0, _index(1), 2).tolist() == [0, 2, 0]


def test_masked_scatter_takes_elements_in_order():
    """The elements of the source go to the places of a mask, one after the other."""
    x, mask = torch.zeros(2, 2), torch.tensor([[True, False], [False, True]])
    assert x.masked_scatter_(mask, torch.tensor([[5.0, 6.0, 7.0]])).tolist() == [[5, 0], [0, 6]]
    with pytest.raises(RuntimeError, match="mask has 2 true elements"):
        x.masked_scatter_(mask, torch.ones(1))


@pytest.mark.parametrize("name", ["scatter_", "scatter_add_"])
@pytest.mark.parametrize("place", [3, -1])
def test_scatter_out_of_bounds(name, place):
    """An index that is negative or too large is refused, before anything is written."""
    x = torch.zeros(3)
    with pytest.raises(RuntimeError, match="out of bounds for"):
        getattr(x, name)(0, _index(0, place), torch.ones(2))
    assert x.tolist() == [0, 0, 0]


@pytest.mark.parametrize("name", ["index_copy_", "index_add_"])
def test_slices_out_of_bounds(name):
    """An index of a slice that is too large is refused."""
    x = torch.zeros(3)
    with pytest.raises(IndexError, match="out of bounds"):
        getattr(x, name)(0, _index(0, 3), torch.ones(2))


def test_source_of_other_dtype_is_refused():
    """The source must have the tensor's dtype."""
    for name in ("scatter_", "index_copy_", "index_add_"):
        with pytest.raises(RuntimeError, match="dtype"):
            getattr(torch.zeros(3), name)(0, _index(0), torch.ones(1, dtype=torch.float64))


@pytest.mark.parametrize("name", ["scatter_", "index_copy_", "index_add_", "scatter_add_"])
def test_gradients_pass_through_places(name):
    """What is recorded goes the op's way, and has gradients."""
    source = torch.ones(2, requires_grad=True)
    x = torch.zeros(3)
    getattr(x, name)(0, _index(0, 2), source)
    (x * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert source.grad.tolist() == [1, 3]


def test_direct_writes_are_dated():
    """Backward notices that a saved tensor was written to."""
    w, x = torch.ones(2, requires_grad=True), torch.ones(2)
    y = (w * x).sum()
    x.index_copy_(0, _index(0), torch.zeros(1))
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()
    y = (w * x).sum()
    torch.add(x, 1.0, out=x)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_source_may_overlap_the_tensor():
    """A source in the tensor's own memory is read before it is written over."""
    x = torch.arange(4.0)
    x.index_copy_(0, _index(1, 2, 3), x[:3])
    assert x.tolist() == [0, 0, 1, 2]


def test_out_may_be_an_operand_or_overlap_one():
    """Results are as if the operands had been copied."""
    x = torch.arange(4.0)
    assert torch.mul(x, x, out=x) is x
    assert x.tolist() == [0, 1, 4, 9]
    torch.add(x[1:], x[:-1], out=x[1:])
    assert x.tolist() == [0, 1, 5, 13]
    torch.exp(torch.zeros(2), out=x[::2])
    assert x.tolist() == [1, 1, 1, 13]


def test_out_keeps_its_rules():
    """What ``out`` may not be is refused or warned of: expanded, of integers, of another shape."""
    one = torch.ones(3)
    with pytest.raises(RuntimeError, match="single memory location"):
        torch.add(one, one, out=torch.zeros(1).expand(3))
    with pytest.raises(RuntimeError, match="can't be cast"):
        torch.add(one, one, out=torch.zeros(3, dtype=torch.int64))
    with pytest.warns(UserWarning, match="was resized"):
        assert torch.add(one, 1, out=torch.zeros(2)).tolist() == [2, 2, 2]
    with pytest.raises(RuntimeError, match="requires grad"):
        torch.add(one, torch.ones(3, requires_grad=True), out=torch.zeros(3))
    assert torch.div(_index(1, 2), 2, out=torch.zeros(2)).tolist() == [0.5, 1]


def test_number_to_the_power_of_a_tensor():
    """The number takes the tensor's dtype; of integers, the two are promoted."""
    x = torch.tensor([1.0, 3.0], requires_grad=True)
    y = 2**x
    y.sum().backward()
    assert y.tolist() == [2, 8]
    assert np.allclose(x.grad.numpy(), np.log(2) * np.array([2.0, 8.0]))
    assert (2 ** _index(1, 3)).dtype is torch.int64
    assert (2.5 ** _index(1, 2)).tolist() == [2.5, 6.25]
    with pytest.raises(RuntimeError, match="negative integer powers"):
        _index(2) ** -1


def test_largest_along_a_dimension_with_nan():
    """NaN is the largest and the smallest, and its place is told."""
    x = torch.tensor([[1.0, float("nan"), 3.0], [4.0, 2.0, 4.0]])
    for name, place in (("max", 0), ("min", 1)):
        values, indices = getattr(x, name)(1)
        assert values[0].isnan() and indices.tolist() == [1, place]
        values, indices = getattr(x, name)(1, keepdim=True)
        assert values.shape == indices.shape == (2, 1)


def test_isin_by_pairs():
    """Few elements are compared with each other, NaN with nothing."""
    x = torch.tensor([[1.0, float("nan")], [2.0, -0.0]])
    among = torch.isin(x, torch.tensor([0.0, float("nan"), 1.0]))
    assert among.tolist() == [[True, False], [False, True]]
    assert torch.isin(x, 2.0, invert=True).tolist() == [[True, True], [False, True]]
    assert torch.isin(_index(1, 2), _index(2, 2)).tolist() == [False, True]


def test_drawn_with_replacement():
    """Indices follow the weights, one row or several; an index of weight 0 is never drawn."""
    weights = torch.tensor([[0.0, 1.0, 0.0, 3.0], [2.0, 0.0, 0.0, 0.0]])
    _ = torch.manual_seed(0)
    drawn = torch.multinomial(weights, 400, replacement=True)
    assert set(drawn[0].tolist()) == {1, 3} and set(drawn[1].tolist()) == {0}
    assert 0.6 < (drawn[0] == 3).double().mean().item() < 0.9


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_few_deviates_of_sixteen_bits(dtype):
    """Few random numbers, which Python makes, are those of PyTorch for 16-bit types as well."""
    _ = torch.manual_seed(3)
    few = torch.empty(3, dtype=dtype).exponential_(2.0)
    assert few.tolist() == pytest.approx([0.01734, 0.169, 0.7415], rel=2e-3)
    assert torch.empty(4, dtype=dtype).bernoulli_(0.5).tolist() == [1, 0, 0, 1]
    assert torch.randint_like(torch.empty(3, dtype=dtype), 5).tolist() == [1, 4, 0]


def test_few_deviates():
    """Few random numbers are those of PyTorch."""
    _ = torch.manual_seed(3)
    weights = torch.tensor([1.0, 0.0, 2.0, 3.0])
    assert torch.multinomial(weights, 6, True).tolist() == [0, 2, 3, 2, 3, 3]
    assert torch.bernoulli(torch.tensor([0.1, 0.5, 0.9, 1.0])).tolist() == [0, 1, 1, 1]
    few = [0.2594641447067261, 0.7537781596183777, 0.10319450497627258]
    assert torch.empty(3).exponential_(2.0).tolist() == few
    assert torch.empty(3).random_().tolist() == [15926579, 203034, 3034450]


def test_items_are_set_in_place():
    """Numbers and tensors go to ints, slices, masks and vectors of indices, of views as well."""
    base = torch.zeros(2, 4)
    x = base[1]
    x[0], x[1:3], x[_index(-1)] = 1, 2.5, torch.tensor([7.0])
    assert base.tolist() == [[0, 0, 0, 0], [1, 2.5, 2.5, 7]]
    x[x > 2] = torch.tensor([3.0, 4.0, 5.0])
    x[...] = x.flip(0)
    x[1:] = x[:-1]
    assert x.tolist() == [5, 5, 4, 3]
    x[:2] = torch.tensor([[[8.0, 9.0]]])
    assert x.tolist() == [8, 9, 4, 3]


def test_items_that_cannot_be_set():
    """Wrong places, shapes and numbers are refused in PyTorch's classes of errors; nothing is written."""
    x = torch.zeros(3)
    with pytest.raises(IndexError, match="out of bounds"):
        x[3] = 1.0
    with pytest.raises(IndexError, match="out of bounds"):
        x[_index(0, 3)] = 1.0
    with pytest.raises(IndexError, match="mask"):
        x[torch.tensor([True, False])] = 1.0
    with pytest.raises(RuntimeError, match="shape mismatch"):
        x[:] = torch.ones(2)
    with pytest.raises(RuntimeError, match="single memory location"):
        torch.zeros(1).expand(3)[0:2] = 1.0
    with pytest.raises(RuntimeError, match="leaf"):
        torch.zeros(3, requires_grad=True)[0] = 1.0
    assert x.tolist() == [0, 0, 0]


def test_set_items_are_dated_and_recorded():
    """Backward notices a write to what was saved, and gradients flow to what was written."""
    w, x = torch.ones(2, requires_grad=True), torch.ones(2)
    y = (w * x).sum()
    x[0] = 5.0
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()
    x[0] = w[1]
    (x * 2).sum().backward()
    assert w.grad.tolist() == [0, 2]


def test_powers_in_place():
    """A kernel that cannot write into an array computes first."""
    x = torch.tensor([1.0, 2.0, 3.0])
    assert x.pow_(2).tolist() == [1, 4, 9]
    assert x.pow_(torch.tensor([0.5, 1.0, 0.5])).tolist() == [1, 4, 3]
    with pytest.raises(RuntimeError, match="can't be cast"):
        _index(1, 2).pow_(0.5)
    with pytest.raises(RuntimeError, match="output with shape"):
        x.pow_(torch.ones(2, 3))


def test_tensors_of_nested_numbers():
    """The dtype is that of the highest category anywhere in nested sequences, of any kind."""
    assert torch.tensor([[1, 2], (3, 4)]).dtype is torch.int64
    assert torch.tensor([[1, True], [2.5, 4]]).tolist() == [[1, 1], [2.5, 4]]
    assert torch.tensor([True, 2]).tolist() == [1, 2]
    assert torch.tensor([[], []]).shape == (2, 0)
    assert torch.tensor(torch.Size([2, 3])).tolist() == [2, 3]
    assert torch.tensor([torch.tensor(2), 1.5]).tolist() == [2, 1.5]
    with pytest.raises(RuntimeError, match="overflow"):
        torch.tensor([1 << 63, -1])


def test_clamped_in_place():
    """Either bound may be missing or named; integers and tensors go the op's way."""
    x = torch.tensor([-3.0, float("nan"), 3.0])
    assert x.clamp_(-2, 2)[::2].tolist() == [-2, 2] and x[1].isnan()
    assert x.clamp_(max=1)[::2].tolist() == [-2, 1]
    assert x.clamp_(min=-1.5)[::2].tolist() == [-1.5, 1]
    assert x.clamp_min_(0)[::2].tolist() == [0, 1]
    assert x.clamp_(torch.tensor(0.5))[::2].tolist() == [0.5, 1]
    assert _index(1, 5).clamp_(2, 4).tolist() == [2, 4]
    with pytest.raises(RuntimeError, match="At least one of"):
        x.clamp_()
    with pytest.raises(TypeError):
        x.clamp_(0, 1, 2)
    with pytest.raises(TypeError):
        x.clamp_min_(0, 1)


def test_places_without_dimensions():
    """Tensors without dimensions count as vectors of one element."""
    x, zero, source = torch.tensor(1.0), torch.tensor(0), torch.tensor(2.5)
    assert torch.gather(x, 0, zero).item() == 1
    assert torch.scatter(x, 0, zero, source).item() == 2.5
    assert torch.scatter_add(x, 0, zero, source).item() == 3.5
    assert torch.scatter_reduce(x, 0, zero, source, "prod").item() == 2.5
    assert torch.index_add(x, 0, zero, source).item() == 3.5
    assert x.clone().scatter_(0, zero, source).item() == 2.5
    assert x.clone().index_fill_(0, zero, 4).item() == 4
    with pytest.raises(RuntimeError, match="out of bounds"):
        torch.gather(x, 0, torch.tensor(1))
