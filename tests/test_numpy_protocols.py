"""How tensors and NumPy meet: operators with arrays, ``out=``, in-place functions, what is refused."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import scipy.special

import arraytorch as torch


def leaf():
    return torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)


@pytest.mark.parametrize("symbol", ["+", "-", "*", "/", "//", "%", "**", "<", "==", "@"])
def test_operators_with_arrays_on_either_side(symbol):
    """An array counts as a tensor of its dtype, whichever operand it is, and gradients flow."""
    array = np.array([4.0, 3.0, 2.0, 1.0])
    for expression in (f"x {symbol} a", f"a {symbol} x"):
        got = eval(expression, {"x": leaf(), "a": array})
        wanted = eval(expression, {"x": np.arange(1.0, 5.0), "a": array})
        assert isinstance(got, torch.Tensor)
        assert got.dtype is (torch.bool if symbol in "<==" else torch.float64)
        assert got.tolist() == wanted.tolist()
        assert got.requires_grad == (symbol in ("+", "-", "*", "/", "//", "%", "**", "@"))


def test_gradients_through_arrays():
    """What a ufunc of NumPy computes with a tensor belongs to its graph."""
    x = leaf()
    np.sum(np.arange(4.0) * np.square(x)).backward()
    assert x.grad.tolist() == [0.0, 4.0, 12.0, 24.0]


def test_float_arrays_keep_their_dtype_and_numbers_yield():
    """Arrays promote like tensors, NumPy's scalars like Python's numbers."""
    assert np.add(leaf(), np.ones(4, np.float32)).dtype is torch.float32
    assert np.add(leaf(), np.float64(1)).dtype is torch.float32
    assert np.sqrt(torch.arange(3)).dtype is torch.float32
    assert np.mean(torch.arange(4)).item() == 1.5
    assert np.sum(torch.tensor([True, True])).dtype is torch.int64


def test_conversions_stay():
    """asarray shares memory, array copies lists of tensors, gradients refuse to become arrays."""
    x = torch.arange(3.0)
    assert np.shares_memory(np.asarray(x), x.numpy())
    assert np.array([x, x]).tolist() == [[0.0, 1.0, 2.0]] * 2
    with pytest.raises(RuntimeError, match=r"Can't call numpy\(\) on Tensor that requires grad"):
        np.asarray(leaf())


def test_out_takes_the_gradient_if_it_is_a_tensor():
    """A tensor given as out= is written in place and stands in the graph."""
    x, out = leaf(), torch.zeros(4, dtype=torch.float64)
    assert np.multiply(x, np.full(4, 3.0), out=out) is out
    assert np.sum(out, axis=0, out=torch.zeros((), dtype=torch.float64)).item() == 30.0
    out.sum().backward()
    assert x.grad.tolist() == [3.0] * 4


def test_out_arrays():
    """Arrays are written, unless they would lose a gradient; dtype and shape have to fit."""
    array = np.ones(4)
    array += torch.ones(4)
    assert array.tolist() == [2.0] * 4
    with pytest.raises(TypeError, match="an array as out= would lose the gradient"):
        array += leaf()
    with pytest.raises(TypeError, match="Cannot cast add from .* with casting rule 'same_kind'"):
        np.add(torch.ones(2), 1.0, out=torch.zeros(2, dtype=torch.int64))
    assert np.add(
        torch.ones(2), 1.0, out=torch.zeros(2, dtype=torch.int64), casting="unsafe"
    ).tolist() == [2, 2]
    with pytest.raises(ValueError, match="does not fit"):
        np.add(torch.ones(2), 1.0, out=torch.zeros(3))
    with pytest.raises(TypeError, match="Cannot cast ufunc 'add' input"):
        np.add(torch.ones(2), 1, dtype=np.int32)


def test_where_keeps_nan_out_of_gradients():
    """Nothing is computed where the mask is False, so that no gradient comes from there."""
    x = torch.tensor([0.0, 1.0, 2.0], requires_grad=True)
    y = np.log(x, where=x > 0)
    assert y[0].item() == 0.0 and y[2].item() == pytest.approx(np.log(2))
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 1.0, 0.5]
    out = np.log(x.detach(), where=np.array([False, True, True]), out=torch.full((3,), 9.0))
    assert out[0].item() == 9.0


def test_at_repeats_where_an_index_does():
    """ufunc.at is unbuffered, for ufuncs of one and of two arguments, and has gradients."""
    for ufunc, index, values in (
        (np.add, [0, 0, 3], (2.0,)),
        (np.multiply, ([1, 1, 2],), (3.0,)),
        (np.subtract, np.array([-1, -1]), (np.array([1.0, 2.0]),)),
        (np.negative, [2, 2, 1], ()),
        (np.maximum, slice(0, 2), (2.5,)),
    ):
        array, tensor = np.arange(4.0), torch.arange(4.0, dtype=torch.float64)
        ufunc.at(array, index, *values)
        assert ufunc.at(tensor, index, *values) is None
        assert tensor.tolist() == array.tolist()
    x = leaf()
    y = x * 1
    np.multiply.at(y, [0, 0, 1], x[:3])
    y.sum().backward()
    assert x.grad.tolist() == [4.0, 4.0, 3.0, 1.0]  # of a*a*b, b*c, c and d


@pytest.mark.parametrize(
    "write",
    [
        lambda a: np.copyto(a, 7.0, where=np.eye(5, 3, dtype=bool)),
        lambda a: np.putmask(a, a > 3, [10.0, 20.0, 30.0]),
        lambda a: np.put(a, [0, -1, 4], [5.0, 6.0]),
        lambda a: np.put(a, [0, 99], 5.0, mode="clip"),
        lambda a: np.place(a, a > 7, [1.0, 2.0]),
        lambda a: np.fill_diagonal(a, [1.0, 2.0]),
        lambda a: np.fill_diagonal(a, 9.0, wrap=True),
        lambda a: np.put_along_axis(a, np.array([[-1], [0], [1], [2], [0]]), 9.0, axis=1),
    ],
)
def test_functions_that_write(write):
    """They write as NumPy does, are noticed by saved tensors, and pass gradients of the rest."""
    array = np.arange(15.0).reshape(5, 3)
    x = torch.tensor(array, requires_grad=True)
    y = x * 1
    before = y._version
    write(y)
    write(array)
    assert y.tolist() == array.tolist() and y._version > before
    y.sum().backward()
    assert x.grad.tolist() == (array == np.arange(15.0).reshape(5, 3)).astype(float).tolist()


def test_what_has_no_counterpart_is_numpys_work():
    """Its results come back as tensors, if there is no gradient to lose."""
    found = np.unwrap(torch.tensor([0.0, 7.0]))
    assert isinstance(found, torch.Tensor) and found[1].item() == pytest.approx(7 - 2 * np.pi)
    values, index = np.unique(torch.tensor([3, 1, 3]), return_index=True)
    assert values.tolist() == [1, 3] and index.tolist() == [1, 0]
    assert np.array2string(torch.arange(2)) == "[0 1]"
    assert np.shape(leaf()) == (4,) and np.size(leaf()) == 4 and np.ndim(leaf()) == 1
    assert np.spacing(leaf()).tolist() == np.spacing(np.arange(1, 5, dtype=np.float32)).tolist()
    out = torch.zeros(3, dtype=torch.uint8)
    assert np.bitwise_count(torch.tensor([1, 3, 7]), out=out) is out and out.tolist() == [1, 2, 3]
    names = np.broadcast_arrays(torch.arange(2), None, "a")  # no tensor holds these
    assert names[2].tolist() == ["a", "a"]


def test_gradients_are_not_lost():
    """Where NumPy alone could compute, a tensor that requires gradients is refused."""
    for call in (np.unwrap, lambda x: np.insert(x, 1, 0.0), lambda x: scipy.special.jv(1, x)):
        with pytest.raises(TypeError, match=r"no counterpart in arraytorch.*tensor.detach\(\)"):
            call(leaf())
        call(leaf().detach())
        with torch.no_grad():
            call(leaf())


def test_other_devices_are_not_copied():
    """Operations run where the tensor is; what only the host could do is refused."""
    x = torch.ones(3, device="meta")
    assert np.sum(x).device.type == "meta" and np.linalg.norm(x).shape == ()
    with pytest.raises(TypeError, match="cannot reach a tensor on meta"):
        np.unwrap(x)


def test_scipys_special_functions():
    """SciPy's ufuncs are known by their names, and only SciPy's own."""
    x = leaf()
    scipy.special.expit(x).sum().backward()
    expected = scipy.special.expit(x.detach().numpy())
    assert np.allclose(x.grad.numpy(), expected * (1 - expected))
    homonym = np.frompyfunc(lambda a: a, 1, 1)
    with pytest.raises(TypeError, match="no counterpart"):
        homonym(x)


def test_others_may_take_over():
    """Classes that have the protocols themselves are asked."""

    class Theirs:
        def __array_ufunc__(self, *_, **__):
            return "ufunc"

        def __array_function__(self, *_, **__):
            return "function"

    assert np.add(torch.ones(2), Theirs()) == "ufunc"
    assert np.concatenate([torch.ones(2), Theirs()]) == "function"


def test_errors_are_arraytorchs():
    """Bad arguments raise, as the operations do, and bad reductions as NumPy's do."""
    with pytest.raises(IndexError, match="Dimension out of range"):
        np.sum(torch.ones(2), axis=1)
    with pytest.raises(ValueError, match="zero-size array to reduction operation maximum"):
        np.max(torch.ones(0))
    assert np.max(torch.ones(0), initial=3.0).item() == 3.0
    with pytest.raises(ValueError, match="does not have an identity"):
        np.max(torch.ones(2), where=np.array([True, False]))
    with pytest.raises(ValueError, match="All-NaN slice"):
        np.nanargmax(torch.tensor([np.nan]))


