"""Control flow as a function: the branch that a tensor chooses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._tensor import Tensor


def cond(
    pred: bool | int | float | Tensor,
    true_fn: Callable[..., Any],
    false_fn: Callable[..., Any],
    operands: tuple[Any, ...] | list[Any] = (),
) -> Any:
    """Returns ``true_fn(*operands)`` or ``false_fn(*operands)``, as ``pred`` says.

    ``pred`` is a number or a tensor of one element. Only the branch that is taken runs, and no
    tracing checks that both would return the same shapes.

    >>> torch.cond(torch.tensor(True), lambda x: x + 1, lambda x: x - 1, (torch.ones(2),))
    tensor([2., 2.])
    """
    if isinstance(pred, Tensor):
        if pred.numel() != 1:
            raise RuntimeError(
                f"Expected pred to be bool or single-element tensor, but got {pred}."
            )
    elif not isinstance(pred, (bool, int, float)):
        raise RuntimeError(f"Expected pred to be bool or tensor, but got {pred}.")
    if not callable(true_fn) or not callable(false_fn):
        raise RuntimeError("Expect both branches to be callable.")
    if not isinstance(operands, (tuple, list)):
        raise RuntimeError(f"Expect operands to be a tuple or a list, but got {operands}.")
    return (true_fn if pred else false_fn)(*operands)
