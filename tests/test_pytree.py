"""Nested containers as trees. What is expected was checked against PyTorch's."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque, namedtuple

import pytest

from arraytorch.utils import _pytree as tree

Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("value", "leaves"),
    [
        (3, [3]),
        (None, [None]),
        ([1, (2, [3])], [1, 2, 3]),
        ({"b": 1, "a": {"c": 2}}, [1, 2]),
        (OrderedDict(b=1, a=[2]), [1, 2]),
        (defaultdict(list, {"a": (1,)}), [1]),
        (deque([1, 2], maxlen=3), [1, 2]),
        (Point(1, [2]), [1, 2]),
        ([], []),
    ],
)
def test_trees_are_taken_apart_and_put_together(value, leaves):
    found, spec = tree.tree_flatten(value)
    assert found == leaves and spec.num_leaves == len(leaves)
    again = tree.tree_unflatten(found, spec)
    assert again == value and type(again) is type(value)
    assert tree.tree_structure(again) == spec
    assert getattr(again, "maxlen", None) == getattr(value, "maxlen", None)


def test_mapping():
    value = {"a": [1, 2.0], "b": (3,)}
    assert tree.tree_map(lambda x: x * 2, value) == {"a": [2, 4.0], "b": (6,)}
    assert tree.tree_map_only(int, str, value) == {"a": ["1", 2.0], "b": ("3",)}
    assert tree.tree_map_only(lambda x: x > 2, str, value) == {"a": [1, 2.0], "b": ("3",)}
    assert tree.tree_map(lambda x, y: (x, y), [1], [[5, 6]]) == [(1, [5, 6])]
    seen = []
    assert tree.tree_map_(seen.append, value) is value and seen == [1, 2.0, 3]
    assert tree.tree_all(bool, value) and not tree.tree_any(lambda x: x > 3, value)
    assert tree.tree_leaves(value, is_leaf=lambda x: isinstance(x, list)) == [[1, 2.0], 3]


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="Type mismatch; expected <class 'list'>"):
        tree.tree_map(max, [1], (2,))
    with pytest.raises(ValueError, match="Node mismatch"):
        tree.tree_map(max, {"a": 1}, {"b": 1})
    with pytest.raises(ValueError, match="`leaves` has length 1 but the spec"):
        tree.tree_unflatten([1], tree.tree_structure([1, 2]))


def test_other_containers_can_be_registered():
    class Box:
        def __init__(self, value):
            self.value = value

    tree.register_pytree_node(Box, lambda b: ([b.value], None), lambda c, _: Box(*c))
    assert tree.tree_map(lambda x: x + 1, Box(1)).value == 2


def test_dicts_can_be_taken_apart_by_their_keys():
    """As libraries do that register dicts of their own."""
    pairs, context = tree._dict_flatten_with_keys({"a": 1, "b": 2})
    assert pairs == [(tree.MappingKey("a"), 1), (tree.MappingKey("b"), 2)]
    values, again = tree._dict_flatten({"a": 1, "b": 2})
    assert again == context and tree._dict_unflatten(values, context) == {"a": 1, "b": 2}
