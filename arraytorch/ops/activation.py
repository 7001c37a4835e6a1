"""Activation functions, as `torch.nn.functional` has them."""

from __future__ import annotations

import math
from typing import Any

from .._dtypes import float64, scalar_type_name
from ..autograd.modes import grad_enabled
from ..autograd.tape import taped
from ..backends import BACKENDS, backend_of, dtype_of, outermost
from . import elementary
from ._declare import derivative, kernel_op
from ._inplace import inplace
from ._promote import number_of
from ._results import as_array, check_tensor, finished, refuse, refuse_kernel, taped_alike
from .comparison import logical_not
from .complex_numbers import conj
from .conversion import clone
from .creation import empty, ones_like
from .elementary import exp, sigmoid, tanh
from .elementary import relu as _relu
from .indexing import setitem
from .sampling import uniform_
from .selection import clamp, masked_fill, where

Tensor = Any


def _placed(result: Tensor, input: Tensor, write: bool) -> Tensor:
    """The result, written over the input where ``inplace=True`` asked for that."""
    return _assign(input, result) if write else result


def _source(input: Tensor, write: bool) -> Tensor:
    """The input, or a copy if its gradient needs the values that will be written over."""
    return clone(input) if write and input._node is not None and grad_enabled.get() else input


def _written(op: Any, input: Tensor, *numbers: Any) -> Tensor:
    """The result of an op of one tensor, written over that."""
    check_tensor(op.__name__[1:], input)
    return _assign(input, op(_source(input, True), *numbers))


