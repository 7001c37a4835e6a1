"""Python numbers beside tensors: operators from both sides, what fits a dtype, what is refused."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import arraytorch as torch

F = torch.nn.functional
NUMERIC = ["uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"]
OPERATORS = [
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
]


@pytest.mark.parametrize("dtype", NUMERIC)
@pytest.mark.parametrize("name", OPERATORS)
def test_a_number_on_either_side_is_a_tensor_of_that_number(name, dtype):
    """op(2, t) and op(t, 2) are what a 0-d tensor in the number's place gives."""
    op = getattr(operator, name)
    t = torch.tensor([1, 2, 3], dtype=getattr(torch, dtype))
    for number in (2, 1.5):
        zero_d = torch.tensor(number)
        for got, wanted in ((op(number, t), op(zero_d, t)), (op(t, number), op(t, zero_d))):
            assert got.dtype is wanted.dtype
            assert torch.allclose(got.double(), wanted.double(), rtol=1e-2)
    wanted = op(2, np.array([1, 2, 3]))
    if dtype != "uint8" or name != "sub":  # where 2 - 3 is 255
        np.testing.assert_allclose(op(2, t).double().numpy(), wanted, rtol=1e-2)


def test_functions_take_a_number_first():
    """torch.sub(1, t) and its like are PyTorch's too."""
    t = torch.tensor([1, 2])
    assert torch.sub(1, t).tolist() == [0, -1] == (1 - t).tolist() == torch.rsub(t, 1).tolist()
    assert torch.add(1, t).tolist() == [2, 3]
    assert torch.mul(2, t).tolist() == [2, 4]
    assert torch.div(1, t).tolist() == [1.0, 0.5]
    with pytest.raises(RuntimeError, match="Subtraction, the `-` operator, with a bool tensor"):
        1 - torch.tensor([True])


