"""The ways in and out of a level of vmap as ops, so that gradients find them.

Each comes as a function of tensors and arrays alike, for the rules of the others: hiding a dimension
is the derivative of revealing it, and a sum over all samples that of being alike in all of them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..autograd import engine
from ..autograd.function import Function
from ..autograd.tape import TensorBase, taped, taped_view
from ..backends import batched_levels
from . import sampling
from ._declare import derivative

Tensor = Any


@derivative(
    saves=("level", "dim"),
    name="BatchingBackward0",
    d_input=lambda g, level, dim: revealed(g, level, dim),
)
def hide(input: Tensor, level: Any, dim: int) -> Tensor:
    """Returns a tensor whose dimension ``dim`` counts the samples of a level of vmap."""
    x = batched_levels.hide(input._data, level, dim)
    return taped_view(hide, x, input, (level, dim), (level, dim))


@derivative(
    saves=("level", "dim"),
    name="UnbatchingBackward0",
    d_input=lambda g, level, dim: hidden(g, level, dim),
)
def reveal(input: Tensor, level: Any, dim: int) -> Tensor:
    """Returns a tensor with the samples of a level of vmap along the dimension ``dim``."""
    x = batched_levels.reveal(input._data, level, dim)
    return taped_view(reveal, x, input, (level, dim), (level, dim))


@derivative(saves=("level",), d_input=lambda g, level: made_alike(g, level))
def total(input: Tensor, level: Any) -> Tensor:
    """Returns the sum over the samples of a level."""
    return taped(total, batched_levels.total(input._data, level), (input,), (level,))


@derivative(saves=("level",), d_input=lambda g, level: g if level.active else summed(g, level))
def alike(input: Tensor, level: Any) -> Tensor:
    """Returns a tensor that is the same in all samples of a level."""
    return taped(alike, batched_levels.alike(input._data, level), (input,), (level,))


def hidden(g: Any, level: Any, dim: int) -> Any:
    """`hide` of a tensor or an array; the walk of a tape that goes through here meets both kinds."""
    if not isinstance(g, TensorBase):
        return batched_levels.hide(g, level, dim)
    if not level.active:
        batched_levels.enter()
        engine.call_at_end(batched_levels.leave)
    return hide(g, level, dim)


def revealed(g: Any, level: Any, dim: int) -> Any:
    """`reveal` of a tensor or an array."""
    if isinstance(g, TensorBase):
        return reveal(g, level, dim)
    return batched_levels.reveal(g, level, dim)


def summed(g: Any, level: Any) -> Any:
    """`total` of a tensor or an array."""
    return total(g, level) if isinstance(g, TensorBase) else batched_levels.total(g, level)


def made_alike(g: Any, level: Any) -> Any:
    """`alike` of a tensor or an array."""
    return alike(g, level) if isinstance(g, TensorBase) else batched_levels.alike(g, level)


def adapt(g: Any, shape: Any) -> Any:
    """Returns a gradient in the levels of the array that it is for, whose shape tells them.

    A tensor that all samples used gets the sum over them once vmap has ended; before that each
    sample has a gradient of its own.
    """
    have = batched_levels.levels_of(g._data if isinstance(g, TensorBase) else g)
    want = getattr(shape, "levels", ())
    if have == want:
        return g
    for number in have:
        if number not in want and not (level := batched_levels.LEVELS[number]).active:
            g = summed(g, level)
    for number in want:
        if number not in have:
            g = made_alike(g, batched_levels.LEVELS[number])
    return g


def by_samples(function: Any, tensors: Any) -> list[Any]:
    """Calls a function, as vmap would, with tensors whose first dimensions count the samples."""
    sizes = [t._data.shape[0] for t in tensors]
    if any(n != sizes[0] for n in sizes):
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sizes} for the mapped dimension"
        )
    level = batched_levels.Level(sizes[0], "different")
    token = batched_levels.enter_level(level, [t._data for t in tensors])
    try:
        results = function(*[hide(t, level, 0) for t in tensors])
        return [None if r is None else revealed_anyhow(r, level, 0) for r in results]
    finally:
        batched_levels.leave_level(level, token)


def revealed_anyhow(result: Tensor, level: Any, dim: int) -> Tensor:
    """`reveal`, also of what is the same in all samples."""
    if level.number not in batched_levels.levels_of(result._data):
        result = alike(result, level)
    return reveal(result, level, dim)


def _forbid_backward() -> None:
    if batched_levels.current.get():
        raise RuntimeError(
            "backward() called inside a functorch transform. This is not supported, please use "
            "func.grad or func.vjp instead or call backward() outside of vmap."
        )


class VmapInfo(NamedTuple):
    """What the ``vmap`` of a `Function` is told."""

    batch_size: int
    randomness: str


def by_own_rule(function: Any, args: tuple[Any, ...]) -> Any:
    """Calls the ``vmap`` of a `Function` for the innermost level that its arguments are in.

    Returns a tuple of the result, or None if the arguments are in no level.
    """
    numbers = {
        n for a in args if isinstance(a, TensorBase) for n in batched_levels.levels_of(a._data)
    }
    if not numbers:
        return None
    level = batched_levels.LEVELS[max(numbers)]
    inside = [
        isinstance(a, TensorBase) and level.number in batched_levels.levels_of(a._data)
        for a in args
    ]
    given = [reveal(a, level, 0) if i else a for a, i in zip(args, inside, strict=True)]
    dims = tuple([0 if i else None for i in inside])
    outs, out_dims = function.vmap(VmapInfo(level.size, level.randomness), dims, *given)
    if not isinstance(outs, (tuple, list)):
        return (_hidden(outs, level, out_dims),)
    if not isinstance(out_dims, (tuple, list)):
        out_dims = (out_dims,) * len(outs)
    return (type(outs)([_hidden(o, level, d) for o, d in zip(outs, out_dims, strict=True)]),)


def _hidden(out: Any, level: Any, dim: Any) -> Any:
    return out if dim is None else hide(out, level, dim % out._data.ndim)


def _unset(x: Any) -> Any:
    return batched_levels.unset(x) if batched_levels.current.get() else x


def _source(core: Any) -> Any:
    return batched_levels.Source(core) if batched_levels.current.get() else core


engine.adopt_levels(batched_levels.BACKEND, adapt, _forbid_backward)
Function._by_own_rule = staticmethod(by_own_rule)
sampling.Vmap.unset = _unset
sampling.Vmap.source = _source
