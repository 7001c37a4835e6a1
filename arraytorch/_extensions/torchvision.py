"""The operations that torchvision has in its compiled extension, under its names and schemas.

Bilinear sampling on a grid is a matrix product from either side: the weight of a pixel is the weight of
its row times that of its column, for an average over samples too. So `roi_align` is W_y F W_x^T for each
box (He et al., Mask R-CNN, 2017), and its derivative W_y^T G W_x.
"""

from __future__ import annotations

from importlib import import_module
from math import ceil
from typing import Any

from ..autograd.modes import enable_grad
from ..library import Library

torch: Any = import_module(__package__.partition(".")[0])
LIBRARY = Library("torchvision", "DEF")
_BOXES = "Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, SymInt pooled_width"
_BACK = (
    "float spatial_scale, SymInt pooled_height, SymInt pooled_width, SymInt batch_size, "
    "SymInt channels, SymInt height, SymInt width"
)
_CONV = (
    "Tensor input, Tensor weight, Tensor offset, Tensor mask, Tensor bias, SymInt stride_h, "
    "SymInt stride_w, SymInt pad_h, SymInt pad_w, SymInt dilation_h, SymInt dilation_w, "
    "SymInt groups, SymInt offset_groups, bool use_mask"
)
_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    f"roi_align({_BOXES}, int sampling_ratio, bool aligned) -> Tensor",
    "_roi_align_backward(Tensor grad, Tensor rois, "
    f"{_BACK}, int sampling_ratio, bool aligned) -> Tensor",
    f"roi_pool({_BOXES}) -> (Tensor, Tensor)",
    f"_roi_pool_backward(Tensor grad, Tensor rois, Tensor argmax, {_BACK}) -> Tensor",
    f"ps_roi_align({_BOXES}, int sampling_ratio) -> (Tensor, Tensor)",
    "_ps_roi_align_backward(Tensor grad, Tensor rois, Tensor channel_mapping, float spatial_scale, "
    "SymInt pooled_height, SymInt pooled_width, int sampling_ratio, SymInt batch_size, "
    "SymInt channels, SymInt height, SymInt width) -> Tensor",
    f"ps_roi_pool({_BOXES}) -> (Tensor, Tensor)",
    f"_ps_roi_pool_backward(Tensor grad, Tensor rois, Tensor channel_mapping, {_BACK}) -> Tensor",
    f"deform_conv2d({_CONV}) -> Tensor",
    f"_deform_conv2d_backward(Tensor grad, {_CONV}) -> (Tensor, Tensor, Tensor, Tensor, Tensor)",
    # Of quantized tensors alone, of which there are none.
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qroi_align(Tensor input, Tensor rois, float input_scale, int input_zero_point, float rois_scale, "
    "int rois_zero_point, float spatial_scale, SymInt pooled_height, SymInt pooled_width, "
    "int sampling_ratio, bool aligned) -> Tensor",
    "_cuda_version() -> int",
)


def nms(dets: Any, scores: Any, iou_threshold: float) -> Any:
    """The indices of the boxes that overlap no better one by more than a threshold, best first."""
    torch._check(dets.dim() == 2, lambda: f"boxes should be a 2d tensor, got {dets.dim()}D")
    order = scores.sort(stable=True, descending=True).indices
    boxes = dets[order]
    x1, y1, x2, y2 = boxes.unbind(1)
    areas, kept = (x2 - x1) * (y2 - y1), []
    alive = torch.ones(len(order), dtype=torch.bool, device=dets.device)
    for i in range(len(order)):
        if not alive[i]:
            continue
        kept.append(i)
        rest = slice(i + 1, None)
        width = (torch.minimum(x2[rest], x2[i]) - torch.maximum(x1[rest], x1[i])).clamp_(min=0)
        height = (torch.minimum(y2[rest], y2[i]) - torch.maximum(y1[rest], y1[i])).clamp_(min=0)
        both = width * height
        alive[rest] &= both / (areas[i] + areas[rest] - both) <= iou_threshold
    return order[torch.tensor(kept, dtype=torch.int64, device=dets.device)]


# --------------------------------------------------------------------------------- averages of boxes


