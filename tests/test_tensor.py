"""Tensors as objects: how they are made, what they become in Python, copies, and bad input."""

from __future__ import annotations

import copy
import io
import pickle

import numpy as np
import pytest

import arraytorch as torch

FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
INTS = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64]
DTYPES = [torch.bool, *INTS, *FLOATS, torch.complex64, torch.complex128]


# ------------------------------------------------------------------------------------ creation


@pytest.mark.parametrize(
    ("data", "dtype", "shape"),
    [
        (1, torch.int64, ()),
        (1.5, torch.float32, ()),
        (True, torch.bool, ()),
        (1j, torch.complex64, ()),
        ([], torch.float32, (0,)),
        ([[]], torch.float32, (1, 0)),
        ([1, 2.5], torch.float32, (2,)),
        ([True, 2], torch.int64, (2,)),
        ([[1, 2], [3, 4]], torch.int64, (2, 2)),
        ((1, 2, 3), torch.int64, (3,)),
        ([1, 2j], torch.complex64, (2,)),
        (range(3), torch.int64, (3,)),
        (np.float64(2.5), torch.float64, ()),
        (np.ones((2, 3), "f4"), torch.float32, (2, 3)),
        ([np.int32(1), np.int32(2)], torch.int32, (2,)),
    ],
)
def test_dtype_and_shape_from_data(data, dtype, shape):
    """Python numbers take the default dtypes, arrays keep theirs."""
    t = torch.tensor(data)
    assert (t.dtype, tuple(t.shape)) == (dtype, shape)


def test_nested_tensors_as_data():
    """Lists of tensors, and tensors themselves, are copied."""
    x = torch.tensor([1.0, 2.0])
    assert torch.tensor([torch.tensor(1.0), torch.tensor(2.0)]).tolist() == [1.0, 2.0]
    with pytest.warns(UserWarning, match="recommended to use"):
        y = torch.tensor(x)
    y[0] = 5
    assert x[0].item() == 1.0


@pytest.mark.parametrize("dtype", DTYPES)
def test_creation_functions(dtype):
    """Each takes a dtype, and the shape as numbers, tuple or Size."""
    for f, value in ((torch.zeros, 0), (torch.ones, 1)):
        for t in (f(2, 3, dtype=dtype), f((2, 3), dtype=dtype), f(torch.Size([2, 3]), dtype=dtype)):
            assert t.dtype is dtype and t.shape == (2, 3) and bool((t == value).all())
    assert torch.empty(2, 0, dtype=dtype).shape == (2, 0)
    assert torch.full((2,), 1, dtype=dtype).tolist() == torch.ones(2, dtype=dtype).tolist()
    like = torch.zeros(2, 3, dtype=dtype)
    assert torch.ones_like(like).dtype is torch.empty_like(like).dtype is dtype
    assert torch.full_like(like, 1).sum().item() == 6
    assert (
        torch.eye(2, 3, dtype=dtype).tolist()
        == torch.tensor([[1, 0, 0], [0, 1, 0]]).to(dtype).tolist()
    )


def test_ranges():
    """The end is exclusive in arange and inclusive in linspace; the dtype follows the arguments."""
    assert torch.arange(5).tolist() == [0, 1, 2, 3, 4] and torch.arange(5).dtype is torch.int64
    assert torch.arange(1, 2, 0.25).tolist() == [1.0, 1.25, 1.5, 1.75]
    assert torch.arange(3, 0, -1).tolist() == [3, 2, 1] and torch.arange(0).shape == (0,)
    assert torch.arange(3.0).dtype is torch.float32
    assert torch.linspace(0, 1, 5).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert torch.linspace(2, 2, 1).tolist() == [2.0] and torch.linspace(0, 1, 0).shape == (0,)
    assert torch.logspace(0, 2, 3).tolist() == [1.0, 10.0, 100.0]
    with pytest.raises(RuntimeError, match="step must be nonzero"):
        torch.arange(0, 1, 0)
    with pytest.raises(
        RuntimeError, match="upper bound and lower bound inconsistent|inconsistent with step sign"
    ):
        torch.arange(1, 0, 1)
    with pytest.raises(RuntimeError, match="number of steps must be non-negative"):
        torch.linspace(0, 1, -1)


