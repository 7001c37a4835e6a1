"""Ops declared by schemas, and those of compiled extensions that are written here."""

from __future__ import annotations

import numpy as np
import pytest

import arraytorch as torch
from arraytorch._extensions import torchvision as written
from arraytorch.library import Library


@pytest.fixture(scope="module")
def vision():
    """torchvision's operations, as its own loader asks for them."""
    torch.ops.load_library("/somewhere/torchvision/_C.so")
    return torch.ops.torchvision


def test_ops_are_declared_and_given_functions():
    """One function for all devices, others for some, and one for autocast."""
    library = Library("test_declared", "DEF")
    assert library.define("scaled(Tensor x, float by=2.) -> Tensor") == "scaled"
    op = torch.ops.test_declared.scaled
    with pytest.raises(NotImplementedError, match="Could not run 'test_declared::scaled'"):
        op(torch.ones(1))
    library.impl("scaled", lambda x, by: x * by, "CompositeImplicitAutograd")
    x = torch.ones(2, requires_grad=True)
    op(x, by=3.0).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0] and op.default is op
    library.impl(op, lambda x, by: x.new_empty(x.shape), "Meta")
    assert op(torch.ones(2, device="meta")).is_meta
    library.impl("scaled", lambda x, by: op(x.double(), by), "AutocastCPU")
    with torch.autocast("cpu"):
        assert op(torch.ones(1)).dtype is torch.float64
    assert op(torch.ones(1)).dtype is torch.float32
    with pytest.raises(RuntimeError, match="multiple times"):
        library.define("scaled(Tensor x) -> Tensor")
    with pytest.raises(ValueError, match="Unsupported kind"):
        Library("test_declared", "NEW")
    with pytest.raises(RuntimeError, match="could not parse dispatch key: Abacus"):
        library.impl("scaled", lambda x, by: x, "Abacus")


