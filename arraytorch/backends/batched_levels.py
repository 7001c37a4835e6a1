"""How arrays get in and out of vmap's levels, and the time during which the two may meet."""

from __future__ import annotations

from _thread import allocate_lock
from typing import Any

from . import AS_ARRAY, BACKENDS, backend_of, batched_indexing, batched_networks, batched_rules
from .batched import BACKEND, arrays_in, bottom
from .batched_array import LEVELS, BatchedArray, Level, levels_of
from .batched_random import Source, current, unset

__all__ = [
    "LEVELS", "BatchedArray", "Level", "Source", "batched_indexing", "batched_networks",
    "batched_rules", "current", "levels_of", "unset",
]  # fmt: skip


def hide(x: Any, level: Level, dim: int) -> Any:
    """Returns an array whose dimension ``dim`` counts the samples of a level."""
    if x.__class__ is BatchedArray and x.level.number > level.number:
        return BatchedArray(hide(x.value, level, dim + 1), x.level)
    order = (dim, *[d for d in range(x.ndim) if d != dim])
    return BatchedArray(backend_of(x).permute(x, order) if dim else x, level)


def reveal(x: Any, level: Level, dim: int) -> Any:
    """Returns an array with the samples of a level along a dimension of its own, ``dim``."""
    if x.level is not level:
        return BatchedArray(reveal(x.value, level, dim + 1), x.level)
    value = x.value
    B = backend_of(value)
    if len(value) != level.size:
        value = B.expand(value, (level.size, *value.shape[1:]))
    order = [*range(1, value.ndim)]
    order.insert(dim, 0)
    return B.permute(value, tuple(order)) if dim else value


def total(x: Any, level: Level) -> Any:
    """Returns the sum over the samples of a level."""
    if x.level is not level:
        return BatchedArray(total(x.value, level), x.level)
    if x.parts is not None:
        return x.parts.total()
    if len(x.value) != level.size:
        return x.value[0, ...] * level.size
    B = backend_of(x.value)
    return B.asarray(B.sum(x.value, (0,), False))


def alike(x: Any, level: Level) -> Any:
    """Returns an array that is the same in all samples of a level."""
    if x.__class__ is BatchedArray and x.level.number > level.number:
        return BatchedArray(alike(x.value, level), x.level)
    return BatchedArray(x[None], level)


# --------------------------------------------------------------------------------------- regions


class _Mixed:
    """A backend while a vmap is going on: calls that a BatchedArray takes part in are the outer's.

    Ops ask the backend of their first array for a kernel, and the others may be batched.
    """

    def __init__(self, backend: Any) -> None:
        self.beneath = backend

    def __getattr__(self, name: str) -> Any:
        function = getattr(self.beneath, name)
        if not callable(function) or name in _OF_ONE:
            return function

        def kernel(*args: Any, **kwargs: Any) -> Any:
            for x in arrays_in(args, kwargs):
                if x.__class__ is BatchedArray:
                    return getattr(BACKEND, name)(*args, **kwargs)
            return function(*args, **kwargs)

        setattr(self, name, kernel)
        return kernel


# What only ever gets an array of the backend itself.
_OF_ONE = frozenset({"device_of", "generator_of", "owned", "supports", "from_host"})
_lock = allocate_lock()
_open = [0]


class _Tables:
    """The registry as it was when the last region began, and what stood there in its place."""

    plain: dict[type, Any] = {}
    mixed: dict[type, Any] = {}


def _mix() -> None:
    made: dict[int, Any] = {}
    _Tables.plain = {kind: b for kind, b in BACKENDS.items() if b is not BACKEND}
    _Tables.mixed = {k: made.setdefault(id(b), _Mixed(b)) for k, b in _Tables.plain.items()}


def enter() -> None:
    """Begins a time during which ops may get batched and plain arrays together."""
    with _lock:
        _open[0] += 1
        if _open[0] == 1:
            if len(_Tables.plain) + 1 != len(BACKENDS) or any(
                BACKENDS[kind] is not backend for kind, backend in _Tables.plain.items()
            ):
                _mix()
            for kind, mixed in _Tables.mixed.items():
                BACKENDS[kind], AS_ARRAY[kind] = mixed, mixed.asarray


def leave() -> None:
    """Ends that: the registry has the backends themselves again."""
    with _lock:
        _open[0] -= 1
        if not _open[0]:
            for kind, backend in list(BACKENDS.items()):
                if backend.__class__ is _Mixed:
                    BACKENDS[kind], AS_ARRAY[kind] = backend.beneath, backend.beneath.asarray


def enter_level(level: Level, arrays: list[Any]) -> Any:
    """Begins one call of vmap, over arrays; returns what `leave_level` wants."""
    for array in arrays[:1]:
        BACKEND.ground = bottom(array)[0]
    level.active = True
    enter()
    return current.set((*current.get(), level))


def leave_level(level: Level, token: Any) -> None:
    """Ends one call of vmap."""
    current.reset(token)
    level.active = False
    leave()
