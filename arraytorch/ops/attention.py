"""Scaled dot-product attention (Vaswani et al. 2017)."""

from __future__ import annotations

from typing import Any

from .._dtypes import scalar_type_name
from ..autograd.modes import grad_enabled
from ..autograd.tape import TensorBase, taped, wrap
from ..backends import backend_of, dtype_of
from ._declare import derivative, kernel_op
from ._promote import common_device
from .creation import empty
from .inplace import div_
from .products import matmul
from .reduction import sum
from .sampling import bernoulli_, unset
from .selection import where
from .shape import reshape, transpose
from .softmaxes import softmax

Tensor = Any


def _pull_back(
    B: Any,
    g: Any,
    needs: Any,
    query: Any,
    key: Any,
    value: Any,
    mask: Any,
    causal: bool,
    scale: float,
    dropped: Any,
    p: Any,
    out: Any,
) -> Any:
    return B.attention_backward(
        g, query, key, value, mask, causal, scale, dropped, p, out, (*needs, False)[:4]
    )


@derivative(
    saves=("query", "key", "value", "mask", "causal", "scale", "dropped", "p", "out"),
    joint=_pull_back,
    inputs=("query", "key", "value", "mask"),
    name="ScaledDotProductFlashAttentionForCpuBackward0",
)
def _attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Any, causal: bool, scale: float, dropped: Any
) -> Tensor:
    q, k, v = query._data, key._data, value._data
    m = None if mask is None else mask._data
    inputs = (query, key, value, mask)
    saving = grad_enabled.get() and any(t is not None and t._node is not None for t in inputs)
    out, p = backend_of(q).attention(q, k, v, m, causal, scale, dropped, saving)
    saved = (query, key, value, mask, causal, scale, dropped, p, out)
    return taped(_attention, out, inputs, saved)


@kernel_op
def attention_backward(
    g: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Any,
    causal: bool,
    scale: float,
    dropped: Any,
    p: Any,
    out: Any,
    needs: Any,
) -> tuple[Any, Any, Any, Any]:
    """Returns the gradients of attention, by ops that are differentiable in turn."""
    p = _weights(query, key, mask, causal, scale)
    drop = None if dropped is None else wrap(dropped)
    slope = matmul(g, transpose(value, -1, -2))
    if drop is not None:
        slope = slope * drop
    slope = p * (slope - sum(slope * p, -1, True))
    return (
        matmul(slope, key) * scale,
        matmul(transpose(slope, -1, -2), query) * scale,
        matmul(transpose(p if drop is None else p * drop, -1, -2), g),
        slope if needs[3] else None,
    )


