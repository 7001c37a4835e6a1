"""Images of another size: each dimension in turn, by a few weighted elements for each result."""

from __future__ import annotations

import math
import warnings
from functools import lru_cache
from math import prod
from struct import pack, unpack
from typing import Any

from .._dtypes import float32, float64, int64, scalar_type_name, uint8
from ..autograd.tape import taped
from ..backends import backend_of, dtype_of, numpy_dtype
from ..backends.host import ndarray
from ..backends.resampling import Taps
from ._declare import cast, derivative
from ._results import check_tensor
from ._strides import laid_like
from .adaptive_pooling import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from .arithmetic import floor
from .indexing import _advanced
from .sequences import arange, eye
from .shape import reshape

Tensor = Any

_FEW = 1024  # elements up to which the nearest are taken by their places, 3 us for all dimensions
_PRODUCTS = 1 << 16  # up to which all dimensions are one product with a matrix
_PLAIN = (int, float, type(None))
_NEAREST = ("nearest", "nearest-exact")
_SMOOTH = ("linear", "bilinear", "bicubic", "trilinear")
_AVERAGE = {3: adaptive_avg_pool1d, 4: adaptive_avg_pool2d, 5: adaptive_avg_pool3d}


@derivative(
    saves=("dim", "taps"),
    name="UpsampleBackward0",
    d_input=lambda B, g, dim, taps: B.resample(g, dim, taps.transposed),
)
def resample(input: Tensor, dim: int, taps: Taps) -> Tensor:
    """Resamples one dimension."""
    x = input._data
    return taped(resample, backend_of(x).resample(x, dim, taps), (input,), (dim, taps))


@derivative(
    saves=("shape", "taps"),
    name="UpsampleBackward0",
    d_input=lambda B, g, shape, taps: B.reshape(
        B.resample(B.reshape(g, (-1, len(taps.index))), 1, taps.transposed), shape
    ),
)
def _resample_planes(input: Tensor, taps: Taps, out: tuple[int, ...]) -> Tensor:
    """Resamples all dimensions but two at once."""
    x = input._data
    B = backend_of(x)
    z = B.resample(B.reshape(x, (-1, taps.n)), 1, taps)
    return taped(_resample_planes, B.reshape(z, x.shape[:2] + out), (input,), (x.shape, taps))


