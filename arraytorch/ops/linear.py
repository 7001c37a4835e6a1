"""Linear and bilinear maps of the last dimension."""

from __future__ import annotations

from math import prod
from typing import Any

from .._dtypes import scalar_type_name
from ..autograd.tape import TensorBase, taped
from ..backends import backend_of, dtype_of
from ._declare import derivative, kernel_op
from ._promote import broadcast_shape, common_device
from ._results import check_tensor, finished
from .complex_numbers import conj
from .products import matmul
from .reduction import sum
from .shape import permute, reshape, squeeze, t, unsqueeze
from .sums import add

Tensor = Any


@derivative(
    saves=("input", "weight"),
    name="AddmmBackward0",
    d_input=lambda B, g, weight: B.linear_input(g, weight),
    d_weight=lambda B, g, input: B.linear_weight(g, input),
    d_bias=lambda B, g: B.linear_bias(g),
)
def linear(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, *, out: Tensor | None = None
) -> Tensor:
    """Returns ``input @ weight.T + bias``, along the last dimension of ``input``.

    ``weight`` is of shape (out, in), ``bias`` of shape (out,). Raises RuntimeError where sizes or
    dtypes do not match.

    >>> torch.nn.functional.linear(torch.ones(1, 2), torch.tensor([[1., 2.]]), torch.tensor([3.]))
    tensor([[6.]])
    """
    try:
        x, w = input._data, weight._data
        b = None if bias is None else bias._data
        if w.ndim != 2 or x.dtype is not w.dtype or x.dtype.kind == "b":
            raise TypeError
        if b is not None and b.dtype is not x.dtype:
            raise TypeError
        z = backend_of(x).linear(x, w, b)
    except (AttributeError, TypeError, ValueError) as error:
        return finished("linear", _uncommon(input, weight, bias, error), out, (input, weight, bias))
    result = taped(linear, z, (input, weight, bias), (input, weight))
    return result if out is None else finished("linear", result, out, (input, weight, bias))


@kernel_op
def linear_input(g: Tensor, weight: Tensor) -> Tensor:
    """Returns g @ conj(weight): the gradient of `linear` for its input."""
    return matmul(g, conj(weight))


@kernel_op
def linear_bias(g: Tensor) -> Tensor:
    """Returns the sum of g over all rows: the gradient of `linear` for its bias."""
    return g if g.ndim == 1 else sum(g, tuple(range(g.ndim - 1)))


@kernel_op
def linear_weight(g: Tensor, input: Tensor) -> Tensor:
    """Returns g^T @ conj(input), over all rows: the gradient of `linear` for its weight."""
    return matmul(t(_rows(g)), conj(_rows(input)))


def _rows(input: Tensor) -> Tensor:
    """All dimensions but the last as one; prod, as -1 would be ambiguous for empty tensors."""
    shape = input._data.shape
    return reshape(input, (prod(shape[:-1]), shape[-1]))


def _uncommon(input: Any, weight: Any, bias: Any, error: Exception) -> Any:
    """A weight that is a vector, a bias that broadcasts, or the error that tells what is wrong."""
    arguments = (("input", input), ("weight", weight), ("bias", bias))
    for position, (label, value) in enumerate(arguments, 1):
        if not isinstance(value, TensorBase) and (position < 3 or value is not None):
            raise TypeError(
                f"linear(): argument '{label}' (position {position}) must be Tensor, "
                f"not {type(value).__name__}"
            ) from error
    if hasattr(weight._data, "layout"):  # a sparse one
        product = matmul(input, t(weight))
        return product if bias is None else add(product, bias)
    if weight._data.ndim < 2 and bias is None:
        return matmul(input, weight)
    if weight._data.ndim == 1 and input._data.ndim == 2:
        raise RuntimeError("mat2 must be a matrix, got 1-D tensor") from error
    common_device("linear", [v for _, v in arguments if v is not None])
    x = input._data
    if not x.ndim or not weight._data.ndim:
        raise RuntimeError(
            f"both arguments to linear need to be at least 1D, but they are {x.ndim}D and "
            f"{weight._data.ndim}D"
        ) from error
    product = linear(input, weight) if bias is not None else matmul(input, t(weight))
    if bias._data.dtype != x.dtype:
        have, other = (scalar_type_name(dtype_of(d)) for d in (bias._data, x))
        raise RuntimeError(
            f"self and mat2 must have the same dtype, but got {have} and {other}"
        ) from error
    # The kernel wants a bias per output; others broadcast, if the result keeps its shape.
    if broadcast_shape("linear", (*product._data.shape,), bias._data.shape) != product._data.shape:
        raise RuntimeError(
            f"linear(): a bias of shape {list(bias._data.shape)} does not broadcast to the "
            f"result's shape {list(product._data.shape)}"
        ) from error
    return add(product, bias)


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Returns ``input1 @ weight[k] @ input2 + bias[k]`` for each k, along the last dimensions.

    ``weight`` is of shape (out, in1, in2). Raises RuntimeError where sizes do not match.

    >>> F = torch.nn.functional
    >>> F.bilinear(torch.ones(1, 2), torch.ones(1, 3), torch.ones(4, 2, 3))
    tensor([[6., 6., 6., 6.]])
    """
    check_tensor("bilinear", input1, input2, weight, names=("input1", "input2", "weight"))
    _check_bilinear(input1._data, input2._data, weight._data, None if bias is None else bias._data)
    out, in1, in2 = weight._data.shape
    lead = tuple(input1._data.shape[:-1])
    # First all k at once, as one product of matrices; then a product of each row with its input2.
    by_row = matmul(input1, reshape(permute(weight, (1, 0, 2)), (in1, out * in2)))
    result = squeeze(matmul(reshape(by_row, (*lead, out, in2)), unsqueeze(input2, -1)), -1)
    return result if bias is None else add(result, bias)


def _check_bilinear(x1: Any, x2: Any, w: Any, b: Any) -> None:
    if x1.ndim != x2.ndim:
        raise RuntimeError(
            f"bilinear(): input dimensions do not match: got {x1.ndim} and {x2.ndim}"
        )
    for dim, (m, n) in enumerate(zip(x1.shape[:-1], x2.shape[:-1], strict=True)):
        if m != n:
            raise RuntimeError(
                f"bilinear(): input batch dimensions do not match at dim {dim}: got {m} and {n}"
            )
    for name, x, size in (("input1", x1, w.shape[1]), ("input2", x2, w.shape[-1])):
        if x.shape[-1] != size:
            raise RuntimeError(
                f"bilinear(): {name} size does not match weight size: got {x.shape[-1]} but "
                f"expected {size}"
            )
    if b is not None and b.shape[0] != w.shape[0]:
        raise RuntimeError(
            f"bilinear(): bias size does not match weight size: got {b.shape[0]} but expected "
            f"{w.shape[0]}"
        )