def test_sharing_and_copying_of_arrays():
    """from_numpy and as_tensor share memory where they can; tensor copies."""
    a = np.arange(3.0)
    shared, copied, same = torch.from_numpy(a), torch.tensor(a), torch.as_tensor(a)
    a[0] = 7
    assert shared[0].item() == same[0].item() == 7 and copied[0].item() == 0
    x = torch.ones(2)
    assert torch.as_tensor(x) is x and torch.as_tensor(x, dtype=torch.float64) is not x
    assert torch.frombuffer(bytearray(b"\x01\x02"), dtype=torch.uint8).tolist() == [1, 2]


def test_requires_grad_on_creation():
    """Only floating and complex tensors may require gradients."""
    assert torch.ones(2, requires_grad=True).requires_grad
    assert torch.tensor([1j], requires_grad=True).is_leaf
    with pytest.raises(RuntimeError, match="floating point"):
        torch.tensor([1], requires_grad=True)


def test_new_tensors_like_this_one():
    """new_* take dtype and device from the tensor unless told otherwise."""
    x = torch.ones(2, dtype=torch.float64)
    assert x.new_zeros(2, 3).dtype is x.new_ones((2,)).dtype is torch.float64
    assert x.new_tensor([1, 2]).dtype is torch.float64
    assert x.new_full((2,), 3).tolist() == [3.0, 3.0]
    assert x.new_empty(0, dtype=torch.int8).dtype is torch.int8
    assert x.new_ones(1, requires_grad=True).requires_grad


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: torch.tensor("a"), (TypeError, ValueError), "str"),
        (lambda: torch.tensor([[1, 2], [3]]), ValueError, "expected sequence of length 2 at dim 1"),
        (lambda: torch.tensor([1, "a"]), (TypeError, ValueError), "str"),
        (lambda: torch.tensor(None), RuntimeError, "Could not infer dtype of NoneType"),
        (lambda: torch.zeros(-1), RuntimeError, "must be non-negative|negative dimension"),
        (lambda: torch.zeros(2.5), TypeError, "float"),
        (lambda: torch.from_numpy([1]), TypeError, "expected np.ndarray"),
        (lambda: torch.from_numpy(np.array(["a"])), TypeError, "can't convert np.ndarray of type"),
        (lambda: torch.zeros(2, dtype="float32"), TypeError, "dtype"),
        (lambda: torch.zeros(2, device="nowhere"), RuntimeError, "device"),
        (
            lambda: torch.tensor([300], dtype=torch.uint8),
            (RuntimeError, OverflowError),
            "overflow|out of bounds|unpack",
        ),
    ],
)
def test_bad_data(make, error, words):
    """PyTorch's exception classes, and words that say what is wrong."""
    with pytest.raises(error, match=words):
        make()


# ---------------------------------------------------------------------------------- properties


def test_shape_and_size():
    """Size is a tuple with numel; dimensions may be counted from the end."""
    x = torch.zeros(2, 3, 4)
    assert x.shape == x.size() == torch.Size([2, 3, 4]) == (2, 3, 4)
    assert isinstance(x.shape, torch.Size) and x.shape.numel() == x.numel() == x.nelement() == 24
    assert x.size(1) == x.size(-2) == 3 and x.ndim == x.dim() == 3 and len(x) == 2
    assert x.stride() == (12, 4, 1) and x.stride(-1) == 1 and x.itemsize == x.element_size() == 4
    assert x.nbytes == 96 and x[1, 2:].storage_offset() == 20
    with pytest.raises(
        IndexError,
        match=r"Dimension out of range \(expected to be in range of \[-3, 2\], but got 3\)",
    ):
        x.size(3)
    assert x.mT.shape == (2, 4, 3) and x[0].T.shape == (4, 3)


