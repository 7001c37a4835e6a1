"""Batching rules of indexing.

An index is taken apart into a view by its ints, slices and Nones, and arrays for some dimensions of
that, which are moved to the front. Arrays that differ between samples get one more beside them, which
names the sample.
"""

from __future__ import annotations

from math import prod
from typing import Any

from . import backend_of, outermost
from .batched import RULES, Call, arrays_in, by_sample, rule, with_room
from .batched_rules import forbid_spread

Shape = tuple[int, ...]


class Index:
    """An index of samples of ``ndim`` dimensions, taken apart."""

    def __init__(self, call: Call, index: tuple[Any, ...], ndim: int) -> None:
        self.call = call
        self.view: list[Any] = []  # the basic part; whole dimensions where arrays stand
        self.arrays: list[Any] = []
        self.places: list[int] = []  # where in the view the arrays' dimensions are
        at, adjacent, last = 0, True, None
        for place, part in enumerate(_whole(index, ndim)):
            for array in _integers(call, part):
                if last is not None and place > last + 1:
                    adjacent = False
                last = place
                self.arrays.append(array)
                self.places.append(at)
                self.view.append(slice(None))
                at += 1
            if not hasattr(part, "dtype"):
                self.view.append(part)
                at += part.__class__ is not int
        self.differs = any(call.has(a) for a in self.arrays)
        self.joint = max([a.ndim for a in self.arrays], default=0)
        # The arrays' dimensions stand where they stood if side by side, else in front.
        self.lead = self.places[0] if self.arrays and adjacent else 0

    def seen(self, value: Any) -> Any:
        """The view of all samples, the dimensions of arrays behind the first."""
        view = value[(slice(None), *self.view)]
        rest = [d for d in range(view.ndim - 1) if d not in self.places]
        order = (0, *[d + 1 for d in (*self.places, *rest)])
        return backend_of(view).permute(view, order)

    def key(self, value: Any) -> tuple[Any, ...]:
        """The index of what `seen` gives."""
        if not self.differs:
            return (slice(None), *self.arrays)
        arrays = [self.call.full(a, self.joint) for a in self.arrays]
        B = outermost(*arrays)
        samples = B.arange(0, self.call.n, 1, arrays[0].dtype, None)
        return (samples.reshape(-1, *(1,) * self.joint), *arrays)

    def placed(self, found: Any) -> Any:
        """A result with the arrays' dimensions, which come first, where they belong."""
        if not self.lead:
            return found
        joint = [1 + d for d in range(self.joint)]
        before = [1 + self.joint + d for d in range(self.lead)]
        after = range(1 + self.joint + self.lead, found.ndim)
        return backend_of(found).permute(found, (0, *before, *joint, *after))

    def taken_up(self, value: Any) -> Any:
        """The inverse of `placed`."""
        if not self.lead:
            return value
        before = [1 + d for d in range(self.lead)]
        joint = [1 + self.lead + d for d in range(self.joint)]
        after = range(1 + self.joint + self.lead, value.ndim)
        return backend_of(value).permute(value, (0, *joint, *before, *after))

    def spread(self, value: Any, seen: Any) -> Any:
        """A value to be written, in the shape of what `seen` gives at the key."""
        if not hasattr(value, "dtype"):
            return value
        inner = self._joint_shape()
        rest = seen.shape[1 + len(self.arrays) :]
        shape = (*rest[: self.lead], *inner, *rest[self.lead :])
        value = self.call.full(value, len(shape))
        while value.ndim > 1 + len(shape):  # more dimensions of size 1 than the place has
            value = value[:, 0]
        B = backend_of(value)
        return self.taken_up(B.expand(value, (self.call.n, *shape)))

    def _joint_shape(self) -> Shape:
        result = [1] * self.joint
        for a in self.arrays:
            for d, n in enumerate(a.shape, self.joint - a.ndim):
                result[d] = n if n != 1 else result[d]
        return tuple(result)


def _whole(index: tuple[Any, ...], ndim: int) -> list[Any]:
    """The parts of an index, with slices for what an ellipsis or nothing stands for."""
    used = sum(
        p.ndim if hasattr(p, "dtype") and p.dtype.kind == "b" else 1
        for p in index
        if p is not None and p is not Ellipsis
    )
    missing = [slice(None)] * (ndim - used)
    for i, part in enumerate(index):
        if part is Ellipsis:
            return [*index[:i], *missing, *index[i + 1 :]]
    return [*index, *missing]


