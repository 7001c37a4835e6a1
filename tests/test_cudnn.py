"""Calls of cuDNN: against a library that computes on the CPU, and its own descriptors if installed."""

from __future__ import annotations

import ctypes

import fake_cupy
import numpy as np
import pytest

import arraytorch as torch
from arraytorch import backends
from arraytorch.backends.convolution import convolution
from arraytorch.nn import functional as F

NUMPY = backends.backend_for(torch.device("cpu"))
DTYPES = {0: np.float32, 1: np.float64, 2: np.float16}


class Library:
    """cuDNN's functions on the CPU: descriptors are numbers, arrays are read by their address."""

    def __init__(self):
        self.made, self.calls = [], []
        self.refuses = False

    def __getattr__(self, name):
        if name.startswith("cudnnCreate") and name.endswith("Descriptor"):
            return lambda out: self.create(out)
        for kind in ("Forward", "BackwardData", "BackwardFilter"):
            if name == f"cudnnGetConvolution{kind}Algorithm_v7":
                return self.algorithms
            if name == f"cudnnGetConvolution{kind}WorkspaceSize":
                return self.workspace
            if name == f"cudnnConvolution{kind}":
                return lambda *args: self.compute(kind, *args)
        raise AttributeError(name)

    def create(self, out):
        self.made.append({})
        ctypes.cast(out, ctypes.POINTER(ctypes.c_void_p))[0] = len(self.made)
        return 0

    cudnnCreate = create

    def cudnnSetStream(self, handle, stream):
        return 0

    def cudnnSetTensorNdDescriptor(self, desc, dtype, n, shape, strides):
        step = 1
        for size, stride in zip(reversed(shape), reversed(strides)):
            assert stride == step
            step *= size
        self.made[desc.value - 1].update(dtype=DTYPES[dtype], shape=tuple(shape))
        return 0

    def cudnnSetFilterNdDescriptor(self, desc, dtype, layout, n, shape):
        assert (layout, n) == (0, len(shape))
        self.made[desc.value - 1].update(dtype=DTYPES[dtype], shape=tuple(shape))
        return 0

    def cudnnSetConvolutionNdDescriptor(self, desc, n, pad, stride, dilation, mode, computed):
        assert mode == 1
        self.made[desc.value - 1].update(
            pad=tuple(pad), stride=tuple(stride), dilation=tuple(dilation), computed=computed
        )
        return 0

    def cudnnSetConvolutionGroupCount(self, desc, groups):
        self.made[desc.value - 1]["groups"] = groups
        return 0

    def cudnnSetConvolutionMathType(self, desc, math):
        self.made[desc.value - 1]["math"] = math
        return 0

    def algorithms(self, handle, first, second, conv, last, asked, count, found):
        if self.refuses:
            return 3000
        math = self.made[conv.value - 1]["math"]
        ctypes.cast(count, ctypes.POINTER(ctypes.c_int))[0] = 2
        found[0].algo, found[0].determinism, found[0].math = 5, 0, math
        found[1].algo, found[1].determinism, found[1].math = 1, 1, math
        return 0

    def workspace(self, handle, first, second, conv, last, algorithm, size):
        ctypes.cast(size, ctypes.POINTER(ctypes.c_size_t))[0] = 64
        return 0

    def compute(self, kind, handle, one, first, a, second, b, conv, algorithm, space, room, zero,
                last, out):  # fmt: skip
        assert space.value
        assert room.value == 64
        self.calls.append((kind, algorithm, self.made[conv.value - 1]["math"]))
        a, b, out = (self.array(d, p) for d, p in ((first, a), (second, b), (last, out)))
        x, w, y = {
            "Forward": (a, b, out),
            "BackwardData": (out, a, b),
            "BackwardFilter": (a, out, b),
        }[kind]
        g = self.made[conv.value - 1]
        c = convolution(
            g["stride"], tuple((p, p) for p in g["pad"]), g["dilation"], g["groups"], w.shape[2:],
            x.shape[2:],
        )  # fmt: skip
        assert y.shape == (x.shape[0], w.shape[0], *c.out)
        if kind == "Forward":
            out[...] = NUMPY.conv(x, w, c)
        elif kind == "BackwardData":
            out[...] = NUMPY.conv_input(y, w, c)
        else:
            out[...] = NUMPY.conv_weight(x, y, c)
        return 0

    def array(self, desc, pointer):
        told = self.made[desc.value - 1]
        size = int(np.prod(told["shape"])) * np.dtype(told["dtype"]).itemsize
        raw = (ctypes.c_char * size).from_address(pointer.value)
        return np.frombuffer(raw, told["dtype"]).reshape(told["shape"])