def test_the_module_loads_when_first_used():
    """Importing arraytorch does not load what serves NumPy."""
    code = (
        "import sys, arraytorch as t, numpy as np; x = t.ones(2); x + 1\n"
        "assert 'arraytorch._numpy' not in sys.modules\n"
        "np.sum(x)\nassert 'arraytorch._numpy' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "call",
    [
        "torch.sum({}, {}=0, {}=True)",
        "x.mean({}=0)",
        "x.std({}=0, {}=True)",
        "torch.var({}, {}=(0, 1))",
        "x.max({}=1).values",
        "torch.amin({}, {}=1, {}=True)",
        "x.argmax({}=1, {}=True)",
        "torch.any(x > 1, {}=0)",
        "torch.prod({}, {}=1)",
        "x.cumsum({}=1)",
        "torch.logsumexp({}, {}=1, {}=True)",
        "torch.softmax({}, {}=1)",
        "torch.median({}, {}=1).values",
        "torch.quantile({}, 0.5, {}=1)",
        "torch.sort({}, {}=0).values",
        "x.argsort({}=0)",
        "torch.topk({}, 1, {}=0).values",
        "torch.cat([x, x], {}=1)",
        "torch.stack([x, x], {}=1)",
        "x.unsqueeze({}=1)",
        "x[:1].squeeze({}=0)",
        "torch.squeeze(x[:1], {}=0)",
        "x.unbind({}=1)[0]",
        "torch.chunk({}, 2, {}=1)[0]",
        "torch.diff({}, {}=0)",
        "torch.linalg.norm({}, {}=1, {}=True)",
        "torch.linalg.vector_norm({}, {}=1)",
    ],
)
def test_numpys_words_for_dimensions(call):
    """axis= and keepdims= mean dim= and keepdim=, as PyTorch has it for its own functions."""
    holes = call.count("{}")
    lead = ["x"] if "({}," in call else []
    words = [("dim", "axis"), ("keepdim", "keepdims")][: holes - len(lead)]
    x = torch.tensor([[1.0, 5.0, 2.0], [4.0, 3.0, 0.5]])
    wanted, got = (
        eval(call.format(*lead, *(pair[i] for pair in words)), {"torch": torch, "x": x})
        for i in (0, 1)
    )
    assert torch.equal(wanted, got)


def test_a_dimension_has_to_be_given():
    """Without dim and axis, where there is no default, TypeError names dim."""
    for op in (torch.cumsum, torch.logsumexp, torch.unsqueeze, torch.cummax):
        with pytest.raises(TypeError, match="missing 1 required positional argument: 'dim'"):
            op(torch.ones(2))
