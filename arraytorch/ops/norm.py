"""Normalisation: batch, layer, group, instance, RMS."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

from ..autograd.modes import grad_enabled, no_grad
from ..autograd.tape import taped, wrap
from ..backends import BACKENDS, LARGE, backend_of
from ..backends.host import ndarray
from ._declare import derivative, kernel_op, renamed
from ._promote import integer, shape_of
from ._results import check_tensor, native, refuse_kernel
from ._write import stamp, write_result
from .arithmetic import rsqrt
from .padding import pad
from .pooling import avg_pool2d
from .reduction import mean
from .selection import clamp

Tensor = Any


class Layout(NamedTuple):
    """What a norm standardises, and where its weights belong."""

    seen: tuple[int, ...] | None  # the shape in which it sees the input, if another
    dims: tuple[int, ...]
    wide: tuple[int, ...]  # the weights' shape as seen beside that
    own: tuple[int, ...]  # and as given

    def gathered(self, B: Any, g: Any) -> Any:
        """A gradient of weights, from one that is as wide as the input or as the weights are seen."""
        if g is None:
            return None
        spread = tuple([d for d, n in enumerate(self.wide) if n == 1 != g.shape[d]])
        return B.reshape(B.sum(g, spread, False) if spread else g, self.own)


@lru_cache(4096)
def _layers(shape: tuple[int, ...], own: tuple[int, ...]) -> Layout:
    """Over the last dimensions, with a weight for each of their places."""
    lead = len(shape) - len(own)
    return Layout(None, tuple(range(lead, len(shape))), (1,) * lead + own, own)


@lru_cache(4096)
def _channels(shape: tuple[int, ...], each_sample: bool) -> Layout:
    """Over all dimensions but that of the channels, in each sample or together."""
    places = tuple(range(2, len(shape)))
    wide = (1, shape[1]) + (1,) * len(places)
    return Layout(None, places if each_sample else (0, *places), wide, shape[1:2])


@lru_cache(4096)
def _groups(shape: tuple[int, ...], groups: int) -> Layout:
    """Over groups of channels and all their places."""
    per = shape[1] // groups
    seen = shape[0], groups, per, prod(shape[2:])
    return Layout(seen, (2, 3), (1, groups, per, 1), shape[1:2])


def _pull_back(
    B: Any,
    g: Any,
    needs: Any,
    input: Any,
    weight: Any,
    at: Layout,
    eps: float,
    mean: Any,
    rstd: Any,
) -> Any:
    given = tuple(g.shape)
    if at.seen is not None:
        g, input = B.reshape(g, at.seen), B.reshape(input, at.seen)
    weight = None if weight is None else B.reshape(weight, at.wide)
    gx, gw, gb = B.norm_affine_backward(g, input, at.dims, weight, mean, rstd, needs)
    if at.seen is not None and gx is not None:
        gx = B.reshape(gx, given)
    return gx, at.gathered(B, gw), at.gathered(B, gb) if needs[2] else None


@derivative(
    saves=("input", "weight", "at", "eps", "mean", "rstd"),
    joint=_pull_back,
    inputs=("input", "weight", "bias"),
    name="NativeNormBackward0",
)
def _norm_affine(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, at: Layout, eps: float, op: Any
) -> tuple[Tensor, Any, Any]:
    """Standardises, and applies weight and bias; ``op`` is a copy of this that names the node."""
    x = input._data
    seen, dims, wide, _ = at
    w = None if weight is None else weight._data.reshape(wide)
    b = None if bias is None else bias._data.reshape(wide)
    B = BACKENDS[x.__class__]
    if seen is None:
        z, middle, rstd = B.norm_affine(x, dims, w, b, eps)
    else:
        z, middle, rstd = B.norm_affine(x.reshape(seen), dims, w, b, eps)
        z = z.reshape(x.shape)
    return taped(op, z, (input, weight, bias), (input, weight, at, eps, middle, rstd)), middle, rstd


_layer_node = renamed(_norm_affine, "NativeLayerNormBackward0")
_batch_node = renamed(_norm_affine, "NativeBatchNormBackward0")
_group_node = renamed(_norm_affine, "NativeGroupNormBackward0")


@kernel_op
def norm_affine_backward(
    g: Tensor, input: Tensor, dims: Any, weight: Any, middle: Any, rstd: Any, needs: Any
) -> tuple[Any, Any, Any]:
    """Returns the gradients of `_norm_affine`, by ops that are differentiable in turn.

    The mean and the deviation are computed anew from the input, so that the gradients depend on it.
    """
    centre = input - mean(input, dims, True)
    # 1/rstd^2 is variance + eps: what was added is the difference to the variance.
    variance = mean(centre * centre, dims, True)
    eps = wrap(1 / (rstd * rstd) - variance._data)
    slope = rsqrt(variance + eps)
    y = centre * slope
    gw = None if not needs[1] else g * y
    if not needs[0]:
        return None, gw, g
    h = g if weight is None else g * weight
    gx = (h - mean(h, dims, True) - y * mean(h * y, dims, True)) * slope
    return gx, gw, g


def layer_norm(
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Standardises over the last dimensions, of ``normalized_shape`` (Ba et al. 2016).

    >>> torch.nn.functional.layer_norm(torch.tensor([1.0, 3.0]), (2,))
    tensor([-1.0000,  1.0000])
    """
    try:
        x = input._data
    except AttributeError:
        check_tensor("layer_norm", input)
        raise
    shape = normalized_shape
    if shape.__class__ is not tuple:
        shape = (shape,) if isinstance(shape, int) else shape_of((shape,))
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one "
            f"element, but got normalized_shape = {list(shape)}"
        )
    lead = x.ndim - len(shape)
    if x.shape[lead:] != shape or lead < 0:
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape "
            f"[*{''.join(f', {n}' for n in shape)}], but got input of size{list(x.shape)}"
        )
    if weight is not None and weight._data.shape != shape:
        raise _misfit("weight", weight, shape)
    if bias is not None and bias._data.shape != shape:
        raise _misfit("bias", bias, shape)
    if not x.size:
        scaled = input if weight is None else input * weight
        return scaled * 1 if bias is None else scaled + bias
    if x.dtype.kind in "biuc":
        refuse_kernel("LayerNormKernelImpl", input, "biuc")
    return _norm_affine(input, weight, bias, _layers(x.shape, shape), eps, _layer_node)[0]