@pytest.fixture
def cudnn(monkeypatch):
    """The module over the fakes of CuPy and of the library."""
    fake_cupy.load(monkeypatch)
    from arraytorch.backends import cupy_cudnn as cudnn

    made = Library()
    monkeypatch.setattr(cudnn, "library", lambda: made)
    monkeypatch.setattr(torch.backends.cudnn, "enabled", True)
    cudnn._plan.cache_clear()
    cudnn.made = made
    return cudnn


CASES = [
    ("conv1d", (2, 4, 9), (6, 4, 3), {"padding": 1, "stride": 2}),
    ("conv2d", (2, 4, 7, 6), (6, 2, 3, 2), {"groups": 2, "dilation": (1, 2), "padding": (1, 0)}),
    ("conv3d", (1, 2, 4, 5, 3), (3, 2, 2, 2, 2), {}),
    (
        "conv_transpose2d",
        (2, 4, 5, 5),
        (4, 3, 3, 3),
        {"stride": 2, "padding": 1, "output_padding": 1},
    ),
]


@pytest.mark.parametrize(("name", "x", "w", "options"), CASES, ids=[c[0] for c in CASES])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_convolutions_agree(cudnn, name, x, w, options, dtype):
    """Results and gradients are the CPU's, and all three come from the library."""
    op, found = getattr(F, name), {}
    for where in ("cpu", "cuda"):
        torch.manual_seed(0)
        tensors = [torch.randn(s, dtype=dtype).to(where).requires_grad_() for s in (x, w)]
        out = op(*tensors, **options)
        out.sin().sum().backward()
        found[where] = [t.detach().cpu().numpy() for t in (out, *[t.grad for t in tensors])]
    for a, b in zip(found["cuda"], found["cpu"], strict=True):
        np.testing.assert_allclose(a, b, 1e-4, 1e-5)
    assert {kind for kind, *_ in cudnn.made.calls} == {"Forward", "BackwardData", "BackwardFilter"}


def test_version_is_told(cudnn):
    """`torch.backends.cudnn` asks the backend, which asks the library."""
    cudnn.made.cudnnGetVersion = lambda: 91002
    assert torch.backends.cudnn.version() == 91002
    assert torch.backends.cudnn.is_available()


def test_settings_choose_math_and_algorithm(cudnn, monkeypatch):
    """TF32 is a kind of mathematics; deterministic mode takes an algorithm that is."""
    x, w = torch.ones(1, 1, 4, 4, device="cuda"), torch.ones(1, 1, 3, 3, device="cuda")
    F.conv2d(x, w)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    F.conv2d(x, w)
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)
    F.conv2d(x, w)
    assert cudnn.made.calls == [("Forward", 5, 0), ("Forward", 5, 3), ("Forward", 1, 3)]


def test_what_is_refused_goes_by_columns(cudnn):
    """A status other than success, or padding of two kinds, leads to the kernels of arraytorch."""
    cudnn.made.refuses = True
    x, w = torch.randn(1, 2, 5, 5), torch.randn(3, 2, 3, 3)
    got = F.conv2d(x.to("cuda"), w.to("cuda"), padding="same")
    np.testing.assert_allclose(
        got.cpu().numpy(), F.conv2d(x, w, padding="same").numpy(), 1e-5, 1e-5
    )
    cudnn.made.refuses = False
    even = torch.randn(3, 2, 2, 2)
    got = F.conv2d(x.to("cuda"), even.to("cuda"), padding="same")
    np.testing.assert_allclose(
        got.cpu().numpy(), F.conv2d(x, even, padding="same").numpy(), 1e-5, 1e-5
    )
    assert not cudnn.made.calls


def test_descriptors_of_the_real_library():
    """Where cuDNN is installed, its own arithmetic gives the output's extent that ours does."""
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed", exc_type=ImportError)
    if cupy.cuda.runtime.is_hip:
        pytest.skip("cuDNN is NVIDIA's")
    from arraytorch.backends import cupy_cudnn as cudnn

    if cudnn.library() is None:
        pytest.skip("cuDNN is not installed")
    c = convolution((2, 1), ((1, 1), (2, 2)), (1, 2), 2, (3, 3), (9, 8))
    x, w = cudnn._tensor("float32", (5, 4, 9, 8)), cudnn._filter("float32", (6, 2, 3, 3))
    out = (ctypes.c_int * 4)()
    cudnn.called("cudnnGetConvolutionNdForwardOutputDim", cudnn._convolution(c, "float32", True), x,
                 w, 4, out)  # fmt: skip
    assert tuple(out) == (5, 6, *c.out)
    for kind in cudnn.Plan.KINDS:
        for name in ("Get{}Algorithm_v7", "Get{}WorkspaceSize", "{}"):
            assert getattr(cudnn.library(), "cudnn" + name.format(f"Convolution{kind}"))
