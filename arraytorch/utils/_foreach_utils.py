"""Lists of tensors, sorted by what can be computed with at once; libraries of optimizers ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Groups = dict[tuple[Any, Any], tuple[list[list[Any]], list[int]]]


def _group_tensors_by_device_and_dtype(
    tensorlistlist: Sequence[Sequence[Any]], with_indices: bool = False
) -> Groups:
    """Divides lists of equal length by device and dtype of the tensors in the first.

    Each group has the lists in the same order, and with ``with_indices`` the places of its members.
    """
    groups: Groups = {}
    for place, row in enumerate(zip(*tensorlistlist, strict=True)):
        key = (row[0].device, row[0].dtype)
        lists, places = groups.setdefault(key, ([[] for _ in row], []))
        for column, tensor in zip(lists, row, strict=True):
            column.append(tensor)
        if with_indices:
            places.append(place)
    return groups