def _misfit(name: str, t: Tensor, shape: tuple[int, ...]) -> RuntimeError:
    return RuntimeError(
        f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
        f"{list(t._data.shape)} and normalized_shape = {list(shape)}"
    )


def rms_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """Divides by the root of the mean square over the last dimensions (Zhang & Sennrich 2019).

    >>> torch.nn.functional.rms_norm(torch.tensor([3.0, 4.0]), (2,))
    tensor([0.8485, 1.1314])
    """
    check_tensor("rms_norm", input)
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    x = input._data
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one "
            "element, but got normalized_shape = []"
        )
    if x.ndim < len(shape):
        raise ValueError(
            f"Input tensor must have at least {len(shape)} dimensions, but got {x.ndim}"
        )
    if x.shape[x.ndim - len(shape) :] != shape:
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape "
            f"[*{''.join(f', {n}' for n in shape)}], but got input of size{list(x.shape)}"
        )
    if eps is None:
        eps = backend_of(x).eps(x)
    dims = tuple(range(x.ndim - len(shape), x.ndim))
    if x.__class__ is ndarray and x.size >= LARGE and _unrecorded_like(input, weight):
        if weight is None or weight._data.shape == shape:
            w = None if weight is None else weight._data
            return wrap(backend_of(x).rms_norm(x, dims, w, eps))
    input = input.contiguous()  # type: ignore[attr-defined]
    wide = input.float() if x.dtype.itemsize == 2 else input
    result = (wide * rsqrt(mean(wide * wide, dims, True) + eps)).to(input.dtype)
    return result if weight is None else (result * weight).to(input.dtype)


