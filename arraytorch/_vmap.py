"""`func.vmap`: a function of one sample as a function of many, by one computation for all."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from ._tensor import Tensor
from .backends.batched_levels import Level, enter_level, leave_level, levels_of
from .ops.batching import hide, revealed_anyhow
from .ops.joining import cat
from .random import get_rng_state, set_rng_state
from .utils._pytree import TreeSpec, tree_flatten, tree_unflatten

_MODES = ("error", "different", "same")


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """Returns a function that applies ``func``, written for one sample, to many samples at once.

    ``in_dims`` tells which dimension of each argument counts the samples, None for an argument that
    is the same for all of them: an int for all, or a tuple in the structure of the arguments.
    Keyword arguments are the same for all. ``out_dims`` tells where in the results
    the dimension of the samples shall be. Inside, tensors have the shape of one sample. ``func`` is
    called once; its operations run on all samples together, ``chunk_size`` of them at a time if that
    is given.

    Random numbers raise RuntimeError, unless ``randomness`` asks for "different" ones in each sample
    or for the "same". So does asking a tensor for its elements, as by ``item()`` or ``if``.

    >>> dot = torch.vmap(torch.dot)
    >>> dot(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[1.0, 1.0], [2.0, 0.0]]))
    tensor([3., 6.])
    >>> torch.vmap(torch.vmap(torch.mul, (None, 0)), (0, None))(torch.arange(2), torch.arange(3))
    tensor([[0, 0, 0],
            [0, 1, 2]])
    """
    if randomness not in _MODES:
        raise RuntimeError(
            f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}"
        )
    if chunk_size is not None and not chunk_size > 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")
    name = getattr(func, "__name__", repr(func))

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, spec = tree_flatten(args)
        dims = _in_dims(name, in_dims, args, kwargs)
        size = _size(name, in_dims, dims, leaves)
        places = [None if d is None else d % t.ndim for d, t in zip(dims, leaves, strict=True)]
        call = functools.partial(_run, func, name, kwargs, out_dims, randomness, spec)
        if chunk_size is None or chunk_size >= size:
            results, shape, _ = call(leaves, places, size)
            return tree_unflatten(results, shape)
        return _in_chunks(call, leaves, places, size, chunk_size, randomness == "same")

    return mapped


def _run(
    func: Any,
    name: str,
    kwargs: dict[str, Any],
    out_dims: Any,
    randomness: str,
    spec: TreeSpec,
    leaves: list[Any],
    places: list[int | None],
    size: int,
) -> tuple[list[Any], TreeSpec, list[int | None]]:
    """Calls the function for all samples; returns the results, their structure and their dims."""
    level = Level(size, randomness)
    mapped = [t._data for t, d in zip(leaves, places, strict=True) if d is not None]
    token = enter_level(level, mapped)
    try:
        given = [t if d is None else hide(t, level, d) for t, d in zip(leaves, places, strict=True)]
        outputs, shape = tree_flatten(func(*tree_unflatten(given, spec), **kwargs))
        dims = _out_dims(name, out_dims, shape)
        results = [
            _revealed(name, t, level, d) for t, d in zip(outputs, dims, strict=True)
        ]  # fmt: skip
    finally:
        leave_level(level, token)
    return results, shape, dims


def _revealed(name: str, output: Any, level: Level, dim: int | None) -> Any:
    if dim is None:
        if isinstance(output, Tensor) and level.number in levels_of(output._data):
            raise ValueError(
                f"vmap({name}, ...): `{name}` can not return a BatchedTensor when out_dim is None"
            )
        return output
    if not isinstance(output, Tensor):
        raise ValueError(
            f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(output)}. "
            "Did you mean to set out_dims= to None for output?"
        )
    rank = output.ndim + 1
    if not -rank <= dim < rank:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-rank}, {rank - 1}], but got {dim})"
        )
    return revealed_anyhow(output, level, dim % rank)


def _in_chunks(
    call: Any, leaves: list[Any], places: list[int | None], size: int, chunk_size: int, same: bool
) -> Any:
    parts, before = [], get_rng_state() if same else None
    for start in range(0, size, chunk_size):
        if before is not None:
            set_rng_state(before)
        count = min(chunk_size, size - start)
        some = [
            t if d is None else t.narrow(d, start, count)
            for t, d in zip(leaves, places, strict=True)
        ]
        results, shape, dims = call(some, places, count)
        parts.append(results)
    joined = [
        column[0] if d is None else cat(list(column), d)
        for column, d in zip(zip(*parts, strict=True), dims, strict=True)
    ]
    return tree_unflatten(joined, shape)


# --------------------------------------------------------------------------------- the arguments


class _Mismatch(Exception):
    """A prefix of a tree that is none."""


def _spread(values: Iterator[Any], prefix: TreeSpec, spec: TreeSpec) -> list[Any]:
    """The leaves of a prefix of a tree, each repeated for all leaves of the tree below it."""
    if prefix.is_leaf():
        return [next(values)] * spec.num_leaves
    same = prefix.type is spec.type and prefix.context == spec.context
    if not same or len(prefix.children_specs) != len(spec.children_specs):
        raise _Mismatch
    pairs = zip(prefix.children_specs, spec.children_specs, strict=True)
    return [value for a, b in pairs for value in _spread(values, a, b)]


def _in_dims(name: str, in_dims: Any, args: Any, kwargs: Any) -> list[Any]:
    given = f"vmap({name}, in_dims={in_dims}, ...)(<inputs>)"
    if not isinstance(in_dims, (int, tuple)):
        raise ValueError(
            f"{given}: expected `in_dims` to be int or a (potentially nested) tuple matching the "
            f"structure of inputs, got: {type(in_dims)}."
        )
    spec = tree_flatten(args)[1]
    if not spec.num_leaves and not kwargs:
        raise ValueError(
            f"vmap({name})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are "
            "trying to vmap over a function with no inputs. The latter is unsupported."
        )
    values, prefix = tree_flatten(in_dims)
    try:
        dims = _spread(iter(values), prefix, spec)
    except _Mismatch:
        raise ValueError(
            f"{given}: in_dims is not compatible with the structure of `inputs`. in_dims has "
            f"structure {prefix} but inputs has structure {spec}."
        ) from None
    return dims


def _size(name: str, in_dims: Any, dims: list[Any], leaves: list[Any]) -> int:
    """The number of samples, on which all mapped arguments must agree."""
    given = f"vmap({name}, in_dims={in_dims}, ...)(<inputs>)"
    sizes = []
    for d, t in zip(dims, leaves, strict=True):
        if d is None:
            continue
        if not isinstance(d, int):
            raise ValueError(
                f"{given}: Got in_dim={d} for an input but in_dim must be either an integer dimension "
                "or None."
            )
        if not isinstance(t, Tensor):
            raise ValueError(
                f"{given}: Got in_dim={d} for an input but the input is of type {type(t)}. We cannot "
                "vmap over non-Tensor arguments, please use None as the respective in_dim"
            )
        if not -t.ndim <= d < t.ndim:
            raise ValueError(
                f"{given}: Got in_dim={d} for some input, but that input is a Tensor of "
                f"dimensionality {t.ndim} so expected in_dim to satisfy {-t.ndim} <= in_dim < {t.ndim}."
            )
        sizes.append(t.shape[d])
    if not sizes:
        raise ValueError("vmap: Expected at least one Tensor to vmap over")
    if any(n != sizes[0] for n in sizes):
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sizes} for the mapped dimension"
        )
    return sizes[0]


def _out_dims(name: str, out_dims: Any, spec: TreeSpec) -> list[int | None]:
    given = f"vmap({name}, ..., out_dims={out_dims})"
    values, prefix = tree_flatten(out_dims)
    if not all(d is None or isinstance(d, int) for d in values):
        raise ValueError(
            f"{given}: `out_dims` must be an int, None or a python collection of ints representing "
            "where in the outputs the vmapped dimension should appear."
        )
    if isinstance(out_dims, tuple) and len(values) == 1 and spec.is_leaf():
        return values
    try:
        return _spread(iter(values), prefix, spec)
    except _Mismatch:
        raise ValueError(
            f"{given}(<inputs>): out_dims is not compatible with the structure of `outputs`. out_dims "
            f"has structure {prefix} but outputs has structure {spec}."
        ) from None
