"""Graphs of a device's work, over a fake device."""

from __future__ import annotations

import pytest
from fake_accelerator import installed

import arraytorch as torch
from arraytorch._accelerators import graphed


@pytest.fixture
def cuda():
    with installed("cuda") as backend:
        yield backend


def test_graphs(cuda):
    """Recording happens on a stream of its own, and is repeated on the current one."""
    recorded = torch.cuda.CUDAGraph()
    with torch.cuda.graph(recorded):
        assert torch.cuda.is_current_stream_capturing()
    begun = [c for c in cuda.calls if c[0] == "begin_capture"]
    assert len(begun) == 1 and begun[0][1] != 0 and begun[0][2] == "global"
    assert not torch.cuda.is_current_stream_capturing()
    recorded.replay()
    assert cuda.calls[-1] == ("launch", "a graph", 0)
    assert recorded.pool() != torch.cuda.graph_pool_handle()
    shared = torch.cuda.CUDAGraph()
    stream = torch.cuda.Stream()
    with torch.cuda.graph(shared, recorded.pool(), stream, "relaxed"):
        pass
    assert shared.pool() == recorded.pool()
    assert ("begin_capture", stream.cuda_stream, "relaxed") in cuda.calls
    with (
        pytest.raises(RuntimeError, match="already owns a captured graph"),
        torch.cuda.graph(shared),
    ):
        pass
    shared.reset()
    with pytest.raises(RuntimeError, match="without a preceding successful capture"):
        shared.replay()
    with pytest.raises(RuntimeError, match="capture_end"):
        shared.capture_end()
    with pytest.raises(RuntimeError, match="Unknown capture error mode"):
        shared.capture_begin(capture_error_mode="whatever")


class Affine(torch.autograd.Function):
    """x * w + 1, that notes the arrays of its last forward and backward, for replays by hand."""

    arrays: dict = {}

    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        out = x * w + 1
        Affine.arrays["forward"] = x._data, w._data, out._data
        return out

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        Affine.arrays["backward"] = g._data, x._data, w._data
        return g * w, g * x


class Scaled(torch.nn.Module):
    """A module over Affine."""

    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.full((2,), 3.0))

    def forward(self, x):
        return {"y": Affine.apply(x, self.w)}


@pytest.fixture
def replaying(cuda, monkeypatch):
    """The fake's graphs repeat Affine's arithmetic on the arrays of the recording."""
    graphs, gradients = [], []

    def noting(*args, **kwargs):
        gradients.append(torch.autograd.grad(*args, **kwargs))
        return gradients[-1]

    def end_capture(queue):
        cuda.capturing = None
        graphs.append("backward" if graphs else "forward")
        return graphs[-1], Affine.arrays[graphs[-1]]

    def launch(graph, queue):
        kind, arrays = graph
        if kind == "forward":
            x, w, out = (a.array for a in arrays)
            out[...] = x * w + 1
        else:
            g, x, w = (a.array for a in arrays)
            gx, gw = (t._data.array for t in gradients[-1])
            gx[...], gw[...] = g * w, g * x

    monkeypatch.setattr(graphed, "grad", noting)
    monkeypatch.setattr(cuda, "end_capture", end_capture)
    monkeypatch.setattr(cuda, "launch", launch)
    return graphs


def test_graphed_callables(replaying):
    """A module replays its graphs on new numbers, gradients accumulate, eval() runs as before."""
    module = Scaled().to("cuda")
    sample = torch.ones(2, device="cuda", requires_grad=True)
    made = torch.cuda.make_graphed_callables(module, (sample,))
    assert made is module and replaying == ["forward", "backward"]
    x = torch.tensor([2.0, 5.0], device="cuda", requires_grad=True)
    for count in (1, 2):
        y = made(x)["y"]
        assert y.tolist() == [7.0, 16.0]
        (y * 2).sum().backward()
        assert x.grad.tolist() == [6.0 * count] * 2
        assert module.w.grad.tolist() == [4.0 * count, 10.0 * count]
    with torch.no_grad():
        module.w.fill_(1.0)
    assert made(x)["y"].tolist() == [3.0, 6.0]
    before = Affine.arrays["forward"]
    module.eval()
    assert module(x)["y"].tolist() == [3.0, 6.0]
    assert Affine.arrays["forward"] is not before  # computed, not replayed


def test_graphed_callables_refuse(cuda):
    """Hooks, trainable buffers, the cache of autocast, and arguments that are no tensors."""
    x = torch.ones(2, device="cuda")
    hooked = Scaled().to("cuda")
    hooked.register_forward_hook(lambda *_: None)
    with pytest.raises(RuntimeError, match="must not have hooks"):
        torch.cuda.make_graphed_callables(hooked, (x,))
    buffered = Scaled().to("cuda")
    buffered.register_buffer("b", torch.ones(1, requires_grad=True))
    with pytest.raises(RuntimeError, match="All buffers must have"):
        torch.cuda.make_graphed_callables(buffered, (x,))
    with torch.autocast("cuda"), pytest.raises(RuntimeError, match="autocast caching"):
        torch.cuda.make_graphed_callables(lambda x: x, (x,))
    with pytest.raises(TypeError, match="only Tensors"):
        torch.cuda.make_graphed_callables(lambda x, n: x, (x, 3))


def test_graphs_of_whatever_accelerator(cuda):
    """torch.accelerator.Graph records on the current stream."""
    recorded = torch.accelerator.Graph(pool=(0, 7), capture_error_mode="relaxed")
    with torch.Stream() as stream, recorded:
        assert stream.is_capturing()
    assert ("begin_capture", stream.native_handle, "relaxed") in cuda.calls
    assert recorded.pool() == (0, 7) and not stream.is_capturing()
    recorded.replay()
    assert cuda.calls[-1][:2] == ("launch", "a graph")


def test_graphs_on_a_device_that_cannot(monkeypatch):
    """The inherited answer is an error that says so, and the stream is as before."""
    with installed("xpu") as fake:
        for name in ("begin_capture", "end_capture", "launch"):
            monkeypatch.delattr(type(fake), name)
        with pytest.raises(RuntimeError, match="cannot capture graphs"), torch.accelerator.Graph():
            pass
