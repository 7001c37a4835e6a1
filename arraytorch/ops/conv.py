"""Convolutions and their transposes, in one, two and three dimensions."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from .._dtypes import scalar_type_name
from ..autograd.tape import TensorBase, taped
from ..backends import dtype_of, outermost
from ..backends.convolution import Convolution, convolution
from ._declare import derivative
from ._promote import common_device, integer
from ._results import check_tensor
from ._strides import laid_like
from .shape import permute, squeeze, unsqueeze

Tensor = Any
Ints = Any  # an int for all spatial dimensions, or a sequence with one for each


# ----------------------------------------------- convolution is bilinear, and each of these three
# has the other two as its derivatives


def _bias(B: Any, g: Any, c: Convolution) -> Any:
    return B.sum(g, (0, *range(2, g.ndim)), False)


@derivative(
    saves=("input", "weight", "c"),
    name="ConvolutionBackward0",
    d_input=lambda B, g, weight, c: B.conv_input(g, B.conj(weight), c),
    d_weight=lambda B, g, input, c: B.conv_weight(B.conj(input), g, c),
    d_bias=_bias,
)
def conv(input: Tensor, weight: Tensor, c: Convolution, bias: Tensor | None = None) -> Tensor:
    """Cross-correlates a batch with a weight."""
    x, w = input._data, weight._data
    B = outermost(x, w)
    z = B.conv(x, w, c, None if bias is None else bias._data)
    if not (B.is_contiguous(x) and B.is_contiguous(w)):
        z = laid_like(z, x, w)
    return taped(conv, z, (input, weight, bias), (input, weight, c))


@derivative(
    saves=("grad", "weight", "c"),
    name="ConvolutionBackward0",
    d_grad=lambda B, g, weight, c: B.conv(g, B.conj(weight), c),
    d_weight=lambda B, g, grad, c: B.conv_weight(g, B.conj(grad), c),
    d_bias=_bias,
)
def conv_input(grad: Tensor, weight: Tensor, c: Convolution, bias: Tensor | None = None) -> Tensor:
    """Transposes a convolution: what its output pulls back to through the weight."""
    g, w = grad._data, weight._data
    B = outermost(g, w)
    z = B.conv_input(g, w, c, None if bias is None else bias._data)
    if not (B.is_contiguous(g) and B.is_contiguous(w)):
        z = laid_like(z, g, w)
    return taped(conv_input, z, (grad, weight, bias), (grad, weight, c))


@derivative(
    saves=("input", "grad", "c"),
    name="ConvolutionBackward0",
    d_input=lambda B, g, grad, c: B.conv_input(B.conj(grad), g, c),
    d_grad=lambda B, g, input, c: B.conv(B.conj(input), g, c),
)
def conv_weight(input: Tensor, grad: Tensor, c: Convolution) -> Tensor:
    """Correlates input and output of a convolution: what the output pulls back to as a weight."""
    x, g = input._data, grad._data
    return taped(conv_weight, outermost(x, g).conv_weight(x, g, c), (input, grad), (input, grad, c))


# --------------------------------------------------------------------------------------- public


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints | str = 0,
    dilation: Ints = 1,
    groups: int = 1,
) -> Tensor:
    """Slides kernels over sequences (N, C, L) or (C, L), one output channel per kernel.

    ``weight`` is (out channels, C / groups, length of the kernel). ``padding`` is the number of
    zeros at both ends, or "valid" for none, or "same" for as many as keep the length.

    >>> torch.nn.functional.conv1d(torch.tensor([[1., 2., 4.]]), torch.tensor([[[-1., 1.]]]))
    tensor([[1., 2.]])
    """
    return _conv("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints | str = 0,
    dilation: Ints = 1,
    groups: int = 1,
) -> Tensor:
    """Slides kernels over images (N, C, H, W) or (C, H, W), one output channel per kernel.

    ``weight`` is (out channels, C / groups, height, width of the kernel). ``padding`` is the number
    of zeros at each border, or "valid" for none, or "same" for as many as keep the size. 16-bit
    floats are summed in float32. Raises RuntimeError where shapes or dtypes do not match.

    >>> torch.nn.functional.conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 2, 2))
    tensor([[[[4., 4.],
              [4., 4.]]]])
    """
    return _conv("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints | str = 0,
    dilation: Ints = 1,
    groups: int = 1,
) -> Tensor:
    """Slides kernels over volumes (N, C, D, H, W) or (C, D, H, W), one output channel per kernel.

    The parameters are those of `conv2d`.

    >>> torch.nn.functional.conv3d(torch.ones(1, 1, 3, 3, 3), torch.ones(1, 1, 3, 3, 3))
    tensor([[[[[27.]]]]])
    """
    return _conv("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """Slides kernels over sequences (T, N, C), with ``pad`` zeros at both ends.

    ``weight`` is (length of the kernel, C, out channels). Raises RuntimeError where sizes do not fit.

    >>> x, w = torch.ones(3, 1, 1), torch.ones(2, 1, 1)
    >>> torch.nn.functional.conv_tbc(x, w, torch.zeros(1), 1).flatten()
    tensor([1., 2., 2., 1.])
    """
    try:
        x, w, b = input._data, weight._data, bias._data
    except AttributeError:
        check_tensor("conv_tbc", input, weight, bias, names=("input", "weight", "bias"))
        raise
    if x.ndim != 3:
        raise RuntimeError("Input must have 3 dims: time, batch, in_channel")
    if w.ndim != 3:
        raise RuntimeError(
            "Weight tensor must have 3 dims: kernel_width, in_channels, out_channels."
        )
    if b.ndim != 1:
        raise RuntimeError("Bias must be 1-D")
    if x.shape[2] != w.shape[1]:
        raise RuntimeError(
            "Input dim 2 (input channels) is not == dim 1 in the weight tensor: conv_tbc() got "
            f"{list(x.shape)} and {list(w.shape)}"
        )
    if b.shape[0] != w.shape[2]:
        raise RuntimeError("Bias size must equal dim 2 in the weight tensor (output channels).")
    if x.shape[0] + 2 * pad < w.shape[0]:
        return input.new_empty((0, x.shape[1], w.shape[2])) + bias
    return permute(
        conv1d(permute(input, (1, 2, 0)), permute(weight, (2, 1, 0)), bias, padding=pad), (2, 0, 1)
    )


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
) -> Tensor:
    """Adds up kernels placed along sequences (N, C, L) or (C, L): the transpose of `conv1d`.

    >>> torch.nn.functional.conv_transpose1d(torch.tensor([[1., 2.]]), torch.tensor([[[1., 10.]]]))
    tensor([[ 1., 12., 20.]])
    """
    geometry = stride, padding, output_padding, groups, dilation
    return _conv_transpose("conv_transpose1d", 1, input, weight, bias, *geometry)


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
) -> Tensor:
    """Adds up kernels placed on images (N, C, H, W) or (C, H, W): the transpose of `conv2d`.

    ``weight`` is (C, out channels / groups, height, width of the kernel). ``stride`` is the distance
    of the kernels, ``padding`` what is cut off at each border, ``output_padding`` what is kept of
    that, or added, at the lower and right borders.

    >>> F = torch.nn.functional
    >>> F.conv_transpose2d(torch.ones(1, 1, 1, 1), torch.ones(1, 1, 2, 2), stride=2)
    tensor([[[[1., 1.],
              [1., 1.]]]])
    """
    geometry = stride, padding, output_padding, groups, dilation
    return _conv_transpose("conv_transpose2d", 2, input, weight, bias, *geometry)


def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
) -> Tensor:
    """Adds up kernels placed in volumes (N, C, D, H, W) or (C, D, H, W): the transpose of `conv3d`.

    The parameters are those of `conv_transpose2d`.

    >>> F = torch.nn.functional
    >>> F.conv_transpose3d(torch.ones(1, 1, 1, 1, 1), torch.ones(1, 1, 2, 2, 2)).shape
    torch.Size([1, 1, 2, 2, 2])
    """
    geometry = stride, padding, output_padding, groups, dilation
    return _conv_transpose("conv_transpose3d", 3, input, weight, bias, *geometry)


# -------------------------------------------------------------------------------------- helpers


def _conv(
    name: str,
    n: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Ints,
    padding: Ints | str,
    dilation: Ints,
    groups: int,
) -> Tensor:
    _check_tensors(name, input, weight, bias)
    if groups.__class__ is not int:
        groups = integer(name, "groups", groups)
    x = input._data
    if x.ndim != n + 2:
        if x.ndim != n + 1:
            raise _wrong_dims(name, n, x)
        batch = _conv(name, n, unsqueeze(input, 0), weight, bias, stride, padding, dilation, groups)
        return squeeze(batch, 0)
    stride, dilation = _hashable(name, "stride", stride), _hashable(name, "dilation", dilation)
    if padding.__class__ is not str:
        padding = _hashable(name, "padding", padding)
    w, b = weight._data, None if bias is None else bias._data
    c = _geometry(
        n, x.shape, w.shape, None if b is None else b.shape, stride, padding, dilation, groups
    )
    _check_arrays(name, x, w, b, "b", ())
    return conv(input, weight, c, bias)


def _conv_transpose(
    name: str,
    n: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Ints,
    padding: Ints,
    output_padding: Ints,
    groups: int,
    dilation: Ints,
) -> Tensor:
    _check_tensors(name, input, weight, bias)
    if groups.__class__ is not int:
        groups = integer(name, "groups", groups)
    x = input._data
    if x.ndim != n + 2:
        if x.ndim != n + 1:
            raise _wrong_dims(name, n, x)
        geometry = stride, padding, output_padding, groups, dilation
        return squeeze(_conv_transpose(name, n, unsqueeze(input, 0), weight, bias, *geometry), 0)
    w, b = weight._data, None if bias is None else bias._data
    c = _transposed_geometry(
        n,
        x.shape,
        w.shape,
        None if b is None else b.shape,
        _hashable(name, "stride", stride),
        _hashable(name, "padding", padding),
        _hashable(name, "output_padding", output_padding),
        groups,
        _hashable(name, "dilation", dilation),
    )
    _check_arrays(name, x, w, b, "bui", ("int64",))
    return conv_input(input, weight, c, bias)


def _check_tensors(name: str, *tensors: Any) -> None:
    for position, (label, value) in enumerate(zip(("input", "weight", "bias"), tensors), 1):
        if not isinstance(value, TensorBase) and (position < 3 or value is not None):
            raise TypeError(
                f"{name}(): argument '{label}' (position {position}) must be Tensor, "
                f"not {type(value).__name__}"
            )


def _hashable(name: str, label: str, value: Any) -> Any:
    """An int, or a tuple of ints from any sequence of them."""
    if value.__class__ is int or value.__class__ is tuple:
        return value
    try:
        if hasattr(value, "__index__"):
            return integer(name, label, value)
        return tuple([v.__index__() for v in value])
    except (TypeError, AttributeError):
        raise TypeError(
            f"{name}(): argument '{label}' must be tuple of ints, not {type(value).__name__}"
        ) from None


def _wrong_dims(name: str, n: int, x: Any) -> RuntimeError:
    return RuntimeError(
        f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {name}, but got input of "
        f"size: {list(x.shape)}"
    )


def _check_arrays(name: str, x: Any, w: Any, b: Any, refused: str, spared: tuple[str, ...]) -> None:
    """Raises PyTorch's errors for dtypes that differ or have no kernel, and for mixed devices."""
    if x.dtype is w.dtype and (b is None or b.dtype is x.dtype) and x.dtype.kind not in refused:
        if x.__class__ is w.__class__ and (b is None or b.__class__ is x.__class__):
            return
    common_device(name, [_Holder(a) for a in (x, w, b) if a is not None])
    kinds = [dtype_of(x if a is None else a) for a in (x, w, b)]
    if kinds[2] is not kinds[0]:
        raise RuntimeError(
            f"Input type ({_c_name(kinds[0])}) and bias type ({_c_name(kinds[2])}) should be the same"
        )
    if kinds[0] is not kinds[1]:
        raise RuntimeError(
            f"expected scalar type {scalar_type_name(kinds[0])} but found "
            f"{scalar_type_name(kinds[1])}: {name}"
        )
    if x.dtype.kind in refused and kinds[0].name not in spared:
        raise NotImplementedError(
            f"\"{name}_cpu\" not implemented for '{scalar_type_name(kinds[0])}'"
        )


