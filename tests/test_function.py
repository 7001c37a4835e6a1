"""Ops of the user's own: `autograd.Function` in all its forms."""

from __future__ import annotations

import gc
import weakref

import pytest

import arraytorch as torch
from arraytorch.autograd import Function, grad, gradcheck, gradgradcheck
from arraytorch.autograd.function import once_differentiable


class Double(Function):
    """Doubles in place."""

    @staticmethod
    def forward(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        return x

    @staticmethod
    def backward(ctx, g):
        return g * 2


class Exp(Function):
    """Saves its output."""

    @staticmethod
    def forward(ctx, x):
        out = x.exp()
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx, g):
        (out,) = ctx.saved_tensors
        return g * out


class Several(Function):
    """A product, a mask and a sum; only the first and last have gradients."""

    seen = None

    @staticmethod
    def forward(ctx, x, y, k):
        ctx.k = k
        ctx.save_for_backward(x, y)
        mask = x > 0
        ctx.mark_non_differentiable(mask)
        return x * y, mask, x + y

    @staticmethod
    def backward(ctx, a, b, c):
        x, y = ctx.saved_tensors
        Several.seen = (a, b, c, ctx.needs_input_grad)
        return a * y + c, a * x + c, None


class Power(Function):
    """The newer form, with setup_context."""

    @staticmethod
    def forward(x, n):
        return x**n

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, ctx.n = inputs
        ctx.save_for_backward(x, output)

    @staticmethod
    def backward(ctx, g):
        x, out = ctx.saved_tensors
        return g * ctx.n * out / x, None


class Same(Function):
    """Returns its input; its gradient is five times that."""

    @staticmethod
    def forward(ctx, x):
        return x

    @staticmethod
    def backward(ctx, g):
        return g * 5


