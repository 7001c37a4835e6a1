"""Checkpointing, and hooks on what nodes save. Numbers were recorded from PyTorch."""

from __future__ import annotations

import contextlib
import gc
import weakref

import pytest

import arraytorch as torch
from arraytorch import nn
from arraytorch.autograd import graph
from arraytorch.utils import checkpoint as C

BOTH = pytest.mark.parametrize("reentrant", [True, False])


def net_and_input():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 2))
    return net, torch.randn(3, 4, requires_grad=True)


@BOTH
def test_gradients_and_random_numbers_are_those_without(reentrant):
    """Dropout drops the same elements again, and the stream goes on as if nothing had happened."""
    net, x = net_and_input()
    torch.manual_seed(1)
    y = C.checkpoint(net, x, use_reentrant=reentrant)
    between = torch.rand(1).item()
    y.sum().backward()
    assert y.sum().item() == pytest.approx(-0.06621, abs=2e-5)
    assert x.grad.sum().item() == pytest.approx(-0.6412, abs=2e-4)
    assert net[0].weight.grad.sum().item() == pytest.approx(1.0837, abs=2e-4)
    assert between == pytest.approx(0.3556, abs=1e-4)
    assert torch.rand(1).item() == pytest.approx(0.4452, abs=1e-4)


def test_nothing_in_between_is_kept():
    """What a region computed is gone after the forward, and is computed again once."""
    calls, middle = [], []

    def region(x):
        y = x.exp()
        calls.append(1)
        middle.append(weakref.ref(y))
        return y.sin().cos()

    x = torch.ones(5, requires_grad=True)
    z = C.checkpoint(region, x, use_reentrant=False)
    gc.collect()
    assert middle[0]() is None
    z.sum().backward()
    assert len(calls) == 2
    plain = torch.ones(5, requires_grad=True)
    plain.exp().sin().cos().sum().backward()
    assert x.grad.equal(plain.grad)


@BOTH
@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad=True")
def test_regions_may_be_nested_and_chained(reentrant):
    def outer(x):
        return C.checkpoint(lambda y: (y * y).sin(), x * 2, use_reentrant=reentrant)

    x = torch.linspace(-1, 1, 7, requires_grad=True)
    C.checkpoint(outer, x, use_reentrant=reentrant).sum().backward()
    plain = torch.linspace(-1, 1, 7, requires_grad=True)
    ((plain * 2) ** 2).sin().sum().backward()
    assert torch.allclose(x.grad, plain.grad)
    net, x = net_and_input()
    torch.manual_seed(1)
    y = C.checkpoint_sequential(net, 2, x, use_reentrant=reentrant)
    torch.manual_seed(1)
    assert y.equal(net(x))


@BOTH
def test_what_is_no_tensor_goes_through(reentrant):
    x = torch.ones(2, requires_grad=True)
    a, b = C.checkpoint(lambda x, n: (x * n, n), x, 5, use_reentrant=reentrant)
    a.sum().backward()
    assert b == 5 and x.grad.tolist() == [5.0, 5.0]


def test_only_the_newer_form_has_higher_derivatives():
    x = torch.tensor([2.0], requires_grad=True)
    (g,) = torch.autograd.grad(
        C.checkpoint(lambda x: x**3, x, use_reentrant=False), x, create_graph=True
    )
    assert torch.autograd.grad(g, x)[0].item() == 12
    (g,) = torch.autograd.grad(
        C.checkpoint(lambda x: x**3, x, use_reentrant=True), x, create_graph=True
    )
    with pytest.raises(RuntimeError):
        torch.autograd.grad(g, x)


def test_a_repetition_that_differs_is_noticed():
    x, calls = torch.ones(3, 4, requires_grad=True), []

    def fewer(x):
        calls.append(1)
        return (x * x).exp() if len(calls) == 1 else x * x

    def smaller(x):
        calls.append(1)
        return (x * x).exp() if len(calls) == 1 else (x[:2] * x[:2]).exp()

    with pytest.raises(C.CheckpointError, match="A different number of tensors was saved"):
        C.checkpoint(fewer, x, use_reentrant=False).sum().backward()
    calls.clear()
    with pytest.raises(C.CheckpointError, match="have different metadata than during the forward"):
        C.checkpoint(smaller, x, use_reentrant=False).sum().backward()


def test_the_repetition_ends_when_all_is_there():
    passed = []

    def region(x):
        y = x.exp()
        passed.append("behind")
        return y + 1

    x = torch.ones(2, requires_grad=True)
    C.checkpoint(region, x, use_reentrant=False).sum().backward()
    assert passed == ["behind"]
    with C.set_checkpoint_early_stop(False):
        y = C.checkpoint(region, x, use_reentrant=False)
    y.sum().backward()
    assert passed == ["behind"] * 3


def test_contexts_surround_forward_and_repetition():
    log = []

    @contextlib.contextmanager
    def noted(name):
        log.append(name)
        yield
        log.append(f"end of {name}")

    x = torch.ones(2, requires_grad=True)
    contexts = lambda: (noted("forward"), noted("repetition"))
    y = C.checkpoint(torch.exp, x, use_reentrant=False, context_fn=contexts)
    assert log == ["forward", "end of forward"]
    y.sum().backward()
    assert log[2] == "repetition"