def test_an_op_may_see_to_its_own_gradient():
    """The function for Autograd runs where a gradient is wanted, and is not called by itself."""

    class Tripled(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return op(x.detach())

        @staticmethod
        def backward(ctx, g):
            return g * 7

    library = Library("test_recorded", "FRAGMENT")
    library.define("tripled(Tensor x) -> Tensor")
    op = torch.ops.test_recorded.tripled
    library.impl("tripled", lambda x: x * 3, "CPU")
    library.impl("tripled", Tripled.apply, "Autograd")
    x = torch.ones(1, requires_grad=True)
    op(x).backward()
    assert op(torch.ones(1)).item() == 3 and x.grad.item() == 7


def test_extensions_that_are_not_written_here_cannot_be_loaded():
    """They were compiled for PyTorch."""
    with pytest.raises(OSError, match="cannot be loaded"):
        torch.ops.load_library("/somewhere/another/_C.so")
    assert "/somewhere/another/_C.so" not in torch.ops.loaded_libraries
    with pytest.raises(RuntimeError, match="data-dependent output shape"):
        torch.library.get_ctx()


def test_nms(vision):
    """The boxes that overlap no better one, of an exhaustive comparison."""
    rng = np.random.default_rng(0)
    corner, size = rng.uniform(0, 40, (60, 2)), rng.uniform(5, 20, (60, 2))
    boxes, scores = np.concatenate([corner, corner + size], 1).astype("f4"), rng.random(60)
    kept: list[int] = []
    for i in np.argsort(-scores):
        lower, upper = (
            np.maximum(boxes[i, :2], boxes[kept, :2]),
            np.minimum(boxes[i, 2:], boxes[kept, 2:]),
        )
        both = np.clip(upper - lower, 0, None).prod(1)
        areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
        if not (both / (areas[i] + areas[kept] - both) > 0.3).any():
            kept.append(int(i))
    found = vision.nms(torch.from_numpy(boxes), torch.from_numpy(scores), 0.3)
    assert found.tolist() == kept and 5 < len(kept) < 60
    assert vision.nms(torch.zeros(0, 4), torch.zeros(0), 0.5).tolist() == []


def bilinear(plane, y, x):
    """The value of a plane between pixels, as the definition of RoIAlign has it."""
    height, width = plane.shape
    if y < -1 or y > height or x < -1 or x > width:
        return 0.0
    y, x = max(y, 0.0), max(x, 0.0)
    y0, x0 = min(int(y), height - 1), min(int(x), width - 1)
    y1, x1 = min(y0 + 1, height - 1), min(x0 + 1, width - 1)
    v, u = (y - y0 if y1 > y0 else 0.0), (x - x0 if x1 > x0 else 0.0)
    return (plane[y0, x0] * (1 - v) * (1 - u) + plane[y0, x1] * (1 - v) * u
            + plane[y1, x0] * v * (1 - u) + plane[y1, x1] * v * u)  # fmt: skip


def aligned_by_hand(image, box, bins, scale, samples, aligned):
    """The means of bins of one box, sample by sample."""
    shift = 0.5 if aligned else 0.0
    x1, y1, x2, y2 = (edge * scale - shift for edge in box)
    height, width = y2 - y1, x2 - x1
    if not aligned:
        height, width = max(height, 1.0), max(width, 1.0)
    sy = samples or int(np.ceil(height / bins[0]))
    sx = samples or int(np.ceil(width / bins[1]))
    out = np.zeros((len(image), *bins))
    for c, plane in enumerate(image):
        for i in range(bins[0]):
            for j in range(bins[1]):
                at = [(y1 + (i + (a + 0.5) / sy) * height / bins[0],
                       x1 + (j + (b + 0.5) / sx) * width / bins[1])
                      for a in range(sy) for b in range(sx)]  # fmt: skip
                out[c, i, j] = np.mean([bilinear(plane, y, x) for y, x in at])
    return out


@pytest.mark.parametrize(("samples", "aligned"), [(2, True), (2, False), (0, True), (0, False)])
def test_roi_align(vision, samples, aligned):
    """Sample by sample, boxes beyond the image and tiny ones included; the gradient is the adjoint's."""
    rng = np.random.default_rng(1)
    image = rng.standard_normal((2, 3, 9, 11))
    boxes = [[0, 1.0, 2.0, 12.0, 15.0], [1, -6.0, -3.0, 30.0, 9.0], [1, 5.2, 5.1, 5.4, 5.3]]
    x = torch.from_numpy(image).requires_grad_()
    rois = torch.tensor(boxes, dtype=torch.float64)
    out = written.roi_align(x, rois, 0.7, 3, 4, samples, aligned)
    for result, (n, *box) in zip(out, boxes, strict=True):
        expected = aligned_by_hand(image[n], box, (3, 4), 0.7, samples, aligned)
        np.testing.assert_allclose(result.detach().numpy(), expected, atol=1e-12)
    g = torch.from_numpy(rng.standard_normal(out.shape))
    found = vision._roi_align_backward(g, rois, 0.7, 3, 4, 2, 3, 9, 11, samples, aligned)
    (expected,) = torch.autograd.grad(out, x, g)
    torch.testing.assert_close(found, expected)


def test_ps_roi_align(vision):
    """Each bin reads a channel of its own, half a pixel away, and says which."""
    rng = np.random.default_rng(2)
    image, box = rng.standard_normal((8, 9, 11)), [1.0, 2.0, 12.0, 15.0]
    x, rois = torch.from_numpy(image)[None], torch.tensor([[0, *box]], dtype=torch.float64)
    out, channels = vision.ps_roi_align(x, rois, 0.7, 2, 2, 2)
    expected = aligned_by_hand(image, box, (2, 2), 0.7, 2, True)
    for c in range(2):
        for i in range(2):
            for j in range(2):
                assert channels[0, c, i, j] == 4 * c + 2 * i + j
                np.testing.assert_allclose(
                    out[0, c, i, j].item(), expected[4 * c + 2 * i + j, i, j]
                )
    g = torch.ones_like(out)
    back = vision._ps_roi_align_backward(g, rois, channels, 0.7, 2, 2, 2, 1, 8, 9, 11)
    assert back.sum().item() == pytest.approx(8.0) and back.shape == x.shape


def test_roi_pool(vision):
    """The largest element of each bin, where it is, and its gradient there alone."""
    x = torch.arange(36.0).view(1, 1, 6, 6)
    rois = torch.tensor([[0.0, 0, 0, 3, 5], [0, 20, 20, 30, 30]])
    out, places = vision.roi_pool(x, rois, 1.0, 2, 2)
    assert out[0, 0].tolist() == [[13.0, 15.0], [31.0, 33.0]]
    assert places[0, 0].tolist() == [[13, 15], [31, 33]]
    assert out[1, 0].tolist() == [[0.0, 0.0]] * 2 and places[1, 0].tolist() == [[-1, -1]] * 2
    back = vision._roi_pool_backward(torch.ones_like(out), rois, places, 1.0, 2, 2, 1, 1, 6, 6)
    assert back.nonzero()[:, 2:].tolist() == [[2, 1], [2, 3], [5, 1], [5, 3]] and back.sum() == 4


def test_ps_roi_pool(vision):
    """The mean of the pixels that a bin touches, in the bin's own channel."""
    x = torch.arange(4 * 16.0).view(1, 4, 4, 4)
    rois = torch.tensor([[0.0, 0, 0, 3, 3]])
    out, channels = vision.ps_roi_pool(x, rois, 1.0, 2, 2)
    expected = [[x[0, 0, :2, :2].mean(), x[0, 1, :2, 2:].mean()],
                [x[0, 2, 2:, :2].mean(), x[0, 3, 2:, 2:].mean()]]  # fmt: skip
    assert out[0, 0].tolist() == [[float(v) for v in row] for row in expected]
    back = vision._ps_roi_pool_backward(torch.ones_like(out), rois, channels, 1.0, 2, 2, 1, 4, 4, 4)
    assert back.sum().item() == 4 and back[0, 0, 0, 0].item() == 0.25


def test_deform_conv2d(vision):
    """Without offsets a convolution, with whole ones that of shifted images, and differentiable."""
    torch.manual_seed(0)
    x = torch.randn(2, 4, 7, 8, dtype=torch.float64)
    w = torch.randn(6, 2, 3, 3, dtype=torch.float64)
    bias, none = torch.randn(6, dtype=torch.float64), torch.zeros(2, 36, 7, 8, dtype=torch.float64)
    size = (1, 1, 1, 1, 1, 1, 2, 2)
    mask = torch.ones(2, 18, 7, 8, dtype=torch.float64)
    conv = lambda x: torch.nn.functional.conv2d(x, w, bias, padding=1, groups=2)
    out = vision.deform_conv2d(x, w, none, mask, bias, *size, False)
    torch.testing.assert_close(out, conv(x))
    half = vision.deform_conv2d(x, w, none, mask * 0.5, bias * 0, *size, True)
    torch.testing.assert_close(half, (conv(x) - bias.view(-1, 1, 1)) * 0.5)
    down = none.clone()
    down[:, ::2] = 1
    shifted = torch.nn.functional.pad(x, (0, 0, 0, 1))[:, :, 1:]
    moved = vision.deform_conv2d(x, w, down, mask, bias, *size, False)
    torch.testing.assert_close(moved[:, :, 1:-1], conv(shifted)[:, :, 1:-1])
    args = [t[:1, :, :3, :3].contiguous().requires_grad_() for t in (x, none + 0.3, mask)]
    leaf = w.clone().requires_grad_()
    small = lambda x, o, m, w: written.deform_conv2d(x, w, o, m, bias, *size, True)
    assert torch.autograd.gradcheck(small, (*args, leaf))
    back = vision._deform_conv2d_backward(
        torch.ones_like(out), x, w, none, mask, bias, *size, False
    )
    assert [b.shape for b in back] == [t.shape for t in (x, w, none, mask, bias)]
    assert back[4].tolist() == [2.0 * 7 * 8] * 6