def test_dividing_floats_by_the_integer_zero():
    """It is division by 0.0, which gives an infinity or NaN; integers raise."""
    x = torch.tensor([1.0, -1.0])
    assert (x // 0).tolist() == [float("inf"), float("-inf")]
    assert torch.isnan(x % 0).all()
    for divide in (operator.floordiv, operator.mod, torch.fmod):
        with pytest.raises(RuntimeError, match="ZeroDivisionError"):
            divide(torch.tensor([1]), 0)


def zeros(name):
    return torch.zeros(2, dtype=getattr(torch, name))


def assigned(x, value):
    x[0] = value
    return x


AT_FIRST = torch.tensor([0])
WRITES = {
    "fill_": lambda x, v: x.fill_(v),
    "full_like": lambda x, v: torch.full_like(x, v),
    "setitem": assigned,
    "masked_fill": lambda x, v: x.masked_fill(torch.tensor([True, False]), v),
    "index_fill": lambda x, v: x.index_fill(0, AT_FIRST, v),
    "scatter": lambda x, v: x.scatter(0, AT_FIRST, v),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize(
    ("dtype", "value", "held"),
    [
        ("uint8", -3, 253),
        ("uint8", -255, 1),
        ("uint16", -9, 65527),
        ("uint32", -1, 2**32 - 1),
        ("int8", -128, -128),
        ("int8", 1.7, 1),
        ("int32", -1.5, -1),
        ("bool", 0.5, True),
        ("float16", float("inf"), float("inf")),
        ("float32", 2 + 0j, 2.0),
        ("complex64", 1 + 2j, 1 + 2j),
    ],
)
def test_numbers_that_fit(write, dtype, value, held):
    """Negative ones wrap around in unsigned types, and fractions are cut off."""
    if isinstance(value, complex) and "complex" not in dtype and write is WRITES["index_fill"]:
        pytest.skip("index_fill refuses all complex numbers for real tensors, as PyTorch's does")
    assert write(zeros(dtype), value)[0].item() == held


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize(
    ("dtype", "value", "name"),
    [
        ("uint8", 300, "uint8_t"),
        ("uint8", -256, "uint8_t"),
        ("uint8", -1.5, "uint8_t"),
        ("int8", 200, "int8_t"),
        ("int16", 70000, "int16_t"),
        ("int32", 2**40, "int"),
        ("int32", float("nan"), "int"),
        ("int64", 2**63, "int64_t"),
        ("float16", 1e6, "c10::Half"),
        ("bfloat16", 1e39, "c10::BFloat16"),
        ("float32", 1e39, "float"),
        ("float32", 1j, "float"),
        ("complex64", 1e39, "c10::complex<float>"),
    ],
)
def test_numbers_that_do_not_fit(write, dtype, value, name):
    """The error is PyTorch's, and nothing has been written."""
    x = zeros(dtype)
    with pytest.raises(
        RuntimeError,
        match=f"cannot be converted to type {name} without overflow|Converting complex Scalar",
    ):
        write(x, value)
    assert not x.any()


def test_tensors_of_numbers_that_do_not_fit():
    """tensor() wraps negative integers in unsigned types, too, and makes large floats infinite."""
    assert torch.tensor([-1, 2], dtype=torch.uint8).tolist() == [255, 2]
    assert torch.tensor(1e39).item() == float("inf")
    for value in ([300], [-300], [-1.7], [float("nan")], 300):
        with pytest.raises(
            RuntimeError, match="cannot be converted to type uint8 without overflow"
        ):
            torch.tensor(value, dtype=torch.uint8)
    half = torch.zeros(2, dtype=torch.float16)
    assert torch.where(half == 1, half, -1e9).tolist() == [float("-inf")] * 2


def test_an_ellipsis_that_stands_for_nothing_is_no_gap():
    """Index arrays stay where they are if only such an ellipsis is between them."""
    x = torch.arange(24).reshape(2, 3, 4)
    at, to = torch.tensor([1, 0]), torch.tensor([2, -1])
    assert x[:, at, ..., to].tolist() == x[:, at, to].tolist() == [[6, 3], [18, 15]]


# What PyTorch has no kernel for: the call, the kinds of dtypes, the beginning of the message.
REFUSED = [
    (lambda x: F.glu(x, 0), "int32 complex64", "glu_cpu"),
    (lambda x: F.prelu(x, x[:1]), "int32", "prelu_cpu"),
    (lambda x: F.binary_cross_entropy(x, x), "int32", "binary_cross_entropy"),
    (lambda x: F.nll_loss(x[None], torch.tensor([0])), "int32", "nll_loss_out_frame"),
    (lambda x: F.multi_margin_loss(x[None], torch.tensor([0])), "int32", "multi_margin_loss"),
    (lambda x: F.softplus(x), "int32 complex64", "softplus_cpu"),
    (lambda x: F.threshold(x, 1, 2), "bool complex64", "threshold_cpu"),
    (lambda x: torch.histc(x), "int32", "histogram_cpu"),
    (lambda x: torch.searchsorted(x, x), "bool complex64", "searchsorted_out_cpu"),
    (lambda x: torch.unique_consecutive(x), "complex64", "unique"),
    (lambda x: torch.diag(x).trace(), "bool", "trace"),
    (lambda x: x.abs(), "bool", "abs_cpu"),
]


@pytest.mark.parametrize(("call", "dtypes", "kernel"), REFUSED, ids=[r[2] for r in REFUSED])
def test_dtypes_without_a_kernel_are_refused(call, dtypes, kernel):
    """NotImplementedError names the kernel and the dtype, as PyTorch does."""
    for dtype in dtypes.split():
        with pytest.raises(NotImplementedError, match=f'"{kernel}.*" not implemented for'):
            call(torch.ones(4, dtype=getattr(torch, dtype)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_composites_of_halves_round_once(dtype):
    """Results are those of float64 rounded once, or next to it."""
    a, b, c = (torch.linspace(lo, hi, 50).to(dtype) for lo, hi in ((-3, 3), (0.3, 2), (5, -1)))
    eps = torch.finfo(dtype).eps
    for op in (
        lambda x, y, z: torch.addcmul(x, y, z, value=0.7),
        lambda x, y, z: torch.addcdiv(x, z, y),
        lambda x, y, z: torch.lerp(x, z, 0.3),
        lambda x, y, z: torch.sinc(x),
        lambda x, y, z: F.gelu(x),
        lambda x, y, z: torch.addr(x[:, None] + z, y, z),
    ):
        got, wanted = op(a, b, c), op(a.double(), b.double(), c.double())
        if got.ndim == 1:
            assert (got.double() - wanted).abs().le(eps / 2 * wanted.abs() + 1e-3 * eps).all()
        assert got.dtype is dtype


@pytest.mark.parametrize(
    "call",
    [
        lambda x, out: torch.abs(x, out=out),
        lambda x, out: torch.mm(x, x, out=out),
        lambda x, out: torch.amax(x, 0, out=out),
        lambda x, out: torch.gather(x, 0, torch.zeros(1, 1, dtype=torch.int64), out=out),
        lambda x, out: torch.softmax(x, 0, out=out),
        lambda x, out: torch.tril(x, out=out),
        lambda x, out: torch.linalg.det(x, out=out),
        lambda x, out: F.gelu(x, out=out),
        lambda x, out: F.avg_pool2d(x[None], 1, out=out),
    ],
    ids=["abs", "mm", "amax", "gather", "softmax", "tril", "det", "gelu", "avg_pool2d"],
)
def test_out_of_another_dtype_is_refused_where_nothing_converts(call):
    """A float64 out= for float32 results raises; add and its like convert, as in PyTorch."""
    x, out = torch.eye(2), torch.empty(0, dtype=torch.float64)
    with pytest.raises(RuntimeError, match="dtype (torch.)?float32"):
        call(x, out)
    assert call(x, torch.empty(0)).dtype is torch.float32
    assert torch.add(x, x, out=out) is out


def test_numbers_of_tensors_as_parameters():
    """A 0-d tensor does where a number is asked for."""
    x, F = torch.tensor([-1.0, 2.0]), torch.nn.functional
    half = torch.tensor(0.5)
    assert F.elu(x, half).tolist() == F.elu(x, 0.5).tolist()
    assert F.celu(x, half).tolist() == F.celu(x, 0.5).tolist()
    assert F.hardtanh(x, -half, half).tolist() == [-0.5, 0.5]
    assert F.hardshrink(x, torch.tensor(1, dtype=torch.uint8)).tolist() == [0.0, 2.0]
    assert torch.zeros(2, 2).fill_diagonal_(torch.tensor(3)).tolist() == [[3.0, 0.0], [0.0, 3.0]]


def test_copies_of_numbers():
    """``copy_`` takes a number for a 0-d tensor."""
    assert torch.zeros(2).copy_(3).tolist() == [3.0, 3.0]
    assert torch.zeros(1, dtype=torch.int64).copy_(2**60 + 1).item() == 2**60 + 1
    w = torch.ones(2, requires_grad=True)
    y = w * 1
    y.copy_(2.0).sum().backward()
    assert w.grad.tolist() == [0.0, 0.0]


def test_equality_across_dtypes():
    """Elements are compared after promotion, as ``==`` does."""
    one = torch.tensor
    assert torch.equal(one([1.0, 2.0]), one([1, 2]))
    assert torch.equal(one([True]), one([1])) and torch.equal(one([1.0]), one([1 + 0j]))
    assert not torch.equal(one([0.1]), one([0.1], dtype=torch.float64))
    assert not torch.equal(one([1.0]), one([1, 1]))


def test_losses_of_a_wide_number():
    """The target is expanded first, and so widens the result; PyTorch gives float64 too."""
    F, x, y = torch.nn.functional, torch.ones(3), torch.tensor(2.0, dtype=torch.float64)
    for loss in (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss):
        with pytest.warns(UserWarning, match="target size"):
            found = loss(x, y)
        assert found.dtype is torch.float64 and found.shape == ()


def test_indices_of_a_number():
    """The condition of ``where`` may be 0-d; it counts as a vector of one element."""
    assert [i.tolist() for i in torch.where(torch.tensor(True))] == [[0]]
    assert [i.tolist() for i in torch.where(torch.tensor(0.0))] == [[]]


def test_runs_of_a_single_row():
    """One slice is one run, and unique."""
    x = torch.tensor([[1.0, 1.0, 2.0]])
    for unique in (torch.unique, torch.unique_consecutive):
        values, inverse, counts = unique(x, return_inverse=True, return_counts=True, dim=0)
        assert values.tolist() == x.tolist() and inverse.tolist() == [0] and counts.tolist() == [1]


def test_no_division_by_zero_without_elements():
    """Nothing is divided where the dividend is empty."""
    empty, zeros = torch.zeros(0, 3, dtype=torch.int64), torch.zeros(1, 3, dtype=torch.int64)
    for result in (empty % zeros, empty // zeros, torch.fmod(empty, zeros)):
        assert result.shape == (0, 3) and result.dtype is torch.int64


def test_pools_of_integers_with_indices():
    """The kernel that finds the places takes integers; that of values alone does not, as in PyTorch."""
    x = torch.tensor([[3, 1, 4, 1, 5, 9]])
    values, places = torch.nn.functional.max_pool1d(x, 2, return_indices=True)
    assert values.tolist() == [[3, 4, 9]] and places.tolist() == [[0, 2, 5]]
    with pytest.raises(NotImplementedError, match="max_pool1d_impl"):
        torch.nn.functional.max_pool1d(x, 2)


def test_defaults_and_sizes_one_by_one():
    """``histogram`` has 100 bins, ``broadcast_to`` takes sizes as ``expand`` does."""
    assert torch.histogram(torch.ones(3)).hist.shape == (100,)
    assert torch.ones(2).broadcast_to(3, 2).shape == (3, 2)
    assert torch.ones(2).broadcast_to((3, 2)).shape == (3, 2)
    assert torch.broadcast_to(torch.ones(2), size=(3, 2)).shape == (3, 2)


def test_two_numbers():
    """Arithmetic makes a tensor of them, as PyTorch's does; other ops refuse."""
    for found, value, dtype in (
        (torch.add(5, 2), 7, torch.int64),
        (torch.sub(5, 2.5), 2.5, torch.float32),
        (torch.mul(True, 2), 2, torch.int64),
        (torch.div(5, 2), 2.5, torch.float32),
        (torch.div(5, 2, rounding_mode="trunc"), 2, torch.int64),
        (torch.div(-5.0, 2, rounding_mode="floor"), -3, torch.float32),
        (torch.floor_divide(5, 2), 2, torch.int64),
    ):
        assert found.item() == value and found.dtype is dtype and found.shape == ()
    with pytest.raises(TypeError, match="must be Tensor, not int"):
        torch.remainder(5, 2)
