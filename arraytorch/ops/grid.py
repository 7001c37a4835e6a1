"""Images read at points of a grid, and grids of affine maps."""

from __future__ import annotations

import warnings
from itertools import product
from typing import Any

from ..autograd.calculus import grad
from ..autograd.modes import enable_grad
from ..autograd.tape import taped, wrap
from ..backends import BACKENDS, backend_of
from ..backends.host import ndarray
from ._declare import derivative, kernel_op, renamed
from ._results import check_tensor
from .adaptive_pooling import max_pool_pick
from .arithmetic import floor
from .creation import ones, zeros
from .indexing import select
from .joining import stack
from .products import matmul
from .selection import where
from .sequences import linspace
from .shape import expand, reshape, transpose, unsqueeze

Tensor = Any

_WARNING = (
    "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. "
    "Please specify align_corners=True if the old behavior is desired. See the documentation of "
    "grid_sample for details."
)


def affine_grid(theta: Tensor, size: Any, align_corners: bool | None = None) -> Tensor:
    """Returns where affine maps ``theta`` take the pixels of images, for `grid_sample`.

    Maps (N, 2, 3) and a ``size`` (N, C, H, W) give (N, H, W, 2); (N, 3, 4) and (N, C, D, H, W) give
    (N, D, H, W, 3). Coordinates run from -1 to 1, between the centres of the corner pixels if
    ``align_corners``, else between their outer corners. Raises ValueError where shapes do not fit.

    >>> theta = torch.tensor([[[1., 0., 0.], [0., 1., 0.]]])
    >>> torch.nn.functional.affine_grid(theta, (1, 1, 1, 2), align_corners=True)
    tensor([[[[-1.,  0.],
              [ 1.,  0.]]]])
    """
    check_tensor("affine_grid", theta, names=("theta",))
    if align_corners is None:
        warnings.warn(_WARNING, stacklevel=2)
        align_corners = False
    if theta._data.dtype.kind != "f" and not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    size = tuple([int(n) for n in size])
    if len(size) not in (4, 5):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. "
            f"Got size {list(size)}."
        )
    n = len(size) - 2
    if theta._data.ndim != 3 or theta._data.shape[1:] != (n, n + 1):
        raise ValueError(
            f"Expected a batch of {n}D affine matrices of shape Nx{n}x{n + 1} for size {list(size)}. "
            f"Got {theta.shape}."
        )
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {list(size)}")
    spatial = size[2:]
    axes = []
    for d in reversed(range(n)):
        shape = [-1 if k == d else 1 for k in range(n)]
        axes.append(expand(reshape(_ticks(theta, spatial[d], align_corners), shape), spatial))
    axes.append(ones(spatial, dtype=theta.dtype, device=theta.device))
    base = reshape(stack(axes, -1), (1, -1, n + 1))
    return reshape(matmul(base, transpose(theta, 1, 2)), (size[0], *spatial, n))


def _ticks(like: Tensor, count: int, align_corners: bool) -> Tensor:
    if count == 1:
        return zeros(1, dtype=like.dtype, device=like.device)
    ticks = linspace(-1, 1, count, dtype=like.dtype, device=like.device)
    return ticks if align_corners else ticks * (count - 1) / count  # rounded twice, as in PyTorch


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """Returns images (N, C, H, W) read at points (N, H', W', 2), or volumes at (N, D', H', W', 3).

    The last dimension of ``grid`` holds x, y (and z) between -1 and 1. Between pixels, ``mode``
    interpolates: "bilinear", "nearest" or, for images, "bicubic" (Keys 1981, a = -0.75). Beyond the
    border, ``padding_mode`` reads "zeros", the "border", or the image's "reflection". For
    ``align_corners``, see `affine_grid` (Jaderberg et al. 2015).

    >>> x, at = torch.tensor([[[[1., 3.]]]]), torch.tensor([[[[0., 0.], [1., 0.]]]])
    >>> torch.nn.functional.grid_sample(x, at, align_corners=True)
    tensor([[[[2., 3.]]]])
    """
    if mode not in ("bilinear", "nearest", "bicubic"):
        raise ValueError(
            "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but "
            f"got: '{mode}'"
        )
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or "
            f"'reflection', but got: '{padding_mode}'"
        )
    if align_corners is None:
        warnings.warn(_WARNING, stacklevel=2)
        align_corners = False
    _check(input, grid, mode)
    x, linear = input._data, mode == "bilinear" and padding_mode != "reflection"
    if linear and x.__class__ is ndarray and x.size and grid._data.size and x.dtype.char in "fd":
        return _linear(input, grid, bool(align_corners), padding_mode == "border")
    return _composed(input, grid, mode, padding_mode, align_corners)