class _Holder:
    """An array where a tensor is expected."""

    def __init__(self, array: Any) -> None:
        self._data = array


_C_NAMES = {"Byte": "unsigned char", "Char": "signed char", "Long": "long"}


def _c_name(kind: Any) -> str:
    """The type's name in C++, which this one message of PyTorch uses."""
    name = scalar_type_name(kind)
    if name.startswith(("Half", "BFloat", "Complex", "UInt")):
        return {"Half": "c10::Half", "BFloat16": "c10::BFloat16"}.get(name, name)
    return _C_NAMES.get(name, name.lower())


# The checks run once for each combination of shapes: lru_cache keeps what did not raise.


@lru_cache(4096)
def _geometry(
    n: int,
    shape: tuple[int, ...],
    weight: tuple[int, ...],
    bias: tuple[int, ...] | None,
    stride: Ints,
    padding: Ints | str,
    dilation: Ints,
    groups: int,
) -> Convolution:
    if isinstance(padding, str) and padding not in ("same", "valid"):
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    stride, dilation = _each("stride", stride, n), _each("dilation", dilation, n)
    size = weight[2:]
    if padding == "same":
        if set(stride) != {1}:
            raise RuntimeError("padding='same' is not supported for strided convolutions")
        pairs = [(d * (k - 1) // 2, -(-d * (k - 1) // 2)) for d, k in zip(dilation, size)]
    else:
        one_each = _each("padding", 0 if isinstance(padding, str) else padding, n)
        pairs = [(p, p) for p in one_each]
    _check_sizes(n, shape, weight, stride, [lo for lo, _ in pairs], dilation, groups)
    if shape[1] != weight[1] * groups:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {list(weight)}, expected "
            f"input{list(shape)} to have {weight[1] * groups} channels, but got {shape[1]} channels "
            "instead"
        )
    if bias is not None and bias != weight[:1]:
        raise RuntimeError(
            f"Given weight of size {list(weight)}, expected bias to be 1-dimensional with "
            f"{weight[0]} elements, but got bias of size {list(bias)} instead"
        )
    padded = [m + lo + hi for m, (lo, hi) in zip(shape[2:], pairs)]
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, size)]
    if any(m < r for m, r in zip(padded, reach)):
        raise RuntimeError(
            f"Calculated padded input size per channel: ({' x '.join(map(str, padded))}). Kernel "
            f"size: ({' x '.join(map(str, reach))}). Kernel size can't be greater than actual input "
            "size"
        )
    _check_empty(shape)
    return convolution(stride, tuple(pairs), dilation, groups, size, shape[2:])