def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Resizes sequences (N, C, L), images (N, C, H, W) or volumes (N, C, D, H, W).

    Either ``size`` is given, or ``scale_factor``, of which the size is rounded down. ``mode`` is
    "nearest", "nearest-exact", "linear" ("bilinear", "trilinear"), "bicubic" (Keys 1981, a = -0.75),
    "lanczos" or "area", which averages. ``align_corners`` puts the centres of the corner pixels on
    each other, else their outer corners. ``antialias`` widens the filters of "bilinear", "bicubic"
    (a = -0.5) and "lanczos" when shrinking. ``recompute_scale_factor`` takes the ratio of the sizes
    for the scale. Raises ValueError or NotImplementedError for arguments that do not go together.

    >>> x = torch.tensor([[[1., 2.]]])
    >>> torch.nn.functional.interpolate(x, scale_factor=2, mode="linear")
    tensor([[[1.0000, 1.2500, 1.7500, 2.0000]]])
    """
    check_tensor("interpolate", input)
    how = size, scale_factor, mode, align_corners, recompute_scale_factor, antialias
    x = input._data
    if x.__class__ is ndarray and 0 < x.size <= _FEW and x.flags.c_contiguous:
        if (few := _of_few(input, size, scale_factor, mode, how)) is not None:
            return few
    result = _interpolated(input, *how)
    result._data = laid_like(result._data, input._data)  # a new tensor, which nobody has seen
    return result


def _of_few(input: Tensor, size: Any, scale_factor: Any, mode: str, how: Any) -> Tensor | None:
    """The result for few numbers, by what is kept for their shape; None if they are left to others."""
    x = input._data
    if size.__class__ not in _PLAIN and not _are_ints(size) or scale_factor.__class__ not in _PLAIN:
        return None
    if size.__class__ is float:  # an error, but equal to an int that the tables know
        return None
    if mode in _NEAREST:
        if x.dtype.kind != "f" or (places := _places(x.shape, *how)) is None:
            return None
        return _advanced(reshape(input, (-1,)), (places,))
    if mode not in _SMOOTH or x.dtype.char not in "fd" or x.ndim < 3:
        return None
    taps, out = _planes(x.shape[2:], *how)
    flat = x.ravel()
    # The zeros of a matrix make NaN of what is not finite.
    if taps is None or x.size * len(taps.index) > _PRODUCTS or not flat.dot(flat) < math.inf:
        return None
    return _resample_planes(input, taps, out)


def _are_ints(size: Any) -> bool:
    return size.__class__ is tuple and {*map(type, size)} == {int}


@lru_cache(256)
def _planes(shape: tuple[int, ...], *how: Any) -> tuple[Taps | None, tuple[int, ...]]:
    """The taps of all dimensions together, which are dense, and the sizes of the result."""
    n = prod(shape)
    if n > _FEW // 4:
        return None, ()
    unit = reshape(eye(n, dtype=float64, device="cpu"), (1, n, *shape))
    out = _sizes(unit._data, *how[:2])[0]
    if not 0 < n * prod(out) <= 8 * _FEW:
        return None, ()
    weight = _interpolated(unit, *how)._data.reshape(n, -1)
    return Taps(n, (tuple(range(n)),) * weight.shape[1], weight.T.tolist()), out


@lru_cache(256)
def _places(shape: tuple[int, ...], *how: Any) -> Any:
    """Where the nearest elements are in the flattened input; None if these are many."""
    at = arange(prod(shape), dtype=float64, device="cpu").reshape(shape)
    places = _interpolated(at, *how)._data
    return places.astype(numpy_dtype(int64)) if places.size <= 4 * _FEW else None


def _interpolated(
    input: Tensor,
    size: Any,
    scale_factor: Any,
    mode: str,
    align_corners: bool | None,
    recompute_scale_factor: bool | None,
    antialias: bool,
) -> Tensor:
    x = input._data
    if align_corners is not None and mode not in _SMOOTH:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | "
            "bicubic | trilinear"
        )
    out, scales = _sizes(x, size, scale_factor)
    if mode == "area" and scales is not None and recompute_scale_factor is None:
        recompute_scale_factor = True
    if recompute_scale_factor:
        if scales is None:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        scales = None
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and x.ndim == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a "
            "4-D tensor as input"
        )
    _check_mode(x, mode)
    if mode == "lanczos" and not antialias:
        raise ValueError("Lanczos mode requires antialias=True")
    if mode == "area":
        return _AVERAGE[x.ndim](input, out)
    _check_sizes(x, out, mode)
    kind = mode if mode in (*_NEAREST, "bicubic", "lanczos") else "linear"
    result = input if mode in _NEAREST or x.dtype.kind != "u" else cast(input, numpy_dtype(float32))
    for d in reversed(range(x.ndim - 2)):
        scale = None if scales is None else scales[d]
        if kind in _NEAREST and out[d] == x.shape[d + 2] and scale in (None, 1.0):
            continue
        plan = (x.shape[d + 2], out[d], kind, bool(align_corners), scale, antialias)
        taps = _taps(*plan)
        is_bytes = result._data.dtype is not x.dtype
        result = resample(result, d + 2, _in_fixed_point(taps) if is_bytes else taps)
        if is_bytes:  # bytes, which PyTorch rounds after each dimension
            result = floor(result + 0.5).clamp(0, 255)
    if result is input:
        return resample(input, x.ndim - 1, _identity(x.shape[-1]))
    if result._data.dtype is not x.dtype:
        result = cast(result, numpy_dtype(uint8))
    return result


def _sizes(x: Any, size: Any, scale_factor: Any) -> tuple[tuple[int, ...], Any]:
    """The sizes of the result, and the scales if these were given."""
    n = x.ndim - 2
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is not None:
        if not isinstance(size, (list, tuple)):
            size = (size,) * n
        if len(size) != n:
            raise ValueError(
                "Input and output must have the same number of spatial dimensions, but got input with "
                f"spatial dimensions of {list(x.shape[2:])} and output size of {size}. Please provide "
                "input tensor in (N, C, d1, d2, ...,dK) format and output size in (o1, o2, ...,oK) "
                "format."
            )
        if not all(hasattr(s, "__index__") for s in size):
            raise TypeError(
                "expected size to be one of int or Tuple[int] or Tuple[int, int] or "
                f"Tuple[int, int, int], but got size with types {[type(s) for s in size]}"
            )
        return tuple([s.__index__() for s in size]), None
    if scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    if not isinstance(scale_factor, (list, tuple)):
        scale_factor = (scale_factor,) * n
    if len(scale_factor) != n:
        raise ValueError(
            "Input and scale_factor must have the same number of spatial dimensions, but got input "
            f"with spatial dimensions of {list(x.shape[2:])} and scale_factor of shape "
            f"{list(scale_factor)}. Please provide input tensor in (N, C, d1, d2, ...,dK) format and "
            "scale_factor in (s1, s2, ...,sK) format."
        )
    scales = tuple([float(s) for s in scale_factor])
    out = tuple([math.floor(float(m) * s) for m, s in zip(x.shape[2:], scales, strict=True)])
    return out, scales


def _check_mode(x: Any, mode: str) -> None:
    wanted = {"linear": 3, "bilinear": 4, "bicubic": 4, "lanczos": 4, "trilinear": 5}.get(mode)
    known = mode in (*_NEAREST, "area") or wanted is not None
    if x.ndim in (3, 4, 5) and known:
        if wanted in (None, x.ndim):
            return
        raise NotImplementedError(f"Got {x.ndim}D input, but {mode} mode needs {wanted}D input")
    raise NotImplementedError(
        "Input Error: Only 3D, 4D and 5D input Tensors supported "
        f"(got {x.ndim}D) for the modes: nearest | linear | bilinear | bicubic | trilinear | "
        f"lanczos | area | nearest-exact (got {mode})"
    )


def _check_sizes(x: Any, out: tuple[int, ...], mode: str) -> None:
    if min(*x.shape[2:], *out) <= 0:
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input {tuple(x.shape[2:])} "
            f"output {out}"
        )
    if 0 in x.shape[1:]:
        raise RuntimeError(
            f"Non-empty {x.ndim}D data tensor expected but got a tensor with sizes {list(x.shape)}"
        )
    if (
        x.dtype.kind == "c"
        or x.dtype.kind in "bi"
        or (x.dtype.kind == "u" and x.dtype.itemsize > 1)
    ):
        kernel = "nearest" if mode in _NEAREST else "linear"
        raise NotImplementedError(
            f"\"compute_indices_weights_{kernel}\" not implemented for '{scalar_type_name(dtype_of(x))}'"
        )


@lru_cache(512)
def _identity(n: int) -> Taps:
    return Taps(n, tuple([(i,) for i in range(n)]))


@lru_cache(512)
def _taps(
    n: int, out: int, kind: str, corners: bool, factor: float | None, antialias: bool
) -> Taps:
    """The elements and weights of each result along one dimension."""
    if kind in _NEAREST:
        return Taps(n, _nearest(n, out, kind == "nearest-exact", factor))
    if corners:
        scale = (n - 1) / (out - 1) if out > 1 else 0.0
    else:
        scale = 1 / factor if factor is not None and factor > 0 else n / out
    if antialias:
        return _smoothed(n, out, kind, scale)
    index: list[tuple[int, ...]] = []
    weight: list[tuple[float, ...]] = []
    for i in range(out):
        at = scale * i if corners else scale * (i + 0.5) - 0.5
        if kind == "linear":
            at = max(at, 0.0)
            low = min(int(at), n - 1)
            t = min(max(at - low, 0.0), 1.0)
            index.append((low, min(low + 1, n - 1)))
            weight.append((1 - t, t))
        else:
            low = math.floor(at)
            index.append(tuple([min(max(low + k, 0), n - 1) for k in (-1, 0, 1, 2)]))
            weight.append(tuple([_cubic(at - low - k, -0.75) for k in (-1, 0, 1, 2)]))
    return Taps(n, tuple(index), tuple(weight))


@lru_cache(512)
def _in_fixed_point(taps: Taps) -> Taps:
    """The taps with weights rounded to 16 bits, with which PyTorch and Pillow resize bytes."""
    # An element that the border repeats counts once, with the sum of its weights.
    rows = []
    for places, weights in zip(taps.index, taps.weight, strict=True):
        sums: dict[int, float] = {}
        for i, w in zip(places, weights, strict=True):
            sums[i] = sums.get(i, 0.0) + w
        rows.append([sums.pop(i, 0.0) for i in places])
    most = max(map(max, rows))
    bits = next((b for b in range(22) if int(0.5 + most * 2 ** (b + 1)) >= 2**15), 22)
    weight = [
        tuple([int(math.copysign(0.5, w) + w * 2**bits) / 2**bits for w in row]) for row in rows
    ]
    return Taps(taps.n, taps.index, tuple(weight))


def _single(x: float) -> float:
    """x rounded to float32, in which PyTorch computes where the nearest element is."""
    return unpack("f", pack("f", x))[0]


def _nearest(n: int, out: int, exact: bool, factor: float | None) -> Any:
    scale = _single(1 / factor) if factor is not None and factor > 0 else _single(n / out)
    shift = 0.5 if exact else 0.0
    return tuple([(min(int(_single((i + shift) * scale)), n - 1),) for i in range(out)])


def _cubic(t: float, a: float) -> float:
    """Keys' cubic convolution kernel."""
    t = abs(t)
    if t <= 1:
        return ((a + 2) * t - (a + 3)) * t * t + 1
    return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a if t < 2 else 0.0


