"""The sample table: resampling, shuffles, distances and the losses on them."""

from __future__ import annotations

import numpy as np
from sample import case, on, sample

import arraytorch as torch
from arraytorch.nn import functional as F


def _distance(x, y, eps=1e-6):
    return np.linalg.norm(x - y + eps, axis=-1)


def _cosine(x, y, dim=1):
    return (x * y).sum(dim) / np.linalg.norm(x, axis=dim) / np.linalg.norm(y, axis=dim)


def _multi_margin(x):
    return F.multi_margin_loss(x, torch.tensor([2, 0], device=x.device))


def _shuffled(x, groups):
    n, c, *rest = x.shape
    return np.reshape(np.reshape(x, (n, groups, c // groups, *rest)).swapaxes(1, 2), x.shape)


BAG, STARTS = np.array([1, 2, 0, 2]), np.array([0, 2])
POINTS = 0.9 * np.sin(np.arange(12.0)).reshape(1, 2, 3, 2)
resized = lambda mode, **options: lambda x: F.interpolate(x, size=(5, 3), mode=mode, **options)
sampled = lambda **options: lambda x, g: F.grid_sample(x, g, align_corners=False, **options)
pooled = lambda n: (
    lambda x: getattr(F, f"fractional_max_pool{n}d")(
        x, 2, output_size=2, _random_samples=torch.full((1, 1, n), 0.3).to(x)
    )
)

SAMPLES = [
    sample("F.interpolate", None, case((1, 2, 3, 4)), op=resized("nearest")),
    sample("F.interpolate", None, case((1, 2, 3, 4)), op=resized("bilinear", align_corners=False)),
    sample("F.interpolate", None, case((1, 2, 3, 4)), op=resized("bicubic", align_corners=True)),
    sample("F.interpolate", None, case((1, 2, 3, 4)), op=resized("area")),
    sample("F.grid_sample", None, case((1, 2, 3, 4), POINTS), op=sampled()),
    sample("F.grid_sample", None, case((1, 2, 3, 4), POINTS), op=sampled(mode="bicubic", padding_mode="border")),
    sample("F.affine_grid", None, case((1, 2, 3)), op=lambda t: F.affine_grid(t, (1, 1, 3, 2), align_corners=False)),
    sample("F.fractional_max_pool2d", None, case((1, 1, 5, 5)), distinct=True, op=pooled(2)),
    sample("F.fractional_max_pool3d", None, case((1, 1, 4, 4, 4)), distinct=True, op=pooled(3)),
    sample("F.channel_shuffle", _shuffled, case((2, 6, 2), args=(3,))),
    sample("F.native_channel_shuffle", _shuffled, case((2, 6, 2), args=(3,))),
    sample("F.pixel_shuffle", None, case((1, 4, 2, 3), args=(2,))),
    sample("F.pixel_unshuffle", None, case((1, 1, 4, 2), args=(2,))),
    sample("F.local_response_norm", None, case((2, 4, 3), args=(3,))),
    sample("F.embedding_bag", None, case((3, 2)), op=lambda w: F.embedding_bag(on(w, BAG), w, on(w, STARTS))),
    sample("F.cosine_similarity", _cosine, case((2, 3), (2, 3)), case((2, 3), (2, 3), dim=0)),
    sample("F.cosine_embedding_loss", lambda x, y, s: np.mean(1 - _cosine(x, y)), case((2, 3), (2, 3), np.array([1, 1]))),
    sample("F.pairwise_distance", _distance, ((2, 3), (2, 3))),
    sample("F.pdist", lambda x: np.array([np.linalg.norm(x[i] - x[j]) for i in range(3) for j in range(i + 1, 3)]), ((3, 4),)),
    sample("F.multi_margin_loss", None, case((2, 3)), op=_multi_margin),
    sample("F.multilabel_margin_loss", None, case((2, 3), np.array([[1, -1, 0], [2, 0, -1]]))),
    sample("F.multilabel_soft_margin_loss", lambda x, y: np.mean(np.log1p(np.exp(x)) - x * y), ((2, 3), (2, 3))),
    sample("F.triplet_margin_loss", lambda a, p, n: np.mean(np.maximum(_distance(a, p) - _distance(a, n) + 1, 0)), ((2, 3), (2, 3), (2, 3))),
    sample("F.triplet_margin_with_distance_loss", None, ((2, 3), (2, 3), (2, 3))),
]  # fmt: skip