@lru_cache(4096)
def _transposed_geometry(
    n: int,
    shape: tuple[int, ...],
    weight: tuple[int, ...],
    bias: tuple[int, ...] | None,
    stride: Ints,
    padding: Ints,
    output_padding: Ints,
    groups: int,
    dilation: Ints,
) -> Convolution:
    stride, dilation = _each("stride", stride, n), _each("dilation", dilation, n)
    padding, extra = _each("padding", padding, n), _each("output_padding", output_padding, n)
    _check_sizes(n, shape, weight, stride, padding, dilation, groups, extra)
    if shape[1] != weight[0]:
        raise RuntimeError(
            f"Given transposed=1, weight of size {list(weight)}, expected input{list(shape)} to have "
            f"{weight[0]} channels, but got {shape[1]} channels instead"
        )
    if bias is not None and bias != (weight[1] * groups,):
        raise RuntimeError(
            f"Given transposed=1, weight of size {list(weight)}, expected bias to be 1-dimensional "
            f"with {weight[1] * groups} elements, but got bias of size {list(bias)} instead"
        )
    if any(e >= s and e >= d for e, s, d in zip(extra, stride, dilation)):
        sides = ("depth", "height", "width")[-n:]
        values = [
            f"{label}_{side}: {v}"
            for label, per in (
                ("output_padding", extra),
                ("stride", stride),
                ("dilation", dilation),
            )
            for side, v in zip(sides, per)
        ]
        raise RuntimeError(
            "output padding must be smaller than either stride or dilation, but got "
            + " ".join(values)
        )
    spatial = tuple(
        [
            (m - 1) * s - 2 * p + d * (k - 1) + e + 1
            for m, s, p, d, k, e in zip(shape[2:], stride, padding, dilation, weight[2:], extra)
        ]
    )
    if min(spatial) < 1:
        raise RuntimeError(
            f"Given input size per channel: ({' x '.join(map(str, shape[2:]))}). Calculated output "
            f"size per channel: ({' x '.join(map(str, spatial))}). Output size is too small"
        )
    _check_empty(shape)
    # What output_padding adds no kernel reaches: to the convolution it is cropped.
    pairs = tuple([(p, p - e) for p, e in zip(padding, extra)])
    return convolution(stride, pairs, dilation, groups, weight[2:], spatial)


