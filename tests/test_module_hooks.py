"""Hooks of modules: forward, backward, registration, and how they are removed."""

from __future__ import annotations

import pytest

import arraytorch as torch

nn = torch.nn


class Leaf(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.full((1,), 2.0))

    def forward(self, x):
        return x * self.scale

    def extra_repr(self):
        return "scale=2"


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.child = Leaf()

    def forward(self, x, y=0):
        return self.child(x) + y


def error(kind, function, *args, **kwargs):
    with pytest.raises(kind) as info:
        function(*args, **kwargs)
    return str(info.value)


def test_forward_hooks_order_and_arguments():
    """prepend goes first; keyword arguments are shown to those that asked."""
    net, log = Net(), []
    net.register_forward_pre_hook(lambda m, args: log.append("pre1"))
    net.register_forward_pre_hook(lambda m, args: log.append("pre2"), prepend=True)
    net.register_forward_pre_hook(lambda m, args, kw: log.append(sorted(kw)), with_kwargs=True)
    net.register_forward_hook(lambda m, args, out: log.append("post1"))
    net.register_forward_hook(lambda m, args, kw, out: log.append(kw["y"]), with_kwargs=True)
    net.register_forward_hook(lambda m, args, out: out * 10, prepend=True)
    assert net(torch.ones(1), y=3).tolist() == [50.0]
    assert log == ["pre2", "pre1", ["y"], "post1", 3]


def test_forward_pre_hook_replaces_arguments():
    """A value, a tuple or, with keywords, a pair."""
    net = Net()
    with net.register_forward_pre_hook(lambda m, args: args[0] * 10):
        assert net(torch.ones(1)).tolist() == [20.0]
    with net.register_forward_pre_hook(lambda m, args, kw: (args, {"y": 5}), with_kwargs=True):
        assert net(torch.ones(1)).tolist() == [7.0]
    net.register_forward_pre_hook(lambda m, args, kw: 3, with_kwargs=True)
    assert error(RuntimeError, net, torch.ones(1)) == (
        "forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got 3."
    )


def test_always_called_hooks_run_after_failures():
    """Each runs once, whether forward, an earlier hook or it itself fails."""
    net, log = Net(), []
    net.register_forward_hook(lambda m, args, out: log.append(out), always_call=True)
    error(TypeError, net, torch.ones(1), 2, 3, 4)
    assert log == [None]

    def fail(*args):
        raise ValueError("bad hook")

    net.register_forward_hook(fail, always_call=True)
    assert error(ValueError, net, torch.ones(1)) == "bad hook"
    assert len(log) == 2
    with pytest.warns(UserWarning, match="raised an exception that was silenced"):
        error(TypeError, net, torch.ones(1), 2, 3, 4)


def test_handles_remove_hooks():
    """remove() twice is harmless, and nothing stays in the flags."""
    net = Net()
    handle = net.register_forward_hook(
        lambda m, args, kw, out: out * 0, with_kwargs=True, always_call=True
    )
    assert net(torch.ones(1)).tolist() == [0.0]
    handle.remove()
    handle.remove()
    assert net(torch.ones(1)).tolist() == [2.0]
    assert not net._forward_hooks_with_kwargs
    assert not net._forward_hooks_always_called


def test_global_hooks_see_every_module():
    """They run before a module's own hooks, inner modules first."""
    log = []
    register = torch.nn.modules.module.register_module_forward_hook
    with register(lambda m, args, out: log.append(type(m).__name__)):
        Net()(torch.ones(1))
    assert log == ["Leaf", "Net"]
    Net()(torch.ones(1))
    assert log == ["Leaf", "Net"]


def test_registration_hooks_replace_what_is_registered():
    """A global hook may exchange parameters as they are made."""
    register = torch.nn.modules.module.register_module_parameter_registration_hook
    with register(lambda module, name, parameter: nn.Parameter(parameter * 2)):
        assert Leaf().scale.tolist() == [4.0]
    assert Leaf().scale.tolist() == [2.0]


def lists(grads):
    return [None if g is None else g.tolist() for g in grads]


def test_full_backward_hooks_see_both_gradients():
    """Inner modules first; gradients of the inputs and of the outputs."""
    net, log = Net(), []
    net.child.register_full_backward_pre_hook(lambda m, out: log.append(("pre", lists(out))))
    net.child.register_full_backward_hook(
        lambda m, inp, out: log.append(("child", lists(inp), lists(out)))
    )
    net.register_full_backward_hook(lambda m, inp, out: log.append(("net", lists(inp), lists(out))))
    x = torch.ones(1, requires_grad=True)
    net(x).sum().backward()
    assert log == [("pre", [[1.0]]), ("child", [[2.0]], [[1.0]]), ("net", [[2.0]], [[1.0]])]
    assert x.grad.tolist() == [2.0]
    assert net.child.scale.grad.tolist() == [1.0]


def test_full_backward_hooks_replace_gradients():
    """What a hook returns takes the place of the gradient."""
    net = Leaf()
    net.register_full_backward_hook(lambda m, inp, out: (torch.full((1,), 50.0),))
    x = torch.ones(1, requires_grad=True)
    net(x).sum().backward()
    assert x.grad.tolist() == [50.0]
    net = Leaf()
    net.register_full_backward_pre_hook(lambda m, out: (torch.full((1,), 50.0),))
    x = torch.ones(1, requires_grad=True)
    net(x).sum().backward()
    assert (x.grad.tolist(), net.scale.grad.tolist()) == ([100.0], [50.0])
    net.register_full_backward_pre_hook(lambda m, out: (out[0], out[0]))
    message = "Backward pre hook returned an invalid number of grad_output, got 2, but expected 1"
    assert message in error(RuntimeError, net(x).sum().backward)


def test_full_backward_hook_without_input_gradients():
    """It fires for the outputs alone and says so."""
    net, log = Leaf(), []
    net.register_full_backward_hook(lambda m, inp, out: log.append((lists(inp), lists(out))))
    with pytest.warns(UserWarning, match="no inputs require gradients"):
        net(torch.ones(1)).sum().backward()
    assert log == [([None], [[1.0]])]


def test_full_backward_hook_with_several_values():
    """Tuples keep their places; what is no tensor has no gradient."""

    class Two(nn.Module):
        def forward(self, a, b):
            return a * 2 + 0 * b, b * 3, "text"

    net, log = Two(), []
    net.register_full_backward_hook(lambda m, inp, out: log.append((lists(inp), lists(out))))
    a, b = torch.ones(2, requires_grad=True), torch.ones(2)
    net(a, b)[0].sum().backward()
    assert log == [([[2.0, 2.0], [0.0, 0.0]], [[1.0, 1.0], None, None])]
    with torch.no_grad():
        assert not net(a, b)[0].requires_grad


def test_calls_are_short_again_once_hooks_are_gone():
    """After the last hook is removed, one call finds that out and the next need not look."""
    net = Leaf()
    for register in (
        net.register_forward_hook,
        net.register_full_backward_hook,
        torch.nn.modules.module.register_module_forward_pre_hook,
    ):
        with register(lambda *args: None):
            net(torch.ones(1))
            assert net._hooked
        net(torch.ones(1))
        assert not net._hooked
