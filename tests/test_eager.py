"""Decorators that ask for compilation: they return what they were given and say so once."""

from __future__ import annotations

import warnings

import pytest

import arraytorch as torch
from arraytorch import _eager, nn


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch):
    monkeypatch.setattr(_eager, "_said", set())


def double(x):
    return x * 2


@pytest.mark.parametrize(
    ("name", "wrapped"),
    [
        ("torch.compile", lambda: torch.compile(double)),
        ("torch.compile", lambda: torch.compile(mode="max-autotune", fullgraph=True)(double)),
        ("torch.compile", lambda: torch.compiler.compile(double)),
        ("torch.jit.script", lambda: torch.jit.script(double)),
        ("torch.jit.trace", lambda: torch.jit.trace(double, (torch.ones(1),))),
    ],
)
def test_functions_stay_what_they_are(name, wrapped):
    with pytest.warns(UserWarning, match=f"^{name}: arraytorch compiles nothing yet"):
        assert wrapped() is double
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert wrapped() is double  # said once is enough


def test_modules_stay_what_they_are():
    net = nn.Linear(2, 1)
    with pytest.warns(UserWarning, match="^torch.compile: "):
        assert torch.compile(net) is net
    with pytest.warns(UserWarning, match="^Module.compile: "):
        net.compile(mode="reduce-overhead")
    assert net(torch.ones(2)).shape == (1,)


def test_other_decorators_say_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for decorate in (
            torch.jit.ignore, torch.jit.ignore(drop=True), torch.jit.unused, torch.jit.export,
            torch.jit.script_if_tracing, torch.jit.interface, torch.compiler.disable,
            torch.compiler.disable(reason="slow"), torch.compiler.allow_in_graph,
            torch.compiler.assume_constant_result, lambda f: torch.compile(f, disable=True),
        ):  # fmt: skip
            assert decorate(double) is double


def test_nobody_is_compiling():
    assert not torch.jit.is_scripting() and not torch.jit.is_tracing()
    assert not torch.compiler.is_compiling() and not torch.compiler.is_dynamo_compiling()
    assert not torch.compiler.is_exporting() and torch.jit.annotate(int, 3) == 3


def test_there_is_one_process():
    assert not torch.distributed.is_available() and not torch.distributed.is_initialized()
    assert not torch.distributed.is_torchelastic_launched()


def test_contradictory_options_are_refused():
    with pytest.raises(RuntimeError, match="Either mode or options can be specified"):
        torch.compile(double, mode="default", options={})


def test_the_old_backward_hook_sees_the_last_operation():
    """It may replace the gradients of its inputs, and excludes hooks of the new kind."""
    net, seen = nn.Sequential(nn.Linear(2, 3), nn.ReLU()), []
    net.register_backward_hook(lambda m, before, after: seen.append((before, after)))
    net[1].register_backward_hook(lambda m, before, after: (before[0] * 2,))
    x = torch.ones(1, 2, requires_grad=True)
    net(x).sum().backward()
    ((before, after),) = seen
    assert before[0].shape == after[0].shape == (1, 3)
    on = (net[0](x) > 0).float()
    assert torch.allclose(net[0].bias.grad, 2 * on[0])
    with pytest.raises(RuntimeError, match="Cannot use both regular backward hooks and full"):
        net.register_full_backward_hook(print)


def test_isinstance_with_what_containers_hold():
    """Unlike Python's, it looks into lists, tuples and dicts."""
    x, told = torch.ones(1), torch.jit.isinstance
    for obj, kind in (
        ([x], list[torch.Tensor]), ({"a": x}, dict[str, torch.Tensor]), (1, int | str),
        ((x, 1), tuple[torch.Tensor, int]), (None, int | None), ([1], (list[str], list[int])),
        ([x, 1], list[torch.Tensor | int]), ([[1]], list[list[int]]), (x, torch.Tensor),
    ):  # fmt: skip
        assert told(obj, kind)
    for obj, kind in (
        ([1], list[torch.Tensor]), ({"a": 1}, dict[str, torch.Tensor]), ("a", int | None),
        ((x,), tuple[torch.Tensor, int]), ((1,), list[int]), ([1], (list[str],)),
    ):  # fmt: skip
        assert not told(obj, kind)
    with pytest.warns(UserWarning, match="inner type of a container is lost"):
        assert told([], list[int])
    with pytest.raises(RuntimeError, match="container without a contained type"):
        told([1], list)
