"""The meta device: shapes, dtypes and layouts without elements."""

from __future__ import annotations

import numpy as np
import pytest

import arraytorch as torch
from arraytorch.backends.meta_array import MetaArray
from arraytorch.nn import functional as F


def test_nothing_is_allocated():
    """A tensor of a million terabytes is as quick to make and to compute with as any."""
    x = torch.ones(10**9, 10**9, device="meta", requires_grad=True)
    y = (x * 2 + x.sum(1, keepdim=True)).exp().T[::3].softmax(-1)
    y.sort(1).values.cumsum(0).mean().backward()
    assert y.shape == (333333334, 10**9)
    assert x.grad.shape == x.shape


def test_elements_cannot_be_read():
    """Each way to an element raises what PyTorch raises."""
    x, one = torch.ones(2, 3, device="meta"), torch.ones((), device="meta")
    for read in (one.item, one.__bool__, one.__float__):
        with pytest.raises(RuntimeError, match="item\\(\\) cannot be called on meta tensors"):
            read()
    for read in (x.tolist, x.cpu, lambda: torch.empty(2, 3).copy_(x)):
        with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor; no data!"):
            read()
    with pytest.raises(TypeError, match="can't convert meta device type tensor to numpy"):
        x.numpy()


@pytest.mark.parametrize(
    "op", [torch.nonzero, torch.unique, lambda x: x[x > 0], lambda x: torch.masked_select(x, x > 0)]
)
def test_shapes_that_depend_on_elements_raise(op):
    """How many elements are nonzero is not known."""
    with pytest.raises(NotImplementedError, match="Meta tensors"):
        op(torch.ones(2, 3, device="meta"))


def test_printing_shows_the_shape():
    """As PyTorch prints it."""
    x = torch.ones(2, 3, device="meta")
    assert repr(x) == "tensor(..., device='meta', size=(2, 3))"


VIEWS = [
    lambda x: x.T,
    lambda x: x[1:, ::2],
    lambda x: x[:, None, 1],
    lambda x: x[..., ::-1],
    lambda x: x.permute(2, 0, 1),
    lambda x: x.reshape(12, 5),
    lambda x: x.T.reshape(-1),
    lambda x: x[:, 1:3].reshape(3, 10),
    lambda x: x[::2].reshape(2, 4, 5, 1),
    lambda x: x[:, ::2].reshape(3, 10),
    lambda x: x.expand(2, 3, 4, 5).reshape(6, 4, 5),
    lambda x: x.transpose(0, 1).reshape(4, 15),
    lambda x: x.diagonal(1, 1, 2),
    lambda x: x.unfold(1, 2, 2),
    lambda x: x.squeeze(),
    lambda x: x.swapaxes(0, 2) * 2,
]


@pytest.mark.parametrize("view", VIEWS)
def test_layouts_are_numpys(view):
    """Shape, strides, offset and whether the memory is shared are as with real memory."""
    real, meta = (view(torch.zeros(3, 4, 5, device=d)) for d in ("cpu", "meta"))
    assert (meta.shape, meta.dtype) == (real.shape, real.dtype)
    whole = [i for i, n in enumerate(real.shape) if n > 1]
    assert [meta.stride()[i] for i in whole] == [real.stride()[i] for i in whole]
    assert meta.storage_offset() == real.storage_offset()
    assert (meta._base is None) == (real._base is None)
    assert meta.is_contiguous() == real.is_contiguous()


PICKS = [
    lambda x: x[:, torch.tensor([0, 2], device=x.device), 1:],
    lambda x: x[torch.tensor([0, 2], device=x.device), :, torch.tensor([1, 1], device=x.device)],
    lambda x: x[0, :, torch.tensor([[1]], device=x.device)],
    lambda x: x[None, [1, 0], :, [[1], [2]]],
]


@pytest.mark.parametrize("pick", PICKS)
def test_picked_shapes_are_numpys(pick):
    """Where the dimensions of index tensors go follows NumPy's rules."""
    real, meta = (pick(torch.zeros(3, 4, 5, device=d)) for d in ("cpu", "meta"))
    assert meta.shape == real.shape


@pytest.mark.parametrize("seed", range(20))
def test_reshaped_views_are_numpys(seed):
    """Whether a reshape copies is decided as by NumPy, for any strides."""
    rng = np.random.default_rng(seed)
    sizes = rng.choice([1, 2, 3, 4], 4)
    x = np.zeros(sizes * 2)[tuple(slice(None, None, s) for s in rng.choice([1, 2], 4))]
    x = x.transpose(rng.permutation(4))
    shape = tuple(
        int(n) for n in rng.permutation([x.size // 6, 2, 3] if not x.size % 6 else [x.size])
    )
    meta = MetaArray(x.shape, x.dtype, x.strides, MetaArray((x.size,), x.dtype))
    got, wanted = meta.reshape(shape), x.reshape(shape)
    assert (got.base is None) == (not np.shares_memory(x, wanted))
    assert all(a == b for a, b, n in zip(got.strides, wanted.strides, shape, strict=True) if n > 1)


def test_out_of_range_and_misfits_raise():
    """What can be known without elements is checked."""
    x = torch.ones(2, 3, device="meta")
    for bad in (lambda: x[2], lambda: x[0, 0, 0], lambda: x.select(1, 3)):
        with pytest.raises(IndexError):
            bad()
    for bad in (lambda: x.view(4), lambda: x + x.T, lambda: x @ x, lambda: x.copy_(x.T)):
        with pytest.raises(RuntimeError):
            bad()
    with pytest.raises((RuntimeError, ValueError)):
        x[0] = torch.ones(2, device="meta")


def test_moving_to_meta_keeps_shape_and_dtype():
    """x.to("meta") forgets the elements, and a gradient comes back to meta alone."""
    x = torch.arange(6).reshape(2, 3).to("meta")
    assert (x.is_meta, x.shape, x.dtype) == (True, (2, 3), torch.int64)


def test_promotion_is_that_of_the_cpu():
    """Dtypes of results follow the same rules."""
    names = ["bool", "uint8", "int32", "float16", "bfloat16", "float32", "complex64"]
    for a in names:
        for b in names:
            x, y = (torch.ones(2, dtype=getattr(torch, n)) for n in (a, b))
            assert (x.to("meta") * y.to("meta")).dtype == (x * y).dtype
            assert (x.to("meta") / 2.5).dtype == (x / 2.5).dtype


def test_second_derivatives_have_shapes():
    """The recorded rules run on meta arrays, too."""
    x = torch.ones(3, 3, device="meta", requires_grad=True)
    (g,) = torch.autograd.grad(torch.linalg.det(x.sigmoid() @ x), x, create_graph=True)
    g.norm().backward()
    assert (x.grad.shape, x.grad.is_meta) == ((3, 3), True)


def test_network_runs():
    """A network's output and gradients have their shapes, however large it is."""
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 64, 7, stride=2, padding=3, device="meta"),
        torch.nn.BatchNorm2d(64, device="meta"),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(3, 2, 1),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(64, 10**6, device="meta"),
    )
    out = model(torch.rand(512, 3, 224, 224, device="meta"))
    F.cross_entropy(out, torch.zeros(512, dtype=torch.int64, device="meta")).backward()
    assert out.shape == (512, 10**6)
    assert all(p.grad.shape == p.shape and p.grad.is_meta for p in model.parameters())
