"""torch.library, torch._higher_order_ops, torch._dynamo: as far as PyTorch 2.13 answers without compiling."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

import arraytorch as torch
from arraytorch._higher_order_ops.associative_scan import associative_scan


def doubled(x: torch.Tensor, by: int = 2) -> torch.Tensor:
    return x * by


def test_schema():
    def f(
        x: torch.Tensor, y: torch.Tensor | None, z: Sequence[torch.Tensor], i: int, f: float = 1.5,
        s: str = "a", n: int | None = None, *, q: int | float | bool = 1,
    ) -> tuple[torch.Tensor, list[torch.Tensor]]: ...  # fmt: skip

    assert torch.library.infer_schema(f, mutates_args=("x",)) == (
        '(Tensor(a0!) x, Tensor? y, Tensor[] z, SymInt i, float f=1.5, str s="a", SymInt? n=None, '
        "*, Scalar q=1) -> (Tensor, Tensor[])"
    )

    def bare(x): ...

    def no_result(x: torch.Tensor): ...

    def of_dict(x: dict) -> None: ...

    def starred(*x: torch.Tensor) -> None: ...

    for function, words in (
        (bare, "Parameter x must have a type annotation"),
        (no_result, "No return type annotation"),
        (of_dict, "Parameter x has unsupported type <class 'dict'>"),
        (starred, "We do not support positional-only args, varargs, or varkwargs"),
    ):
        with pytest.raises(ValueError, match=words):
            torch.library.infer_schema(function, mutates_args=())
    with pytest.raises(ValueError, match="{'zz'} in mutates_args were not found"):
        torch.library.infer_schema(doubled, mutates_args=("zz",))


def test_call_and_check():
    op = torch.library.custom_op("tests::doubled", doubled, mutates_args=())
    assert repr(op) == "<CustomOpDef(tests::doubled)>"
    x = torch.ones(2)
    for call in (op, torch.ops.tests.doubled, torch.ops.tests.doubled.default):
        assert call(x, by=3).tolist() == [3, 3]
    with pytest.raises(
        RuntimeError,
        match="missing value for argument 'x'. Declaration: tests::doubled\\(Tensor x, SymInt by=2\\) -> Tensor",
    ):
        op()  # fmt: skip
    with pytest.raises(RuntimeError, match=r"at most 2 argument\(s\) but received 3"):
        op(x, 1, 2)
    with pytest.raises(
        RuntimeError, match="value of type 'Tensor' for argument 'x' but instead found type 'int'"
    ):
        op(3)
    with pytest.raises(RuntimeError, match="Unknown keyword argument 'z'"):
        op(x, z=1)
    with pytest.raises(AttributeError, match="'_OpNamespace' 'tests' object has no attribute 'no'"):
        torch.ops.tests.no
    with pytest.raises(RuntimeError, match="operator tests::no does not exist"):
        torch.library.register_fake("tests::no", doubled)
    with pytest.raises(RuntimeError, match="is no namespace"):
        torch.library.custom_op("add::x", doubled, mutates_args=())


def test_gradient():
    op = torch.library.custom_op("tests::scaled", doubled, mutates_args=())
    x = torch.ones(2, requires_grad=True)
    y = op(x)
    assert y.grad_fn.name() == "GeneratedBackwardFor_tests_scaled_defaultBackward"
    with pytest.raises(RuntimeError, match="no autograd formula was registered"):
        y.sum().backward()

    def setup(ctx, inputs, output):
        ctx.by = inputs[1]
        assert ctx.needs_input_grad == (True, False)

    op.register_autograd(lambda ctx, g: (g * ctx.by, None), setup_context=setup)
    op(x, 5).sum().backward()
    assert x.grad.tolist() == [5, 5]
    with torch.no_grad():
        assert op(x).grad_fn is None


def test_lists_and_keywords():
    def many(z: Sequence[torch.Tensor], *, by: float) -> tuple[list[torch.Tensor], torch.Tensor]:
        return [t * by for t in z], z[0].sum()

    op = torch.library.custom_op("tests::many", many, mutates_args=())

    def setup(ctx, inputs, keyword_only_inputs, output):
        ctx.by = keyword_only_inputs["by"]
        assert ctx.needs_input_grad == ([True, False],) + (False,) * (len(ctx.needs_input_grad) - 1)
        assert len(output[0]) == 2

    def back(ctx, listed, total):
        return [g * ctx.by + (total if i == 0 else 0) for i, g in enumerate(listed)]

    op.register_autograd(back, setup_context=setup)
    x = torch.ones(2, requires_grad=True)
    listed, total = op([x, torch.ones(3)], by=2.0)
    (listed[0].sum() + total).backward()
    assert x.grad.tolist() == [3, 3] and len(listed) == 2


def test_in_place_and_devices():
    @torch.library.custom_op("tests::bump", mutates_args=("x",))
    def bump(x: torch.Tensor) -> None:
        x.add_(1)

    z = torch.zeros(2)
    assert bump(z) is None and z.tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="Cannot register autograd formula for non-functional"):
        bump.register_autograd(lambda ctx, g: g)
    same = torch.library.custom_op(
        "tests::same", lambda x: x, mutates_args=(), schema="(Tensor x) -> Tensor"
    )
    with pytest.raises(RuntimeError, match="must not also be an input"):
        same(z)
    op = torch.library.custom_op("tests::there", doubled, mutates_args=(), device_types="cuda")
    with pytest.raises(
        NotImplementedError, match="Could not run 'tests::there' with arguments from the 'CPU'"
    ):
        op(z)  # fmt: skip
    torch.library.register_kernel("tests::there", "cpu")(lambda x, by: x - by)
    assert op(z).tolist() == [-1, -1]
    with pytest.raises(RuntimeError, match="There was no fake impl registered"):
        op(torch.ones(2, device="meta"))
    torch.library.register_fake("tests::there")(lambda x, by: torch.empty_like(x))
    assert op(torch.ones(2, device="meta")).shape == (2,)


def test_associative_scan():
    """The recurrence h[t] = a[t] h[t-1] + b[t] in both directions, and its gradient."""
    a, b = torch.rand(5, 2, dtype=torch.float64), torch.rand(5, 2, dtype=torch.float64)

    def step(left, right):
        return left[0] * right[0], left[1] * right[0] + right[1]

    for reverse in (False, True):
        _, found = associative_scan(step, (a, b), 0, reverse, combine_mode="generic")
        order = range(4, -1, -1) if reverse else range(5)
        state = torch.zeros(2, dtype=torch.float64)
        for t in order:
            state = a[t] * state + b[t]
            torch.testing.assert_close(found[t], state)
    x = torch.tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    associative_scan(torch.mul, x, -1, combine_mode="generic")[0, -1].backward()
    assert x.grad.tolist() == [[6, 3, 2]]
    for kind, words, args in (
        (ValueError, "Combine_fn must be a callable", (3, x, 0)),
        (ValueError, "need to be on CUDA or XPU", (torch.add, x, 0)),
        (ValueError, "Expected at least 1 xs leaf", (torch.add, (), 0)),
        (ValueError, "at least have 'dim' number", (torch.add, x, 2, False, "generic")),
    ):
        with pytest.raises(kind, match=words):
            associative_scan(*args)


def test_many_at_once_gives_the_same():
    """What runs on a GPU, in calls for many places."""
    from arraytorch._higher_order_ops.associative_scan import _at_once

    for n in (1, 2, 5, 8):
        x = torch.arange(1.0, n + 1)
        (found,) = _at_once(lambda p, q: [p[0] * q[0]], [x])
        assert found.tolist() == x.cumprod(0).tolist()


def test_nothing_is_compiled():
    dynamo = torch._dynamo
    assert dynamo.is_compiling() is dynamo.is_dynamo_supported() is False
    x = torch.ones(2)
    assert dynamo.mark_static_address(x) is None and dynamo.disable(abs) is abs
    from arraytorch._dynamo._trace_wrapped_higher_order_op import TransformGetItemToIndex

    compiled = dynamo.eval_frame.OptimizedModule
    assert not isinstance(torch.nn.Linear(1, 1), compiled)
    with pytest.raises(RuntimeError, match="nothing is compiled"):
        compiled()
    assert torch._C._log_api_usage_once("tests") is None
    with TransformGetItemToIndex():
        assert x[torch.tensor(1)].item() == 1
