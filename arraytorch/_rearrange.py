"""`func.rearrange`: dimensions in another order, split and merged, by a pattern with names."""

from __future__ import annotations

from math import prod
from typing import Any

from ._tensor import Tensor
from .ops.joining import stack

Group = list[str]


def rearrange(
    tensor: Tensor | list[Tensor] | tuple[Tensor, ...], pattern: str, **axes_lengths: int
) -> Tensor:
    """Returns a tensor with its dimensions rearranged as a pattern says, in einops' notation.

    Names on the left of ``->`` stand for dimensions; on the right they come in another order. Names in
    parentheses are one dimension of their product, whose parts are given in ``axes_lengths`` where
    they cannot be inferred. ``...`` stands for any number of dimensions, ``1`` for one of that size.
    Several tensors are stacked first. Raises ValueError for a pattern that is none.

    >>> x = torch.arange(6).reshape(2, 3)
    >>> torch.func.rearrange(x, "a b -> b a").shape
    torch.Size([3, 2])
    >>> torch.func.rearrange(x, "a (b c) -> (a b) c", c=1).shape
    torch.Size([6, 1])
    """
    x: Any = stack(list(tensor)) if isinstance(tensor, (list, tuple)) else tensor
    left, right = _sides(pattern)
    sizes = dict(axes_lengths)
    rest = x.ndim - sum(group != ["..."] for group in left)
    if rest < 0 or (rest and ["..."] not in left):
        raise ValueError(
            f"Number of dimensions in pattern ({len(left)}) and in tensor ({x.ndim}) must be equal"
        )
    dots = [f"...{i}" for i in range(rest)]
    left, right = (_with_dots(side, dots) for side in (left, right))
    sizes |= {name: 1 for group in right for name in group if name.startswith("1")}
    for group, size in zip(left, x.shape, strict=True):
        _infer(group, size, sizes)
    names = [name for group in left for name in group]
    x = x.reshape([sizes[name] for name in names])
    order = [names.index(n) for group in right for n in group if not n.startswith("1")]
    ones = [d for d in range(len(names)) if d not in order]
    x = x.permute(*order, *ones)
    return x.reshape([prod(sizes[name] for name in group) for group in right])


def _sides(pattern: str) -> tuple[list[Group], list[Group]]:
    if pattern.count("->") != 1:
        raise ValueError("Pattern must contain a single '->' separator")
    left, right = (_groups(side) for side in pattern.split("->"))
    names = [{n for g in side for n in g if not n.startswith("1")} for side in (left, right)]
    if "..." in names[1] - names[0]:
        raise ValueError(f"Ellipsis found in right side, but not left side of a pattern {pattern}")
    if names[0] != names[1]:
        raise ValueError(
            "Identifiers only on one side of rearrange expression (should be on both): "
            f"{names[0] ^ names[1]}"
        )
    return left, right


def _groups(side: str) -> list[Group]:
    """One side of a pattern, a list of names for each dimension; each 1 gets a name of its own."""
    groups: list[Group] = []
    inside: Group | None = None
    seen: set[str] = set()
    for word in side.replace("(", " ( ").replace(")", " ) ").split():
        if word in "()":
            if (word == "(") is (inside is not None):
                raise ValueError(f"Imbalanced parentheses in expression: '{side}'")
            if word == "(":
                inside = []
                groups.append(inside)
            else:
                inside = None
            continue
        if word in seen and word != "1":
            raise ValueError(f"Indexing expression contains duplicate dimension '{word}'")
        if not (word.isidentifier() or word in ("1", "...")):
            raise ValueError(f"Invalid axis identifier: '{word}'")
        seen.add(word)
        name = f"1.{len(groups)}.{len(inside or ())}" if word == "1" else word
        if inside is None:
            groups.append([name])
        else:
            inside.append(name)
    if inside is not None:
        raise ValueError(f"Imbalanced parentheses in expression: '{side}'")
    return groups


def _with_dots(side: list[Group], dots: list[str]) -> list[Group]:
    """A side with names for what an ellipsis stands for: dimensions of their own, or part of one."""
    result: list[Group] = []
    for group in side:
        if group == ["..."]:
            result.extend([name] for name in dots)
        else:
            result.append([n for name in group for n in (dots if name == "..." else [name])])
    return result


def _infer(group: Group, size: int, sizes: dict[str, int]) -> None:
    """Finds the sizes of the names of a dimension, of which one at most may be unknown."""
    sizes.update({name: 1 for name in group if name.startswith("1")})
    unknown = [name for name in group if name not in sizes]
    known = prod(sizes[name] for name in group if name in sizes)
    if len(unknown) > 1:
        raise ValueError(f"cannot infer the sizes of several dimensions at once: {unknown}")
    if unknown and known and size % known == 0:
        sizes[unknown[0]] = size // known
    elif unknown or known != size:
        raise ValueError(
            f"a dimension of size {size} cannot be split as ({' '.join(group)}) with {sizes}"
        )
