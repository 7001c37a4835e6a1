"""Activations that shrink their argument, and the one that gates it."""

from __future__ import annotations

from typing import Any

from ..backends import BACKENDS
from ._declare import derivative, kernel_op
from ._promote import dim_of, number_of
from ._results import check_tensor, finished, refuse, refuse_kernel, taped_alike
from .arithmetic import abs
from .elementary import sigmoid, tanh
from .joining import cat

Tensor = Any


def softsign(input: Tensor) -> Tensor:
    """Returns x / (1 + |x|).

    >>> torch.nn.functional.softsign(torch.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """
    return input / (abs(input) + 1)


def tanhshrink(input: Tensor) -> Tensor:
    """Returns x - tanh(x).

    >>> torch.nn.functional.tanhshrink(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.2384])
    """
    return input - tanh(input)


def hardshrink(input: Tensor, lambd: float = 0.5, *, out: Tensor | None = None) -> Tensor:
    """Returns x where |x| exceeds ``lambd``, else 0.

    >>> torch.nn.functional.hardshrink(torch.tensor([-1.0, 0.3]))
    tensor([-1.,  0.])
    """
    result = _hardshrink(input, number_of(lambd))
    return result if out is None else finished("hardshrink", result, out, (input,))


@derivative(
    saves=("input", "size"),
    kernel="hardshrink",
    name="HardshrinkBackward0",
    d_input=lambda B, g, input, size: B.outside(g, input, -size, size, 0.0),
)
def _hardshrink(input: Tensor, size: float) -> Tensor:
    refuse("hardshrink", input, "biuc")
    z = BACKENDS[input._data.__class__].hardshrink(input._data, size)
    return taped_alike(_hardshrink, z, input, (input, size))


def softshrink(input: Tensor, lambd: float = 0.5, *, out: Tensor | None = None) -> Tensor:
    """Returns x moved towards 0 by ``lambd``, and 0 where that would pass it.

    >>> torch.nn.functional.softshrink(torch.tensor([-1.0, 0.3]))
    tensor([-0.5000,  0.0000])
    """
    if lambd < 0:
        raise RuntimeError(f"lambda must be greater or equal to 0, but found to be {lambd}.")
    result = _softshrink(input, lambd)
    return result if out is None else finished("softshrink", result, out, (input,))


@derivative(
    saves=("input", "size"),
    name="SoftshrinkBackward0",
    d_input=lambda B, g, input, size: B.outside(g, input, -size, size, 0.0),
)
def _softshrink(input: Tensor, size: float) -> Tensor:
    refuse("softshrink", input, "biuc")
    z = BACKENDS[input._data.__class__].softshrink(input._data, size)
    return taped_alike(_softshrink, z, input, (input, size))


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """Returns a * sigmoid(b), where a and b are the halves of a dimension (Dauphin et al. 2016).

    >>> torch.nn.functional.glu(torch.tensor([2.0, 0.0]))
    tensor([1.])
    """
    check_tensor("glu", input)
    refuse_kernel("glu_cpu", input, "biuc")
    x = input._data
    if not x.ndim:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    d = dim_of(dim, x.ndim)
    if x.shape[d] % 2:
        raise RuntimeError(
            f"Halving dimension must be even, but dimension {d} is size {x.shape[d]}"
        )
    return _glu(input, d)


def _halves(x: Any, d: int) -> tuple[Any, Any]:
    """The halves of a dimension of an array or a tensor."""
    lead, half = (slice(None),) * d, x.shape[d] // 2
    return x[(*lead, slice(half))], x[(*lead, slice(half, None))]


@kernel_op
def glu_backward(g: Tensor, input: Tensor, d: int) -> Tensor:
    """Returns g times the slopes of `_glu`, by ops that are differentiable in turn."""
    a, b = _halves(input, d)
    s = sigmoid(b)
    return cat([g * s, g * a * s * (1 - s)], d)


@derivative(
    saves=("input", "d"),
    kernel="glu",
    name="GluBackward0",
    d_input=lambda B, g, input, d: B.glu_backward(g, input, d),
)
def _glu(input: Tensor, d: int) -> Tensor:
    x = input._data
    return taped_alike(_glu, BACKENDS[x.__class__].glu(x, d), input, (input, d))