_assign = inplace(lambda input, result: result, "activation_")
_relu_ = inplace(_relu)


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """Returns max(x, 0); the slope at 0 is 0.

    >>> torch.nn.functional.relu(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    if not inplace:
        return _relu(input)
    check_tensor("relu_", input)
    return _relu_(input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """Returns min(max(x, 0), 6).

    >>> torch.nn.functional.relu6(torch.tensor([-1.0, 8.0]))
    tensor([0., 6.])
    """
    return hardtanh(input, 0.0, 6.0, inplace)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """Returns x where it exceeds a threshold, else a value.

    >>> torch.nn.functional.threshold(torch.tensor([1.0, 3.0]), 2, 20)
    tensor([20.,  3.])
    """
    numbers = number_of(threshold), number_of(value)
    return _written(_threshold, input, *numbers) if inplace else _threshold(input, *numbers)


@derivative(
    saves=("input", "least"),
    kernel="threshold",
    name="ThresholdBackward0",
    d_input=lambda B, g, input, least: B.outside(g, input, -math.inf, least, 0.0),
)
def _threshold(input: Tensor, least: float, value: float) -> Tensor:
    refuse_kernel("threshold_cpu", input, "bc")
    z = BACKENDS[input._data.__class__].threshold(input._data, least, value)
    return taped_alike(_threshold, z, input, (input, least))


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """Returns x limited to a range; the slope at its ends is 0.

    >>> torch.nn.functional.hardtanh(torch.tensor([-2.0, 0.5]))
    tensor([-1.0000,  0.5000])
    """
    try:
        kind = input._data.dtype.kind
    except AttributeError:
        check_tensor("hardtanh", input)
        raise
    if kind == "b":
        raise RuntimeError("Bool inputs not supported for hardtanh")
    if kind == "c":
        raise NotImplementedError("clamp is not supported for complex types")
    min_val, max_val = number_of(min_val), number_of(max_val)
    if kind == "u" and (min_val < 0 or max_val < 0):
        raise RuntimeError("cannot do hardtanh on an unsigned type with negative limits")
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    x = _source(input, inplace)
    return _placed(_hardtanh(x, min_val, max_val), input, inplace)


@derivative(
    saves=("input", "low", "high"),
    kernel="_hardtanh",
    name="HardtanhBackward0",
    d_input=lambda B, g, input, low, high: B.hardtanh_backward(g, input, low, high),
)
def _hardtanh(input: Tensor, low: float, high: float) -> Tensor:
    x = input._data
    z = backend_of(x).cast(backend_of(x).clamp(x, low, high), x.dtype)
    return taped(_hardtanh, z, (input,), (input, low, high))


# The slopes of slopes that are constant are zero, and asked for all the same: hence d_input.
@derivative(
    saves=("input", "low", "high"),
    d_g=lambda B, g, input, low, high: B.hardtanh_backward(g, input, low, high),
    d_input=lambda B, g: B.zeros_like(g),
)
def hardtanh_backward(g: Tensor, input: Tensor, low: float, high: float) -> Tensor:
    """Returns g where the input lies between two numbers, or is NaN, else 0."""
    x, y = g._data, input._data
    B = outermost(x, y)
    z = as_array(B, B.hardtanh_backward(x, y, low, high), x)
    return taped(hardtanh_backward, z, (g, input), (input, low, high))


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """Returns min(max(x + 3, 0), 6) / 6.

    >>> torch.nn.functional.hardsigmoid(torch.tensor([-4.0, 0.0]))
    tensor([0.0000, 0.5000])
    """
    return _written(_hardsigmoid, input) if inplace else _hardsigmoid(input)


@derivative(
    saves=("input",),
    name="HardsigmoidBackward0",
    d_input=lambda B, g, input: B.within(g, input, -3.0, 3.0, 1 / 6),
)
def _hardsigmoid(input: Tensor) -> Tensor:
    refuse("hardsigmoid", input, "biuc")
    z = BACKENDS[input._data.__class__].hardsigmoid(input._data)
    return taped_alike(_hardsigmoid, z, input, (input,))


@kernel_op
def within(g: Tensor, input: Tensor, low: float, high: float, scale: float) -> Tensor:
    """Returns g times a scale where the input lies between two numbers, else 0."""
    return masked_fill(g * scale, logical_not((input > low) & (input < high)), 0)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """Returns x * hardsigmoid(x) (Howard et al. 2019).

    >>> torch.nn.functional.hardswish(torch.tensor([-4.0, 3.0]))
    tensor([-0., 3.])
    """
    return _written(_hardswish, input) if inplace else _hardswish(input)


@derivative(
    saves=("input",),
    name="HardswishBackward0",
    d_input=lambda B, g, input: B.hardswish_backward(g, input),
)
def _hardswish(input: Tensor) -> Tensor:
    refuse("hardswish", input, "biuc")
    z = BACKENDS[input._data.__class__].hardswish(input._data)
    return taped_alike(_hardswish, z, input, (input,))


@kernel_op
def hardswish_backward(g: Tensor, input: Tensor) -> Tensor:
    """Returns g times the slope of hardswish, by ops that are differentiable in turn."""
    inside = g * (input / 3 + 0.5)
    return masked_fill(where((input > -3) & (input < 3), inside, g), input <= -3, 0)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """Returns x where positive, else x times a slope.

    >>> torch.nn.functional.leaky_relu(torch.tensor([-1.0, 2.0]), 0.1)
    tensor([-0.1000,  2.0000])
    """
    if inplace:
        return _written(_leaky_relu, input, negative_slope)
    return _leaky_relu(input, negative_slope)


@derivative(
    saves=("input", "slope"),
    kernel="_leaky_relu",
    name="LeakyReluBackward0",
    d_input=lambda B, g, input, slope: B.leaky_relu_backward(g, input, slope),
)
def _leaky_relu(input: Tensor, slope: float) -> Tensor:
    refuse("leaky_relu", input, "biuc")
    z = BACKENDS[input._data.__class__].leaky_relu(input._data, slope)
    return taped_alike(_leaky_relu, z, input, (input, slope))


@derivative(
    saves=("input", "slope"),
    d_g=lambda B, g, input, slope: B.leaky_relu_backward(g, input, slope),
    d_input=lambda B, g: B.zeros_like(g),
)
def leaky_relu_backward(g: Tensor, input: Tensor, slope: float) -> Tensor:
    """Returns g where the input is positive, else g times the slope."""
    x, y = g._data, input._data
    B = outermost(x, y)
    z = as_array(B, B.leaky_relu_backward(x, y, slope), x)
    return taped(leaky_relu_backward, z, (g, input), (input, slope))


def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Any = None,
) -> Tensor:
    """Returns x where positive, else x times a slope, drawn uniformly while training.

    >>> torch.nn.functional.rrelu(torch.tensor([-8.0, 2.0]), 0.25, 0.25)
    tensor([-2.,  2.])
    """
    refuse_kernel("rrelu_with_noise_out_cpu", input, "biuc")
    if lower > upper:
        raise RuntimeError(
            f"Lower bound should be less than or equal to the upper bound: {lower}, {upper}"
        )
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    # As in PyTorch, only where a slope is needed is one drawn, in float64.
    slopes, needed = ones_like(input), input <= 0
    count = int(needed._data.sum())
    drawn = empty(count, dtype=float64, device=input.device)
    setitem(slopes, needed, uniform_(drawn, lower, upper, generator=generator))
    return _placed(where(input > 0, input, input * slopes), input, inplace)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """Returns x where positive, else x times a learnt slope: one, or one per channel.

    >>> torch.prelu(torch.tensor([-2.0, 2.0]), torch.tensor(0.5))
    tensor([-1.,  2.])
    """
    check_tensor("prelu", input, weight, names=("input", "weight"))
    refuse_kernel("prelu_cpu", input, "biuc")
    x, w = input._data, weight._data
    if w.ndim > 1:
        raise RuntimeError(
            f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {w.ndim}"
        )
    if x.dtype is not w.dtype:
        raise RuntimeError(
            f"prelu: Type promoting not supported. Got {input.dtype} and {weight.dtype}"
        )
    if w.size != 1:
        channels = x.shape[1] if x.ndim > 1 else 1
        if channels != w.size:
            raise RuntimeError(
                "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                f"{w.size} and channel size = {channels}."
            )
        weight = weight.reshape((1, -1) + (1,) * (x.ndim - 2))
    elif w.ndim and x.ndim != 1:
        weight = weight.reshape((1,) * x.ndim)
    return _prelu(input, weight)


@derivative(
    saves=("input", "weight"),
    name="PreluKernelBackward0",
    d_input=lambda B, g, input, weight: B.where(input > 0, g, g * weight),
    d_weight=lambda B, g, input, weight: B.masked_fill(g * input, input > 0, 0),
)
def _prelu(input: Tensor, weight: Tensor) -> Tensor:
    x, w = input._data, weight._data
    B = backend_of(x)
    z = B.cast(B.where(x > 0, x, x * w), x.dtype)
    return taped(_prelu, z, (input, weight), (input, weight))


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Returns x where positive, else alpha * (exp(x) - 1).

    >>> torch.nn.functional.elu(torch.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    if alpha.__class__ is not float:
        alpha = number_of(alpha)
    return _written(_elu, input, alpha, 1.0, 1.0) if inplace else _elu(input, alpha, 1.0, 1.0)


@derivative(
    saves=("input", "alpha", "scale", "rate"),
    kernel="_elu",
    name="EluBackward0",
    d_input=lambda B, g, input, alpha, scale, rate: B.elu_backward(g, input, alpha, scale, rate),
)
def _elu(input: Tensor, alpha: float, scale: float, rate: float) -> Tensor:
    """Returns scale * x where positive, else scale * alpha * (exp(rate * x) - 1)."""
    refuse("elu", input, "biuc")
    z = BACKENDS[input._data.__class__].elu(input._data, alpha, scale, rate)
    return taped_alike(_elu, z, input, (input, alpha, scale, rate))


@kernel_op
def elu_backward(g: Tensor, input: Tensor, alpha: float, scale: float, rate: float) -> Tensor:
    """Returns g times the slope of `_elu`, by ops that are differentiable in turn."""
    # The maximum keeps exp from overflowing where its result is not used: inf * 0 would be NaN.
    left = exp(clamp(input, None, 0) * rate) * (alpha * scale * rate)
    return where(input <= 0, g * left, g * scale)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Returns x where positive, else alpha * (exp(x / alpha) - 1).

    >>> torch.celu(torch.tensor([-1.0, 2.0]), 2.0)
    tensor([-0.7869,  2.0000])
    """
    alpha = number_of(alpha)
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    numbers = alpha, 1.0, 1.0 / alpha
    return _written(_elu, input, *numbers) if inplace else _elu(input, *numbers)