def _weights(query: Tensor, key: Tensor, mask: Any, causal: bool, scale: float) -> Tensor:
    """The softmax of the scores, as a composition of ops."""
    scores = matmul(query * scale, transpose(key, -1, -2))
    x = scores._data
    B = backend_of(x)
    there = B.device_of(x).index
    hidden = B.full((1, 1), False, (x == x).dtype, there)
    if causal:
        integers = B.argmax(x, -1, True).dtype
        rows = B.arange(0, x.shape[-2], 1, integers, there)[:, None]
        hidden = B.arange(0, x.shape[-1], 1, integers, there) > rows
    if mask is not None and mask._data.dtype.kind == "b":
        hidden = hidden | ~mask._data
    elif mask is not None:
        scores = scores + mask
    hidden = hidden | (scores._data == -float("inf"))
    least = where(wrap(hidden), -float("inf"), scores)
    # Rows without anything to look at give zeros, of which the softmax would make NaN.
    nowhere = wrap(B.all(least._data == -float("inf"), (x.ndim - 1,), True))
    return where(nowhere, 0.0, softmax(where(nowhere, 0.0, least), -1))


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Returns softmax(query @ key^T * scale) @ value: (*, L, E), (*, S, E), (*, S, V) to (*, L, V).

    ``attn_mask`` broadcasts to (*, L, S): False hides, numbers are added to the scores.
    ``is_causal`` hides from row i what comes after i. Rows from which all is hidden give zeros.
    ``scale`` is 1 / sqrt(E) unless given. ``dropout_p`` drops weights, always. With ``enable_gqa``
    each head of key and value, in dimension -3, serves several heads of query (Ainslie et al. 2023).
    Raises RuntimeError for dtypes or shapes that do not fit.

    >>> x = torch.tensor([[1., 0.], [0., 1.]])
    >>> torch.nn.functional.scaled_dot_product_attention(x, x, x, is_causal=True, scale=0.0)
    tensor([[1.0000, 0.0000],
            [0.5000, 0.5000]])
    """
    _check(query, key, value, attn_mask)
    q = query._data
    factor = max(q.shape[-1], 1) ** -0.5 if scale is None else float(scale)
    if enable_gqa and q.ndim > 2:
        heads, own = q.shape[-3], key._data.shape[-3]
        if own != heads or value._data.shape[-3] != heads:
            result = _grouped(query, key, value, attn_mask, dropout_p, is_causal, factor)
            return reshape(result, (*result._data.shape[:-4], heads, *result._data.shape[-2:]))
    return _attended(query, key, value, attn_mask, dropout_p, is_causal, factor)


def _attended(
    query: Tensor, key: Tensor, value: Tensor, mask: Any, p: float, causal: bool, scale: float
) -> Tensor:
    dropped = None if p == 0 else _dropped(query, key, mask, p)
    return _attention(query, key, value, mask, bool(causal), float(scale), dropped)


def _grouped(
    query: Tensor, key: Tensor, value: Tensor, mask: Any, p: float, causal: bool, scale: Any
) -> Tensor:
    """The heads of query in groups, each of which broadcasts its head of key and value."""
    q, k, v = query._data.shape, key._data.shape, value._data.shape
    if k[-3] != v[-3] or q[-3] % k[-3]:
        raise RuntimeError(
            "Number of heads in key and value must divide the number of heads in query, but got "
            f"{k[-3]}, {v[-3]} and {q[-3]}"
        )
    groups = k[-3], q[-3] // k[-3]
    query = reshape(query, (*q[:-3], *groups, *q[-2:]))
    key, value = key.unsqueeze(-3), value.unsqueeze(-3)
    if mask is not None and mask._data.ndim > 2:
        m = mask._data.shape
        apart = groups if m[-3] == q[-3] else (1, 1)
        mask = reshape(mask, (*m[:-3], *apart, *m[-2:]))
    return _attended(query, key, value, mask, p, causal, scale)


def _dropped(query: Tensor, key: Tensor, mask: Any, p: float) -> Any:
    """What the softmax is multiplied by: 0 with probability p, else 1 / (1 - p)."""
    if not 0 <= p <= 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p}")
    product = matmul(query.detach()[..., :1], transpose(key.detach()[..., :1], -1, -2))
    if mask is not None:
        product = product + mask.detach()
    noise = empty(product._data.shape, dtype=query.dtype, device=query.device)
    if p == 1:
        return backend_of(noise._data).zeros_like(noise._data)
    return div_(bernoulli_(unset(noise), 1 - p), 1 - p)._data


def _check(query: Any, key: Any, value: Any, mask: Any) -> None:
    given = (("query", query), ("key", key), ("value", value))
    for position, (label, t) in enumerate(given, 1):
        if not isinstance(t, TensorBase):
            raise TypeError(
                f"scaled_dot_product_attention(): argument '{label}' (position {position}) must be "
                f"Tensor, not {type(t).__name__}"
            )
    q, k, v = (t._data for _, t in given)
    names = [scalar_type_name(dtype_of(x)).lower() for x in (q, k, v)]
    if not q.dtype is k.dtype is v.dtype:
        raise RuntimeError(
            "Expected query, key, and value to have the same dtype, but got query.dtype: "
            f"{names[0]} key.dtype: {names[1]} and value.dtype: {names[2]} instead."
        )
    common_device("scaled_dot_product_attention", [query, key, value])
    if min(q.ndim, k.ndim, v.ndim) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            f"{q.ndim} key.dim: {k.ndim} and value.dim: {v.ndim} instead."
        )
    if q.dtype.kind in "biu":
        raise RuntimeError(f"expected scalar type Float but found {scalar_type_name(dtype_of(q))}")
    if q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2]:
        raise RuntimeError(
            "scaled_dot_product_attention(): query, key and value of shapes "
            f"{list(q.shape)}, {list(k.shape)} and {list(v.shape)} do not fit: expected (*, L, E), "
            "(*, S, E) and (*, S, V)"
        )
    if mask is not None and mask._data.dtype.kind != "b" and mask._data.dtype is not q.dtype:
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got "
            f"attn_mask.dtype: {scalar_type_name(dtype_of(mask._data)).lower()} and  query.dtype: "
            f"{names[0]} instead."
        )
