"""Nested containers as trees: taking them apart, and putting them together again."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = [
    "LeafSpec",
    "TreeSpec",
    "register_pytree_node",
    "tree_all",
    "tree_any",
    "tree_flatten",
    "tree_iter",
    "tree_leaves",
    "tree_map",
    "tree_map_",
    "tree_map_only",
    "tree_structure",
    "tree_unflatten",
]

IsLeaf = Callable[[Any], bool] | None


class _Kind(NamedTuple):
    """How a kind of container is taken apart, to (children, context), and put together."""

    flatten_fn: Callable[[Any], tuple[Iterable[Any], Any]]
    unflatten_fn: Callable[[Iterable[Any], Any], Any]


def _of_dict(make: Callable[[Any, Iterable[Any]], Any], context: Callable[[Any], Any]) -> _Kind:
    return _Kind(
        lambda d: (list(d.values()), (list(d), context(d))),
        lambda children, c: make(c[1], zip(c[0], children, strict=True)),
    )


class MappingKey(NamedTuple):
    """The place of a value in a mapping."""

    key: Any


# By these names, libraries register classes of their own that are dicts.


def _dict_flatten(d: dict[Any, Any]) -> tuple[list[Any], list[Any]]:
    return list(d.values()), list(d)


def _dict_flatten_with_keys(
    d: dict[Any, Any],
) -> tuple[list[tuple[MappingKey, Any]], list[Any]]:
    return [(MappingKey(key), value) for key, value in d.items()], list(d)


def _dict_unflatten(values: Iterable[Any], context: list[Any]) -> dict[Any, Any]:
    return dict(zip(context, values, strict=True))


_KINDS: dict[type, _Kind] = {
    list: _Kind(lambda x: (x, None), lambda children, _: list(children)),
    tuple: _Kind(lambda x: (x, None), lambda children, _: tuple(children)),
    deque: _Kind(lambda x: (x, x.maxlen), lambda children, c: deque(children, maxlen=c)),
    dict: _of_dict(lambda _, items: dict(items), lambda d: None),
    OrderedDict: _of_dict(lambda _, items: OrderedDict(items), lambda d: None),
    defaultdict: _of_dict(lambda f, items: defaultdict(f, items), lambda d: d.default_factory),
}
_NAMED = _Kind(lambda x: (x, type(x)), lambda children, cls: getattr(cls, "_make", cls)(children))
_KINDS[namedtuple] = _NAMED  # type: ignore[index]
# Names that libraries use which take trees apart themselves.
SUPPORTED_NODES = _KINDS
PyTree = Any


def _get_node_type(tree: Any) -> Any:
    named = isinstance(tree, tuple) and hasattr(tree, "_fields") and type(tree) not in _KINDS
    return namedtuple if named else type(tree)


def register_pytree_node(
    cls: type,
    flatten_fn: Callable[[Any], tuple[Iterable[Any], Any]],
    unflatten_fn: Callable[[Iterable[Any], Any], Any],
    **others: Any,
) -> None:
    """Has objects of a class taken for containers, by a function each way."""
    _KINDS[cls] = _Kind(flatten_fn, unflatten_fn)


def _kind_of(tree: Any, is_leaf: IsLeaf) -> _Kind | None:
    if is_leaf is not None and is_leaf(tree):
        return None
    cls = type(tree)
    if isinstance(tree, tuple) and hasattr(cls, "_fields") and cls not in _KINDS:
        return _NAMED
    return _KINDS.get(cls)


@dataclass(frozen=True)
class TreeSpec:
    """The shape of a tree: the kinds of its containers, without the leaves."""

    type: Any
    context: Any
    children_specs: list[TreeSpec]

    @property
    def num_leaves(self) -> int:
        """How many leaves such a tree has."""
        if self.type is None:
            return 1
        return sum(child.num_leaves for child in self.children_specs)

    @property
    def num_children(self) -> int:
        """How many children its root has."""
        return len(self.children_specs)

    def is_leaf(self) -> bool:
        """Returns whether it is that of a leaf alone."""
        return self.type is None


def LeafSpec() -> TreeSpec:
    """Returns the shape of a leaf."""
    return TreeSpec(None, None, [])


def tree_flatten(tree: Any, is_leaf: IsLeaf = None) -> tuple[list[Any], TreeSpec]:
    """Returns the leaves of a tree, and its shape.

    >>> from arraytorch.utils._pytree import tree_flatten, tree_unflatten
    >>> leaves, spec = tree_flatten({"a": 1, "b": (2, [3])})
    >>> leaves, tree_unflatten("xyz", spec)
    ([1, 2, 3], {'a': 'x', 'b': ('y', ['z'])})
    """
    kind = _kind_of(tree, is_leaf)
    if kind is None:
        return [tree], LeafSpec()
    children, context = kind.flatten_fn(tree)
    parts = [tree_flatten(child, is_leaf) for child in children]
    leaves = [leaf for found, _ in parts for leaf in found]
    return leaves, TreeSpec(type(tree), context, [spec for _, spec in parts])


def tree_unflatten(leaves: Iterable[Any], treespec: TreeSpec) -> Any:
    """Returns the tree of that shape with these leaves."""
    given = list(leaves)
    if len(given) != treespec.num_leaves:
        raise ValueError(
            f"tree_unflatten(leaves, treespec): `leaves` has length {len(given)} but the spec "
            f"refers to a pytree that holds {treespec.num_leaves} items ({treespec})."
        )
    return _built(iter(given), treespec)


def _built(leaves: Iterator[Any], spec: TreeSpec) -> Any:
    if spec.type is None:
        return next(leaves)
    children = [_built(leaves, child) for child in spec.children_specs]
    return _KINDS.get(spec.type, _NAMED).unflatten_fn(children, spec.context)


def tree_iter(tree: Any, is_leaf: IsLeaf = None) -> Iterator[Any]:
    """Yields the leaves of a tree."""
    yield from tree_flatten(tree, is_leaf)[0]


def tree_leaves(tree: Any, is_leaf: IsLeaf = None) -> list[Any]:
    """Returns the leaves of a tree."""
    return tree_flatten(tree, is_leaf)[0]


def tree_structure(tree: Any, is_leaf: IsLeaf = None) -> TreeSpec:
    """Returns the shape of a tree."""
    return tree_flatten(tree, is_leaf)[1]


def tree_map(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: IsLeaf = None) -> Any:
    """Returns the tree with ``func`` of each leaf, and of those in the same places of ``rests``.

    >>> from arraytorch.utils._pytree import tree_map
    >>> tree_map(lambda x, y: x + y, {"a": [1, 2]}, {"a": [10, 20]})
    {'a': [11, 22]}
    """
    leaves, spec = tree_flatten(tree, is_leaf)
    others = [_leaves_as(rest, spec) for rest in rests]
    return tree_unflatten([func(*at) for at in zip(leaves, *others, strict=True)], spec)


def _leaves_as(tree: Any, spec: TreeSpec) -> list[Any]:
    """Returns what stands in the places of a shape's leaves, which may be whole trees."""
    if spec.type is None:
        return [tree]
    if type(tree) is not spec.type:
        raise ValueError(f"Type mismatch; expected {spec.type!r}, but got {type(tree)!r}.")
    children, context = _KINDS.get(spec.type, _NAMED).flatten_fn(tree)
    children = list(children)
    if len(children) != spec.num_children or context != spec.context:
        raise ValueError(f"Node mismatch; expected {spec.context!r}, but got {context!r}.")
    parts = [_leaves_as(c, s) for c, s in zip(children, spec.children_specs, strict=True)]
    return [leaf for part in parts for leaf in part]


def tree_map_(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: IsLeaf = None) -> Any:
    """Calls ``func`` with each leaf, and those in the same places of ``rests``; returns the tree."""
    tree_map(func, tree, *rests, is_leaf=is_leaf)
    return tree


def tree_map_only(
    type_or_types: Any, func: Callable[[Any], Any], tree: Any, is_leaf: IsLeaf = None
) -> Any:
    """Returns the tree with ``func`` of each leaf of some types, or that a function chooses."""
    if isinstance(type_or_types, (type, tuple)):
        chosen: Callable[[Any], bool] = lambda x: isinstance(x, type_or_types)  # noqa: E731
    else:
        chosen = type_or_types
    return tree_map(lambda x: func(x) if chosen(x) else x, tree, is_leaf=is_leaf)


def tree_all(pred: Callable[[Any], bool], tree: Any, is_leaf: IsLeaf = None) -> bool:
    """Returns whether a condition holds for all leaves."""
    return all(map(pred, tree_iter(tree, is_leaf)))


def tree_any(pred: Callable[[Any], bool], tree: Any, is_leaf: IsLeaf = None) -> bool:
    """Returns whether a condition holds for some leaf."""
    return any(map(pred, tree_iter(tree, is_leaf)))
