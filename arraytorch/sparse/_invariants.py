"""Whether what is said of new sparse tensors is checked."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from ..ops.sparse import checks

F = TypeVar("F", bound=Callable[..., Any])


class check_sparse_tensor_invariants:
    """Has new sparse tensors checked, or not, in a ``with`` block or a decorated function.

    That indices are within the size is checked in any case, unless a call says
    ``check_invariants=False``; this adds what ``is_coalesced=True`` claims.

    >>> with torch.sparse.check_sparse_tensor_invariants():
    ...     torch.sparse.check_sparse_tensor_invariants.is_enabled()
    True
    >>> torch.sparse.check_sparse_tensor_invariants.is_enabled()
    False
    """

    def __init__(self, enable: bool = True) -> None:
        self._enable = enable
        self._before: bool | None = None

    @staticmethod
    def is_enabled() -> bool:
        """Returns whether they are checked."""
        return checks[0]

    @staticmethod
    def enable() -> None:
        """Has them checked from now on."""
        checks[0] = True

    @staticmethod
    def disable() -> None:
        """Has them no longer checked."""
        checks[0] = False

    def __enter__(self) -> None:
        if self._before is not None:
            raise RuntimeError(
                "This context manager instance is already activated. Use a different context "
                "manager instance for context nesting."
            )
        self._before, checks[0] = checks[0], self._enable

    def __exit__(self, *_: object) -> None:
        assert self._before is not None
        checks[0], self._before = self._before, None

    def __call__(self, function: F) -> F:
        @functools.wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            with type(self)(self._enable):
                return function(*args, **kwargs)

        return checked  # type: ignore[return-value]
