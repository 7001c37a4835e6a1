"""The sample table: activations, softmax, norms, losses, convolution and pooling."""

from __future__ import annotations

import numpy as np
from sample import FLOAT, REAL, case, on, sample, unary
from scipy import special

import arraytorch as torch
from arraytorch.nn import functional as F


def _softmax(x, dim):
    return special.softmax(x, axis=dim)


def _softplus(x, beta=1.0, threshold=20.0):
    return np.log1p(np.exp(beta * x)) / beta


def _normalised(x, dims, eps=1e-5):
    return (x - x.mean(dims, keepdims=True)) / np.sqrt(x.var(dims, keepdims=True) + eps)


def _mean(loss):
    return lambda *args, **kwargs: np.mean(loss(*args, **kwargs))


def _huber(d, delta=1.0):
    return np.where(np.abs(d) < delta, d * d / 2, delta * (np.abs(d) - delta / 2))


def _selu(x):
    return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x))


CLASSES, WORDS = np.array([2, 0]), np.array([[1, 0], [2, 1]])
SIGNS = np.array([[1.0, -1.0, 1.0], [-1.0, 1.0, 1.0]])
classes = lambda x: on(x, CLASSES)

SAMPLES = [
    # activations
    unary("F.celu", lambda x: np.where(x > 0, x, np.expm1(x)), dtypes=REAL),
    unary("F.elu", lambda x: np.where(x > 0, x, np.expm1(x)), dtypes=REAL),
    unary("F.selu", _selu, dtypes=REAL),
    unary("F.gelu", lambda x: x * special.ndtr(x), dtypes=REAL),
    sample("F.gelu", lambda x, approximate: x / 2 * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3))),
           case((2, 3), approximate="tanh"), dtypes=REAL),
    unary("F.silu", lambda x: x * special.expit(x), dtypes=REAL),
    unary("F.mish", lambda x: x * np.tanh(np.log1p(np.exp(x))), dtypes=REAL),
    unary("F.softplus", _softplus, dtypes=REAL),
    unary("F.logsigmoid", lambda x: -np.log1p(np.exp(-x)), dtypes=REAL),
    unary("F.softsign", lambda x: x / (1 + np.abs(x)), dtypes=REAL),
    unary("F.tanhshrink", lambda x: x - np.tanh(x), 0.5, 2),
    unary("F.hardtanh", lambda x: np.clip(x, -1, 1), dtypes=REAL),
    unary("F.relu6", lambda x: np.clip(x, 0, 6), dtypes=REAL),
    unary("F.hardsigmoid", lambda x: np.clip(x / 6 + 0.5, 0, 1), dtypes=REAL),
    unary("F.hardswish", lambda x: x * np.clip(x / 6 + 0.5, 0, 1), dtypes=REAL),
    unary("F.hardshrink", lambda x: np.where(np.abs(x) > 0.5, x, 0), dtypes=REAL),
    unary("F.softshrink", lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0), dtypes=REAL),
    unary("F.leaky_relu", lambda x: np.where(x > 0, x, 0.01 * x), dtypes=REAL),
    unary("F.rrelu", lambda x: np.where(x > 0, x, (0.125 + 1 / 3) / 2 * x)),
    sample("F.threshold", lambda x, t, v: np.where(x > t, x, v), case((2, 3), args=(0.1, 0.7)), dtypes=REAL),
    sample("F.glu", lambda x, dim=-1: x[:, :2] * special.expit(x[:, 2:]), case((2, 4)), dtypes=REAL),
    sample("F.prelu", lambda x, w: np.where(x > 0, x, w[:, None] * x), ((2, 3, 2), (3,)), dtypes=FLOAT),
    sample("softmax", _softmax, case((2, 3), dim=1), case((2, 3), dim=0), case((), dim=0), dtypes=REAL),
    sample("log_softmax", lambda x, dim: special.log_softmax(x, dim), case((2, 3), dim=1), case((2, 3), dim=0), dtypes=REAL),
    sample("F.softmin", lambda x, dim: _softmax(-x, dim), case((2, 3), dim=1)),
    # linear maps and norms
    sample("F.linear", lambda x, w, b=0: x @ w.T + b, case((2, 3), (4, 3), (4,)), case((2, 2, 3), (4, 3)), case((3,), (2, 3)),
           dtypes=REAL),
    sample("F.scaled_dot_product_attention", lambda q, k, v: special.softmax(q @ k.swapaxes(-1, -2) / 2, -1) @ v,
           ((2, 3, 4), (2, 5, 4), (2, 5, 2)), dtypes=FLOAT),
    sample("F.bilinear", lambda x, y, w, b: np.einsum("ni,oij,nj->no", x, w, y) + b, ((2, 3), (2, 4), (2, 3, 4), (2,))),
    sample("F.embedding", None, case((3, 2)), op=lambda w: F.embedding(on(w, WORDS), w)),
    sample("F.layer_norm", lambda x, n, w=1, b=0: _normalised(x, -1) * w + b, case((2, 5), args=((5,),)), rtol=1e-4),
    sample("F.layer_norm", None, case((2, 5), (5,), (5,)), op=lambda x, w, b: F.layer_norm(x, (5,), w, b)),
    sample("F.group_norm", None, case((2, 4, 3), (4,), (4,)), op=lambda x, w, b: F.group_norm(x, 2, w, b)),
    sample("F.instance_norm", lambda x: _normalised(x, -1), case((2, 3, 5)), rtol=1e-4),
    # As many channels as places: a weight across the rows must not be taken for one along them.
    sample("F.instance_norm", None, case((2, 3, 3), (3,), (3,)),
           op=lambda x, w, b: F.instance_norm(x, None, None, w, b)),
    sample("F.group_norm", None, case((2, 4, 1), (4,), (4,)), op=lambda x, w, b: F.group_norm(x, 1, w, b)),
    sample("F.rms_norm", lambda x, n, eps: x / np.sqrt((x * x).mean(-1, keepdims=True) + eps), case((2, 5), args=((5,),), eps=1e-5)),
    sample("F.batch_norm", lambda x, m, v, training: _normalised(x, 0), case((4, 3), args=(None, None), training=True), rtol=1e-4),
    sample("F.batch_norm", None, case((3, 2, 2), (2,), (2,)),
           op=lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True)),
    sample("F.normalize", lambda x: x / np.linalg.norm(x, axis=1, keepdims=True), ((2, 3),)),
    sample("F.pad", None, case((1, 2, 3), args=((1, 2),), value=0.5), case((1, 2, 3), args=((1, 2), "reflect")),
           case((1, 2, 3), args=((1, 2), "replicate")), case((1, 2, 3), args=((1, 2), "circular"))),
    # losses
    sample("F.mse_loss", _mean(lambda x, y: (x - y) ** 2), ((2, 3), (2, 3)), dtypes=FLOAT),
    sample("F.mse_loss", lambda x, y, reduction: (x - y) ** 2, case((2, 3), (2, 3), reduction="none")),
    sample("F.l1_loss", _mean(lambda x, y: np.abs(x - y)), ((2, 3), (2, 3))),
    sample("F.smooth_l1_loss", _mean(lambda x, y: _huber(x - y)), ((2, 3), (2, 3))),
    sample("F.huber_loss", _mean(lambda x, y, delta: _huber(x - y, delta)), case((2, 3), (2, 3), delta=0.7)),
    sample("F.cross_entropy", None, case((2, 3)), op=lambda x: F.cross_entropy(x, classes(x), label_smoothing=0.1)),
    sample("F.cross_entropy", lambda x, y: -(special.log_softmax(x, 1) * y).sum(1).mean(), ((2, 3), (2, 3))),
    sample("F.nll_loss", None, case((2, 3)), op=lambda x: F.nll_loss(x, classes(x), torch.tensor([0.5, 1, 2]).to(x))),
    sample("F.binary_cross_entropy", _mean(lambda x, y: -(y * np.log(x) + (1 - y) * np.log(1 - x))),
           ((2, 3), (2, 3)), low=0.1, high=0.9),
    sample("F.binary_cross_entropy_with_logits", _mean(lambda x, y: np.log1p(np.exp(x)) - x * y), ((2, 3), (2, 3)), low=0.1, high=0.9),
    sample("F.kl_div", lambda x, y, reduction: np.sum(y * (np.log(y) - x)) / 2, case((2, 3), (2, 3), reduction="batchmean"),
           low=0.1, high=0.9),
    sample("F.poisson_nll_loss", _mean(lambda x, y: np.exp(x) - y * x), ((2, 3), (2, 3)), low=0.1),
    sample("F.gaussian_nll_loss", _mean(lambda x, y, v: (np.log(v) + (x - y) ** 2 / v) / 2), ((2, 3), (2, 3), (2, 3)), ((2, 3), (2, 3), (1, 3)), low=0.2),
    sample("F.hinge_embedding_loss", None, case((2, 3), SIGNS.astype(int)), low=0.1, high=0.9),
    sample("F.margin_ranking_loss", _mean(lambda x, y, s: np.maximum(-s * (x - y), 0)), case((2, 3), (2, 3), SIGNS.astype(int))),
    sample("F.soft_margin_loss", _mean(lambda x, s: np.log1p(np.exp(-s * x))), case((2, 3), SIGNS.astype(int))),
    # convolution and pooling
    sample("F.conv1d", None, ((2, 3, 5), (4, 3, 2), (4,)), case((1, 4, 5), (2, 2, 3), stride=2, padding=1, groups=2)),
    sample("F.conv2d", None, ((1, 2, 4, 3), (2, 2, 2, 2), (2,)), case((1, 2, 5, 5), (2, 1, 2, 2), stride=2, padding=1, dilation=2, groups=2)),
    sample("F.conv3d", None, ((1, 1, 3, 3, 3), (2, 1, 2, 2, 2))),
    sample("F.conv_transpose1d", None, ((1, 2, 3), (2, 2, 2)), case((1, 2, 3), (2, 2, 2), stride=2, padding=1, output_padding=1)),
    sample("F.conv_transpose2d", None, ((1, 2, 2, 3), (2, 1, 2, 2))),
    sample("F.conv_transpose3d", None, ((1, 1, 2, 2, 2), (1, 1, 2, 2, 2))),
    sample("F.unfold", None, case((1, 2, 3, 3), args=(2,), padding=1)),
    sample("F.fold", None, case((1, 4, 4), args=((3, 3), 2))),
    sample("F.avg_pool1d", lambda x, k: x.reshape(1, 2, 2, 2).mean(-1), case((1, 2, 4), args=(2,))),
    sample("F.avg_pool2d", None, case((1, 2, 4, 4), args=(3,), stride=2, padding=1)),
    sample("F.avg_pool3d", None, case((1, 1, 2, 3, 2), args=(2,), padding=1)),
    sample("F.max_pool1d", lambda x, k: x.reshape(1, 2, 2, 2).max(-1), case((1, 2, 4), args=(2,)), distinct=True),
    sample("F.max_pool2d", None, case((1, 2, 4, 4), args=(3,), stride=2, padding=1), distinct=True),
    sample("F.max_pool3d", None, case((1, 1, 2, 3, 2), args=(2,), padding=1), distinct=True),
    sample("F.adaptive_avg_pool1d", None, case((1, 2, 5), args=(3,))),
    sample("F.adaptive_avg_pool2d", None, case((1, 2, 4, 3), args=((2, 2),))),
    sample("F.adaptive_avg_pool3d", None, case((1, 1, 3, 2, 3), args=(2,))),
    sample("F.adaptive_max_pool1d", None, case((1, 2, 5), args=(3,)), distinct=True),
    sample("F.adaptive_max_pool2d", None, case((1, 2, 4, 3), args=((2, 2),)), distinct=True),
    sample("F.adaptive_max_pool3d", None, case((1, 1, 3, 2, 3), args=(2,)), distinct=True),
    sample("F.lp_pool1d", None, case((1, 2, 4), args=(2, 2)), low=0.2),
    sample("F.lp_pool2d", None, case((1, 1, 4, 4), args=(2, 2)), low=0.2),
    sample("F.lp_pool3d", None, case((1, 1, 2, 2, 2), args=(2, 2)), low=0.2),
    sample("F.max_unpool1d", None, case((1, 2, 2), np.array([[[0, 3], [1, 2]]]), args=(2,))),
    sample("F.max_unpool2d", None, case((1, 1, 1, 2), np.array([[[[0, 3]]]]), args=(2,))),
    sample("F.max_unpool3d", None, case((1, 1, 1, 1, 2), np.array([[[[[0, 13]]]]]), args=(2,))),
]  # fmt: skip
