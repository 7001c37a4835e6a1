"""Attention with several heads: projections, attention of each head, a projection."""

from __future__ import annotations

from typing import Any

from ._results import check_tensor
from .attention import scaled_dot_product_attention
from .creation import zeros_like
from .dropout import dropout
from .indexing import chunk
from .joining import cat
from .linear import linear
from .padding import pad
from .products import matmul
from .reduction import mean
from .selection import masked_fill
from .shape import expand, reshape, squeeze, transpose, unsqueeze
from .softmaxes import softmax

Tensor = Any


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Returns the attention of several heads (Vaswani et al. 2017), and the weights if wanted.

    ``query`` is (L, N, E), ``key`` and ``value`` (S, N, E); one sample may come without N. The
    projections are the thirds of ``in_proj_weight``, or one for each. True in ``attn_mask`` (L, S)
    or (N * heads, L, S) and in ``key_padding_mask`` (N, S) hides; numbers are added to the scores.
    ``bias_k`` and ``bias_v`` go behind key and value, and zeros after them if ``add_zero_attn``.
    ``static_k`` and ``static_v`` stand for projected ones. Weights are (N, L, S), the mean over
    heads, or (N, heads, L, S). ``is_causal`` is a hint that needs the mask it speaks of. Raises
    AssertionError or RuntimeError for shapes that do not fit.

    >>> F, x, one = torch.nn.functional, torch.tensor([[1.0], [3.0]]), torch.ones(1, 1)
    >>> out, weights = F.multi_head_attention_forward(
    ...     x, x, x, 1, 1, torch.tensor([[0.0], [0.0], [1.0]]), None, None, None, False, 0.0, one, None
    ... )
    >>> out
    tensor([[2.],
            [2.]])
    """
    name = "multi_head_attention_forward"
    check_tensor(name, query, key, value, names=("query", "key", "value"))
    batched = _check_dims(query, key, value, key_padding_mask, attn_mask, num_heads)
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module "
            "method `generate_square_subsequent_mask` to create this mask."
        )
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None
    else:
        is_causal = False
    hides = _added("key_padding_mask", key_padding_mask, query)
    bias = _added("attn_mask", attn_mask, query)
    if not batched:
        query, key, value = (unsqueeze(t, 1) for t in (query, key, value))
        hides = None if hides is None else unsqueeze(hides, 0)
    steps, count, width = query._data.shape
    _check_sizes(query, key, value, embed_dim_to_check, num_heads, use_separate_proj_weight)
    if use_separate_proj_weight:
        weights = (q_proj_weight, k_proj_weight, v_proj_weight)
        for letter, w in zip("qkv", weights, strict=True):
            if w is None:
                raise AssertionError(
                    f"use_separate_proj_weight is True but {letter}_proj_weight is None"
                )
    else:
        if in_proj_weight is None:
            raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
        weights = chunk(in_proj_weight, 3)
    biases = (None,) * 3 if in_proj_bias is None else chunk(in_proj_bias, 3)
    q, k, v = (
        linear(t, w, b) for t, w, b in zip((query, key, value), weights, biases, strict=True)
    )
    bias = _checked_bias(bias, steps, key._data.shape[0], count * num_heads)
    extra = 0
    if bias_k is not None or bias_v is not None:
        if bias_k is None or bias_v is None or static_k is not None or static_v is not None:
            raise AssertionError("bias_k and bias_v go together, and not with static_k or static_v")
        k = cat([k, expand(bias_k, (1, count, width))], 0)
        v = cat([v, expand(bias_v, (1, count, width))], 0)
        extra += 1
    heads = [
        _heads(t, num_heads) if static is None else _static(n, static, count, num_heads, width)
        for n, t, static in (("q", q, None), ("k", k, static_k), ("v", v, static_v))
    ]
    if add_zero_attn:
        heads[1:] = [pad(t, (0, 0, 0, 1)) for t in heads[1:]]
        extra += 1
    seen = heads[1]._data.shape[1]
    bias = _merged(bias, hides, extra, count, num_heads, seen)
    p = dropout_p if training else 0.0
    shape = count, num_heads
    q, k, v = (reshape(t, (*shape, *t._data.shape[1:])) for t in heads)
    if need_weights:
        scores = matmul(q * q._data.shape[-1] ** -0.5, transpose(k, -1, -2))
        shares = softmax(scores if bias is None else scores + bias, -1)
        if p > 0:
            shares = dropout(shares, p)
        out = matmul(shares, v)
    else:
        shares = None
        out = scaled_dot_product_attention(q, k, v, bias, p, is_causal)
    # (N, heads, L, E / heads) to (L, N, E)
    out = reshape(out.permute(2, 0, 1, 3), (steps * count, width))
    out = reshape(linear(out, out_proj_weight, out_proj_bias), (steps, count, -1))
    if shares is not None and average_attn_weights:
        shares = mean(shares, 1)
    if not batched:
        out, shares = squeeze(out, 1), None if shares is None else squeeze(shares, 0)
    return out, shares


def _check_dims(q: Tensor, k: Tensor, v: Tensor, hides: Any, bias: Any, num_heads: int) -> bool:
    """Whether there is a dimension of samples."""
    dims = q.dim(), k.dim(), v.dim()
    if dims[0] not in (2, 3):
        raise AssertionError(
            "query should be unbatched 2D or batched 3D tensor but received "
            f"{dims[0]}-D query tensor"
        )
    batched = dims[0] == 3
    what = f"{'batched' if batched else 'unbatched'} ({dims[0]}-D)"
    if dims[1:] != (dims[0], dims[0]):
        raise AssertionError(
            f"For {what} `query`, expected `key` and `value` to be {dims[0]}-D but found "
            f"{dims[1]}-D and {dims[2]}-D tensors respectively"
        )
    if hides is not None and hides.dim() != dims[0] - 1:
        raise AssertionError(
            f"For {what} `query`, expected `key_padding_mask` to be `None` or {dims[0] - 1}-D but "
            f"found {hides.dim()}-D tensor instead"
        )
    if bias is not None and bias.dim() not in (2, 3):
        raise AssertionError(
            f"For {what} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found "
            f"{bias.dim()}-D tensor instead"
        )
    if not batched and bias is not None and bias.dim() == 3:
        expected = (num_heads, q._data.shape[0], k._data.shape[0])
        if bias._data.shape != expected:
            raise AssertionError(
                f"Expected `attn_mask` shape to be {expected} but got {tuple(bias._data.shape)}"
            )
    return batched


def _check_sizes(q: Tensor, k: Tensor, v: Tensor, width: int, heads: int, separate: bool) -> None:
    own = q._data.shape[-1]
    if own != width:
        raise AssertionError(f"was expecting embedding dimension of {width}, but got {own}")
    if own % heads:
        raise AssertionError(f"embed_dim {own} not divisible by num_heads {heads}")
    if separate:
        if k._data.shape[:2] != v._data.shape[:2]:
            raise AssertionError(
                f"key's sequence and batch dims {tuple(k._data.shape[:2])} do not match value's "
                f"{tuple(v._data.shape[:2])}"
            )
    elif k._data.shape != v._data.shape:
        raise AssertionError(f"key shape {k.shape} does not match value shape {v.shape}")


def _added(name: str, mask: Any, query: Tensor) -> Any:
    """What to add to the scores: -inf where a mask of bools is True."""
    if mask is None:
        return None
    if mask.is_floating_point():
        return mask
    if mask._data.dtype.kind != "b":
        raise AssertionError(f"only bool and floating types of {name} are supported")
    hidden = zeros_like(mask, dtype=query.dtype)
    return masked_fill(hidden, mask, -float("inf"))


def _checked_bias(bias: Any, steps: int, seen: int, samples: int) -> Any:
    if bias is None:
        return None
    n = bias.dim()
    expected = (steps, seen) if n == 2 else (samples, steps, seen)
    if bias._data.shape != expected:
        raise RuntimeError(
            f"The shape of the {n}D attn_mask is {bias.shape}, but should be {expected}."
        )
    return bias


def _heads(t: Tensor, num_heads: int) -> Tensor:
    """(S, N, E) as (N * heads, S, E / heads)."""
    steps, count, width = t._data.shape
    return transpose(reshape(t, (steps, count * num_heads, width // num_heads)), 0, 1)


def _static(letter: str, given: Tensor, count: int, num_heads: int, width: int) -> Tensor:
    samples, size = count * num_heads, width // num_heads
    for dim, expected in ((0, samples), (2, size)):
        if (found := given._data.shape[dim]) != expected:
            raise AssertionError(
                f"expecting static_{letter}.size({dim}) of {expected}, but got {found}"
            )
    return given


def _merged(bias: Any, hides: Any, extra: int, count: int, num_heads: int, seen: int) -> Any:
    """Both masks as one to add to scores (N, heads, L, S); nothing hides what was put behind."""
    if bias is not None:
        bias = pad(bias, (0, extra)) if extra else bias
        if bias.dim() == 3:
            bias = reshape(bias, (count, num_heads, *bias._data.shape[1:]))
    if hides is None:
        return bias
    hides = pad(hides, (0, extra)) if extra else hides
    if hides._data.shape[0] != count:
        raise AssertionError(
            f"Expected key_padded_mask.shape[0] to be {count}, but got {hides._data.shape[0]}"
        )
    if hides._data.shape[1] != seen:
        raise AssertionError(
            f"Expected key_padded_mask.shape[1] to be {seen}, but got {hides._data.shape[1]}"
        )
    hides = reshape(hides, (count, 1, 1, seen))
    return hides if bias is None else bias + hides
