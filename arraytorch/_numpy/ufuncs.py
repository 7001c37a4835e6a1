"""NumPy's ufuncs on tensors (NEP 13): calls with ``out``, ``where`` and ``dtype``, and their methods."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce as folded
from typing import Any

from .. import ops
from ..autograd.tape import TensorBase
from ..ops._promote import broadcast_shape
from .arguments import (
    axes_of,
    axis_of,
    check_castable,
    dtype_like,
    masked,
    merged,
    operands,
    tensor,
    typed,
    written,
)

Tensor = Any
Op = Callable[..., Any]

IDENTITIES: dict[str, Any] = {
    "add": 0, "multiply": 1, "logical_and": True, "logical_or": False, "logical_xor": False,
    "bitwise_or": 0, "bitwise_xor": 0, "bitwise_and": -1, "gcd": 0, "hypot": 0.0,
    "logaddexp": float("-inf"), "logaddexp2": float("-inf"),
}  # fmt: skip


def call(
    name: str,
    op: Op,
    *inputs: Any,
    out: Any = None,
    where: Any = True,
    dtype: Any = None,
    casting: str = "same_kind",
    order: str = "K",
    subok: bool = True,
    **axis: Any,
) -> Any:
    """Applies an operation elementwise to tensors, arrays and numbers."""
    given = operands(*inputs)
    if dtype is not None:
        given = [_cast(name, x, dtype, casting) for x in given]
    if where is not True:
        return _where(name, op, given, tensor(where), out, casting)
    result = op(*given, **axis)
    if out is None:
        return result
    if not isinstance(result, tuple):
        return written(result, out, casting, name)
    pairs = zip(result, out, strict=True)
    return tuple(written(r, o, casting, name) for r, o in pairs)


def _cast(name: str, x: Tensor, dtype: Any, casting: str) -> Tensor:
    made = x.to(dtype_like(dtype))
    check_castable(f"ufunc '{name}' input", x, made, casting)
    return made


def _where(name: str, op: Op, given: list[Any], mask: Tensor, out: Any, casting: str) -> Any:
    """Computes where the mask is True alone, so that no NaN from elsewhere gets into gradients."""
    shape = broadcast_shape(name, mask.shape, *[x.shape for x in given])
    mask = mask.broadcast_to(shape)
    picked = op(*[x.broadcast_to(shape)[mask] for x in given])
    (target,) = out if out is not None else (None,)
    base = ops.zeros(shape, dtype=picked.dtype, device=picked.device)
    if target is None:
        return base.masked_scatter(mask, picked)
    if tuple(target.shape) != shape:
        raise ValueError(f"{name}: where= and out= need one shape, not {shape} and {target.shape}")
    check_castable(name, picked, target, casting)
    kept = tensor(target)
    return written(kept.masked_scatter(mask, picked.to(kept.dtype)), out, casting, name)


def reduce(
    name: str,
    op: Op,
    array: Any,
    axis: Any = 0,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """Combines the elements along axes: sums for ``add``, products for ``multiply``, and so on."""
    x = typed(array, dtype)
    if where is not True:
        where = tensor(where)
        x = x.broadcast_to(broadcast_shape(name, x.shape, where.shape))
        fill = IDENTITIES.get(name, initial)
        if fill is None:
            raise ValueError(
                f"reduction operation '{name}' does not have an identity, so to use a where mask "
                "one has to specify 'initial'"
            )
        x = masked(x, where, fill)
    if x.ndim and axis is not None and name not in _ALONG and len(axes_of(axis, x.ndim)) > 1:
        raise ValueError(f"reduction operation '{name}' takes one axis")
    x, kept = merged(x, axis)
    result = _reduced(name, op, x, initial)
    if initial is not None and x.shape[-1]:
        result = op(*operands(result, initial))
    return written(result.reshape(kept) if keepdims else result, out, name=name)


def _reduced(name: str, op: Op, x: Tensor, initial: Any) -> Tensor:
    if name in _ALONG and (x.shape[-1] or name in IDENTITIES):
        return _ALONG[name](x)
    if x.shape[-1]:
        return folded(op, x.unbind(-1))
    start = IDENTITIES.get(name) if initial is None else initial
    if start is None:
        raise ValueError(f"zero-size array to reduction operation {name} which has no identity")
    return ops.full(x.shape[:-1], start, dtype=x.dtype, device=x.device)


def _least_but_nan(x: Tensor) -> Tensor:
    return -_greatest_but_nan(-x)


def _greatest_but_nan(x: Tensor) -> Tensor:
    """The greatest of the last dimension; NaN only if all are."""
    missing = ops.isnan(x)
    found = ops.amax(x.masked_fill(missing, float("-inf")) if x.is_floating_point() else x, -1)
    return ops.where(missing.all(-1), float("nan"), found) if x.is_floating_point() else found


# What combines the last dimension at once; other ufuncs fold it.
_ALONG: dict[str, Callable[[Tensor], Tensor]] = {
    "add": lambda x: ops.sum(x, -1),
    "multiply": lambda x: ops.prod(x, -1),
    "maximum": lambda x: ops.amax(x, -1),
    "minimum": lambda x: ops.amin(x, -1),
    "fmax": _greatest_but_nan,
    "fmin": _least_but_nan,
    "logical_and": lambda x: ops.all(x.bool(), -1),
    "logical_or": lambda x: ops.any(x.bool(), -1),
    "logaddexp": lambda x: ops.logsumexp(x, -1),
}


def accumulate(
    name: str, op: Op, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None
) -> Any:
    """Combines the elements along an axis, with all the results on the way."""
    x = typed(array, dtype)
    dim = axis_of(axis, x.ndim)
    if name in _RUNNING:
        result = _RUNNING[name](x, dim)
    elif not x.shape[dim]:
        result = x.clone()
    else:
        first, *others = x.unbind(dim)
        steps = [first]
        for y in others:
            steps.append(op(steps[-1], y))
        result = ops.stack([s.to(steps[-1].dtype) for s in steps], dim)
    return written(result, out, name=name)


_RUNNING: dict[str, Callable[[Tensor, int], Tensor]] = {
    "add": ops.cumsum,
    "multiply": ops.cumprod,
    "maximum": lambda x, dim: ops.cummax(x, dim)[0],
    "minimum": lambda x, dim: ops.cummin(x, dim)[0],
    "logaddexp": ops.logcumsumexp,
}


def outer(name: str, op: Op, a: Any, b: Any, **options: Any) -> Any:
    """Applies an operation to each pair of elements."""
    first, second = operands(a, b)
    return call(
        name, op, first.reshape(*first.shape, *(1,) * second.ndim), second, **options
    )  # fmt: skip


def reduceat(
    name: str,
    op: Op,
    array: Any,
    indices: Any,
    axis: Any = 0,
    dtype: Any = None,
    out: Any = None,
) -> Any:
    """Combines the elements of slices, each from one index to the next."""
    x = typed(array, dtype)
    dim = axis_of(axis, x.ndim)
    starts = tensor(indices).tolist()
    parts = []
    for start, end in zip(starts, [*starts[1:], x.shape[dim]], strict=True):
        if not 0 <= start < x.shape[dim]:
            raise IndexError(f"index {start} out-of-bounds in {name}.reduceat [0, {x.shape[dim]})")
        part = x.narrow(dim, start, max(end - start, 1))
        parts.append(reduce(name, op, part, dim))
    return written(ops.stack(parts, dim), out, name=name)


def at(name: str, op: Op, array: Any, indices: Any, *values: Any) -> None:
    """Applies an operation in place at indices, again and again where one occurs several times."""
    if not isinstance(array, TensorBase):
        raise TypeError(f"{name}.at(): the first argument must be a tensor if another one is")
    x: Tensor = array
    index = tuple(tensor(i) if isinstance(i, list) else i for i in indices) \
        if isinstance(indices, tuple) else tensor(indices) if isinstance(indices, list) else indices  # fmt: skip
    places = ops.arange(x.numel(), device=x.device).reshape(x.shape)[index]
    given = [tensor(v).broadcast_to(places.shape).reshape(-1) for v in values]
    places = places.reshape(-1)
    if name == "add":
        x.put_(places, given[0].to(x.dtype), accumulate=True)
        return
    for turn in _turns(places):
        chosen = places[turn]
        x.put_(chosen, op(x.take(chosen), *[v[turn] for v in given]).to(x.dtype))


def _turns(places: Tensor) -> list[Tensor]:
    """Masks of which each holds a place at most once, in the order of occurrence."""
    order = ops.argsort(places, stable=True)
    ranked = places[order]
    turn = ops.empty_like(places)
    turn[order] = ops.arange(places.numel(), device=places.device) - ops.searchsorted(
        ranked, ranked
    )
    return [turn == i for i in range(int(turn.max()) + 1 if places.numel() else 0)]


METHODS: dict[str, Callable[..., Any]] = {
    "__call__": call,
    "reduce": reduce,
    "accumulate": accumulate,
    "outer": outer,
    "reduceat": reduceat,
    "at": at,
}
