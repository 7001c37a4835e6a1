"""Slopes where a formula breaks down: zeros, ties, infinities and NaN, as recorded from PyTorch."""

from __future__ import annotations

import math

import pytest

import arraytorch as torch

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
    ],
)
def test_slopes(op, args, expected):
    """One point each."""
    for got, wanted in zip(slopes(op, *args), expected, strict=True):
        assert got == wanted or abs(got - wanted) < 1e-12 or math.isnan(got) and math.isnan(wanted)
