"""Max pooling whose windows begin at random places, so that any ratio of sizes can be had."""

from __future__ import annotations

from math import prod
from typing import Any

from .._dtypes import int64
from ..autograd.tape import wrap
from ..backends import backend_of, numpy_dtype
from .adaptive_pooling import max_pool_pick
from .pooling import hashable, tensor_of, unsupported
from .random import rand
from .shape import squeeze, unsqueeze

Tensor = Any
Ints = Any  # an int for all spatial dimensions, or a sequence with one for each


def fractional_max_pool2d(
    input: Tensor,
    kernel_size: Ints,
    output_size: Ints | None = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Returns the largest elements of windows at random, increasing places (Graham 2014).

    Images (N, C, H, W) or (C, H, W) come out at ``output_size``, or ``output_ratio`` times as
    large. Window i begins at floor((i + u) a) - floor(u a), with a = (size - kernel) / (windows - 1)
    and u uniform in [0, 1) for each channel and dimension: ``_random_samples`` (N, C, 2), if given.
    With ``return_indices``, also tells where the maxima are in the flattened image.

    >>> x = torch.arange(16.0).reshape(1, 4, 4)
    >>> torch.nn.functional.fractional_max_pool2d(x, 2, output_size=1)
    tensor([[[15.]]])
    """
    sizes = kernel_size, output_size, output_ratio
    return _pooled("fractional_max_pool2d", 2, input, sizes, _random_samples, return_indices)


def fractional_max_pool3d(
    input: Tensor,
    kernel_size: Ints,
    output_size: Ints | None = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Returns the largest elements of windows at random places of volumes.

    See `fractional_max_pool2d`; ``_random_samples`` are (N, C, 3).

    >>> x = torch.arange(27.0).reshape(1, 3, 3, 3)
    >>> torch.nn.functional.fractional_max_pool3d(x, 2, output_size=1)
    tensor([[[[26.]]]])
    """
    sizes = kernel_size, output_size, output_ratio
    return _pooled("fractional_max_pool3d", 3, input, sizes, _random_samples, return_indices)


def fractional_max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Ints,
    output_size: Ints | None = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """`fractional_max_pool2d`, always with the places of the maxima.

    >>> F, x = torch.nn.functional, torch.arange(16.0).reshape(1, 4, 4)
    >>> F.fractional_max_pool2d_with_indices(x, 2, output_size=1)
    (tensor([[[15.]]]), tensor([[[15]]]))
    """
    sizes = kernel_size, output_size, output_ratio
    return _pooled("fractional_max_pool2d", 2, input, sizes, _random_samples, True)


def fractional_max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Ints,
    output_size: Ints | None = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """`fractional_max_pool3d`, always with the places of the maxima.

    >>> F, x = torch.nn.functional, torch.arange(8.0).reshape(1, 2, 2, 2)
    >>> F.fractional_max_pool3d_with_indices(x, 2, output_size=1)
    (tensor([[[[7.]]]]), tensor([[[[7]]]]))
    """
    sizes = kernel_size, output_size, output_ratio
    return _pooled("fractional_max_pool3d", 3, input, sizes, _random_samples, True)


def _pooled(
    name: str, n: int, input: Tensor, sizes: Any, samples: Tensor | None, return_indices: bool
) -> Any:
    x = tensor_of(name, input)._data
    window, out = _sizes(name, n, x, *sizes)
    if x.ndim == n + 1:
        both = _pooled(name, n, unsqueeze(input, 0), (window, out, None), samples, True)
        values, indices = (squeeze(t, 0) for t in both)
        return (values, indices) if return_indices else values
    if x.ndim != n + 2 or 0 in x.shape[1:]:
        raise RuntimeError(
            f"{name}(): Expected {n + 1}D or {n + 2}D tensor with non-zero dimensions, but got: "
            f"{list(x.shape)}"
        )
    for label, size, k, m in zip("THW"[3 - n :], x.shape[2:], window, out, strict=True):
        if m + k - 1 > size:
            raise RuntimeError(
                f"{name}(): pool {label} {k} with output {m} too large relative to input {size}"
            )
    if x.dtype.kind in "biuc":
        raise unsupported(f"{name}_out_frame", x)
    if samples is None:
        samples = rand(x.shape[0], x.shape[1], n, dtype=input.dtype, device=input.device)
    _check_samples(n, x, samples._data)
    indices = _maxima(x, samples._data, window, out)
    values = max_pool_pick(input, indices)
    return (values, wrap(indices)) if return_indices else values


def _sizes(name: str, n: int, x: Any, kernel_size: Ints, output_size: Ints, ratio: Any) -> Any:
    if output_size is None:
        if ratio is None:
            raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
        ratio = (ratio,) * n if isinstance(ratio, (int, float)) else tuple(ratio)
        output_size = tuple([int(s * r) for s, r in zip(x.shape[-n:], ratio, strict=True)])
    made = []
    for label, size in (("kernel_size", kernel_size), ("output_size", output_size)):
        size = hashable(name, size)
        size = (size,) * n if isinstance(size, int) else tuple(size)
        if len(size) != n:
            raise RuntimeError(f"{name}: {label} must either be a single int or tuple of {n} ints")
        if label == "kernel_size" and min(size) <= 0:
            raise RuntimeError(f"{name}: kernel_size must be greater than zero, but got {size}")
        made.append(size)
    return made


def _check_samples(n: int, x: Any, samples: Any) -> None:
    if samples.dtype is not x.dtype:
        raise RuntimeError("Expect _random_samples to have the same dtype as input")
    if samples.ndim != 3:
        raise RuntimeError(f"Expect _random_samples to have 3 dimensions, got {samples.ndim}")
    for label, dim, at_least in (("batch", 0, x.shape[0]), ("channel", 1, x.shape[1])):
        if samples.shape[dim] < at_least:
            raise RuntimeError(
                f"Expect _random_samples.size({dim}) no less than input {label} size."
            )
    if samples.shape[2] != n:
        raise RuntimeError(f"Expect _random_samples.size(2) equals to {n}; got {samples.shape[2]}.")


def _maxima(x: Any, samples: Any, window: Any, out: Any) -> Any:
    """Where in the flattened spatial dimensions the largest element of each window is."""
    B, n = backend_of(x), len(window)
    lead, spatial = tuple(x.shape[:2]), tuple(x.shape[2:])
    integers = numpy_dtype(int64)
    places: Any = 0
    for d in range(n):
        # For images PyTorch takes the samples from the last dimension on, for volumes from the first.
        u = samples[: lead[0], : lead[1], n - 1 - d if n == 2 else d]
        starts = _starts(B, u, spatial[d], window[d], out[d], integers)
        along = starts[:, :, :, None] + B.arange(0, window[d], 1, integers)
        shape = [1] * (2 * n)
        shape[d], shape[n + d] = out[d], window[d]
        places = places * spatial[d] + along.reshape((*lead, *shape))
    flat = places.reshape((*lead, prod(out), prod(window)))
    if not flat.size:
        return flat.reshape((*lead, *out))
    picked = B.gather(x.reshape((*lead, prod(spatial))), 2, flat.reshape((*lead, -1)))
    best = B.argmax(picked.reshape(flat.shape), 3, True)
    return B.gather(flat, 3, best).reshape((*lead, *out))


def _starts(B: Any, u: Any, size: int, window: int, windows: int, integers: Any) -> Any:
    """The first element of each window, of which the last always ends the dimension."""
    steps = B.cast(B.arange(0, windows, 1, integers), u.dtype)
    if windows == 1:
        return B.cast(u[:, :, None] * 0, integers) + (size - window)
    a = (size - window) / (windows - 1)
    found = B.cast((steps + u[:, :, None]) * a, integers) - B.cast(u[:, :, None] * a, integers)
    return B.where(steps == windows - 1, size - window, found)