def _weights(start: float, size: float, bins: int, samples: int, length: int, like: Any) -> Any:
    """The weight of each of ``length`` pixels in each bin: the mean over its samples, each between two."""
    if samples < 1:  # as of a box without area
        return torch.zeros(bins, length, dtype=like.dtype, device=like.device)
    at = start + (torch.arange(bins * samples, dtype=like.dtype) + 0.5) * (size / bins / samples)
    outside = (at < -1) | (at > length)
    at = at.clamp(0, length - 1)
    low = at.floor()
    share = at - low
    share[outside], low = 0, low.long()
    matrix = torch.zeros(bins * samples, length, dtype=like.dtype)
    rows = torch.arange(bins * samples)
    matrix[rows, low] = torch.where(outside, 0, 1 - share)
    matrix[rows, (low + 1).clamp(max=length - 1)] += share
    return matrix.view(bins, samples, length).mean(1).to(like.device)


def _of_boxes(rois: Any, scale: float, bins: Any, sampling: int, aligned: bool, like: Any) -> Any:
    """For each box its image, and the weights of rows and columns in its bins.

    Boxes that are not ``aligned``, half a pixel away, are at least one pixel wide.
    """
    shift = 0.5 if aligned else 0.0
    for number, x1, y1, x2, y2 in rois.tolist():
        starts = [y1 * scale - shift, x1 * scale - shift]
        sizes = [(y2 - y1) * scale, (x2 - x1) * scale]
        if not aligned:
            sizes = [max(size, 1.0) for size in sizes]
        counts = [
            sampling if sampling > 0 else ceil(size / n)
            for size, n in zip(sizes, bins, strict=True)
        ]
        yield (
            int(number),
            *[
                _weights(starts[d], sizes[d], bins[d], counts[d], like.shape[d - 2], like)
                for d in (0, 1)
            ],
        )


def roi_align(
    input: Any, rois: Any, spatial_scale: float, pooled_height: int, pooled_width: int,
    sampling_ratio: int, aligned: bool,
) -> Any:  # fmt: skip
    """The means of bins of boxes, over bilinear samples."""
    bins = (pooled_height, pooled_width)
    made = [
        rows @ input[n] @ columns.t()
        for n, rows, columns in _of_boxes(rois, spatial_scale, bins, sampling_ratio, aligned, input)
    ]
    return torch.stack(made) if made else input.new_empty((0, input.shape[1], *bins))


def _roi_align_backward(
    grad: Any, rois: Any, spatial_scale: float, pooled_height: int, pooled_width: int,
    batch_size: int, channels: int, height: int, width: int, sampling_ratio: int, aligned: bool,
) -> Any:  # fmt: skip
    found = grad.new_zeros((batch_size, channels, height, width))
    bins = (pooled_height, pooled_width)
    boxes = _of_boxes(rois, spatial_scale, bins, sampling_ratio, aligned, found)
    for g, (n, rows, columns) in zip(grad, boxes, strict=True):
        found[n] += rows.t() @ g @ columns
    return found


def _mapping(channels: int, ph: int, pw: int, like: Any) -> Any:
    """The channel that each bin of each result reads, where each bin has channels of its own."""
    return torch.arange(channels, dtype=torch.int32, device=like.device).view(-1, ph, pw)


def ps_roi_align(
    input: Any, rois: Any, spatial_scale: float, pooled_height: int, pooled_width: int,
    sampling_ratio: int,
) -> Any:  # fmt: skip
    """`roi_align` where each bin reads channels of its own, and those channels."""
    bins = (pooled_height, pooled_width)
    mapping = _mapping(input.shape[1], *bins, input)
    made = []
    for n, rows, columns in _of_boxes(rois, spatial_scale, bins, sampling_ratio, True, input):
        own = input[n][mapping.long()]
        made.append(torch.einsum("ih,cijhw,jw->cij", rows, own, columns))
    shape = (len(rois), *mapping.shape)
    result = torch.stack(made) if made else input.new_empty(shape)
    return result, mapping.expand(shape).contiguous()