def test_facts():
    """What a tensor is, asked in PyTorch's ways."""
    x = torch.ones(1)
    assert x.is_floating_point() and not x.is_complex() and x.is_signed() and x.is_cpu
    assert x.get_device() == -1 and str(x.device) == "cpu" and not x.is_cuda and not x.is_meta
    assert torch.is_tensor(x) and not torch.is_tensor(1) and isinstance(x, torch.Tensor)
    assert x.type() == "torch.FloatTensor" and x.type(torch.int32).dtype is torch.int32


# --------------------------------------------------------------------------- conversion to Python


@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_out(dtype):
    """item and tolist give Python's own numbers."""
    kind = (
        bool
        if dtype is torch.bool
        else int
        if dtype in INTS
        else float
        if dtype in FLOATS
        else complex
    )
    x = torch.ones(2, 1, dtype=dtype)
    assert type(x[0].item()) is kind and type(x.tolist()[0][0]) is kind
    assert x.tolist() == [[kind(1)], [kind(1)]] and x[0, 0].tolist() == kind(1)
    assert bool(x[0]) is True
    if kind is not complex:
        assert int(x[0]) == 1 and float(x[0]) == 1.0
    assert complex(x[0]) == 1


def test_conversions_that_fail():
    """Several elements are no number; only integers are an index."""
    x = torch.ones(2)
    with pytest.raises(
        RuntimeError, match="a Tensor with 2 elements cannot be converted to Scalar"
    ):
        x.item()
    with pytest.raises(
        RuntimeError, match="Boolean value of Tensor with more than one value is ambiguous"
    ):
        bool(x)
    with pytest.raises(RuntimeError, match="Boolean value of Tensor with no values is ambiguous"):
        bool(torch.ones(0))
    with pytest.raises((TypeError, RuntimeError, ValueError)):
        float(x)
    with pytest.raises(
        TypeError, match="only integer tensors of a single element can be converted to an index"
    ):
        range(torch.tensor(1.0))
    with pytest.raises(TypeError, match=r"len\(\) of a 0-d tensor"):
        len(torch.tensor(1))
    with pytest.raises(TypeError, match="iteration over a 0-d tensor"):
        iter(torch.tensor(1))
    assert list(range(torch.tensor(3))) == [0, 1, 2] and [5, 6][torch.tensor(1)] == 6


def test_arrays_out():
    """numpy shares memory; tensors that require gradients refuse, unless forced."""
    x = torch.ones(2)
    x.numpy()[0] = 5
    assert x[0].item() == 5 and np.asarray(x).dtype == np.float32
    assert np.array(x, dtype="f8").tolist() == [5.0, 1.0]
    y = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"Can't call numpy\(\) on Tensor that requires grad"):
        y.numpy()
    assert y.detach().numpy().tolist() == y.numpy(force=True).tolist() == [1.0, 1.0]


def test_iteration_and_membership():
    """Rows come as views; `in` compares elements."""
    x = torch.tensor([[1, 2], [3, 4]])
    for row in x:
        row.mul_(2)
    assert x.tolist() == [[2, 4], [6, 8]]
    a, b = x
    assert (a.tolist(), b.tolist()) == ([2, 4], [6, 8])
    assert 4 in x and 5 not in x and torch.tensor(6) in x
    with pytest.raises(RuntimeError, match="only supports Tensor or scalar"):
        _ = "a" in x


def test_hash_and_equality():
    """Equality is elementwise; hashing is by identity, so that tensors may be keys."""
    x, y = torch.ones(1), torch.ones(1)
    assert len({x, y}) == 2 and {x: 1}[x] == 1 and hash(x) == hash(x)
    assert (x == y).item() and (x == 1).item() and not (x != y).item()
    assert (x == None) is False and (x != "a") is True  # noqa: E711
    assert torch.equal(x, y)