def _unrecorded_like(input: Tensor, weight: Tensor | None) -> bool:
    """Whether no gradient is wanted, and both are arrays of one type, of four bytes or more."""
    if weight is None:
        return input._data.dtype.char in "fd" and (input._node is None or not grad_enabled.get())
    if weight._data.__class__ is not ndarray or weight._data.dtype is not input._data.dtype:
        return False
    if grad_enabled.get() and weight._node is not None:
        return False
    return _unrecorded_like(input, None)


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Standardises over groups of channels and all places (Wu & He 2018).

    >>> torch.nn.functional.group_norm(torch.tensor([[1.0, 3.0]]), 1)
    tensor([[-1.0000,  1.0000]])
    """
    try:
        shape = input._data.shape
    except AttributeError:
        check_tensor("group_norm", input)
        raise
    if len(shape) < 2:
        raise RuntimeError(
            f"Expected at least 2 dimensions for input tensor but received {len(shape)}"
        )
    channels, num_groups = shape[1], integer("group_norm", "num_groups", num_groups)
    if num_groups <= 0 or channels % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of "
            f"shape {list(shape)} and num_groups={num_groups}"
        )
    for name, t in (("weight", weight), ("bias", bias)):
        if t is not None and t._data.shape != (channels,):
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, "
                f"but got {name} of shape {list(t._data.shape)} and input of shape {list(shape)}"
            )
    at = _groups(shape, num_groups)
    if input._data.dtype.kind in "biuc":
        refuse_kernel("GroupNormKernelImpl", input, "biuc")
    return _norm_affine(input, weight, bias, at, eps, _group_node)[0]


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Standardises each channel, dimension 1, over all others (Ioffe & Szegedy 2015).

    While training with the batch's own mean and variance, which update the running ones in place;
    else with the running ones. The running variance is the unbiased one.

    >>> torch.nn.functional.batch_norm(torch.tensor([[1.0], [3.0]]), None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    try:
        x = input._data
    except AttributeError:
        check_tensor("batch_norm", input)
        raise
    if x.ndim < 2:
        if x.ndim and not x.size:
            return input.clone()
        raise RuntimeError(f"batch_norm: expected at least 2 dimensions, but got {x.ndim}")
    if x.dtype.kind in "biuc":
        refuse_kernel("batch_norm", input, "biuc")
    channels = x.shape[1]
    count = x.size // max(channels, 1)
    if training and count == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {input.shape}"
        )
    _check_channels("batch_norm", channels, weight, bias, running_mean, running_var)
    if not training and (running_mean is None or running_var is None):
        raise RuntimeError(
            "Expected running_mean and running_var to be defined when training=False"
        )
    weight, bias = _flat(weight), _flat(bias)
    if not training:
        return _norm_known(input, weight, bias, running_mean, running_var, eps)
    return _by_batch(input, running_mean, running_var, weight, bias, momentum, eps)[0]


def _known_backward(
    B: Any, g: Any, needs: Any, input: Any, weight: Any, mean: Any, variance: Any, eps: float
) -> Any:
    at = _channels(tuple(g.shape), False)
    rstd = B.rsqrt(variance + eps)
    g = B.cast(g, native(mean))  # half precision is summed in the precision of the statistics
    gx = gw = gb = None
    if needs[0]:
        gx = g * B.reshape(rstd if weight is None else rstd * weight, at.wide)
    if needs[1] or needs[2]:
        gb = at.gathered(B, g)
    if needs[1]:
        gw = (at.gathered(B, g * B.cast(input, native(mean))) - mean * gb) * rstd
    return gx, gw, gb if needs[2] else None


@derivative(
    saves=("input", "weight", "mean", "variance", "eps"),
    joint=_known_backward,
    inputs=("input", "weight", "bias"),
    name="NativeBatchNormBackward0",
)
def _norm_known(
    input: Tensor, weight: Any, bias: Any, mean: Tensor, variance: Tensor, eps: float
) -> Tensor:
    """Standardises each channel by what was gathered before."""
    x = input._data
    w = None if weight is None else weight._data
    b = None if bias is None else bias._data
    z = BACKENDS[x.__class__].norm_known(x, mean._data, variance._data, w, b, eps)
    return taped(_norm_known, z, (input, weight, bias), (input, weight, mean, variance, eps))


def _flat(t: Tensor | None) -> Tensor | None:
    """Weights in one dimension, for which batch norm takes any number of them."""
    return t if t is None or t._data.ndim == 1 else t.reshape(-1)


def _check_channels(name: str, channels: int, *tensors: Tensor | None) -> None:
    """Raises unless each is a tensor of one element per channel, or None."""
    for k, t in enumerate(tensors):
        what = ("weight", "bias", "running_mean", "running_var")[k]
        if t is None:
            continue
        try:
            size = t._data.size
        except AttributeError:
            raise TypeError(
                f"{name}(): argument '{what}' (position {k + 2}) must be Tensor, "
                f"not {type(t).__name__}"
            ) from None
        if size != channels:
            raise RuntimeError(f"{what} should contain {channels} elements not {size}")


def _by_batch(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    momentum: float,
    eps: float,
) -> tuple[Tensor, Any, Any]:
    """Standardises by the batch's own mean and deviation, which it returns too."""
    x = input._data
    count = x.size // x.shape[1]
    at = _channels(x.shape, False)
    out, middle, rstd = _norm_affine(input, weight, bias, at, eps, _batch_node)
    with no_grad():
        _update(running_mean, middle, momentum)
        if running_var is not None:
            variance = (1 / (rstd * rstd) - eps) * (count / max(count - 1, 1))
            _update(running_var, variance, momentum)
    return out, middle, rstd