def _ps_roi_align_backward(
    grad: Any, rois: Any, channel_mapping: Any, spatial_scale: float, pooled_height: int,
    pooled_width: int, sampling_ratio: int, batch_size: int, channels: int, height: int, width: int,
) -> Any:  # fmt: skip
    return _pulled_back(
        lambda x: ps_roi_align(x, rois, spatial_scale, pooled_height, pooled_width, sampling_ratio)[0],
        grad, (batch_size, channels, height, width),
    )  # fmt: skip


def _pulled_back(function: Any, grad: Any, shape: Any) -> Any:
    """The gradient of a linear function of a tensor of a shape."""
    with enable_grad():
        x = grad.new_zeros(shape).requires_grad_()
        return torch.autograd.grad(function(x), x, grad)[0]


# --------------------------------------------------------------------------------- bins of pixels


def _edges(start: float, size: float, bins: int, length: int) -> list[tuple[int, int]]:
    """The pixels of each bin, from and to."""
    return [
        (
            min(max(int(start + (i * size) // bins), 0), length),
            min(max(int(start + -(-(i + 1) * size // bins)), 0), length),
        )
        for i in range(bins)
    ]


def _rounded(value: float) -> int:
    """The nearest integer, halves away from zero."""
    return int(value + 0.5) if value >= 0 else -int(0.5 - value)


def roi_pool(
    input: Any, rois: Any, spatial_scale: float, pooled_height: int, pooled_width: int
) -> Any:
    """The largest elements of bins of boxes, and where in their plane they are."""
    channels, height, width = input.shape[1:]
    result = input.new_zeros((len(rois), channels, pooled_height, pooled_width))
    places = torch.full_like(result, -1, dtype=torch.int32)
    for k, (n, *box) in enumerate(rois.tolist()):
        x1, y1, x2, y2 = [_rounded(edge * spatial_scale) for edge in box]
        rows = _edges(y1, max(y2 - y1 + 1, 1), pooled_height, height)
        columns = _edges(x1, max(x2 - x1 + 1, 1), pooled_width, width)
        for i, (top, bottom) in enumerate(rows):
            for j, (left, right) in enumerate(columns):
                if bottom > top and right > left:
                    found = input[int(n), :, top:bottom, left:right].flatten(1).max(1)
                    y, x = found.indices // (right - left), found.indices % (right - left)
                    result[k, :, i, j] = found.values
                    places[k, :, i, j] = ((y + top) * width + x + left).int()
    return result, places


def _roi_pool_backward(
    grad: Any, rois: Any, argmax: Any, spatial_scale: float, pooled_height: int, pooled_width: int,
    batch_size: int, channels: int, height: int, width: int,
) -> Any:  # fmt: skip
    found = grad.new_zeros((batch_size, channels, height * width))
    for g, at, n in zip(grad, argmax.long(), rois[:, 0].tolist(), strict=True):
        g = torch.where(at < 0, 0, g)
        found[int(n)].scatter_add_(1, at.clamp(min=0).flatten(1), g.flatten(1))
    return found.view(batch_size, channels, height, width)


def ps_roi_pool(
    input: Any, rois: Any, spatial_scale: float, pooled_height: int, pooled_width: int
) -> Any:
    """The means of the pixels of bins of boxes, each bin of channels of its own, and those channels."""
    _, channels, height, width = input.shape
    mapping = _mapping(channels, pooled_height, pooled_width, input)
    shape = (len(rois), *mapping.shape)
    made = []
    for n, *box in rois.tolist():
        x1, y1, x2, y2 = [_rounded(edge) * spatial_scale for edge in box]
        y2, x2 = (_rounded(box[3]) + 1) * spatial_scale, (_rounded(box[2]) + 1) * spatial_scale
        rows = _means(y1, max(y2 - y1, 0.1), pooled_height, height, input)
        columns = _means(x1, max(x2 - x1, 0.1), pooled_width, width, input)
        made.append(torch.einsum("ih,cijhw,jw->cij", rows, input[int(n)][mapping.long()], columns))
    result = torch.stack(made) if made else input.new_empty(shape)
    return result, mapping.expand(shape).contiguous()


def _means(start: float, size: float, bins: int, length: int, like: Any) -> Any:
    """The weight of each pixel in each bin: equal for those that the bin touches."""
    matrix = torch.zeros(bins, length, dtype=like.dtype)
    for i in range(bins):
        low = min(max(int((i * size / bins + start) // 1), 0), length)
        high = min(max(ceil((i + 1) * size / bins + start), 0), length)
        if high > low:
            matrix[i, low:high] = 1 / (high - low)
    return matrix.to(like.device)


def _ps_roi_pool_backward(
    grad: Any, rois: Any, channel_mapping: Any, spatial_scale: float, pooled_height: int,
    pooled_width: int, batch_size: int, channels: int, height: int, width: int,
) -> Any:  # fmt: skip
    return _pulled_back(
        lambda x: ps_roi_pool(x, rois, spatial_scale, pooled_height, pooled_width)[0],
        grad, (batch_size, channels, height, width),
    )  # fmt: skip


# --------------------------------------------------------------------------- deformable convolution


def deform_conv2d(
    input: Any, weight: Any, offset: Any, mask: Any, bias: Any, stride_h: int, stride_w: int,
    pad_h: int, pad_w: int, dilation_h: int, dilation_w: int, groups: int, offset_groups: int,
    use_mask: bool,
) -> Any:  # fmt: skip
    """A convolution that reads each tap at an offset of its own, between pixels (Dai et al., 2017)."""
    batch, channels, height, width = input.shape
    kh, kw = weight.shape[2:]
    oh, ow = offset.shape[2:]
    taps = offset.view(batch, offset_groups, kh * kw, 2, oh, ow)
    base_y = (torch.arange(kh) * dilation_h).repeat_interleave(kw).view(-1, 1, 1) - pad_h
    base_x = (torch.arange(kw) * dilation_w).repeat(kh).view(-1, 1, 1) - pad_w
    y = taps[:, :, :, 0] + (base_y + (torch.arange(oh) * stride_h).view(-1, 1)).to(offset)
    x = taps[:, :, :, 1] + (base_x + torch.arange(ow) * stride_w).to(offset)
    planes = input.view(batch, offset_groups, -1, height * width)
    values = _sampled(planes, y, x, height, width)
    if use_mask:
        values = values * mask.view(batch, offset_groups, 1, kh * kw, oh, ow)
    values = values.reshape(batch, groups, channels // groups * kh * kw, oh * ow)
    kernels = weight.view(groups, weight.shape[0] // groups, -1)
    return (kernels @ values).view(batch, -1, oh, ow) + bias.view(1, -1, 1, 1)


def _sampled(planes: Any, y: Any, x: Any, height: int, width: int) -> Any:
    """The values of planes between pixels, with zeros around them."""
    total: Any = 0
    y0, x0 = y.detach().floor(), x.detach().floor()
    for v, share_y in ((y0, 1 - (y - y0)), (y0 + 1, y - y0)):
        for u, share_x in ((x0, 1 - (x - x0)), (x0 + 1, x - x0)):
            inside = (v >= 0) & (v < height) & (u >= 0) & (u < width)
            at = (v.clamp(0, height - 1) * width + u.clamp(0, width - 1)).long()
            index = at.flatten(2).unsqueeze(2).expand(-1, -1, planes.shape[2], -1)
            found = planes.gather(3, index).unflatten(3, at.shape[2:])
            total = total + found * (share_y * share_x * inside).unsqueeze(2)
    return total


def _deform_conv2d_backward(grad: Any, *args: Any) -> Any:
    with enable_grad():
        leaves = [tensor.detach().requires_grad_() for tensor in args[:5]]
        result = deform_conv2d(*leaves, *args[5:])
    found = torch.autograd.grad(result, leaves, grad, allow_unused=True)
    return tuple(
        torch.zeros_like(x) if g is None else g for g, x in zip(found, leaves, strict=True)
    )


def _cuda_version() -> int:
    return -1  # which says that nothing was built for CUDA


_KERNELS = (
    nms, roi_align, _roi_align_backward, roi_pool, _roi_pool_backward, ps_roi_align,
    _ps_roi_align_backward, ps_roi_pool, _ps_roi_pool_backward, deform_conv2d,
    _deform_conv2d_backward, _cuda_version,
)  # fmt: skip
for _schema in _SCHEMAS:
    LIBRARY.define(_schema)
for _kernel in _KERNELS:
    LIBRARY.impl(_kernel.__name__, _kernel, "CompositeExplicitAutograd")