def test_formatting():
    """A 0-d tensor formats as its number."""
    assert f"{torch.tensor(1.23456):.2f}" == "1.23" and f"{torch.tensor(3):>3}" == "  3"
    assert f"{torch.tensor([1.0])}" == "tensor([1.])"
    with pytest.raises(TypeError):
        f"{torch.tensor([1.0]):.2f}"


def test_operators_with_foreign_types():
    """What is neither tensor nor number leaves the operator to the other operand, or raises."""

    class Other:
        def __radd__(self, x):
            return "radd"

        def __rmatmul__(self, x):
            return "rmatmul"

    x = torch.ones(2)
    assert x + Other() == "radd"
    for bad in ("a", None, [1, 2]):
        with pytest.raises(TypeError):
            x + bad
        with pytest.raises(TypeError):
            bad * x if not isinstance(bad, list) else x * bad


def test_numpy_scalars_and_arrays_in_operators():
    """NumPy's scalars are numbers, on either side."""
    x = torch.ones(2)
    for y in (x * np.float64(2), np.float64(2) * x, x * np.float32(2), np.int64(2) * x):
        assert isinstance(y, torch.Tensor) and y.dtype is torch.float32 and y.tolist() == [2.0, 2.0]


# --------------------------------------------------------------------------------------- copies


@pytest.mark.parametrize("dtype", DTYPES)
def test_pickling(dtype):
    """Values, dtype, requires_grad and attributes survive; memory is new."""
    x = torch.ones(2, 3, dtype=dtype)
    x.mark = "mine"
    for y in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x)):
        assert y.dtype is dtype and y.tolist() == x.tolist() and y.mark == "mine"
        y[0, 0] = 0
        assert x.tolist() == torch.ones(2, 3, dtype=dtype).tolist()
    if dtype in FLOATS:
        leaf = torch.ones(2, dtype=dtype, requires_grad=True)
        assert pickle.loads(pickle.dumps(leaf)).requires_grad and copy.deepcopy(leaf).requires_grad


def test_deepcopy_keeps_what_is_shared():
    """One tensor in two places stays one; gradients come along; history does not."""
    x = torch.ones(2, requires_grad=True)
    (x * 2).sum().backward()
    a, b = copy.deepcopy([x, x])
    assert a is b and a is not x and a.grad.tolist() == [2.0, 2.0] and a.grad is not x.grad
    with pytest.raises(RuntimeError, match="Only Tensors created explicitly by the user"):
        copy.deepcopy(x * 2)
    shallow = copy.copy(x)
    assert shallow.tolist() == x.tolist()


def test_pickling_of_views():
    """A view is stored by itself."""
    x = torch.arange(1000.0)[:2]
    buffer = io.BytesIO()
    pickle.dump(x, buffer)
    buffer.seek(0)
    assert pickle.load(buffer).tolist() == [0.0, 1.0]


def test_to_and_its_forms():
    """The tensor itself where nothing changes; dtype by object, tensor or method."""
    x = torch.ones(2)
    assert x.to(torch.float32) is x.to("cpu") is x.to(x) is x.float() is x.cpu() is x
    assert x.to(torch.float32, copy=True) is not x
    assert x.to("cpu", torch.int8).dtype is x.char().dtype is torch.int8
    assert x.to(torch.ones(1, dtype=torch.float64)).dtype is x.double().dtype is torch.float64
    for method, dtype in (("bool", torch.bool), ("byte", torch.uint8), ("short", torch.int16),
                          ("int", torch.int32), ("long", torch.int64), ("half", torch.float16),
                          ("bfloat16", torch.bfloat16), ("cfloat", torch.complex64)):  # fmt: skip
        assert getattr(x, method)().dtype is dtype
    assert torch.tensor([1.9, -1.9]).int().tolist() == [1, -1]
    assert torch.tensor([0.0, 0.5, float("nan")]).bool().tolist() == [False, True, True]


