"""Slopes where a formula breaks down: zeros, ties, infinities and NaN, as recorded from PyTorch."""

from __future__ import annotations

import math

import pytest

import arraytorch as torch
from arraytorch.nn import functional as F

INF, NAN = math.inf, math.nan


def slopes(op, *args):
    """The derivatives of op at one point."""
    leaves = [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in args]
    found = torch.autograd.grad(op(*leaves), leaves, allow_unused=True)
    return [0.0 if g is None else g.item() for g in found]


@pytest.mark.parametrize(
    ("op", "args", "expected"),
    [
        (torch.relu, (0.0,), (0.0,)),
        (torch.relu, (NAN,), (1.0,)),
        (torch.abs, (0.0,), (0.0,)),
        (torch.sqrt, (0.0,), (INF,)),
        (torch.log, (0.0,), (INF,)),
        (torch.floor, (INF,), (0.0,)),
        (torch.maximum, (1.0, 1.0), (0.5, 0.5)),
        (torch.minimum, (1.0, 1.0), (0.5, 0.5)),
        (torch.maximum, (1.0, NAN), (1.0, 1.0)),
        (torch.fmax, (1.0, 1.0), (1.0, 0.0)),
        (torch.fmax, (1.0, NAN), (1.0, 0.0)),
        (torch.atan2, (0.0, 0.0), (0.0, 0.0)),
        (torch.logaddexp, (INF, 0.0), (1.0, 0.0)),
        (torch.logaddexp, (-INF, 0.0), (0.0, 1.0)),
        (torch.logaddexp, (1000.0, 0.0), (1.0, 0.0)),
        (torch.logaddexp2, (INF, 0.0), (1.0, 0.0)),
        (torch.pow, (0.0, 0.0), (0.0, 0.0)),
        (torch.pow, (0.0, 2.0), (0.0, 0.0)),
        (torch.pow, (2.0, 0.0), (0.0, math.log(2))),
        (torch.hypot, (3.0, 4.0), (0.6, 0.8)),
        (torch.sigmoid, (-1000.0,), (0.0,)),
        (torch.tanh, (INF,), (0.0,)),
        (torch.remainder, (7.0, 2.0), (1.0, -3.0)),
        (torch.remainder, (-7.0, 2.0), (1.0, 4.0)),
        (torch.fmod, (-7.0, 2.0), (1.0, 3.0)),
        (lambda x: torch.clamp(x, 0, 1), (0.0,), (1.0,)),
        (lambda x: torch.clamp(x, 0, 1), (1.0,), (1.0,)),
        (lambda x: torch.clamp(x, 0, 1), (NAN,), (0.0,)),
        (torch.clamp, (0.0, 1.0, 1.0), (0.0, 0.0, 0.0)),
        (torch.clamp, (0.0, 1.0, 2.0), (0.0, 1.0, 0.0)),
        (torch.clamp, (0.0, 2.0, 1.0), (0.0, 0.0, 1.0)),
        (lambda x: x**2, (0.0,), (0.0,)),
        (lambda x: x**0, (0.0,), (0.0,)),
        (lambda x: 0.0**x, (1.0,), (0.0,)),
        (lambda x: torch.prod(x * torch.tensor([0.0, 3.0, 2.0])), (1.0,), (0.0,)),
        (lambda x: torch.where(x > 0, x, x * INF), (1.0,), (NAN,)),
        (F.smooth_l1_loss, (-INF, 1.0), (-1.0, 1.0)),
        (F.smooth_l1_loss, (1.0, -INF), (1.0, -1.0)),
        (F.smooth_l1_loss, (INF, INF), (NAN, NAN)),
        (F.smooth_l1_loss, (1.0, 0.0), (1.0, -1.0)),
        (F.huber_loss, (INF, 1.0), (1.0, -1.0)),
        (lambda x, y: F.huber_loss(x, y, delta=0.5), (-INF, 1.0), (-0.5, 0.5)),
        (F.huber_loss, (NAN, 1.0), (NAN, NAN)),
        (F.hardtanh, (-1.0,), (0.0,)),
        (F.hardtanh, (NAN,), (1.0,)),
        (F.relu6, (NAN,), (1.0,)),
        (F.hardsigmoid, (3.0,), (0.0,)),
        (F.hardsigmoid, (NAN,), (0.0,)),
        (F.hardswish, (-3.0,), (0.0,)),
        (F.hardswish, (3.0,), (1.0,)),
        (F.hardswish, (-INF,), (0.0,)),
        (F.hardswish, (INF,), (1.0,)),
        (F.hardswish, (NAN,), (1.0,)),
        (lambda x: F.elu(x, 2.0), (0.0,), (2.0,)),
        (F.elu, (-INF,), (0.0,)),
        (F.elu, (INF,), (1.0,)),
        (F.elu, (NAN,), (1.0,)),
        (lambda x: F.celu(x, 2.0), (NAN,), (1.0,)),
        (F.selu, (NAN,), (1.0507009873554805,)),
        (F.softshrink, (0.5,), (0.0,)),
        (F.softshrink, (NAN,), (1.0,)),
        (torch.prelu, (INF, 0.25), (1.0, 0.0)),
        (torch.prelu, (1.0, NAN), (1.0, 0.0)),
        (torch.prelu, (-INF, 0.25), (0.25, -INF)),
        (torch.logit, (-1.0,), (NAN,)),
        (torch.logit, (2.0,), (NAN,)),
        (torch.logit, (0.0,), (INF,)),
        (torch.logit, (1.0,), (INF,)),
        (lambda x: torch.logit(x, 0.25), (0.25,), (16 / 3,)),
        (lambda x: torch.logit(x, 0.25), (0.2,), (0.0,)),
        (lambda x: torch.logit(x, 0.25), (NAN,), (NAN,)),
        (torch.xlogy, (0.0, 0.0), (0.0, NAN)),
        (torch.xlogy, (0.0, 2.0), (math.log(2), 0.0)),
        (torch.xlogy, (0.0, -1.0), (0.0, 0.0)),
        (torch.xlogy, (0.0, INF), (INF, 0.0)),
        (lambda x, y: F.kl_div(x, y, reduction="sum"), (0.5, 0.0), (0.0, NAN)),
        (lambda x, y: F.kl_div(x, y, reduction="sum"), (-INF, 0.0), (0.0, NAN)),
    ],
)
def test_slopes(op, args, expected):
    """One point each."""
    for got, wanted in zip(slopes(op, *args), expected, strict=True):
        assert got == wanted or abs(got - wanted) < 1e-12 or math.isnan(got) and math.isnan(wanted)