def _integers(call: Call, part: Any) -> list[Any]:
    """The arrays of integers that an array in an index stands for."""
    if not hasattr(part, "dtype"):
        return []
    if part.dtype.kind != "b":
        return [part]
    if call.has(part):
        raise RuntimeError(
            "vmap: We do not support batching operators that can output dynamic shape: a mask picks "
            "another number of elements in each sample. torch.where() keeps the shape."
        )
    return list(backend_of(part).nonzero(part))


def _basic(index: tuple[Any, ...]) -> bool:
    return not any(hasattr(p, "dtype") or p.__class__ is bool for p in index)


@rule("getitem")
def _getitem(call: Call, x: Any, index: tuple[Any, ...]) -> Any:
    if _basic(index):
        return call.wrapped(x.value[(slice(None), *index)])
    if any(p.__class__ is bool for p in index):
        return by_sample(call, x, index)
    parts = Index(call, index, x.ndim)
    if call.has(x):
        return call.wrapped(parts.placed(call.run(parts.seen(x.value), parts.key(x))))
    arrays = tuple([call.full(a, parts.joint) for a in parts.arrays])
    return call.wrapped(parts.placed(call.run(parts.seen(x[None])[0], arrays)))


@rule("take")
def _take(call: Call, x: Any, index: Any, dim: int) -> Any:
    if not call.has(index):
        return call(x.value, index, dim + 1)
    return _getitem(Call("getitem", call.level), x, (*(slice(None),) * dim, index))


@rule("unindex")
def _unindex(call: Call, g: Any, index: tuple[Any, ...], shape: Shape) -> Any:
    if _basic(index):
        return call(g.value, (slice(None), *index), (call.n, *shape))
    if any(p.__class__ is bool for p in index):
        return by_sample(call, g, index, shape)
    zeros = backend_of(call.full(g)).zeros((call.n, *shape), g.dtype)
    out = call.wrapped(with_room(zeros, arrays_in((g, index)), call.level))
    RULES["add_at"](Call("add_at", call.level), out, index, g)
    return out


@rule("setitem", "add_at", "combine_at")
def _setitem(call: Call, x: Any, index: tuple[Any, ...], value: Any, *function: Any) -> None:
    forbid_spread(call, x)
    if any(p.__class__ is bool for p in index):
        value = call.full(value) if call.has(value) else value
        for i in range(call.n):
            call.run(x.value[i, ...], index, value[i, ...] if hasattr(value, "ndim") else value)
        return
    parts = Index(call, index, x.ndim)
    seen = parts.seen(x.value)
    call.run(seen, parts.key(x), parts.spread(value, seen), *function)


@rule("assigned")
def _assigned(call: Call, x: Any, value: Any, index: tuple[Any, ...]) -> Any:
    copy = call.run(call.full(x), name="copy")
    out = call.wrapped(with_room(copy, arrays_in((value, index)), call.level))
    RULES["setitem"](Call("setitem", call.level), out, index, value)
    return out


@rule("embedding_backward")
def _embedding_backward(
    call: Call, g: Any, index: Any, rows: int, padding: int, scale: bool
) -> Any:
    """One table of the rows of all samples."""
    if scale:
        return by_sample(call, g, index, rows, padding, scale)
    g, index = call.full(g), call.full(index)
    B = outermost(g, index)
    first = B.arange(0, call.n * rows, rows, index.dtype, None).reshape(
        -1, *(1,) * (index.ndim - 1)
    )
    out = B.embedding_backward(g, index + first, call.n * rows, -1, False)
    out = B.reshape(out, (call.n, rows, g.shape[-1]))
    if padding >= 0:
        keep = B.arange(0, rows, 1, index.dtype, None) != padding
        out = out * B.cast(keep, out.dtype).reshape(1, rows, 1)
    return call.wrapped(out)


@rule("embedding_gather")
def _embedding_gather(call: Call, x: Any, index: Any, padding: int, scale: bool) -> Any:
    if scale:
        return by_sample(call, x, index, padding, scale)
    z = _take(Call("take", call.level), x, index, 0)
    if padding < 0:
        return z
    B = outermost(index, z)
    return z * B.cast(index != padding, z.dtype).reshape(*index.shape, 1)


@rule("bincount")
def _bincount(call: Call, x: Any, weights: Any, length: int) -> Any:
    """A count with places of its own for each sample."""
    x = call.full(x)
    first = backend_of(x).arange(0, call.n * length, max(length, 1), x.dtype, None)
    flat = (x + first.reshape(-1, 1)).reshape(-1)
    w = None if weights is None else call.full(weights).reshape(-1)
    counts = call.run(flat, w, call.n * length)
    return call.wrapped(counts[: call.n * length].reshape(call.n, length))


def flat_rows(value: Any) -> Any:
    """The first two dimensions as one."""
    return backend_of(value).reshape(value, (prod(value.shape[:2]), *value.shape[2:]))