def _update(running: Tensor | None, value: Any, momentum: float) -> None:
    if running is not None:
        r = running._data
        fresh = value.reshape(r.shape).astype(r.dtype)
        backend_of(r).write(r, r * (1 - momentum) + fresh * momentum)
        stamp(running)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Standardises each channel of each sample over its places (Ulyanov et al. 2016).

    >>> torch.nn.functional.instance_norm(torch.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.0000,  1.0000]]])
    """
    try:
        shape = input._data.shape
    except AttributeError:
        check_tensor("instance_norm", input)
        raise
    if len(shape) < 3:
        raise ValueError(
            f"Expected more than 1 spatial element when training, got input size {list(shape)}"
        )
    n, c = shape[:2]
    if use_input_stats and prod(shape[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 spatial element when training, got input size {input.shape}"
        )
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    if input._data.dtype.kind in "biuc":
        refuse_kernel("batch_norm", input, "biuc")
    at = _channels(shape, True)
    out, middle, rstd = _norm_affine(input, _flat(weight), _flat(bias), at, eps, _batch_node)
    if running_mean is not None or running_var is not None:
        places = prod(shape[2:])
        variance = (1 / (rstd * rstd) - eps) * (places / (places - 1))
        with no_grad():
            _update(running_mean, middle.reshape(n, c).mean(0), momentum)
            _update(running_var, variance.reshape(n, c).mean(0), momentum)
    return out


def normalize(
    input: Tensor, p: float = 2.0, dim: Any = 1, eps: float = 1e-12, out: Tensor | None = None
) -> Tensor:
    """Divides by the p-norm along ``dim``, or by ``eps`` where that is larger.

    >>> torch.nn.functional.normalize(torch.tensor([3.0, 4.0]), dim=0)
    tensor([0.6000, 0.8000])
    """
    check_tensor("normalize", input)
    size = clamp(input.norm(p, dim, keepdim=True), min=eps)
    result = input / size
    return result if out is None else write_result("normalize", out, result, (input,))


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """Divides by (k + alpha * m) ** beta, m the mean square of ``size`` channels (Krizhevsky 2012).

    Channels beyond the first and the last count as zeros. Raises ValueError for fewer than three
    dimensions.

    >>> torch.nn.functional.local_response_norm(torch.ones(1, 1, 1), 1, alpha=3.0, beta=0.5)
    tensor([[[0.5000]]])
    """
    check_tensor("local_response_norm", input)
    shape = tuple(input._data.shape)
    if len(shape) < 3:
        raise ValueError(
            f"Expected 3D or higher dimensionality input (got {len(shape)} dimensions)"
        )
    if not input._data.size:
        return input
    squares = (input * input).reshape((shape[0], 1, shape[1], -1))
    wide = pad(squares, (0, 0, size // 2, (size - 1) // 2))
    mean_square = avg_pool2d(wide, (size, 1), stride=1).reshape(shape)
    return input / (mean_square * alpha + k) ** beta
