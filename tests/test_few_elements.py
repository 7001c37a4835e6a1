"""What is done otherwise for few elements, or for arrays of the host, is the same there."""

from __future__ import annotations

import math

import numpy as np
import pytest

import arraytorch as torch
from arraytorch.nn import functional as F


@pytest.mark.parametrize(
    "write",
    [
        lambda x: x.add_(1),
        lambda x: x.sub_(x, alpha=0.5),
        lambda x: x.exp_(),
        lambda x: x.lerp_(x + 1, 0.75),
        lambda x: x.clamp_(0, 1),
        lambda x: x.addcmul_(x, x),
        lambda x: x.addcdiv_(x, x, value=2.0),
        lambda x: x.masked_fill_(x > 0, 2.0),
        lambda x: x.cumsum_(0),
        lambda x: x.uniform_(),
        lambda x: x.zero_(),
        lambda x: x.__setitem__(0, 5.0),
    ],
)
def test_writes_are_noticed_and_told_of(write):
    """A saved tensor notices each kind of write, and the error says where in the user's file it was."""
    x, w = torch.ones(3), torch.ones(3, requires_grad=True)
    y = x * w
    write(x)
    with pytest.raises(RuntimeError, match=r"written afterwards at .*test_few_elements\.py:\d+"):
        y.sum().backward()


@pytest.mark.parametrize("value", [1, 2.5])
@pytest.mark.parametrize("name", ["addcmul_", "addcdiv_"])
def test_last_step_in_place(name, value):
    """The sum alone is written in place, with gradients for all three arguments, and one shape."""
    x, y, z = (torch.tensor([v, 2.0], requires_grad=True) for v in (1.0, 3.0, 4.0))
    out = getattr(x * 1, name)(y, z, value=value)
    expected = getattr(torch, name[:-1])(x, y, z, value=value)
    assert out.tolist() == expected.tolist()
    grads = (
        torch.autograd.grad(out.sum(), (x, y, z)),
        torch.autograd.grad(expected.sum(), (x, y, z)),
    )
    assert [g.tolist() for g in grads[0]] == [g.tolist() for g in grads[1]]
    with pytest.raises(RuntimeError, match="doesn't match the broadcast shape"):
        getattr(torch.ones(1), name)(y.detach(), z.detach())


