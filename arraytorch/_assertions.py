"""Checks that programs write as calls, so that they can be traced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._tensor import Tensor
from .overrides import handle_torch_function, has_torch_function


def _assert(condition: Any, message: str) -> None:
    """Raises AssertionError unless a condition holds; tracing records the call."""
    if type(condition) is not Tensor and has_torch_function((condition,)):
        return handle_torch_function(_assert, (condition,), condition, message)  # type: ignore[no-any-return]
    assert condition, message
    return None


def _assert_async(input: Tensor, assert_msg: str | None = None) -> None:
    """Raises RuntimeError if a tensor of one element is zero.

    >>> torch._assert_async(torch.tensor(True))
    """
    if not bool(input):
        raise RuntimeError(
            "Expected Tensor with single nonzero value, but got zero"
            if assert_msg is None
            else assert_msg
        )


def _check(cond: Any, message: Callable[[], str] | None = None) -> None:
    """Raises RuntimeError, with the words that ``message()`` returns, unless a condition holds.

    >>> torch._check(1 < 2, lambda: "one is less")
    """
    if not isinstance(cond, bool):
        raise TypeError(f"cond must be a bool, but got {type(cond)}")
    if not cond:
        raise RuntimeError(
            "Expected cond to be True, but got False. (Could this error message be improved? If so, "
            "please report an enhancement request to PyTorch.)"
            if message is None
            else str(message())
        )