def test_what_makes_no_sense_is_refused():
    x = torch.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="use_reentrant parameter should be passed explicitly"):
        C.checkpoint(torch.exp, x)
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad=True"):
        C.checkpoint(torch.exp, x.detach(), use_reentrant=True)
    with pytest.raises(ValueError, match="Unexpected keyword arguments: foo"):
        C.checkpoint(torch.exp, x, use_reentrant=True, foo=3)
    with pytest.raises(ValueError, match="only supported when use_reentrant=False"):
        C.checkpoint(torch.exp, x, use_reentrant=True, debug=True)
    with pytest.raises(
        ValueError, match=r"determinism_check should be one of \['default', 'none'\]"
    ):
        C.checkpoint(torch.exp, x, use_reentrant=False, determinism_check="x")
    with pytest.raises(RuntimeError, match="Only tuple of tensors is supported"):
        C.detach_variable(x)


# --------------------------------------------------------------------------------------- graph


def test_hooks_see_what_is_saved():
    packed, unpacked = [], []

    def pack(t):
        packed.append(tuple(t.shape))
        return t.clone()

    def unpack(t):
        unpacked.append(tuple(t.shape))
        return t

    x = torch.arange(1.0, 4.0, requires_grad=True)
    with graph.saved_tensors_hooks(pack, unpack):
        y = (x * x).exp()
    z = y.sum()
    assert packed == [(3,)] * 3 and not unpacked
    z.backward()
    assert unpacked == packed
    assert torch.allclose(x.grad, 2 * x.detach() * (x.detach() ** 2).exp())
    x.exp()
    assert len(packed) == 3  # no longer


@pytest.mark.parametrize("create_graph", [False, True])
def test_hooks_change_no_gradient(create_graph):
    """Of anything: several outputs, user functions, layers, and their own gradients."""

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x**3
            ctx.save_for_backward(x, y)
            return y

        @staticmethod
        def backward(ctx, g):
            x, y = ctx.saved_tensors
            return g * 3 * y / x

    def f(x):
        u, s, v = torch.linalg.svd(x, full_matrices=False)
        h = nn.functional.layer_norm(Cube.apply(x) + s.sum(), (3,))
        return nn.functional.softmax(h, -1).prod() + (u.abs().sum() * v[0, 0].abs())

    torch.manual_seed(0)
    start = torch.randn(4, 3, dtype=torch.float64)
    results = []
    for hooks in (contextlib.nullcontext(), graph.save_on_cpu(),
                  graph.saved_tensors_hooks(lambda t: t.numpy().copy(), torch.from_numpy)):  # fmt: skip
        x = start.clone().requires_grad_()
        with hooks:
            y = f(x)
        (g,) = torch.autograd.grad(y, x, create_graph=create_graph)
        results.append(torch.autograd.grad(g.sum(), x)[0] if create_graph else g)
    assert torch.allclose(results[0], results[1]) and torch.allclose(results[0], results[2])


def test_hooks_can_be_forbidden_and_must_behave():
    x = torch.ones(3, requires_grad=True)
    with graph.disable_saved_tensors_hooks("not here"):
        with pytest.raises(RuntimeError, match="not here"), graph.save_on_cpu():
            pass
    with graph.saved_tensors_hooks(lambda t: t, lambda t: 3):
        y = x * x
    with pytest.raises(TypeError, match="unpack_hook expected to be a Tensor but got .* type int"):
        y.sum().backward()
    with pytest.raises(RuntimeError, match="pack hook is modifying its input in place"):
        with graph.saved_tensors_hooks(lambda t: t.mul_(0), lambda t: t):
            x * x


def test_anomaly_detection_goes_on_inside():
    x = torch.ones(1, requires_grad=True)
    with graph.save_on_cpu(), torch.autograd.set_detect_anomaly(True):
        y = x / 0 - x / 0
    assert not torch.is_anomaly_enabled()
    with torch.autograd.set_detect_anomaly(True), pytest.raises(RuntimeError, match="nan values"):
        (y * 0).backward()


def test_hooks_on_several_gradients():
    a, b = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    seen = []
    handle = graph.register_multi_grad_hook((a, b), seen.append)
    (a * b * 3).sum().backward()
    (a * 2).sum().backward()
    assert [[None if g is None else g.tolist() for g in call] for call in seen] == [
        [[3.0, 3.0], [3.0, 3.0]], [[2.0, 2.0], None],
    ]  # fmt: skip
    handle.remove()
    (a * b).sum().backward()
    assert len(seen) == 2
    first = []
    with graph.register_multi_grad_hook((a, b), first.append, mode="any"):
        (a * b).sum().backward()
    assert len(first) == 1
    with pytest.raises(ValueError, match=r"Expects mode to be one of \('all', 'any'\) but got x"):
        graph.register_multi_grad_hook((a, b), print, mode="x")


def test_edges_nodes_and_versions():
    a = torch.ones(2, 2, requires_grad=True)
    edge = graph.get_gradient_edge(torch.linalg.slogdet(a + torch.eye(2))[1])
    assert edge.output_nr == 1 and isinstance(edge.node, graph.Node)
    assert graph.get_gradient_edge(a).output_nr == 0
    with pytest.raises(RuntimeError, match="for a Tensor that does not require gradients"):
        graph.get_gradient_edge(torch.ones(2))
    b = a * 1
    c = b.sin()
    graph.increment_version(b)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        c.sum().backward()
