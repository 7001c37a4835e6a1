"""Running results of a function that may be applied in any grouping."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import ops
from .._tensor import Tensor
from ..utils._pytree import tree_flatten, tree_map, tree_unflatten

__all__ = ["associative_scan"]


def associative_scan(
    combine_fn: Callable[[Any, Any], Any],
    xs: Any,
    dim: int,
    reverse: bool = False,
    combine_mode: str = "pointwise",
) -> Any:
    """Returns, for each place along ``dim``, what ``combine_fn`` makes of all up to there.

    ``xs`` is a tensor or a tree of tensors, and ``combine_fn`` takes and returns two such: with
    "generic" those of one place, without ``dim``; with "pointwise", only for GPUs, of many places
    at once, element by element.

    >>> from arraytorch._higher_order_ops.associative_scan import associative_scan
    >>> x = torch.tensor([1, 2, 3, 4])
    >>> associative_scan(lambda a, b: a * b, x, 0, combine_mode="generic")
    tensor([ 1,  2,  6, 24])
    """
    leaves, spec = tree_flatten(xs)
    dim = _checked(combine_fn, leaves, dim, reverse, combine_mode)
    leaves = [leaf.movedim(dim, 0) for leaf in leaves]
    if reverse:
        leaves = [leaf.flip(0) for leaf in leaves]

    def combined(left: list[Tensor], right: list[Tensor]) -> list[Tensor]:
        return tree_flatten(combine_fn(tree_unflatten(left, spec), tree_unflatten(right, spec)))[0]

    leaves = (_at_once if combine_mode == "pointwise" else _in_turn)(combined, leaves)
    if reverse:
        leaves = [leaf.flip(0) for leaf in leaves]
    return tree_map(lambda leaf: leaf.movedim(0, dim), tree_unflatten(leaves, spec))


def _in_turn(combined: Callable[..., list[Tensor]], leaves: list[Tensor]) -> list[Tensor]:
    results = [[leaf[0] for leaf in leaves]]
    for i in range(1, len(leaves[0])):
        results.append(combined(results[-1], [leaf[i] for leaf in leaves]))
    return [ops.stack(each) for each in zip(*results, strict=True)]


def _at_once(combined: Callable[..., list[Tensor]], leaves: list[Tensor]) -> list[Tensor]:
    """In about log2(n) calls: each adds what lies twice as far back as the one before."""
    back = 1
    while back < len(leaves[0]):
        later = combined([leaf[:-back] for leaf in leaves], [leaf[back:] for leaf in leaves])
        leaves = [ops.cat([leaf[:back], new]) for leaf, new in zip(leaves, later, strict=True)]
        back *= 2
    return leaves


def _checked(combine_fn: Any, leaves: list[Any], dim: Any, reverse: Any, mode: str) -> int:
    if not callable(combine_fn):
        raise ValueError(f"Combine_fn must be a callable, but got {combine_fn}")
    if not isinstance(dim, int):
        raise ValueError(f"Dim must be an int, but got {type(dim)}")
    if not isinstance(reverse, bool):
        raise RuntimeError(f"Reverse must be a bool, but got {type(reverse)}")
    if mode not in ("pointwise", "generic"):
        raise ValueError(f"Combine_mode must either 'pointwise' or 'generic', but got {mode}")
    if not leaves:
        raise ValueError("Expected at least 1 xs leaf")
    if any(not isinstance(x, Tensor) for x in leaves):
        raise ValueError("xs leaves must be a Tensor")
    if mode == "pointwise" and any(x.device.type not in ("cuda", "xpu") for x in leaves):
        raise ValueError(
            "For combine_mode='pointwise', all input tensors need to be on CUDA or XPU"
        )
    dim = dim + leaves[0].ndim if dim < 0 else dim
    if any(not 0 <= dim < x.ndim or not x.shape[dim] for x in leaves):
        raise ValueError(
            "All xs leaves must at least have 'dim' number of dimensions and scan dimension > 0"
        )
    return dim
