"""NumPy's functions that make arrays like others, and borders around them."""

from __future__ import annotations

from typing import Any

from .. import ops
from .arguments import counterpart, dtype_like, is_number, tensor

Tensor = Any


def _like(name: str, value: Any) -> Any:
    def function(a: Any, dtype: Any = None, order: str = "K", subok: Any = True, shape: Any = None,
                 *, device: Any = None) -> Any:  # fmt: skip
        return full_like(a, value, dtype, shape=shape)

    return counterpart(name)(function)


@counterpart()
def full_like(a: Any, fill_value: Any, dtype: Any = None, order: str = "K", subok: Any = True,
              shape: Any = None, *, device: Any = None) -> Any:  # fmt: skip
    """A value everywhere, in the shape, dtype and place of another, without its history."""
    x = tensor(a).detach()
    size = x.shape if shape is None else tuple(shape) if hasattr(shape, "__iter__") else (shape,)
    made = ops.empty(*size, dtype=dtype_like(dtype) or x.dtype, device=x.device)
    return made.fill_(fill_value) if is_number(fill_value) else made.copy_(tensor(fill_value))


ones_like = _like("ones_like", 1)
zeros_like = _like("zeros_like", 0)
empty_like = _like("empty_like", 0)


@counterpart()
def copy(a: Any, order: str = "K", subok: Any = False) -> Any:
    """New memory, with the history."""
    return tensor(a).clone()


@counterpart()
def astype(x: Any, dtype: Any, /, *, copy: Any = True, device: Any = None) -> Any:
    """The elements in another dtype."""
    return tensor(x).to(dtype_like(dtype), copy=bool(copy))


# borders


@counterpart()
def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    """A border: of a constant, or of the elements at or near the edge."""
    x = tensor(array)
    if mode == "constant" and kwargs.keys() <= {"constant_values"}:
        values = _pairs(kwargs.get("constant_values", 0), x.ndim)
        for dim, (widths, fills) in enumerate(zip(_pairs(pad_width, x.ndim), values, strict=True)):
            x = ops.cat([_border(x, dim, widths[0], fills[0]), x,
                         _border(x, dim, widths[1], fills[1])], dim)  # fmt: skip
        return x
    if mode not in _SOURCES or kwargs.get("reflect_type", "even") != "even":
        return NotImplemented
    for dim, (before, after) in enumerate(_pairs(pad_width, x.ndim)):
        n = x.shape[dim]
        if before or after:
            at = [_SOURCES[mode](i, n) for i in range(-before, n + after)]
            x = x.index_select(dim, ops.tensor(at, device=x.device))
    return x


def _border(x: Tensor, dim: int, width: int, value: Any) -> Tensor:
    size = [width if i == dim else n for i, n in enumerate(x.shape)]
    return ops.empty(*size, dtype=x.dtype, device=x.device).fill_(value)


def _pairs(given: Any, ndim: int) -> list[Any]:
    """A pair for each dimension, from a number, a pair, or a pair for each."""
    if isinstance(given, dict):
        given = [given.get(i, given.get(i - ndim, 0)) for i in range(ndim)]
        return [g if isinstance(g, tuple) else (g, g) for g in given]
    each = given.tolist() if hasattr(given, "tolist") else given
    each = list(each) if isinstance(each, (list, tuple)) else [each]
    if len(each) == 2 and not any(isinstance(g, (list, tuple)) for g in each):
        each = [tuple(each)]  # the same pair for all
    each = each * ndim if len(each) == 1 else each
    pairs = [tuple(g) if isinstance(g, (list, tuple)) else (g, g) for g in each]
    return [p * 2 if len(p) == 1 else p for p in pairs]


def _mirrored(i: int, n: int) -> int:
    period = max(2 * (n - 1), 1)
    return min(i % period, period - i % period) if n > 1 else 0


def _doubled(i: int, n: int) -> int:
    return min(i % (2 * n), 2 * n - 1 - i % (2 * n))


# Which element a place beyond the edge repeats.
_SOURCES: Any = {
    "edge": lambda i, n: min(max(i, 0), n - 1),
    "wrap": lambda i, n: i % n,
    "reflect": _mirrored,
    "symmetric": _doubled,
}
