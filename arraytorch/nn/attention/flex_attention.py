"""Attention whose scores a function changes, and whose mask is one."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from ... import ops
from ..._dtypes import float32, float64
from ..._tensor import Tensor
from ._block_mask import (
    _DEFAULT_SPARSE_BLOCK_SIZE as _DEFAULT_SPARSE_BLOCK_SIZE,
)
from ._block_mask import (
    BlockMask,
    and_masks,
    create_block_mask,
    dense,
    noop_mask,
    or_masks,
    sliced_mask,
)
from ._positions import all_positions, create_mask, over_positions

__all__ = [
    "AuxOutput",
    "AuxRequest",
    "BlockMask",
    "and_masks",
    "create_block_mask",
    "create_mask",
    "flex_attention",
    "noop_mask",
    "or_masks",
]


class AuxRequest(NamedTuple):
    """What `flex_attention` returns besides: the logarithms of the sums, the largest scores."""

    lse: bool = False
    max_scores: bool = False


class AuxOutput(NamedTuple):
    """What was asked for with `AuxRequest`, each of shape (batch, heads, queries)."""

    lse: Tensor | None = None
    max_scores: Tensor | None = None


def flex_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    score_mod: Callable[..., Tensor] | None = None,
    block_mask: BlockMask | None = None,
    scale: float | None = None,
    enable_gqa: bool = False,
    return_lse: bool = False,
    kernel_options: Any = None,
    *,
    return_aux: AuxRequest | None = None,
) -> Any:
    """Computes attention whose scores go through ``score_mod(score, batch, head, query, key)``.

    The functions get tensors that broadcast, and must treat each element by itself. ``block_mask``
    tells which keys each query sees. Gradients flow to query, key, value and to what ``score_mod``
    uses. ``kernel_options`` are for kernels that there are not, and change nothing.

    >>> from arraytorch.nn.attention.flex_attention import flex_attention
    >>> q = k = v = torch.eye(3)[None, None]
    >>> flex_attention(q, k, v, lambda score, b, h, i, j: torch.where(j <= i, score, -torch.inf))
    tensor([[[[1.0000, 0.0000, 0.0000],
              [0.3595, 0.6405, 0.0000],
              [0.2645, 0.2645, 0.4711]]]])
    """
    _check(query, key, value, enable_gqa, block_mask)
    if return_lse and return_aux is not None:
        raise ValueError(
            "Cannot specify both return_lse and return_aux. "
            "return_lse is deprecated, please use return_aux=AuxRequest(lse=True) instead."
        )
    if return_lse:
        warnings.warn(
            "return_lse is deprecated and will be removed in v2.10. "
            "Please use return_aux=AuxRequest(lse=True) instead.",
            FutureWarning,
            stacklevel=2,
        )
    scores = _scores(query, key, score_mod, block_mask, scale)
    lse = scores.logsumexp(-1)
    # A query that sees nothing gets zeros.
    weights = (scores - ops.where(lse == -math.inf, 0.0, lse).unsqueeze(-1)).exp()
    out = weights.to(query.dtype) @ _repeated(value, query).to(query.dtype)
    if return_aux is not None:
        largest = scores.amax(-1) if return_aux.max_scores else None
        return out, AuxOutput(lse if return_aux.lse else None, largest)
    return (out, lse) if return_lse else out


def _scores(
    query: Tensor,
    key: Tensor,
    score_mod: Callable[..., Tensor] | None,
    block_mask: BlockMask | None,
    scale: float | None,
) -> Tensor:
    """The scores before the softmax: minus infinity where a query does not see a key."""
    working = float64 if query.dtype is float64 else float32
    scale = 1.0 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = query.to(working) @ _repeated(key, query).to(working).transpose(-2, -1) * scale
    positions = all_positions(scores.shape, scores.device)
    if score_mod is not None:
        scores = over_positions(score_mod, positions, scores).to(working)
    if block_mask is None:
        return scores
    seen = over_positions(block_mask.mask_mod, positions) & _spread(
        block_mask, block_mask.kv_num_blocks, block_mask.kv_indices
    )
    if block_mask.full_kv_num_blocks is not None:
        seen = seen | _spread(block_mask, block_mask.full_kv_num_blocks, block_mask.full_kv_indices)
    return scores.masked_fill(~seen, -math.inf)


def _spread(mask: BlockMask, counts: Any, indices: Any) -> Tensor:
    """A table of blocks as one of elements."""
    table = dense(
        counts, indices, max(indices.shape[-1], -(-mask.seq_lengths[1] // mask.BLOCK_SIZE[1]))
    )
    rows = table.bool().repeat_interleave(mask.BLOCK_SIZE[0], -2)[..., : mask.seq_lengths[0], :]
    return rows.repeat_interleave(mask.BLOCK_SIZE[1], -1)[..., : mask.seq_lengths[1]]


def _repeated(t: Tensor, query: Tensor) -> Tensor:
    """Keys or values with as many heads as the queries have."""
    times = query.shape[1] // t.shape[1]
    return t if times == 1 else t.repeat_interleave(times, 1)


def _check(
    query: Tensor, key: Tensor, value: Tensor, gqa: bool, block_mask: BlockMask | None
) -> None:
    if not query.device == key.device == value.device:
        raise ValueError(
            "Expected query, key, and value to have the same device type, "
            f"but got query.device: {query.device}, key.device: {key.device}, "
            f"and value.device: {value.device} instead."
        )
    if query.dim() < 2 or key.dim() < 2 or value.dim() < 2:
        raise ValueError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            f"{query.dim()}, key.dim: {key.dim()} and value.dim: {value.dim()} instead."
        )
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(
            "Expect query and key/value to have the same embedding dimension "
            f"but got E={query.shape[-1]} and E={key.shape[-1]}."
        )
    if query.dim() != 4 or key.dim() != 4 or value.dim() != 4:
        raise NotImplementedError("NYI: query, key, and value must be 4D tensors")
    heads, kv_heads = query.shape[1], key.shape[1]
    if not gqa and heads != kv_heads:
        raise ValueError(
            "Expect query and key/value to have the same number of heads "
            f"but got Hq={heads} and Hkv={kv_heads}. Try setting enable_gqa=True for GQA."
        )
    if heads % kv_heads:
        raise ValueError(
            "Expect number of query heads to be a multiple of kv heads for GQA "
            f"but got Hq={heads} and Hkv={kv_heads}."
        )
    _check_mask(query, key, block_mask)


def _check_mask(query: Tensor, key: Tensor, block_mask: BlockMask | None) -> None:
    batch, of_keys = query.shape[0], key.shape[0]
    if block_mask is None:
        if batch != of_keys:
            raise ValueError(
                "Expect query and key/value to have the same batch size, or non-none block_mask, "
                f"but got block_mask=None, Bq={batch}, and Bkv={of_keys}."
            )
        return
    if batch != of_keys and block_mask.kv_num_blocks.shape[0] != batch:
        raise ValueError(
            "Expect query and key/value to have the same batch size, "
            "or block_mask and query to have the same batch size, but got "
            f"Bq={batch}, Bkv={of_keys}, B_block_mask={block_mask.kv_num_blocks.shape[0]}."
        )
    if block_mask.mask_mod is sliced_mask:
        raise RuntimeError("Cannot use mask_mod from a sliced BlockMask")
    lengths = (query.shape[-2], key.shape[-2])
    was = f"block_mask was created for block_mask.shape={block_mask.shape} but got q_len={lengths[0]} and kv_len={lengths[1]}. "
    if lengths[0] > block_mask.shape[-2] or lengths[1] > block_mask.shape[-1]:
        raise ValueError(
            was + "As the block mask was created for a smaller length than you're using it for, "
            "you likely need to create a new block mask."
        )
    if lengths != block_mask.shape[-2:]:
        raise ValueError(
            was + "As the block mask was created for a larger length than you're using it for, you "
            "can either 1. create a new block mask with the correct length, or 2. 'adjust' the "
            "existing block mask to the correct length by calling block_mask._adjust(q_len, kv_len)."
            " This essentially 'crops' the block mask to the upper left corner, which does not "
            "work for all mask_mods!"
        )
    if query.device != block_mask.kv_num_blocks.device:
        raise RuntimeError(
            "Expect q/k/v and block_mask to be on the same device "
            f"but got {query.device} and {block_mask.kv_num_blocks.device}."
        )