def test_data_and_detach():
    """Both share memory; data may be replaced, and a leaf stays the same leaf."""
    x = torch.ones(2, requires_grad=True)
    x.data[0] = 5
    x.detach().mul_(2)
    assert x.tolist() == [10.0, 2.0] and not x.data.requires_grad
    x.data = torch.zeros(3)
    assert x.shape == (3,) and x.requires_grad and x.is_leaf
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0] * 3
    y = x * 2
    assert y.detach_() is y and y.is_leaf and not y.requires_grad


def test_assigning_grad():
    """A gradient must fit its tensor."""
    x = torch.ones(2, requires_grad=True)
    x.grad = torch.ones(2)
    with pytest.raises(
        RuntimeError, match="different size|data of a different size|not aligned|size"
    ):
        x.grad = torch.ones(3)
    with pytest.raises(RuntimeError, match="type"):
        x.grad = torch.ones(2, dtype=torch.float64)
    with pytest.raises(TypeError, match="expected to be a Tensor or None"):
        x.grad = 1
    x.grad = None
    assert x.grad is None


# ------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda x: x + torch.ones(4),
            RuntimeError,
            r"size of tensor a \(3\) must match the size of tensor b \(4\)",
        ),
        (
            lambda x: x @ torch.ones(4, 2),
            RuntimeError,
            r"mat1 and mat2 shapes cannot be multiplied \(2x3 and 4x2\)",
        ),
        (lambda x: x @ torch.ones(3, dtype=torch.float64), RuntimeError, "same dtype"),
        (lambda x: x.sum(2), IndexError, "Dimension out of range"),
        (lambda x: x.sum((0, 0)), RuntimeError, "dim 0 appears multiple times in the list of dims"),
        (lambda x: x.reshape(4), RuntimeError, "shape '\\[4\\]' is invalid for input of size 6"),
        (
            lambda x: x.expand(2, 4),
            RuntimeError,
            r"expanded size of the tensor \(4\) must match the existing size \(3\)",
        ),
        (
            lambda x: x.permute(0),
            RuntimeError,
            "number of dimensions in the tensor input does not match",
        ),
        (lambda x: x.permute(0, 0), RuntimeError, "duplicate dims|repeated dim"),
        (
            lambda x: torch.cat([x, torch.ones(2, 4)]),
            RuntimeError,
            "Sizes of tensors must match except in dimension 0",
        ),
        (lambda x: torch.cat([]), (RuntimeError, ValueError), "non-empty list"),
        (
            lambda x: torch.stack([x, torch.ones(2)]),
            RuntimeError,
            "stack expects each tensor to be equal size",
        ),
        (lambda x: x.add_(torch.ones(4, 2, 3)), RuntimeError, "doesn't match the broadcast shape"),
        (lambda x: x.long().mean(), RuntimeError, "mean\\(\\): could not infer output dtype"),
        (lambda x: x & 1, RuntimeError, "not implemented for 'Float'"),
        (lambda x: torch.tensor([1]) // 0, RuntimeError, "ZeroDivisionError"),
        (
            lambda x: torch.tensor([2]) ** -1,
            RuntimeError,
            "Integers to negative integer powers are not allowed",
        ),
        (
            lambda x: -torch.tensor([True]),
            RuntimeError,
            "Negation, the `-` operator, on a bool tensor",
        ),
        (
            lambda x: torch.tensor([True]) - torch.tensor([True]),
            RuntimeError,
            "Subtraction, the `-` operator",
        ),
        (lambda x: x.squeeze(5), IndexError, "Dimension out of range"),
        (lambda x: x.view(5, -1), RuntimeError, "is invalid for input of size 6"),
        (lambda x: x.clamp(), RuntimeError, "At least one of 'min' or 'max' must not be None"),
        (lambda x: x.masked_fill(torch.ones(2, 3), 0), RuntimeError, "only supports boolean masks"),
        (
            lambda x: torch.add(x, x, alpha=True),
            RuntimeError,
            "Boolean alpha only supported for Boolean results",
        ),
        (
            lambda x: x.split([1, 2]),
            RuntimeError,
            "split_with_sizes expects split_sizes to sum exactly to 2",
        ),
        (
            lambda x: x.narrow(0, 1, 5),
            RuntimeError,
            r"start \(1\) \+ length \(5\) exceeds dimension size \(2\)",
        ),
        (
            lambda x: x.imag,
            RuntimeError,
            "imag is not implemented for tensors with non-complex dtypes",
        ),
        (lambda x: x.unflatten(1, (2, 2)), RuntimeError, "don't multiply up to the size of dim 1"),
    ],
)
def test_bad_arguments(call, error, words):
    """PyTorch's exception classes and words, checked against PyTorch when they were written."""
    with pytest.raises(error, match=words):
        call(torch.ones(2, 3))


