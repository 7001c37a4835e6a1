"""Random numbers inside vmap: different in each sample, or the same in all.

Different ones are drawn for all samples at once, in the order in which a tensor of them all would be
filled.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from . import backend_of
from .batched import bottom
from .batched_array import BatchedArray, Level, levels_of

# The levels that are going on, the outermost first.
current: ContextVar[tuple[Level, ...]] = ContextVar("levels", default=())


def _different() -> list[Level]:
    """The levels whose samples shall have different numbers; RuntimeError if one wants none."""
    levels = current.get()
    if any(level.randomness == "error" for level in levels):
        raise RuntimeError(
            "vmap: called random operation while in randomness error mode. Please either use the "
            "'same' or 'different' randomness flags on vmap or perform the randomness operation out "
            "of vmap"
        )
    return [level for level in levels if level.randomness == "different"]


def unset(x: Any) -> Any:
    """Returns an array like a new one that random numbers shall fill, with room for all samples."""
    wanted = _different()
    inner = x
    full: list[Level | None] = []
    while inner.__class__ is BatchedArray:
        full.insert(0, inner.level if len(inner.value) == inner.level.size else None)
        inner = inner.value
    if full == wanted:
        return x
    B, base = bottom(x)
    new = B.empty((*[level.size for level in wanted], *x.shape), base.dtype)
    for level in wanted:
        new = BatchedArray(new, level)
    return new


class Source:
    """A generator inside vmap, with the same methods."""

    def __init__(self, core: Any) -> None:
        self.core, self.levels = core, _different()
        self.same = [level for level in current.get() if level.randomness == "same"]

    def _forbid_different(self, arrays: Any) -> None:
        same = {level.number for level in self.same}
        if any(same & set(levels_of(x)) for x in arrays):
            raise RuntimeError(
                "vmap: does not support the same random numbers in all samples where the Tensor that "
                "they depend on differs between them. Please use randomness='different'."
            )

    def __getattr__(self, name: str) -> Callable[..., Any]:
        draw = self._filled if name.endswith("_") else self._drawn
        if name == "permutation":
            return lambda n: self._permutations(n, self.levels)
        return lambda x, *args: draw(name, x, *args)

    def _filled(self, name: str, x: Any, *args: Any) -> None:
        have = levels_of(x)
        if any(level.number not in have for level in self.levels):
            raise RuntimeError(
                "vmap: cannot fill a Tensor that is not being vmapped over, and so has one value for "
                "all samples, with random numbers that are different in each. Please use the "
                "out-of-place form, or randomness='same'."
            )
        self._forbid_different(args)
        if any(level in self.same for level in _levels_around(x)):
            one = unset(x)
            self._filled(name, one, *args)
            backend_of(x).write(x, one)
            return
        while x.__class__ is BatchedArray:
            args = tuple([_for_all(a, x.level) for a in args])
            x = x.value
        getattr(self.core, name)(x, *args)

    def _drawn(self, name: str, *args: Any) -> Any:
        self._forbid_different(args)
        for level in reversed(self.levels):
            args = tuple([_for_all(a, level) for a in args])
        x, *rest = args
        if name == "multinomial":  # of a matrix
            lead = x.shape[:-1]
            drawn = self.core.multinomial(x.reshape(-1, x.shape[-1]), *rest)
            drawn = drawn.reshape(*lead, -1)
        else:
            drawn = getattr(self.core, name)(*args)
        for level in self.levels:
            drawn = BatchedArray(drawn, level)
        return drawn

    def _permutations(self, n: int, levels: list[Level]) -> Any:
        if not levels:
            return self.core.permutation(n)
        rows = [self._permutations(n, levels[1:]) for _ in range(levels[0].size)]
        return _beside(rows, levels[0])


def _levels_around(x: Any) -> list[Level]:
    found = []
    while x.__class__ is BatchedArray:
        found.append(x.level)
        x = x.value
    return found


def _beside(rows: list[Any], level: Level) -> Any:
    """Results of an outer level's samples as one array, with inner levels around that."""
    first = rows[0]
    if first.__class__ is BatchedArray:
        return BatchedArray(_beside([r.value for r in rows], level), first.level)
    return BatchedArray(backend_of(first).stack(rows, 0), level)


def _for_all(x: Any, level: Level) -> Any:
    """An argument with the samples of a level in front."""
    if not hasattr(x, "dtype"):
        return x
    value = x.value if x.__class__ is BatchedArray and x.level is level else x[None]
    return backend_of(value).expand(value, (level.size, *value.shape[1:]))
