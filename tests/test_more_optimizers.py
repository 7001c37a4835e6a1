"""The optimizers whose step is written in ops. Numbers were recorded from PyTorch."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import arraytorch as torch

RECORDED = [  # the parameters after eight steps of `descend`
    ("RMSprop", {"lr": 0.01}, [0.4541754, -1.4260137, 0.0278937], 0.7448504),
    ("RMSprop", {"lr": 0.01, "momentum": 0.5, "centered": True, "weight_decay": 0.1},
     [0.0845344, -0.9880137, -0.0971826], 1.1856924),
    ("Adagrad", {"lr": 0.1}, [0.4563397, -1.4281036, 0.0296056], 0.741926),
    ("Adagrad",
     {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.5, "weight_decay": 0.1},
     [0.5675055, -1.547431, 0.114255], 0.5471042),
    ("Adadelta", {"eps": 0.01}, [-0.1588758, -0.1511811, 0.1255325], 2.7118165),
    ("Adamax", {"lr": 0.1}, [0.3678895, -1.413745, -0.1373347], 0.9307917),
    ("NAdam", {"lr": 0.1}, [0.2565533, -1.2047182, -0.0725665], 0.9727912),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.3, "decoupled_weight_decay": True},
     [0.1461663, -0.8722892, -0.0687926], 0.827778),
    ("RAdam", {"lr": 0.1}, [-0.2753366, 0.3370524, -0.1729465], 0.4808809),
    ("RAdam",
     {"lr": 0.05, "betas": (0.8, 0.8), "weight_decay": 0.3, "decoupled_weight_decay": True},
     [-0.0810979, 0.0046978, -0.0757745], 0.3886635),
    ("ASGD", {"lr": 0.01, "lambd": 0.1, "t0": 3}, [0.4487076, -0.9395563, 0.2173302], 0.2822779),
    ("Rprop", {"lr": 0.1}, [-0.2915906, -0.3500912, -0.016064], 1.8999089),
    ("Rprop", {"lr": 0.1, "maximize": True}, [2.6499088, -3.6499085, 2.1499088], 0.027696),
]  # fmt: skip
KINDS = sorted({row[0] for row in RECORDED})


def parameters():
    return [
        torch.tensor([1.0, -2.0, 0.5], requires_grad=True),
        torch.tensor([[0.25]], requires_grad=True),
    ]


def descend(optimizer, params, start=0, stop=8):
    for k in range(start, stop):
        optimizer.zero_grad()
        x, y = params
        ((x**2).sum() * (k + 1) + (x.sum() * y).sum()).backward()
        optimizer.step()


@pytest.mark.parametrize(("kind", "options", "x", "y"), RECORDED)
@pytest.mark.parametrize("interrupted", [False, True])
def test_steps_are_those_of_pytorch(kind, options, x, y, interrupted):
    """Also when a state dict moves the second half into another optimizer."""
    params = parameters()
    optimizer = getattr(torch.optim, kind)(params, **options)
    if interrupted:
        descend(optimizer, params, 0, 4)
        saved = copy.deepcopy(optimizer.state_dict())
        optimizer = getattr(torch.optim, kind)(params, **options)
        optimizer.load_state_dict(saved)
        descend(optimizer, params, 4, 8)
    else:
        descend(optimizer, params)
    np.testing.assert_allclose(params[0].detach().numpy(), x, rtol=2e-5, atol=2e-6)
    np.testing.assert_allclose(params[1].item(), y, rtol=2e-5)


@pytest.mark.parametrize(
    ("kind", "options", "names"),
    [
        ("RMSprop", {"momentum": 0.5, "centered": True},
         ["step", "square_avg", "momentum_buffer", "grad_avg"]),
        ("Adagrad", {}, ["step", "sum"]),
        ("Adadelta", {}, ["step", "square_avg", "acc_delta"]),
        ("Adamax", {}, ["step", "exp_avg", "exp_inf"]),
        ("NAdam", {}, ["step", "mu_product", "exp_avg", "exp_avg_sq"]),
        ("RAdam", {}, ["step", "exp_avg", "exp_avg_sq"]),
        ("ASGD", {}, ["step", "eta", "mu", "ax"]),
        ("Rprop", {}, ["step", "prev", "step_size"]),
    ],
)  # fmt: skip
def test_state_has_pytorchs_layout(kind, options, names):
    params = parameters()
    optimizer = getattr(torch.optim, kind)(params, **options)
    params[0].grad = torch.ones(3)
    optimizer.step()
    saved = optimizer.state_dict()["state"]
    # Adagrad's sums exist from the start, the others' state from the first gradient.
    assert list(saved) == ([0, 1] if kind == "Adagrad" else [0])
    assert list(saved[0]) == names
    assert saved[0]["step"].shape == () and saved[0]["step"] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_flow_through_recorded_steps(kind):
    """The derivative for what the gradient was is that of the difference quotient."""

    def after(slope):
        weight = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True) * 1
        weight.retain_grad()
        optimizer = getattr(torch.optim, kind)([weight], differentiable=True)
        for k in range(3):
            weight.grad = slope * (k + 1) + 1
            optimizer.step()
        return (weight**2).sum()

    slope = torch.tensor([0.5, 3.0], dtype=torch.float64, requires_grad=True)
    after(slope).backward()
    for i in range(2):
        shift = torch.zeros(2, dtype=torch.float64)
        shift[i] = 1e-5
        base = slope.detach()
        quotient = (after(base + shift) - after(base - shift)).item() / 2e-5
        assert slope.grad[i].item() == pytest.approx(quotient, rel=1e-4, abs=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_complex_parameters_are_pairs_of_real_ones(kind):
    start, slope = torch.tensor([0.5, -1.0, 2.0]), torch.tensor([0.5, -0.25, 1.0])
    real = torch.complex(start, start * 2).requires_grad_()
    pair = torch.stack([start, start * 2], -1).requires_grad_()
    a = getattr(torch.optim, kind)([real])
    b = getattr(torch.optim, kind)([pair])
    for k in range(3):
        real.grad = torch.complex(slope * (k + 1), -slope)
        pair.grad = torch.stack([slope * (k + 1), -slope], -1)
        a.step()
        b.step()
    result = torch.view_as_real(real.detach()).numpy()
    np.testing.assert_allclose(result, pair.detach().numpy(), rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_options_out_of_range_are_refused(kind):
    weight = torch.zeros(2, requires_grad=True)
    make = getattr(torch.optim, kind)
    with pytest.raises(ValueError, match=r"Invalid learning rate: -1\.0"):
        make([weight], lr=-1.0)
    with pytest.raises(ValueError, match="Tensor lr must be 1-element"):
        make([weight], lr=torch.ones(2))
    if kind in ("Adamax", "NAdam", "RAdam"):
        with pytest.raises(ValueError, match="Invalid beta parameter at index 1"):
            make([weight], betas=(0.5, 1.0))
    if kind == "Rprop":
        with pytest.raises(ValueError, match="Invalid eta values"):
            make([weight], etas=(2.0, 3.0))
    elif kind != "Adagrad":
        with pytest.raises(ValueError, match="Invalid weight_decay value"):
            make([weight], weight_decay=-1.0)
    if kind != "Adagrad":
        weight.grad = torch.ones(2)
        with pytest.raises(AssertionError, match="If capturable=True"):
            make([weight], capturable=True).step()


def test_a_weight_decay_that_the_optimizer_does_not_know():
    """Rprop has none: a key of that name in a group is kept and means nothing."""
    found = []
    for extra in ({}, {"weight_decay": 0.5}):
        x = torch.tensor([1.0, -2.0], requires_grad=True)
        optimizer = torch.optim.Rprop([{"params": [x], **extra}], lr=0.1)
        (x * x).sum().backward()
        optimizer.step()
        found.append(optimizer.state[x]["prev"].tolist())
    assert found == [[2.0, -4.0]] * 2
