"""Orders of dimensions in memory: which one a memory format asks for, and arrays laid out in it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from .. import _layouts
from ..backends import backend_of

Order = tuple[int, ...] | None  # the dimensions from the outermost to the innermost; None: C order
CHANNELS_LAST: dict[Any, tuple[int, ...]] = {
    _layouts.channels_last: (0, 2, 3, 1),
    _layouts.channels_last_3d: (0, 2, 3, 4, 1),
}


def inverse(order: tuple[int, ...]) -> tuple[int, ...]:
    """Returns the permutation that takes another one back."""
    back = [0] * len(order)
    for i, d in enumerate(order):
        back[d] = i
    return tuple(back)


def check_layout(name: str, layout: Any) -> None:
    """Raises RuntimeError for a layout that tensors do not have here."""
    if layout is not None and layout is not _layouts.strided:
        raise RuntimeError(f"{name}(): tensors are strided here, layout {layout!r} was asked for")


def order_of_format(memory_format: Any, ndim: int) -> Order:
    """Returns the order that a memory format other than ``preserve_format`` asks for."""
    if memory_format is None or memory_format is _layouts.contiguous_format:
        return None
    order = CHANNELS_LAST.get(memory_format)
    if order is None:
        name = getattr(memory_format, "name", str(memory_format)).split("_")[0].capitalize()
        raise RuntimeError(f"unsupported memory format {name}")
    if len(order) != ndim:
        raise RuntimeError(f"required rank {len(order)} tensor to use {memory_format.name} format")
    return order


def order_for(memory_format: Any, x: Any) -> Order:
    """Returns the order of a copy of ``x``; by default, and for ``preserve_format``, its own."""
    if memory_format is None or memory_format is _layouts.preserve_format:
        ordered = hasattr(x, "layout") or backend_of(x).is_contiguous(x)  # or it is sparse
        return None if ordered else order_of(x)
    return order_of_format(memory_format, x.ndim)


def order_of(x: Any) -> Order:
    """Returns the order of the dimensions of ``x`` in memory, as PyTorch sorts them.

    An expanded dimension compares with none: it stays where it is between its neighbours.
    """
    shape, strides = x.shape, [abs(s) for s in backend_of(x).strides_of(x)]
    inward = list(range(len(shape)))[::-1]  # an insertion sort, for the comparison has no order
    for i in range(1, len(shape)):
        at = i
        for k in range(i - 1, -1, -1):
            a, b = inward[k], inward[at]
            if not strides[a] or not strides[b]:
                continue
            if strides[a] < strides[b]:
                break
            if strides[a] > strides[b] or shape[a] > shape[b]:
                inward[k], inward[at], at = b, a, k
    order = inward[::-1]
    return None if order == sorted(order) else tuple(order)


def follows(x: Any, memory_format: Any) -> bool:
    """Tells whether ``x`` lies in memory without gaps in the order of a memory format."""
    order = CHANNELS_LAST.get(memory_format)
    if order is None:
        return bool(backend_of(x).is_contiguous(x))
    if len(order) != x.ndim:
        return False
    expected, strides = x.dtype.itemsize, backend_of(x).strides_of(x)
    for d in reversed(order):
        if x.shape[d] != 1:
            if strides[d] != expected:
                return False
            expected *= x.shape[d]
    return True


def copied(x: Any, order: Order) -> Any:
    """Returns a copy of ``x`` in an order."""
    B = backend_of(x)
    if order is None:
        return B.copy(x)
    return B.permute(B.copy(B.permute(x, order)), inverse(order))


_BY_RANK = {len(order): memory_format for memory_format, order in CHANNELS_LAST.items()}


def laid_like(z: Any, *models: Any) -> Any:
    """Returns a result for images with its channels last if a model has them there, else in C order."""
    memory_format = _BY_RANK.get(z.ndim)
    for x in models:
        if memory_format and not backend_of(x).is_contiguous(x) and follows(x, memory_format):
            return z if follows(z, memory_format) else copied(z, CHANNELS_LAST[memory_format])
    return z if backend_of(z).is_contiguous(z) else copied(z, None)


def packed_strides(shape: tuple[int, ...], order: Any) -> tuple[int, ...]:
    """Returns the strides, in elements, of memory without gaps in an order of dimensions."""
    strides, step = [0] * len(shape), 1
    for d in reversed(order or range(len(shape))):
        strides[d] = step
        step *= max(shape[d], 1)
    return tuple(strides)


@lru_cache(1024)
def in_elements(shape: tuple[int, ...], strides: tuple[int, ...], size: int) -> tuple[int, ...]:
    """Returns strides in bytes as strides in elements of a size, as PyTorch counts them.

    NumPy gives new dimensions and those of empty arrays the stride 0, PyTorch the one of memory
    without gaps.
    """
    if 0 not in strides:
        return tuple([s // size for s in strides])
    made: list[int] = []
    step = 1
    for n, s in zip(reversed(shape), reversed(strides), strict=True):
        made.append(step if not s and (n == 1 or 0 in shape) else s // size)
        step = max(n, 1) * made[-1]
    return tuple(reversed(made))