def _sinc(t: float) -> float:
    return math.sin(math.pi * t) / (math.pi * t) if t else 1.0


_FILTERS: dict[str, tuple[float, Any]] = {
    "linear": (1.0, lambda t: max(0.0, 1 - abs(t))),
    "bicubic": (2.0, lambda t: _cubic(t, -0.5)),
    "lanczos": (3.0, lambda t: _sinc(t) * _sinc(t / 3) if abs(t) < 3 else 0.0),
}


def _smoothed(n: int, out: int, kind: str, scale: float) -> Taps:
    """A filter as wide as ``scale``, cut at the borders and normalised, as Pillow has it."""
    reach, filter = _FILTERS[kind]
    wide = max(scale, 1.0)
    rows = []
    for i in range(out):
        centre = scale * (i + 0.5)
        first = max(int(centre - reach * wide + 0.5), 0)
        last = min(int(centre + reach * wide + 0.5), n)
        found = [filter((j - centre + 0.5) / wide) for j in range(first, last)]
        total = sum(found)
        rows.append([(first + k, w / total if total else w) for k, w in enumerate(found)])
    longest = max(map(len, rows))
    rows = [r + [(r[0][0], 0.0)] * (longest - len(r)) for r in rows]
    index = tuple([tuple([j for j, _ in r]) for r in rows])
    return Taps(n, index, tuple([tuple([w for _, w in r]) for r in rows]))


def upsample(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """Returns what `interpolate` does; deprecated, and warns so.

    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     torch.nn.functional.upsample(torch.tensor([[[1., 2.]]]), 4)
    tensor([[[1., 1., 2., 2.]]])
    """
    _deprecated("upsample")
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """Returns what `interpolate` does with mode "nearest"; deprecated, and warns so.

    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     torch.nn.functional.upsample_nearest(torch.tensor([[[1., 2.]]]), scale_factor=2)
    tensor([[[1., 1., 2., 2.]]])
    """
    _deprecated("upsample_nearest")
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """Returns what `interpolate` does with mode "bilinear" and aligned corners; deprecated.

    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     torch.nn.functional.upsample_bilinear(torch.tensor([[[[1., 2.]]]]), (1, 3))
    tensor([[[[1.0000, 1.5000, 2.0000]]]])
    """
    _deprecated("upsample_bilinear")
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


def _deprecated(name: str) -> None:
    warnings.warn(
        f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate` instead.",
        stacklevel=3,
    )
