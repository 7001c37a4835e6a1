"""torch.func.grad, grad_and_value and vjp: PyTorch 2.13's values and refusals."""

from __future__ import annotations

import pytest

import arraytorch as torch
from arraytorch.func import grad, grad_and_value, vjp

X = torch.tensor([1.0, 2.0])


def test_gradients():
    assert grad(lambda x: (x**3).sum())(X).tolist() == [3, 12]
    of_both = grad(lambda x, y: (x * y).sum(), argnums=(0, 1))(X, X * 2)
    assert [g.tolist() for g in of_both] == [[2, 4], [1, 2]]
    assert grad(lambda x, y: (x * y).sum(), argnums=-1)(X, X * 2).tolist() == [1, 2]
    tree = grad(lambda p: (p["a"] * p["b"]).sum())({"a": X, "b": X * 2})
    assert {k: g.tolist() for k, g in tree.items()} == {"a": [2, 4], "b": [1, 2]}
    assert grad(lambda x, y: (y**2).sum())(X, X).tolist() == [0, 0]
    assert grad(lambda x: torch.ones(()))(X).tolist() == [0, 0]
    found, aux = grad(lambda x: ((x**2).sum(), x * 5), has_aux=True)(X)
    assert found.tolist() == [2, 4] and aux.tolist() == [5, 10] and not aux.requires_grad
    found, (value, aux) = grad_and_value(lambda x: ((x**2).sum(), {"k": x}), has_aux=True)(X)
    assert value.item() == 5 and not value.requires_grad and aux["k"].tolist() == [1, 2]
    assert not found.requires_grad and not X.requires_grad


def test_nested_and_within_a_graph():
    """What lies outside keeps its history, what lies inside does not show."""
    second = grad(lambda x: grad(lambda y: (y**3).sum())(x).sum())(X)
    assert second.tolist() == [6, 12] and not second.requires_grad
    w = torch.tensor(3.0, requires_grad=True)
    (again,) = torch.autograd.grad(grad(lambda y: y**3)(w), w)
    assert again.item() == 18
    by_closure = grad(lambda x: (w * x**2).sum())(X)
    assert torch.autograd.grad(by_closure.sum(), w)[0].item() == 6
    with torch.no_grad():
        found = grad(lambda x: (w * x**2).sum())(X)
    assert found.tolist() == [6, 12] and not found.requires_grad
    assert w.grad is None


def test_vjp():
    value, pull = vjp(lambda x, y: (x * y, {"s": x.sum()}), X, X * 2)
    assert value[0].tolist() == [2, 8] and value[1]["s"].item() == 3
    for _ in range(2):
        first, second = pull((torch.ones(2), {"s": torch.tensor(1.0)}))
        assert first.tolist() == [3, 5] and second.tolist() == [1, 2]
    value, pull, aux = vjp(lambda x: (x**2, x), X, has_aux=True)
    assert pull(torch.ones(2))[0].tolist() == [2, 4] and aux.tolist() == [1, 2]
    assert not value.requires_grad
    hessian = vjp(lambda x: grad(lambda y: (y**3).sum())(x), X)[1]
    assert hessian(torch.tensor([1.0, 0.0]))[0].tolist() == [6, 0]


@pytest.mark.parametrize(
    ("kind", "words", "call"),
    [
        (RuntimeError, "return a scalar Tensor, got tensor with 1 dims", lambda: grad(lambda x: x)(X)),
        (RuntimeError, "return a Tensor, got <class 'int'>", lambda: grad(lambda x: 3)(X)),
        (RuntimeError, "Got argnum=2, but only 1 positional", lambda: grad(torch.sum, argnums=2)(X)),
        (RuntimeError, "should be a tuple", lambda: grad(torch.sum, has_aux=True)(X)),
        (RuntimeError, "argnums must be int or", lambda: grad(torch.sum, argnums="a")(X)),
        (RuntimeError, "argnums must be non-empty", lambda: grad(torch.sum, argnums=())(X)),
        (RuntimeError, "must be unique", lambda: grad(torch.sum, argnums=(0, 0))(X)),
        (ValueError, "must be Tensor, got <class 'float'>", lambda: grad(torch.sum)(3.0)),
        (RuntimeError, "floating point dtype can require", lambda: grad(torch.sum)(X.long())),
        (RuntimeError, "Expected tensors, got unsupported type",
         lambda: grad(lambda x: (x.sum(), 1), has_aux=True)(X)),
        (RuntimeError, "Mismatch in shape: grad_output\\[0\\]", lambda: vjp(torch.sin, X)[1](torch.ones(3))),
        (RuntimeError, "to return only tensors", lambda: vjp(lambda x: (x, 3), X)),
        (RuntimeError, "Expected pytree structure", lambda: vjp(torch.sin, X)[1]((X, X))),
    ],
)  # fmt: skip
def test_what_they_refuse(kind, words, call):
    with pytest.raises(kind, match=words):
        call()


@pytest.mark.parametrize(("pattern", "sizes", "shape"), [
    ("a b c -> c (a b)", {}, (4, 6)), ("a (b c) d -> a b c d", {"b": 1}, (2, 1, 3, 4)),
    ("... c -> c ...", {}, (4, 2, 3)), ("a b c -> a 1 (b c)", {}, (2, 1, 12)),
    ("a ... -> (... a)", {}, (24,)),
])  # fmt: skip
def test_rearrange(pattern, sizes, shape):
    """Shapes are those of the pattern, and no element is lost."""
    x = torch.arange(24).reshape(2, 3, 4)
    out = torch.func.rearrange(x, pattern, **sizes)
    assert out.shape == shape
    assert sorted(out.flatten().tolist()) == list(range(24))


def test_rearrange_moves_elements():
    """As a permutation and a reshape by hand."""
    x = torch.arange(24).reshape(2, 3, 4)
    out = torch.func.rearrange(x, "a b (c d) -> (d a) b c", d=2)
    assert out.tolist() == x.reshape(2, 3, 2, 2).permute(3, 0, 1, 2).reshape(4, 3, 2).tolist()


@pytest.mark.parametrize(("pattern", "words"), [
    ("a b -> b", "only on one side"), ("a b c", "single '->'"), ("a b c -> a (b c", "Imbalanced"),
    ("a a c -> a c", "duplicate dimension 'a'"), ("a b c -> a b c ...", "Ellipsis found in right"),
    ("a b -> b a", "must be equal"), ("a (b c) d -> a b c d", "several dimensions at once"),
])  # fmt: skip
def test_rearrange_refuses(pattern, words):
    """ValueError for patterns that are none or do not fit."""
    with pytest.raises(ValueError, match=words):
        torch.func.rearrange(torch.zeros(2, 3, 4), pattern)