_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """Returns the scaled elu that keeps mean and variance (Klambauer et al. 2017).

    >>> torch.selu(torch.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    if inplace:
        return _written(_elu, input, _SELU_ALPHA, _SELU_SCALE, 1.0)
    return _elu(input, _SELU_ALPHA, _SELU_SCALE, 1.0)


@derivative(
    saves=("input", "approximate"),
    d_input=lambda B, g, input, approximate: B.gelu_backward(g, input, approximate),
)
def gelu(input: Tensor, approximate: str = "none", *, out: Tensor | None = None) -> Tensor:
    """Returns x times the normal distribution function, or ("tanh") an approximation of that.

    >>> torch.nn.functional.gelu(torch.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    try:
        x = input._data
    except AttributeError:
        check_tensor("gelu", input)
        raise
    if x.dtype.kind != "f" and x.dtype.kind != "V":
        raise NotImplementedError(
            f"\"GeluKernelImpl\" not implemented for '{scalar_type_name(dtype_of(x))}'"
        )
    z = BACKENDS[x.__class__].gelu(x, approximate)
    result = taped_alike(gelu, z, input, (input, approximate))
    return result if out is None else finished("gelu", result, out, (input,))


@kernel_op
def gelu_backward(g: Tensor, input: Tensor, approximate: str) -> Tensor:
    """Returns g times the slope of `gelu`, by ops that are differentiable in turn."""
    if approximate == "tanh":
        c = math.sqrt(2 / math.pi)
        t = tanh(c * (input + 0.044715 * input * input * input))
        inner = c * (1 + 3 * 0.044715 * input * input)
        return g * (0.5 * (1 + t) + 0.5 * input * (1 - t * t) * inner)
    density = exp(-0.5 * input * input) * (1 / math.sqrt(2 * math.pi))
    return g * (0.5 * (1 + elementary.erf(input * (1 / math.sqrt(2)))) + input * density)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """Returns x * sigmoid(x), also called swish.

    >>> torch.nn.functional.silu(torch.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """
    return _written(_silu, input) if inplace else _silu(input)


@derivative(
    saves=("input",),
    name="SiluBackward0",
    d_input=lambda B, g, input: B.silu_backward(g, input),
)
def _silu(input: Tensor) -> Tensor:
    refuse("silu", input, "biu")
    z = BACKENDS[input._data.__class__].silu(input._data)
    return taped_alike(_silu, z, input, (input,))


@kernel_op
def silu_backward(g: Tensor, input: Tensor) -> Tensor:
    """Returns g times the slope of `silu`, by ops that are differentiable in turn."""
    s = sigmoid(input)
    return g * conj(s * (1 + input * (1 - s)))


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """Returns x * tanh(softplus(x)) (Misra 2019).

    >>> torch.nn.functional.mish(torch.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """
    return _written(_mish, input) if inplace else _mish(input)


@derivative(
    saves=("input",),
    name="MishBackward0",
    kernel="mish",
    d_input=lambda B, g, input: B.mish_backward(g, input),
)
def _mish(input: Tensor) -> Tensor:
    refuse("mish", input, "biuc")
    z = BACKENDS[input._data.__class__].mish(input._data)
    return taped_alike(_mish, z, input, (input,))


@kernel_op
def mish_backward(g: Tensor, input: Tensor) -> Tensor:
    """Returns g times the slope of `mish`, by ops that are differentiable in turn."""
    t = tanh(softplus(input))
    return g * (t + input * sigmoid(input) * (1 - t * t))


def _soft_slope(B: Any, g: Any, input: Any, beta: float, threshold: float) -> Any:
    scaled = input * beta
    return B.where(scaled > threshold, g, g * B.sigmoid(scaled))


@derivative(saves=("input", "beta", "threshold"), d_input=_soft_slope)
def softplus(
    input: Tensor, beta: float = 1.0, threshold: float = 20.0, *, out: Tensor | None = None
) -> Tensor:
    """Returns log(1 + exp(beta x)) / beta, and x itself where beta x exceeds ``threshold``.

    >>> torch.nn.functional.softplus(torch.tensor([-1.0, 2.0]))
    tensor([0.3133, 2.1269])
    """
    try:
        x = input._data
    except AttributeError:
        check_tensor("softplus", input)
        raise
    refuse_kernel("softplus_cpu", input, "biuc")
    z = BACKENDS[x.__class__].softplus(x, beta, threshold)
    result = taped_alike(softplus, z, input, (input, beta, threshold))
    return result if out is None else finished("softplus", result, out, (input,))


@derivative(saves=("input",), d_input=lambda B, g, input: g * B.sigmoid(-input))
def logsigmoid(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns log(sigmoid(x)) without overflow.

    >>> torch.nn.functional.logsigmoid(torch.tensor([0.0, -100.0]))
    tensor([  -0.6931, -100.0000])
    """
    try:
        x = input._data
    except AttributeError:
        check_tensor("logsigmoid", input)
        raise
    refuse_kernel("log_sigmoid_cpu", input, "biuc")
    z = BACKENDS[x.__class__].logsigmoid(x)
    result = taped_alike(logsigmoid, z, input, (input,))
    return result if out is None else finished("logsigmoid", result, out, (input,))


logsigmoid.rules.backward_name = "LogSigmoidBackward0"


def relu_(input: Tensor) -> Tensor:
    """In-place form of `relu`."""
    return relu(input, True)


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """In-place form of `elu`."""
    return elu(input, alpha, True)


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """In-place form of `celu`."""
    return celu(input, alpha, True)


def selu_(input: Tensor) -> Tensor:
    """In-place form of `selu`."""
    return selu(input, True)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """In-place form of `leaky_relu`."""
    return leaky_relu(input, negative_slope, True)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """In-place form of `hardtanh`."""
    return hardtanh(input, min_val, max_val, True)


_thresholded = threshold  # which its in-place form has for the name of an argument


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """In-place form of `threshold`."""
    return _thresholded(input, threshold, value, True)


def rrelu_(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    generator: Any = None,
) -> Tensor:
    """In-place form of `rrelu`."""
    return rrelu(input, lower, upper, training, True, generator=generator)