@derivative(
    saves=("input", "grid", "sizes", "corners", "border"),
    name="GridSampler2DBackward0",
    d_input=lambda B, g, grid, sizes, corners, border: B.grid_linear_input(
        g, grid, sizes, corners, border
    ),
    d_grid=lambda B, g, input, grid, corners, border: B.grid_linear_points(
        g, input, grid, corners, border
    ),
)
def _linear(input: Tensor, grid: Tensor, corners: bool, border: bool) -> Tensor:
    """`grid_sample` in one kernel, which the host's backend has."""
    x = input._data
    z = BACKENDS[x.__class__].grid_linear(x, grid._data, corners, border)
    return taped(_NODES[x.ndim], z, (input, grid), (input, grid, x.shape[2:], corners, border))


_NODES = {4: _linear, 5: renamed(_linear, "GridSampler3DBackward0")}
_BEYOND = ("zeros", "border")


@kernel_op
def grid_linear_input(
    g: Tensor, grid: Tensor, sizes: tuple[int, ...], corners: bool, border: bool
) -> Tensor:
    """Returns the gradient for the image, by ops that are differentiable in turn."""
    with enable_grad():
        x = zeros((*g._data.shape[:2], *sizes), dtype=g.dtype, device=g.device, requires_grad=True)
        out = _composed(x, grid, "bilinear", _BEYOND[border], corners)
        return grad([out], [x], [g], create_graph=True)[0]


@kernel_op
def grid_linear_points(
    g: Tensor, input: Tensor, grid: Tensor, corners: bool, border: bool
) -> Tensor:
    """Returns the gradient for the grid, by ops that are differentiable in turn."""
    with enable_grad():
        own = (grid if grid.requires_grad else grid.detach().requires_grad_()) * 1
        out = _composed(input, own, "bilinear", _BEYOND[border], corners)
        return grad([out], [own], [g], create_graph=True)[0]


def _composed(
    input: Tensor, grid: Tensor, mode: str, padding_mode: str, align_corners: bool
) -> Tensor:
    """`grid_sample` as a composition of ops."""
    n = input._data.ndim - 2
    # The grid names x first, the image has it last.
    points = [select(grid, -1, n - 1 - d) for d in range(n)]
    sizes = tuple(input._data.shape[2:])
    placed = [_pixel(p, s, align_corners) for p, s in zip(points, sizes, strict=True)]
    if mode == "bicubic":
        return _cubic(input, placed, sizes, padding_mode, align_corners)
    placed = [
        _inside(p, s, padding_mode, align_corners) for p, s in zip(placed, sizes, strict=True)
    ]
    if mode == "nearest":
        at = [_integers(p.detach().round()) for p in placed]
        return _read(input, at, sizes, None) + 0 * _nothing(placed, input)
    low = [floor(p.detach()) for p in placed]
    # Both ends of each dimension, once for all corners: half the time of few points.
    cells = [(c, c + 1) for c in map(_integers, low)]
    shares = [(1 - s, s) for s in (p - f for p, f in zip(placed, low, strict=True))]
    result = None
    for corner in product((0, 1), repeat=n):
        weight = None
        for up, share in zip(corner, shares, strict=True):
            weight = share[up] if weight is None else weight * share[up]
        at = [cell[up] for cell, up in zip(cells, corner, strict=True)]
        term = _read(input, at, sizes, weight)
        result = term if result is None else result + term
    return result