def _each(label: str, value: Ints, n: int) -> tuple[int, ...]:
    """A value for each spatial dimension."""
    if isinstance(value, int):
        return (value,) * n
    if len(value) == 1:
        return tuple(value) * n
    if len(value) != n:
        raise RuntimeError(
            f"expected {label} to be a single integer value or a list of {n} values to match the "
            f"convolution dimensions, but got {label}={list(value)}"
        )
    return tuple(value)


def _check_sizes(
    n: int,
    shape: tuple[int, ...],
    weight: tuple[int, ...],
    stride: tuple[int, ...],
    padding: Any,
    dilation: tuple[int, ...],
    groups: int,
    output_padding: tuple[int, ...] = (0,),
) -> None:
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    if min(padding) < 0:
        raise RuntimeError("negative padding is not supported")
    if min(output_padding) < 0:
        raise RuntimeError("negative output_padding is not supported")
    if min(stride) <= 0:
        raise RuntimeError("non-positive stride is not supported")
    if min(dilation) <= 0:
        raise RuntimeError(f"dilation should be greater than zero, but got {list(dilation)}")
    if len(weight) != n + 2:
        raise RuntimeError(
            f"Expected {len(weight)}-dimensional input for {len(weight)}-dimensional weight "
            f"{list(weight)}, but got {len(shape)}-dimensional input of size {list(shape)} instead"
        )
    if min(weight[2:]) <= 0:
        raise RuntimeError(f"kernel size should be greater than zero, but got {list(weight[2:])}")
    if weight[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but got "
            f"weight of size {list(weight)} instead"
        )
    if weight[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but "
            f"got weight of size [{list(weight)}] instead"
        )


def _check_empty(shape: tuple[int, ...]) -> None:
    if 0 in shape[2:]:
        raise RuntimeError(
            f"Only zero batch or zero channel inputs are supported, but got input shape: {list(shape)}"
        )