def test_tensors_in_lists_count_as_numbers():
    """One element each, of whatever shape, with its dtype."""
    one = torch.tensor
    assert one([one([1]), one([[2]])]).tolist() == [1, 2]
    assert one([[one([1]), 2]]).tolist() == [[1, 2]]
    assert one([one(1, dtype=torch.int32)]).dtype is torch.int32
    assert one([one(0.1, dtype=torch.float64)]).item() == 0.1
    assert one([one([1.0], dtype=torch.float16), one(2.0).double()]).dtype is torch.float64
    assert one([one(1.0, dtype=torch.bfloat16), 1]).dtype is torch.bfloat16
    with pytest.raises(ValueError, match="only one element tensors can be converted"):
        one([one([1, 2]), one([3, 4])])


def test_pickles_of_results():
    """A result is pickled as a leaf that needs gradients."""
    y = pickle.loads(pickle.dumps(torch.ones(2, requires_grad=True) * 2))
    assert y.tolist() == [2.0, 2.0] and y.requires_grad and y.is_leaf


def test_data_of_what_needs_gradients_stays_floating():
    """Integers cannot become the data of a leaf."""
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="must be floating point or complex dtype"):
        x.data = torch.tensor([1, 2])
    assert x.dtype is torch.float32


def test_reversed_and_transposed_numbers():
    """``reversed`` flips the first dimension; a number is its own matrix transpose."""
    assert reversed(torch.tensor([[1, 2], [3, 4]])).tolist() == [[3, 4], [1, 2]]
    assert reversed(torch.tensor(3)).item() == 3
    number = torch.tensor(2.0)
    assert number.mT.item() == number.mH.item() == 2.0


def test_types_by_name():
    """The names of the tensor types convert as the dtypes do."""
    x = torch.tensor([1.5])
    assert x.type("torch.IntTensor").dtype is torch.int32
    assert x.type("torch.DoubleTensor").dtype is torch.float64


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [(int, torch.int64), (float, torch.float64), (bool, torch.bool), (complex, torch.complex128)],
)
def test_python_types_as_dtypes(kind, dtype):
    """As PyTorch takes them."""
    x = torch.ones(2)
    made = [
        torch.zeros(2, dtype=kind), torch.tensor([1], dtype=kind), torch.full((2,), 1, dtype=kind),
        torch.zeros_like(x, dtype=kind), x.new_zeros(2, dtype=kind), torch.eye(2, dtype=kind),
        x.sum(dtype=kind), x.to(kind), x.to(dtype=kind), x.to("cpu", kind),
    ]  # fmt: skip
    if kind in (int, float):
        made += [torch.arange(3, dtype=kind), torch.linspace(0, 1, 3, dtype=kind)]
    assert {t.dtype for t in made} == {dtype}
    if kind is float:
        assert torch.nn.Linear(2, 2, dtype=kind).float().to(kind).weight.dtype is dtype
    with pytest.raises(TypeError, match="must be torch.dtype, not type"):
        torch.zeros(2, dtype=str)