def _check(input: Tensor, grid: Tensor, mode: str) -> None:
    for label, t in (("input", input), ("grid", grid)):
        check_tensor("grid_sampler", t, names=(label,))
    x, g = input._data, grid._data
    if input.device != grid.device:
        raise RuntimeError(
            "grid_sampler(): expected input and grid to be on same device, but input is on "
            f"{input.device} and grid is on {grid.device}"
        )
    if x.ndim not in (4, 5) or x.ndim != g.ndim:
        raise RuntimeError(
            "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got "
            f"input with sizes {list(x.shape)} and grid with sizes {list(g.shape)}"
        )
    if x.shape[0] != g.shape[0]:
        raise RuntimeError(
            "grid_sampler(): expected grid and input to have same batch size, but got input with sizes "
            f"{list(x.shape)} and grid with sizes {list(g.shape)}"
        )
    if g.shape[-1] != x.ndim - 2:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {x.ndim - 2} in last dimension, but got grid "
            f"with sizes {list(g.shape)}"
        )
    if 0 in x.shape[2:]:
        raise RuntimeError(
            "grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes "
            f"{list(x.shape)} with dimension {2 + x.shape[2:].index(0)} being empty"
        )
    if x.dtype is not g.dtype:
        raise RuntimeError(
            "grid_sampler(): expected input and grid to have same dtype, but input has "
            f"{input.dtype!r} and grid has {grid.dtype!r}"
        )
    if mode == "bicubic" and x.ndim == 5:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")
    if x.dtype.kind in "biuc":
        raise NotImplementedError(f"\"grid_sampler_cpu\" not implemented for '{x.dtype.name}'")


def _pixel(at: Tensor, size: int, align_corners: bool) -> Tensor:
    """Where -1 ... 1 is among the pixels 0 ... size - 1."""
    return (at + 1) * ((size - 1) / 2) if align_corners else ((at + 1) * size - 1) / 2


def _inside(at: Tensor, size: int, padding_mode: str, align_corners: bool) -> Tensor:
    if padding_mode == "zeros":
        return at
    if padding_mode == "reflection":
        at = _reflected(at, *((0, size - 1) if align_corners else (-0.5, size - 0.5)))
    # Held points have no slope, those on the border neither, as in PyTorch.
    return where((at > 0) & (at < size - 1), at, at.detach().clamp(0, size - 1).nan_to_num(0.0))


def _reflected(at: Tensor, low: float, high: float) -> Tensor:
    span = high - low
    if span <= 0:
        return at * 0
    from_low = where(at < low, low - at, at - low)
    turns = floor(from_low.detach() / span)
    rest = from_low - turns * span
    return where(turns % 2 == 0, rest + low, high - rest)


def _integers(at: Tensor) -> Any:
    """Whole floats as an array of integers; what is not finite or far away lies outside."""
    return where(at.abs() <= 2**30, at, -100.0).long()._data  # a NaN is not <=


def _nothing(placed: list[Tensor], input: Tensor) -> Tensor:
    """Zeros that depend on the grid: the nearest pixel has no slope, but a gradient of 0."""
    total = placed[0]
    for p in placed[1:]:
        total = total + p
    safe = where(total.detach().isfinite(), total, 0.0)
    return unsqueeze(safe, 1)


def _read(input: Tensor, at: list[Any], sizes: tuple[int, ...], weight: Tensor | None) -> Tensor:
    """The pixels at integer coordinates, 0 where there are none, times ``weight``."""
    B = backend_of(input._data)
    place: Any = 0
    inside: Any = None
    for i, size in zip(at, sizes, strict=True):
        within = (i >= 0) & (i < size)
        inside = within if inside is None else inside & within
        place = place * size + i
    place = B.where(inside, place, 0)[:, None]
    shape = (*input._data.shape[:2], *place.shape[2:])
    pixels = max_pool_pick(input, B.expand(place, shape))
    factor = wrap(B.cast(inside[:, None], input._data.dtype))
    return pixels * (factor if weight is None else unsqueeze(weight, 1) * factor)


def _cubic(
    input: Tensor, placed: list[Tensor], sizes: Any, padding_mode: str, align_corners: bool
) -> Tensor:
    """Sixteen pixels, each weighted by how far it is along both dimensions."""
    low = [floor(p.detach()) for p in placed]
    shares = [p - f for p, f in zip(placed, low, strict=True)]
    weights = [[_keys(s, k) for k in (-1, 0, 1, 2)] for s in shares]
    rows, columns = (
        [_integers(_inside(f + k, size, padding_mode, align_corners)) for k in (-1, 0, 1, 2)]
        for f, size in zip(low, sizes, strict=True)
    )
    result = None
    for row, column in product(range(4), repeat=2):
        at = [rows[row], columns[column]]
        term = _read(input, at, sizes, weights[0][row] * weights[1][column])
        result = term if result is None else result + term
    return result


def _keys(share: Tensor, k: int) -> Tensor:
    """The weight of the pixel k places after the one before the point."""
    a = -0.75
    t = share - k if k <= 0 else k - share
    if k in (0, 1):
        return ((a + 2) * t - (a + 3)) * t * t + 1
    return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a
