"""Layers as the main namespace has them: ``train`` for ``training``, other orders and results."""

from __future__ import annotations

from typing import Any

from .. import _dtypes
from ..autograd.tape import wrap
from ..backends import backend_of, numpy_dtype
from . import activation, adaptive_pooling
from . import dropout as layers
from . import embedding as lookup
from ._results import check_tensor
from .conv import conv1d
from .creation import empty_like, ones_like, zeros_like
from .sampling import bernoulli_, unset
from .shape import permute

Tensor = Any


def _check_probability(p: float) -> None:
    if not 0.0 <= p <= 1.0:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p:g}")


def dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Zeroes elements with probability p and scales the others up; see `nn.functional.dropout`.

    >>> torch.dropout(torch.ones(2), 0.5, False)
    tensor([1., 1.])
    """
    _check_probability(p)
    return layers.dropout(input, p, train)


def alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Dropout for selu networks; see `nn.functional.alpha_dropout`.

    >>> torch.alpha_dropout(torch.ones(2), 0.5, False)
    tensor([1., 1.])
    """
    _check_probability(p)
    return layers.alpha_dropout(input, p, train)


def feature_alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """`alpha_dropout` of whole channels.

    >>> torch.feature_alpha_dropout(torch.ones(1, 2), 0.5, False)
    tensor([[1., 1.]])
    """
    _check_probability(p)
    return layers.feature_alpha_dropout(input, p, train)


def native_dropout(input: Tensor, p: float, train: bool | None) -> tuple[Tensor, Tensor]:
    """Returns the result of `dropout` and the mask of what was kept; None trains too.

    >>> torch.native_dropout(torch.ones(2), 0.5, False)
    (tensor([1., 1.]), tensor([True, True]))
    """
    check_tensor("native_dropout", input)
    if not input._data.size:
        return input, empty_like(input)
    if train is not None and not train:
        return input.clone(), ones_like(input, dtype=_dtypes.bool)
    _check_probability(p)
    if input._data.dtype.kind in "biu":
        name = _dtypes.scalar_type_name(input.dtype)
        raise RuntimeError(f"result type Float can't be cast to the desired output type {name}")
    if p == 1:
        return input * 0, zeros_like(input, dtype=_dtypes.bool)
    kept = bernoulli_(unset(empty_like(input)), 1 - p)
    mask = wrap(backend_of(kept._data).cast(kept._data, numpy_dtype(_dtypes.bool)))
    return input * kept * (1 / (1 - p)), mask


def embedding(
    weight: Tensor,
    indices: Tensor,
    padding_idx: int = -1,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Returns rows of ``weight``; see `nn.functional.embedding`, whose arguments come otherwise.

    A ``padding_idx`` that names no row, as -1 does here, stands for none.

    >>> torch.embedding(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1]))
    tensor([[3., 4.]])
    """
    check_tensor("embedding", weight, indices, names=("weight", "indices"))
    shape = weight._data.shape
    padding = padding_idx if shape and 0 <= padding_idx < shape[0] else None
    return lookup.embedding(
        indices, weight, padding, scale_grad_by_freq=scale_grad_by_freq, sparse=sparse
    )


def adaptive_max_pool1d(input: Tensor, output_size: Any) -> tuple[Tensor, Tensor]:
    """Returns the largest elements of windows, and where they are.

    >>> torch.adaptive_max_pool1d(torch.tensor([[1.0, 2.0, 4.0, 3.0]]), 2)
    (tensor([[2., 4.]]), tensor([[1, 2]]))
    """
    return adaptive_pooling.adaptive_max_pool1d_with_indices(input, output_size)


def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """Returns `conv1d` of sequences (time, batch, channel) with weights (time, in, out).

    >>> torch.conv_tbc(torch.ones(3, 1, 1), torch.ones(2, 1, 1), torch.zeros(1)).flatten()
    tensor([2., 2.])
    """
    check_tensor("conv_tbc", input, weight, bias, names=("input", "weight", "bias"))
    for what, t, ndim in (("Input", input, 3), ("Weight", weight, 3), ("Bias", bias, 1)):
        if t._data.ndim != ndim:
            raise RuntimeError(
                f"{what} must have {ndim} dims"
                + (": time, batch, in_channel" if t is input else "")
            )
    if input._data.shape[2] != weight._data.shape[1]:
        raise RuntimeError("Input dim 2 (input channels) is not == dim 1 in the weight tensor")
    if bias._data.shape[0] != weight._data.shape[2]:
        raise RuntimeError("Bias size must equal dim 2 in the weight tensor (output channels).")
    out = conv1d(permute(input, (1, 2, 0)), permute(weight, (2, 1, 0)), bias, padding=pad)
    return permute(out, (2, 0, 1))


def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    generator: Any = None,
) -> Tensor:
    """Returns x where positive, else x times a slope; see `nn.functional.rrelu`.

    >>> torch.rrelu(torch.tensor([-8.0, 2.0]), 0.25, 0.25)
    tensor([-2.,  2.])
    """
    return activation.rrelu(input, lower, upper, training, generator=generator)
