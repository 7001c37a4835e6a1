"""Functions of batch, head, query and key, called for all of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ... import ops
from ..._device import get_default_device
from ..._tensor import Tensor


def over_positions(
    fn: Callable[..., Tensor], positions: list[Tensor], score: Tensor | None = None
) -> Tensor:
    """Calls a function of (score and) four positions for all of them.

    They broadcast. A function that reads ``table[head][distance]`` needs its first positions one by
    one: it shows in an error, or in dimensions too many.
    """
    free = sum(p.dim() > 0 for p in positions)
    grid, at = [], 0
    for p in positions:
        if p.dim():
            p = p.view([-1 if axis == at else 1 for axis in range(free)])
            at += 1
        grid.append(p)
    try:
        result = fn(*([] if score is None else [score]), *grid)
        if result.dim() <= free:
            return result.expand([len(p) for p in positions if p.dim()])
    except (IndexError, RuntimeError):
        if not free:
            raise
    if not free:
        raise ValueError(
            f"a mask_mod or score_mod must return one element, got shape {tuple(result.shape)}"
        )
    first = next(axis for axis, p in enumerate(positions) if p.dim())
    return ops.stack([
        over_positions(fn, [*positions[:first], p, *positions[first + 1 :]], None if score is None else score[i])
        for i, p in enumerate(positions[first].unbind())
    ])  # fmt: skip


def all_positions(sizes: Any, device: Any) -> list[Tensor]:
    """Returns the batches, heads, queries and keys, counted."""
    return [ops.arange(size, device=device) for size in sizes]


def takes_score(mod_fn: Callable[..., Any]) -> bool:
    """Returns whether a function is a ``score_mod``, with five arguments, or a ``mask_mod``."""
    parameters = inspect.signature(mod_fn).parameters.values()
    count = sum(p.default is p.empty for p in parameters)
    if count not in (4, 5):
        raise AssertionError(f"Expected 4 or 5 positional args, got {count}")
    return count == 5


def create_mask(
    mod_fn: Callable[..., Tensor],
    B: int | None,
    H: int | None,
    Q_LEN: int,
    KV_LEN: int,
    device: Any = None,
) -> Tensor:
    """Returns the mask in full, (B, H, Q_LEN, KV_LEN): of bools.

    A ``score_mod`` masks where it gives minus infinity for a score of 0.

    >>> from arraytorch.nn.attention.flex_attention import create_mask
    >>> create_mask(lambda b, h, q, k: q >= k, None, None, 2, 3, device="cpu")
    tensor([[[[ True, False, False],
              [ True,  True, False]]]])
    """
    device = get_default_device() if device is None else device
    sizes = (1 if B is None else B, 1 if H is None else H, Q_LEN, KV_LEN)
    positions = all_positions(sizes, device)
    if takes_score(mod_fn):
        return ~over_positions(mod_fn, positions, ops.zeros(sizes, device=device)).isneginf()
    return over_positions(mod_fn, positions).contiguous()