@pytest.mark.parametrize(
    ("op", "at", "expected"),
    [
        (torch.max, [1.0, NAN], [0.0, 1.0]),
        (torch.max, [NAN, 1.0, NAN], [0.5, 0.0, 0.5]),
        (torch.max, [1.0, 2.0, 2.0], [0.0, 0.5, 0.5]),
        (torch.min, [NAN, 1.0], [1.0, 0.0]),
        (torch.min, [-INF, NAN, NAN], [0.0, 0.5, 0.5]),
        (torch.amax, [1.0, NAN], [NAN, NAN]),
        (torch.median, [NAN, 1.0, NAN], [0.5, 0.0, 0.5]),
        (torch.median, [3.0, 1.0, 1.0], [0.0, 0.5, 0.5]),
        (torch.nanmedian, [NAN, NAN], [0.5, 0.5]),
        (torch.nanmedian, [NAN, 1.0], [0.0, 1.0]),
        (lambda x: torch.median(x, 0)[0], [NAN, 1.0, NAN], [1.0, 0.0, 0.0]),
        (lambda x: torch.nanmedian(x, 0)[0], [NAN, NAN], [1.0, 0.0]),
        (lambda x: torch.logsumexp(x, 0), [1.0, NAN], [NAN, NAN]),
        (lambda x: torch.logsumexp(x, 0), [INF, 1.0], [NAN, 0.0]),
        (lambda x: torch.logsumexp(x, 0), [-INF, 1.0], [0.0, 1.0]),
        (lambda x: torch.logsumexp(x, 0), [-INF, -INF], [NAN, NAN]),
        (torch.nanmean, [NAN, NAN], [NAN, NAN]),
        (torch.nansum, [NAN, INF], [0.0, 1.0]),
        (lambda x: torch.cumprod(x, 0).sum(), [NAN], [1.0]),
        (lambda x: torch.acosh(x)[:2].sum(), [-2.0, 2.0], [3**-0.5, 3**-0.5]),
        (lambda x: torch.acosh(x).sum(), [-1.0, 1.0], [INF, INF]),
        (lambda x: torch.renorm(x.reshape(1, 2), 2, 0, 1.0).sum(), [NAN, 2.0], [1.0, 1.0]),
        (lambda x: torch.renorm(x.reshape(1, 2), 2, 0, 9.0).sum(), [3.0, 4.0], [1.0, 1.0]),
        (torch.norm, [0.0, 0.0], [0.0, 0.0]),
        (torch.norm, [0.0, 2.0], [0.0, 1.0]),
        (lambda x: torch.norm(x, 1), [0.0, -2.0], [0.0, -1.0]),
        (lambda x: torch.norm(x, 3), [0.0, 0.0], [0.0, 0.0]),
        (lambda x: torch.norm(x, INF), [2.0, 0.0, -2.0], [0.5, 0.0, -0.5]),
        (lambda x: torch.norm(x, INF), [1.0, NAN], [0.0, 0.0]),
        (lambda x: torch.norm(x, -INF), [1.0, 1.0], [0.5, 0.5]),
        (torch.std, [1.0, 1.0], [0.0, 0.0]),
        (torch.std, [3.0], [NAN]),
        (torch.var, [3.0], [NAN]),
        (torch.var, [1.0, 1.0], [0.0, 0.0]),
        (lambda x: torch.std(x, 0, correction=0), [3.0], [0.0]),
        (lambda x: torch.std(x, 0, correction=3), [0.0, 2.0], [0.0, 0.0]),
        (lambda x: torch.var(x, 0, correction=5), [2.0, 0.0, -2.0], [-2.0, 0.0, 2.0]),
    ],
)
def test_slopes_of_reductions(op, at, expected):
    """One vector each."""
    x = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad(op(x), x)
    for got, wanted in zip(found.tolist(), expected, strict=True):
        assert got == wanted or abs(got - wanted) < 1e-12 or math.isnan(got) and math.isnan(wanted)


