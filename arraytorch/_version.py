"""A version that compares by its numbers."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["TorchVersion"]


class TorchVersion(str):
    """A version that compares with strings, and with tuples of numbers, by what they mean.

    >>> from arraytorch._version import TorchVersion
    >>> TorchVersion("2.13.0") > "2.2", TorchVersion("2.13.0+here") >= (2, 13)
    (True, True)
    """

    __slots__ = ()

    def __lt__(self, other: Any) -> bool:
        return _numbers(self) < _numbers(other)

    def __le__(self, other: Any) -> bool:
        return _numbers(self) <= _numbers(other)

    def __gt__(self, other: Any) -> bool:
        return _numbers(self) > _numbers(other)

    def __ge__(self, other: Any) -> bool:
        return _numbers(self) >= _numbers(other)

    def __eq__(self, other: object) -> bool:
        return str.__eq__(self, other) if isinstance(other, str) else _numbers(self) == other

    __hash__ = str.__hash__


def _numbers(version: Any) -> tuple[int, ...]:
    """The numbers of a release, without the zeros at its end and without what follows it."""
    if not isinstance(version, (tuple, list)):
        version = re.match(r"[\d.]*", str(version))[0].strip(".").split(".")  # type: ignore[index]
    numbers = [int(part) for part in version if str(part).isdigit()]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