def leaf(values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def function(forward, backward):
    """A Function of these two."""
    return type(
        "Made", (Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    )


def test_derivatives_of_functions():
    """First and second order, with saved inputs, saved outputs and setup_context."""
    x, y = leaf([1.5, -0.5]), leaf([0.3, 2.0])
    assert gradcheck(Exp.apply, x) and gradgradcheck(Exp.apply, x)
    f = lambda x, y: (lambda out: (out[0], out[2]))(Several.apply(x, y, 3))
    assert gradcheck(f, (x, y)) and gradgradcheck(f, (x, y))
    assert gradcheck(lambda x: Power.apply(x, 3), x) and gradgradcheck(
        lambda x: Power.apply(x, 3), x
    )


def test_several_outputs():
    """Zeros stand for outputs that nobody used, unless forward says None is wanted."""
    x = leaf([1.0, -2.0])
    product, mask, total = Several.apply(x, torch.ones(2, dtype=torch.float64), 7)
    assert product.requires_grad and total.requires_grad and not mask.requires_grad
    product.sum().backward()
    a, b, c, needs = Several.seen
    assert (a.tolist(), b.tolist(), c.tolist()) == ([1.0, 1.0], [False, False], [0.0, 0.0])
    assert needs == (True, False, False)

    seen = []

    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        return x * 1, x * 2

    def backward(ctx, a, b):
        seen.append((a, b))
        return b * 2

    _, second = function(forward, backward).apply(x)
    second.sum().backward()
    assert seen[0][0] is None and seen[0][1].tolist() == [1.0, 1.0]


def test_outputs_keep_their_kind():
    """A tuple stays one, a list too; what is no tensor passes through."""
    x = leaf([1.0])
    assert type(function(lambda ctx, x: (x * 2,), None).apply(x)) is tuple
    assert type(function(lambda ctx, x: [x * 2, x * 3], None).apply(x)) is list
    made = function(lambda ctx, x: (x * 2, 3, None), lambda ctx, g, h, i: g * 2)
    out, three, none = made.apply(x)
    out.sum().backward()
    assert (three, none) == (3, None) and x.grad.tolist() == [2.0]
    assert not function(lambda ctx, x: x.long(), None).apply(x).requires_grad


def test_dirty_inputs():
    """Writing into an argument changes its history, that of its base and of the base's views."""
    x = leaf([1.0, 1.0, 1.0])
    y = x * 3
    z = Double.apply(y)
    assert z is y
    (y * y).sum().backward()
    assert x.grad.tolist() == [72.0] * 3
    x.grad = None
    y = x * 3
    Double.apply(y[:1])
    (y * y).sum().backward()
    assert x.grad.tolist() == [72.0, 18.0, 18.0]
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        Double.apply(x)
    y = x * 3
    z = y * y
    Double.apply(y)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()
    plain = torch.ones(2)
    assert Double.apply(plain) is plain and plain.tolist() == [2.0, 2.0]


def test_returned_inputs():
    """An input that forward returns keeps its own history; the result is another tensor."""
    x = leaf([1.0])
    y = Same.apply(x)
    assert y is not x and x.is_leaf
    y.sum().backward()
    assert x.grad.tolist() == [5.0]
    with torch.no_grad():
        assert not Same.apply(x).requires_grad


def test_views_of_inputs():
    """A view made in forward gets the function's gradient, not the view's."""
    x = leaf([[1.0], [2.0]])
    function(lambda ctx, x: x.view(-1), lambda ctx, g: g.view(2, 1) * 5).apply(x).sum().backward()
    assert x.grad.tolist() == [[5.0], [5.0]]


def test_saved_tensors_are_checked():
    """Overwritten inputs or outputs, a second pass, and what is no tensor raise."""
    x = leaf([2.0])
    y = Exp.apply(x)
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
    a = x * 1
    out = Power.apply(a, 2)
    a.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.sum().backward()
    y = Exp.apply(x)
    y.sum().backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.sum().backward()

    def forward(ctx, x):
        ctx.save_for_backward(3)

    with pytest.raises(TypeError, match="can only save variables"):
        function(forward, None).apply(x)


def test_what_backward_returns_is_checked():
    """The number of gradients, their type and their shape; sums over broadcasting are done."""
    x = leaf([1.0, 2.0, 3.0])
    twice = lambda ctx, x: x * 2
    with pytest.raises(RuntimeError, match=r"incorrect number of gradients \(expected 2, got 1\)"):
        function(lambda ctx, x, y: x * y, lambda ctx, g: g).apply(x, x).sum().backward()
    with pytest.raises(RuntimeError, match=r"expected Variable or None \(got int\)"):
        function(twice, lambda ctx, g: 3).apply(x).sum().backward()
    with pytest.raises(RuntimeError, match=r"returned an invalid gradient at index 0 - got \[4\]"):
        function(twice, lambda ctx, g: torch.ones(4)).apply(x).sum().backward()
    function(twice, lambda ctx, g: g.expand(2, 3)).apply(x).sum().backward()
    assert x.grad.tolist() == [2.0] * 3
    x.grad = None
    function(twice, lambda ctx, g: (g, None)).apply(x).sum().backward()
    assert x.grad.tolist() == [1.0] * 3
    y = leaf([1.0])
    function(lambda ctx, x, y: x * y, lambda ctx, g: (g, None)).apply(x, y).sum().backward()
    assert y.grad is None


def test_modes_inside_functions():
    """forward records nothing; backward only for a graph of the gradient; dtypes are fitted."""
    seen = []

    def forward(ctx, x):
        seen.append(torch.is_grad_enabled())
        return x.float()

    def backward(ctx, g):
        seen.append((torch.is_grad_enabled(), g.dtype))
        return g

    x = leaf([1.0])
    made = function(forward, backward)
    made.apply(x).sum().backward()
    grad(made.apply(x).sum(), x, create_graph=True)
    assert seen == [False, (False, torch.float32), False, (True, torch.float32)]
    assert x.grad.dtype == torch.float64


def test_once_differentiable():
    """The gradient is right; the gradient of the gradient raises rather than lies."""

    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once_differentiable
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 2 * x

    x = leaf(2.0)
    (g,) = grad(Square.apply(x), x, create_graph=True)
    assert g.item() == 4.0
    with pytest.raises(RuntimeError):
        grad(g, x)
    (g,) = grad(Square.apply(x * 1) * leaf(3.0), x, create_graph=True)
    with pytest.raises(RuntimeError, match="marked with @once_differentiable"):
        g.backward()


def test_incomplete_functions():
    """No forward, no backward, an instance: each says what is missing."""
    x = leaf([1.0])
    with pytest.raises(NotImplementedError, match="must implement the forward"):
        type("Empty", (Function,), {}).apply(x)
    forward_only = type("Half", (Function,), {"forward": staticmethod(lambda ctx, x: x * 2)})
    with pytest.raises(NotImplementedError, match="must implement either the backward"):
        forward_only.apply(x).sum().backward()
    with pytest.raises(RuntimeError, match="should not be instantiated"):
        Same()


def test_tensors_in_lists_are_not_seen():
    """Only arguments that are tensors count, as in PyTorch."""
    assert not function(lambda ctx, xs: xs[0] * 2, None).apply([leaf([1.0])]).requires_grad


def test_functions_leave_no_cycles():
    """Saved outputs do not keep the graph waiting for the collector, and are freed by backward."""
    gc.disable()
    try:
        x = leaf([1.0])
        for made in (Exp, Same):
            y = made.apply(x)
            node = weakref.ref(y.grad_fn)
            del y
            assert node() is None
        y = Power.apply(x, 2)
        context = y.grad_fn.rules.ctx
        y.sum().backward()
        with pytest.raises(RuntimeError, match="already been freed"):
            _ = context.saved_tensors
    finally:
        gc.enable()