def test_a_count_has_no_gradient():
    """The norm of order 0 is in the graph, but its gradient is None, not zeros."""
    x = torch.ones(3, requires_grad=True)
    count = torch.linalg.vector_norm(x, 0)
    assert count.requires_grad
    assert torch.autograd.grad(count, x, allow_unused=True) == (None,)
    count = torch.linalg.vector_norm(x, 0)
    count.backward()
    assert x.grad is None


@pytest.mark.parametrize(
    ("op", "name"),
    [
        (lambda x: torch.max(x, 0).values, "MaxBackward0"),
        (lambda x: torch.min(x, 0, True).values, "MinBackward0"),
        (lambda x: torch.median(x, 0).values, "MedianBackward1"),
        (lambda x: torch.nanmedian(x, 0).values, "NanmedianBackward0"),
        (lambda x: torch.mode(x, 0).values, "ModeBackward0"),
        (lambda x: torch.kthvalue(x, 1).values, "KthvalueBackward0"),
        (lambda x: torch.sort(x).values, "SortBackward0"),
        (lambda x: torch.topk(x, 2).values, "TopkBackward0"),
        (lambda x: torch.prod(x, 0), "ProdBackward1"),
        (lambda x: torch.nansum(x), "NansumBackward0"),
        (lambda x: torch.nn.functional.layer_norm(x, (3,)), "NativeLayerNormBackward0"),
        (
            lambda x: torch.nn.functional.batch_norm(x, None, None, training=True),
            "NativeBatchNormBackward0",
        ),
    ],
)
def test_names_of_nodes(op, name):
    """grad_fn.name() is PyTorch's, and one node stands for what chooses."""
    x = torch.tensor([[1.0, 3.0, 2.0], [0.0, 5.0, 4.0]], requires_grad=True)
    y = op(x)
    assert y.grad_fn.name() == name
    y.sum().backward()
    assert x.grad.shape == x.shape
