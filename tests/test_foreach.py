"""Operations on lists of tensors, as optimizers of other libraries call them."""

from __future__ import annotations

import numpy as np
import pytest

import arraytorch as torch

LISTS = [np.array([1.0, 4.0]), np.array([[0.25, 9.0, 2.0]])]


def lists():
    return [torch.tensor(x) for x in LISTS]


@pytest.mark.parametrize(
    ("name", "function"),
    [("sqrt", np.sqrt), ("neg", np.negative), ("exp", np.exp), ("reciprocal", np.reciprocal),
     ("tanh", np.tanh), ("abs", np.abs), ("log1p", np.log1p), ("sign", np.sign)],
)  # fmt: skip
def test_functions_of_one_list(name, function):
    """Out of place a tuple, in place the list itself with new values."""
    expected = [function(x) for x in LISTS]
    made = getattr(torch, f"_foreach_{name}")(lists())
    given = lists()
    written = getattr(torch, f"_foreach_{name}_")(given)
    assert type(made) is tuple and written is given
    for a, b, c in zip(made, given, expected, strict=True):
        np.testing.assert_allclose(a.numpy(), c, rtol=1e-12)
        np.testing.assert_allclose(b.numpy(), c, rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "function"),
    [("add", np.add), ("sub", np.subtract), ("mul", np.multiply), ("div", np.divide),
     ("maximum", np.maximum), ("clamp_max", np.minimum), ("pow", np.power)],
)  # fmt: skip
def test_a_second_argument(name, function):
    """It is a number or tensor for all, a number for each, or a tensor for each."""
    op, op_ = getattr(torch, f"_foreach_{name}"), getattr(torch, f"_foreach_{name}_")
    others = [np.array(2.0), np.array(3.0)]
    for second, values in (
        (2.0, [2.0, 2.0]),
        ([2.0, 3.0], [2.0, 3.0]),
        ([torch.tensor(o) for o in others], others),
    ):
        given = lists()
        op_(given, second)
        for x, y, a, b in zip(LISTS, values, op(lists(), second), given, strict=True):
            np.testing.assert_allclose(a.numpy(), function(x, y), rtol=1e-12)
            np.testing.assert_allclose(b.numpy(), function(x, y), rtol=1e-12)


def test_further_arguments():
    """alpha, value, weights, orders of norms; and a number to the power of tensors."""
    a, b = lists()
    assert torch._foreach_add([a, b], [a, b], alpha=2)[0].tolist() == [3.0, 12.0]
    assert torch._foreach_add([a], torch.tensor(1.0, dtype=torch.float64))[0].tolist() == [2.0, 5.0]
    for scalars in (2, [2, 1], torch.tensor([2.0, 1.0])):
        assert torch._foreach_addcmul([a, b], [a, b], [a, b], scalars)[0].tolist() == [3.0, 36.0]
    assert torch._foreach_addcdiv([a], [a], [a], value=3)[0].tolist() == [4.0, 7.0]
    assert torch._foreach_lerp([a], [3 * a], 0.5)[0].tolist() == [2.0, 8.0]
    assert torch._foreach_pow(2, [torch.tensor([1.0, 3.0])])[0].tolist() == [2.0, 8.0]
    assert torch._foreach_norm([torch.tensor([3.0, 4.0])])[0].item() == pytest.approx(5)
    assert torch._foreach_norm([torch.tensor([3.0, 4.0])], 1)[0].item() == 7
    assert torch._foreach_norm([torch.ones(2)], dtype=torch.float64)[0].dtype is torch.float64
    assert torch._foreach_powsum([torch.tensor([1.0, 2.0])], 3)[0].item() == pytest.approx(9)
    assert torch._foreach_max([a, b])[1].item() == 9
    assert torch._foreach_mm([torch.eye(2)], [torch.ones(2, 2)])[0].tolist() == [[1, 1], [1, 1]]


def test_copies_and_zeros():
    given = lists()
    copies = torch._foreach_clone(given)
    assert copies[0] is not given[0] and copies[0].equal(given[0])
    torch._foreach_zero_(given)
    assert [t.abs().max().item() for t in given] == [0, 0]
    torch._foreach_copy_(given, copies)
    assert given[1].equal(copies[1])


def test_gradients_flow_through():
    x = torch.tensor([2.0], requires_grad=True)
    sum(torch._foreach_mul([x, x], [3.0, x]), torch.zeros(1)).backward()
    assert x.grad.tolist() == [7.0]


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda a: torch._foreach_add(a, [1]), RuntimeError,
         "Tensor list must have same number of elements as scalar list."),
        (lambda a: torch._foreach_add(a, a[:1]), RuntimeError,
         "Tensor lists must have the same number of tensors, got 2 and 1"),
        (lambda a: torch._foreach_abs([]), RuntimeError,
         "Tensor list must have at least one tensor."),
        (lambda a: torch._foreach_mul(a, torch.ones(2)), RuntimeError,
         "scalar tensor expected to be 0 dim but it has 1 dimensions and 2 elements."),
        (lambda a: torch._foreach_addcdiv(a, a, a[:1]), RuntimeError,
         "Tensor lists must have the same number of tensors, got 2 and 1"),
        (lambda a: torch._foreach_addcdiv(a, a, a, torch.ones(3)), RuntimeError,
         "Expected length of scalars to match input of length 2 but got 3 instead."),
        (lambda a: torch._foreach_abs(torch.ones(2)), TypeError,
         "argument 'self' (position 1) must be tuple of Tensors, not Tensor"),
        (lambda a: torch._foreach_abs(a, 1), TypeError, "takes from 1 to 1 positional arguments"),
    ],
)  # fmt: skip
def test_what_is_refused(call, kind, words):
    with pytest.raises(kind) as caught:
        call(lists())
    assert words in str(caught.value)