@pytest.mark.parametrize("weight", [0.25, 0.5, 0.75, -1.0])
def test_lerp_with_a_number(weight):
    """The kernel, which works in the memory of the difference, broadcasts and has both gradients."""
    x = torch.tensor([[1.0], [2.0]], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([3.0, 5.0, 8.0], dtype=torch.float64, requires_grad=True)
    a, b = x.detach().numpy(), y.detach().numpy()
    np.testing.assert_allclose(torch.lerp(x, y, weight).detach().numpy(), a + weight * (b - a))
    assert torch.autograd.gradgradcheck(lambda x, y: torch.lerp(x, y, weight), (x, y))
    with pytest.raises(RuntimeError, match="must match the size"):
        torch.lerp(torch.ones(3), torch.ones(4), weight)


def test_clamp_of_integers():
    """Whole bounds keep the integers' type; a fraction makes floats, and what does not fit is refused."""
    k = torch.tensor([-3, 0, 7], dtype=torch.int8)
    assert k.clamp(-1, 5).tolist() == [-1, 0, 5] and k.clamp(-1, 5).dtype is torch.int8
    assert k.clamp(max=1.0).dtype is torch.float32
    assert k.clamp(min=0.5).tolist() == [0.5, 0.5, 7.0]
    with pytest.raises(RuntimeError, match="cannot be converted to type int8_t"):
        k.clamp(max=300)


@pytest.mark.parametrize("shift", [-7, -3, -1, 0, 1, 2, 3, 8])
@pytest.mark.parametrize("dim", [0, 1])
def test_roll_by_any_number(shift, dim):
    """Elements go round as often as it takes."""
    x = torch.arange(6).reshape(2, 3)
    assert x.roll(shift, dim).tolist() == np.roll(x.numpy(), shift, dim).tolist()
    assert x.roll(0, dim).data_ptr() != x.data_ptr()


@pytest.mark.parametrize("offset", [-2, 0, 1])
def test_diagonals_of_batches(offset):
    """A batch of vectors lies on the diagonals of a batch of matrices."""
    x = torch.arange(6.0).reshape(2, 3)
    expected = [np.diag(row, offset) for row in x.numpy()]
    assert torch.diag_embed(x, offset).tolist() == np.stack(expected).tolist()


@pytest.mark.parametrize("right", [False, True])
def test_searching_sorted_and_unsorted_rows(right):
    """A row in order is searched by the library, any other by bisection, as PyTorch does."""
    row, values = torch.tensor([1.0, 2.0, 2.0, 4.0]), torch.tensor([2.0, 0.0, float("nan"), 9.0])
    expected = [3, 0, 4, 4] if right else [1, 0, 4, 4]
    assert torch.searchsorted(row, values, right=right).tolist() == expected
    mixed = torch.tensor([3, 1, 2])  # the middle first, then one of the halves
    assert torch.searchsorted(mixed, torch.tensor([2]), right=right).tolist() == [3 if right else 2]


def test_few_draws_are_those_of_many():
    """Few numbers, which Python computes, are the first ones of the stream."""
    for draw in (
        lambda n: torch.rand(n),
        lambda n: torch.rand(n, dtype=torch.float64),
        lambda n: torch.randint(-3, 1000, (n,)),
    ):
        torch.manual_seed(3)
        many = draw(100)
        torch.manual_seed(3)
        assert torch.cat([draw(5), draw(11), draw(16)]).tolist() == many[:32].tolist()


def test_operands_of_two_dtypes():
    """Two dtypes become one, as the default dtype is at the time."""
    k, v = torch.tensor([1, 2]), torch.tensor([0.5, 4.0])
    assert (k + v).tolist() == [1.5, 6.0] and (k > v).tolist() == [True, False]
    assert (k / 2).dtype is torch.float32
    torch.set_default_dtype(torch.float64)
    try:
        assert (k / 2).dtype is torch.float64 and (k + v).dtype is torch.float32
    finally:
        torch.set_default_dtype(torch.float32)
    x = v.clone().requires_grad_()
    (x * k).sum().backward()
    assert x.grad.tolist() == [1.0, 2.0]
    with pytest.raises(RuntimeError, match="with a bool tensor is not supported"):
        v - torch.tensor([True, False])


def test_lists_as_indices():
    """A list of integers is a vector of indices, with its errors, also of integers that none can be."""
    x = torch.arange(6).reshape(3, 2)
    assert x[[2, -1, 0]].tolist() == [[4, 5], [4, 5], [0, 1]]
    assert x[torch.tensor([[0], [2]])].shape == (2, 1, 2)
    with pytest.raises(IndexError, match="out of bounds"):
        x[[0, 3]]
    with pytest.raises(ValueError, match="Overflow when unpacking long long"):
        x[[1 << 70]]


@pytest.mark.parametrize("first", [0.0, -0.0])
@pytest.mark.parametrize(
    "call",
    [
        lambda z: F.threshold(torch.tensor([2.0]), 5.0, z),
        lambda z: torch.tensor([2.0]).clamp(max=z),
        lambda z: torch.tensor([-2.0]).clamp(min=z),
        lambda z: F.softplus(torch.tensor([1.0]), z),
        lambda z: torch.lerp(torch.tensor([-0.0]), torch.tensor([1.0]), z),
        lambda z: torch.nan_to_num(torch.tensor([math.nan]), z),
        lambda z: -F.leaky_relu(torch.tensor([-1.0]), z),
    ],
)
def test_numbers_keep_the_sign_of_zero(call, first):
    """Neither zero is taken for the other, whichever an operation met before."""
    for zero in (first, -first, first):
        assert math.copysign(1.0, call(zero).item()) == math.copysign(1.0, zero)


@pytest.mark.parametrize(
    "dtype", ["?", "i1", "i2", "i4", "i8", "f2", "f4", "f8", "c8", "c16", "bfloat16"]
)
@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (2, 40, 30), (2, 0, 3), (60, 70)])
def test_triangles_by_their_bits(dtype, shape):
    """Of every type, with what has no number beside the triangle, and of turned matrices."""
    x = torch.arange(math.prod(shape)).reshape(shape) % 7 + 1
    x = x.bfloat16() if dtype == "bfloat16" else torch.tensor(x.numpy().astype(dtype))
    if x.is_floating_point() and x.numel():
        x[..., 0, -1], x[..., -1, 0], x[..., 1, 1] = float("nan"), float("inf"), -0.0
    for y in (x, x.mT):
        exact = y.to(torch.float32) if dtype == "bfloat16" else y
        for k in (-100, -1, 0, 2, 100):
            for op, truth in ((torch.tril, np.tril), (torch.triu, np.triu)):
                got = op(y, k)
                assert got.dtype == y.dtype and got.is_contiguous()
                got = got.to(exact.dtype).numpy()
                np.testing.assert_array_equal(got, truth(exact.numpy(), k))


@pytest.mark.parametrize("size", [100, 300, 2000, 20000])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_bounds_and_soft_bounds_of_some_numbers(size, dtype):
    """What takes another way from 200 and 512 numbers on: NaN, infinities and crossed bounds too."""
    x = np.random.default_rng(size).standard_normal(size).astype(dtype) * 20
    x[:5] = np.nan, np.inf, -np.inf, 0, -0.0
    t, wide = torch.tensor(x), x.astype(np.longdouble)
    unit = 4 * np.finfo(dtype).eps
    np.testing.assert_array_equal(F.relu(t).numpy(), np.maximum(x, 0))
    for low, high in ((-1, 1), (None, 0.5), (-0.25, None), (2, -3)):
        want = x if low is None else np.maximum(x, np.array(low, dtype))
        want = want if high is None else np.minimum(want, np.array(high, dtype))
        np.testing.assert_array_equal(t.clamp(low, high).numpy(), want)
        bounds = [None if b is None else torch.full((size,), b, dtype=t.dtype) for b in (low, high)]
        np.testing.assert_array_equal(t.clamp(*bounds).numpy(), want)
    with np.errstate(invalid="ignore"):
        soft = np.logaddexp(wide, 0)
    np.testing.assert_allclose(F.softplus(t).numpy(), np.where(x > 20, wide, soft), unit, 1e-30)
    np.testing.assert_allclose(F.logsigmoid(-t).numpy(), -soft, unit, 1e-30)
    want = wide[3:] * np.tanh(soft[3:])
    np.testing.assert_allclose(F.mish(t).numpy()[3:], want, 4 * unit, 1e-30)
    assert math.isnan(t.sum()) and math.isnan(F.softplus(t)[0])
    np.testing.assert_allclose(t[3:].sum().item(), wide[3:].sum(), 0, unit * abs(wide[3:]).sum())
