"""The sample table: distances, margin losses, resampling, attention and others of nn.functional."""

from __future__ import annotations

import numpy as np
from sample import REAL, case, on, sample
from scipy import special
from scipy.spatial.distance import pdist

import arraytorch as torch
from arraytorch.nn import functional as F


def _cosine(x, y, dim=1):
    return (x * y).sum(dim) / np.linalg.norm(x, axis=dim) / np.linalg.norm(y, axis=dim)


def _triplet(a, p, n):
    far, near = (np.linalg.norm(a - x + 1e-6, axis=1) for x in (n, p))
    return np.maximum(near - far + 1, 0).mean()


def _multi_margin(x, target):
    right = np.take_along_axis(x, target[:, None], 1)
    return ((np.maximum(1 - right + x, 0).sum(1) - 1) / x.shape[1]).mean()


def _multi_label(x, target):
    losses = []
    for row, named in zip(x, target, strict=True):
        right = list(named[: list(named).index(-1)])
        wrong = [c for c in range(len(row)) if c not in right]
        losses.append(sum(max(0, 1 - row[r] + row[w]) for r in right for w in wrong) / len(row))
    return np.mean(losses)


def _response(x, size):
    wide = np.pad(x**2, ((0, 0), (size // 2, (size - 1) // 2), (0, 0)))
    means = np.stack([wide[:, c : c + size].mean(1) for c in range(x.shape[1])], 1)
    return x / (1 + 1e-4 * means) ** 0.75


def _attention(q, k, v, mask=0.0):
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1])
    scores = np.where(mask, scores, -np.inf) if np.asarray(mask).dtype == bool else scores + mask
    return special.softmax(scores, -1) @ v


def _halfway(x, **_):
    """Twice the length, by the weights 1/4 and 3/4, the ends repeated."""
    wide = np.concatenate([x[..., :1], x, x[..., -1:]], -1)
    both = [
        wide[..., :-2] / 4 + wide[..., 1:-1] * 3 / 4,
        wide[..., 1:-1] * 3 / 4 + wide[..., 2:] / 4,
    ]
    return np.stack(both, -1).reshape(*x.shape[:-1], -1)


def _bags(words, table, weights):
    return (table[words] * weights[..., None]).sum(1)


def _bag(mode, **kwargs):
    words, starts = np.array([0, 2, 1, 2, 0]), np.array([0, 2, 2])
    return lambda w: F.embedding_bag(on(w, words), w, on(w, starts), mode=mode, **kwargs)


def _ctc(x, **kwargs):
    log_probs = F.log_softmax(x, -1)
    return F.ctc_loss(
        log_probs, torch.tensor([[1, 1], [2, 1]], device=x.device), [4, 3], [2, 1], **kwargs
    )


def _fractional(n):
    op = F.fractional_max_pool2d if n == 2 else F.fractional_max_pool3d
    samples = lambda x: torch.full((1, 2, n), 0.3).to(x)
    return lambda x: op(x, 2, output_size=2, _random_samples=samples(x))


def _heads(q, k, v, *weights):
    w, b, out, bias = weights
    return F.multi_head_attention_forward(
        q, k, v, 4, 2, w, b, None, None, True, 0.0, out, bias, average_attn_weights=False
    )


def _one_head(x, width, heads, weight, *_):
    """Without batch or output projection."""
    q, k, v = (x @ w.T for w in np.split(weight, 3))
    shares = special.softmax(q @ k.T / np.sqrt(width), -1)
    return shares @ v, shares


CLASSES, NAMED = np.array([2, 0]), np.array([[2, 0, -1, 0], [1, -1, 0, 0]])
SIGNS, WORDS = np.array([1, -1]), np.array([[1, 0], [2, 1]])
MASK = np.array([[True, False, True, True], [False, True, False, True], [True, True, True, True]])

SAMPLES = [
    # distances
    sample("F.cosine_similarity", _cosine, ((2, 3), (2, 3)), case((2, 3, 2), (2, 3, 2), dim=2)),
    sample("F.pairwise_distance", lambda x, y: np.linalg.norm(x - y + 1e-6, axis=-1), ((2, 3), (2, 3)), ((3,), (2, 3))),
    sample("F.pairwise_distance", lambda x, y, p, keepdim: np.abs(x - y + 1e-6).sum(-1, keepdims=True),
           case((2, 3), (2, 3), p=1, keepdim=True)),
    sample("pdist", lambda x: pdist(x), ((4, 3),)),
    sample("F.pdist", lambda x, p: pdist(x, "minkowski", p=p), case((4, 3), p=1), case((4, 3), p=3.5)),
    sample("pdist", lambda x, p: pdist(x, "chebyshev"), case((4, 3), p=float("inf"))),
    # losses
    sample("F.cosine_embedding_loss", None, case((2, 3), (2, 3), SIGNS)),
    sample("F.triplet_margin_loss", _triplet, ((2, 3), (2, 3), (2, 3))),
    sample("F.triplet_margin_loss", None, case((2, 3), (2, 3), (2, 3), swap=True, p=3, margin=4.0)),
    sample("F.triplet_margin_with_distance_loss", _triplet, ((2, 3), (2, 3), (2, 3))),
    sample("F.multi_margin_loss", _multi_margin, case((2, 4), CLASSES)),
    sample("F.multi_margin_loss", None, case((2, 4), CLASSES, p=2, margin=0.7)),
    sample("F.multilabel_margin_loss", _multi_label, case((2, 4), NAMED)),
    sample("F.multilabel_soft_margin_loss", lambda x, y: -(y * special.log_expit(x) + (1 - y) * special.log_expit(-x)).mean(),
           ((2, 4), (2, 4)), low=0.1, high=0.9),
    sample("F.ctc_loss", None, case((4, 2, 3)), case((4, 2, 3), reduction="none"), op=_ctc),
    sample("F.linear_cross_entropy", lambda x, w: -np.take_along_axis(special.log_softmax(x @ w.T, 1), CLASSES[:, None], 1).mean(),
           case((2, 3), (4, 3)), op=lambda x, w: F.linear_cross_entropy(x, w, on(x, CLASSES))),
    sample("F.grouped_mm", lambda x, y: np.concatenate([x[:1] @ y[0], x[1:] @ y[1]]), case((3, 2), (2, 2, 4)), dtypes=("float16", "bfloat16", "float32"),
           op=lambda x, y: F.grouped_mm(x, y, offs=torch.tensor([1, 3], dtype=torch.int32))),
    # moving elements
    sample("pixel_shuffle", lambda x, r: x.reshape(2, 1, 2, 2, 2, 3).transpose(0, 1, 4, 2, 5, 3).reshape(2, 1, 4, 6),
           case((2, 4, 2, 3), args=(2,)), dtypes=REAL),
    sample("pixel_unshuffle", lambda x, r: x.reshape(1, 2, 2, 3, 2).transpose(0, 2, 4, 1, 3).reshape(4, 2, 3),
           case((1, 4, 6), args=(2,)), dtypes=REAL),
    sample("channel_shuffle", lambda x, g: x[:, [0, 2, 1, 3]], case((2, 4, 3), args=(2,)), dtypes=REAL),
    sample("native_channel_shuffle", lambda x, g: x[:, [0, 2, 1, 3]], case((2, 4, 3), args=(2,)), dtypes=REAL),
    sample("F.local_response_norm", _response, case((2, 4, 3), args=(3,))),
    sample("F.local_response_norm", None, case((1, 3, 2, 2), args=(2,), alpha=0.5, k=0.8)),
    sample("F.conv_tbc", lambda x, w, b: x[:-1] @ w[0] + x[1:] @ w[1] + b, ((4, 2, 3), (2, 3, 2), (2,))),
    # resampling
    sample("F.interpolate", lambda x, **_: x.repeat(2, -1), case((1, 2, 3), scale_factor=2), dtypes=REAL),
    sample("F.interpolate", _halfway, case((1, 2, 3), scale_factor=2, mode="linear"), dtypes=REAL),
    sample("F.interpolate", None, case((1, 1, 4, 3), size=(3, 5), mode="bilinear", align_corners=True),
           case((1, 1, 4, 3), size=(3, 5), mode="bicubic"), case((1, 1, 5, 3), size=(3, 2), mode="bilinear", antialias=True),
           case((1, 1, 5, 3), size=(3, 2), mode="bicubic", antialias=True), case((1, 1, 2, 3, 2), size=3, mode="trilinear"),
           case((1, 1, 5, 3), size=(7, 2), mode="nearest-exact"), case((1, 1, 5, 3), size=(3, 2), mode="area")),
    sample("F.affine_grid", lambda t, *_, **__: np.stack([t[0] @ [-1, -1, 1], t[0] @ [1, -1, 1], t[0] @ [-1, 1, 1], t[0] @ [1, 1, 1]])
           .reshape(1, 2, 2, 2), case((1, 2, 3), args=((1, 1, 2, 2),), align_corners=True)),
    sample("F.affine_grid", None, case((1, 3, 4), args=((1, 1, 2, 3, 1),), align_corners=False)),
    *[sample("F.grid_sample", None, case((1, 2, 3, 4), (1, 2, 3, 2), mode=mode, padding_mode=padding, align_corners=corners), low=-1.3, high=1.3)
      for mode, padding, corners in (("bilinear", "zeros", False), ("bilinear", "border", True), ("bilinear", "reflection", False),
                                     ("bicubic", "zeros", True), ("bicubic", "reflection", False), ("nearest", "border", True))],
    sample("F.grid_sample", None, case((1, 1, 2, 3, 2), (1, 1, 2, 2, 3), align_corners=False), low=-0.9, high=0.9),
    sample("F.fractional_max_pool2d", None, case((1, 2, 5, 4)), distinct=True, op=_fractional(2)),
    sample("F.fractional_max_pool3d", None, case((1, 2, 4, 3, 4)), distinct=True, op=_fractional(3)),
    # tables and attention
    sample("F.embedding_bag", lambda w, s: _bags(WORDS, w, s), case((3, 2), (2, 2)),
           op=lambda w, s: F.embedding_bag(on(w, WORDS), w, mode="sum", per_sample_weights=s)),
    sample("F.embedding_bag", lambda w: np.stack([w[[0, 2]].mean(0), 0 * w[0], w[[1, 2, 0]].mean(0)]), case((3, 2)), op=_bag("mean")),
    sample("F.embedding_bag", lambda w: np.stack([w[[0, 2]].max(0), 0 * w[0], w[[1, 2, 0]].max(0)]), case((3, 2)), distinct=True, op=_bag("max")),
    sample("F.embedding_bag", None, case((3, 2)), op=_bag("mean", padding_idx=0, scale_grad_by_freq=False)),
    sample("F.scaled_dot_product_attention", _attention, ((2, 3, 4), (2, 5, 4), (2, 5, 2)), ((2, 3, 4), (2, 4, 4), (2, 4, 2), (3, 4)),
           case((2, 3, 4), (4, 4), (4, 2), MASK), dtypes=REAL),
    sample("F.scaled_dot_product_attention", None, case((3, 2), (4, 2), (4, 3), is_causal=True, scale=0.3),
           case((4, 2, 2), (2, 3, 2), (2, 3, 2), enable_gqa=True)),
    sample("F.multi_head_attention_forward", None, case((2, 1, 4), (3, 1, 4), (3, 1, 4), (12, 4), (12,), (4, 4), (4,)), op=_heads),
    sample("F.multi_head_attention_forward", lambda x, w: _one_head(x, 4, 1, w), case((3, 4), (12, 4)),
           op=lambda x, w: F.multi_head_attention_forward(x, x, x, 4, 1, w, None, None, None, False, 0.0, torch.eye(4).to(x), None)),
]  # fmt: skip
