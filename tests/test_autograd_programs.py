"""Random programs of ops, views and in-place writes: their gradients against finite differences."""

from __future__ import annotations

import math
import random

import pytest

import arraytorch as torch
from arraytorch.autograd import gradcheck, gradgradcheck

VIEWS = [
    lambda x, u: x.transpose(0, -1),
    lambda x, u: x[0] if x.ndim else x,
    lambda x, u: x[..., 1:] if x.ndim and u < 0.5 else x[...],
    lambda x, u: x[::2] if x.ndim else x,
    lambda x, u: x[None],
    lambda x, u: x.reshape(-1),
    lambda x, u: x.unsqueeze(-1),
    lambda x, u: x.squeeze(),
    lambda x, u: x.select(-1, -1) if x.ndim and x.shape[-1] else x,
    lambda x, u: x.permute(*range(x.ndim)[::-1]),
    lambda x, u: x.unbind(0)[-1] if x.ndim and x.shape[0] else x,
    lambda x, u: x.chunk(2, -1)[0] if x.ndim else x,
]
WRITES = [
    lambda x, y: x.mul_(y),
    lambda x, y: x.add_(y),
    lambda x, y: x.copy_(y),
    lambda x, y: x.sin_(),
    lambda x, y: x.exp_(),
    lambda x, y: x.sigmoid_(),
    lambda x, y: x.zero_(),
    lambda x, y: x.fill_(0.5),
    lambda x, y: x.fill_(y.sum()),
    lambda x, y: x.masked_fill_(x > 0.3, 0.1),
    lambda x, y: x.__setitem__(0, y.sum()),
    lambda x, y: x.__setitem__(x > 0.2, y.sum()),
    lambda x, y: x.__setitem__((..., slice(1, None)), y[..., 1:]),
]
OPS = [torch.mul, torch.add, torch.sub]
CURVES = [torch.sin, torch.tanh, torch.sigmoid, torch.neg]


def program(seed):
    """A function of two tensors made of random statements; those that fail are left out."""

    def run(x, y):
        r = random.Random(seed)
        pool = [x * 1, y + 0, torch.full((2, 3), 0.7, dtype=torch.float64)]
        for _ in range(r.randint(3, 12)):
            a, b, kind = r.choice(pool), r.choice(pool), r.random()
            statement, u = r.random(), r.random()
            pick = lambda table, s=statement: table[int(s * len(table))]
            try:
                if kind < 0.25:
                    pool.append(pick(OPS)(a, b))
                elif kind < 0.35:
                    pool.append(pick(CURVES)(a))
                elif kind < 0.65:
                    pool.append(pick(VIEWS)(a, u))
                else:
                    pick(WRITES)(a, b)
            except (RuntimeError, IndexError):
                continue
        return sum((t * (0.1 + 0.05 * i)).sin().sum() for i, t in enumerate(pool))

    return run


@pytest.mark.parametrize("block", range(8))
def test_gradients_of_random_programs(block):
    """Histories rewritten by writes to views and bases give the gradients of what was computed."""
    for seed in range(25 * block, 25 * block + 25):
        r = random.Random(-seed - 1)
        x, y = (
            torch.tensor([r.uniform(-1, 1) for _ in range(math.prod(shape))], dtype=torch.float64)
            .reshape(shape)
            .requires_grad_()
            for shape in ((2, 3), (1, 3))
        )
        f = program(seed)
        try:
            assert gradcheck(f, (x, y), fast_mode=True), seed
            if seed % 3 == 0:
                assert gradgradcheck(f, (x, y), fast_mode=True), seed
        except RuntimeError as error:  # a saved tensor was overwritten: refused, not wrong
            if "modified by an inplace operation" not in str(error):
                raise AssertionError(f"program {seed}") from error


def test_programs_are_seldom_refused():
    """Guards the test above: it must not pass because every program is refused."""
    refused = 0
    for seed in range(100):
        x = torch.ones(2, 3, dtype=torch.float64, requires_grad=True)
        y = torch.full((1, 3), 0.4, dtype=torch.float64, requires_grad=True)
        try:
            program(seed)(x, y).backward()
        except RuntimeError:
            refused += 1
    assert refused < 30
