"""LBFGS, Adafactor, Muon and the averages of `swa_utils`. Numbers were recorded from PyTorch."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import arraytorch as torch
from arraytorch import nn
from arraytorch.optim import swa_utils

LBFGS = [  # after three steps: loss before the third, calls of the closure, parameters
    ({"line_search_fn": "strong_wolfe"}, 1.2850072697e-10, 28,
     [0.999997242516634, 0.999991808739359, 0.999981894576067], 0.9999990157027142),
    ({"line_search_fn": "strong_wolfe", "max_iter": 4, "history_size": 2, "lr": 0.5},
     4.314843938976166, 15,
     [-0.3609256294750308, 0.2844962073530302, -0.012181136810216375], -0.7471636299125145),
    ({"lr": 0.05, "max_iter": 5}, 40.98978272224147, 15,
     [-1.2926013599963948, 1.6219594174553174, 0.6057576064401887], 0.40823786323959743),
]  # fmt: skip


def start():
    w = torch.tensor([-1.5, 2.0, 0.3], dtype=torch.float64, requires_grad=True)
    return w, torch.tensor([[0.5]], dtype=torch.float64, requires_grad=True)


def closure_of(optimizer, w, b, calls):
    def closure():
        calls.append(1)
        optimizer.zero_grad()
        loss = ((1 - w[:-1]) ** 2 + 5 * (w[1:] - w[:-1] ** 2) ** 2).sum()
        loss = loss + (b - w[0]).pow(2).sum()
        loss.backward()
        return loss

    return closure


@pytest.mark.parametrize(("options", "loss", "calls", "w", "b"), LBFGS)
@pytest.mark.parametrize("interrupted", [False, True])
def test_lbfgs_goes_where_pytorchs_goes(options, loss, calls, w, b, interrupted):
    """Call by call, also when a state dict moves the last step into another optimizer."""
    params, made = start(), []
    optimizer = torch.optim.LBFGS(params, **options)
    closure = closure_of(optimizer, *params, made)
    optimizer.step(closure)
    optimizer.step(closure)
    if interrupted:
        saved = copy.deepcopy(optimizer.state_dict())
        optimizer = torch.optim.LBFGS(params, lr=7)
        optimizer.load_state_dict(saved)
        closure = closure_of(optimizer, *params, made)
    assert optimizer.step(closure).item() == pytest.approx(loss, rel=1e-6)
    assert len(made) == calls
    np.testing.assert_allclose(params[0].detach().numpy(), w, rtol=1e-9)
    assert params[1].item() == pytest.approx(b, rel=1e-9)


def test_lbfgs_has_pytorchs_state():
    params = start()
    optimizer = torch.optim.LBFGS(params)
    optimizer.step(closure_of(optimizer, *params, []))
    saved = optimizer.state_dict()["state"]
    assert list(saved) == [0]
    assert set(saved[0]) == {
        "func_evals", "n_iter", "al", "d", "t", "old_dirs", "old_stps", "ro", "H_diag",
        "prev_flat_grad", "prev_loss",
    }  # fmt: skip
    assert saved[0]["d"].shape == (4,)


def test_lbfgs_stops_where_the_gradient_vanishes():
    """One call of the closure, whose loss comes back, and no move."""
    weight = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight])
    calls = []

    def closure():
        calls.append(1)
        optimizer.zero_grad()
        loss = (weight**2).sum() + 3
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 3 and len(calls) == 1
    assert weight.tolist() == [0, 0]


def test_lbfgs_takes_complex_parameters_as_pairs():
    target = torch.tensor([1 + 2j, -0.5j])
    weight = torch.zeros(2, dtype=torch.complex64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight], line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = (weight - target).abs().pow(2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert torch.allclose(weight.detach(), target, atol=1e-5)


def test_lbfgs_refuses_what_pytorchs_refuses():
    w, b = start()
    with pytest.raises(ValueError, match="doesn't support per-parameter options"):
        torch.optim.LBFGS([{"params": [w]}, {"params": [b]}])
    with pytest.raises(ValueError, match="Invalid learning rate: -1"):
        torch.optim.LBFGS([w], lr=-1)
    optimizer = torch.optim.LBFGS([w, b], line_search_fn="armijo")
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
        optimizer.step(closure_of(optimizer, w, b, []))


MATRICES = [  # parameters after eight steps of `descend`
    ("Adafactor", {"lr": 0.1}, 2e-5,
     [[0.4047684073, -1.3277827501, 0.0275080148], [-0.0380791724, -0.0448093973, 0.0341594182]],
     [0.0665235072, 0.5016615391]),
    ("Adafactor", {"lr": 0.1, "weight_decay": 0.1, "maximize": True, "d": 1.5,
                   "eps": (1e-5, 0.01), "beta2_decay": -0.5}, 2e-5,
     [[2.1663088799, -3.2305183411, 1.6157523394], [1.7498924732, 1.1529119015, -2.3147964478]],
     [1.0880197287, 1.8637709618]),
    ("Muon", {"lr": 0.1}, 4e-3,
     [[0.6057438254, -1.3989843130, 0.3102452159], [-0.1163772494, -0.0000518404, -0.2327544242]],
     [[0.1284207255], [0.1772437692]]),
    ("Muon", {"lr": 0.1, "nesterov": False, "weight_decay": 0.01,
              "adjust_lr_fn": "match_rms_adamw", "ns_steps": 3}, 4e-4,
     [[0.8743354678, -1.8422451019, 0.4398252070], [0.1052548289, 0.0951690748, -0.5634226203]],
     [[0.2327023149], [0.8310643435]]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "options", "tolerance", "x", "y"), MATRICES)
def test_steps_of_matrices_are_those_of_pytorch(kind, options, tolerance, x, y):
    """Muon's to the precision of bfloat16, in which it computes."""
    params = [
        torch.tensor([[1.0, -2.0, 0.5], [0.3, 0.2, -0.7]], requires_grad=True),
        torch.tensor([0.25, 1.0]).reshape(np.shape(y)).requires_grad_(),
    ]
    optimizer = getattr(torch.optim, kind)(params, **options)
    for k in range(8):
        optimizer.zero_grad()
        loss = sum((p**2 * (k + 1)).sum() for p in params) + params[0].sum() * params[1].sum()
        loss.backward()
        optimizer.step()
        if k == 3:  # a state dict carries all that the rest needs
            saved = copy.deepcopy(optimizer.state_dict())
            optimizer = getattr(torch.optim, kind)(params)
            optimizer.load_state_dict(saved)
    np.testing.assert_allclose(params[0].detach().numpy(), x, rtol=2e-5, atol=tolerance)
    np.testing.assert_allclose(params[1].detach().numpy(), y, rtol=2e-5, atol=tolerance)
    layout = {"Adafactor": ["step", "row_var", "col_var"], "Muon": ["momentum_buffer"]}
    assert list(optimizer.state_dict()["state"][0]) == layout[kind]


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("Adafactor", {"lr": -1.0}, "Learning rate should be >= 0 but is: -1.0"),
        ("Adafactor", {"beta2_decay": 0.1}, "beta2_decay should be <= 0 but is: 0.1"),
        ("Adafactor", {"eps": (-1.0, 0.1)}, "epsilon1 should be >= 0 but is: -1.0"),
        ("Adafactor", {"eps": (None, -0.1)}, "epsilon2 should be >= 0 but is: -0.1"),
        ("Adafactor", {"d": 0.5}, "Clipping threshold d should be >= 1 but is: 0.5"),
        ("Adafactor", {"weight_decay": -1.0}, "weight_decay should be >= 0 but is: -1.0"),
        ("Adafactor", {"lr": torch.ones(2)}, "Tensor lr must be 1-element"),
        ("Muon", {"momentum": -1.0}, "momentum should be >= 0 but is: -1.0"),
        ("Muon", {"weight_decay": -1.0}, "weight decay should be >= 0 but is: -1.0"),
        ("Muon", {"adjust_lr_fn": "x"}, "Adjust learning rate function x is not supported"),
        ("Muon", {}, "Muon only supports 2D parameters whereas we found"),
    ],
)
def test_options_that_make_no_sense_are_refused(kind, options, message):
    with pytest.raises(ValueError, match=message):
        getattr(torch.optim, kind)([torch.zeros(2, requires_grad=True)], **options)


AVERAGES = [  # options, last weight, running variance
    (dict, [0.5594, -0.1205, 0.4246, -0.5523], [0.4572, 0.3882, 0.2363, 0.1175]),
    (lambda: {"use_buffers": True},
     [0.5594, -0.1205, 0.4246, -0.5523], [0.4572, 0.3882, 0.2363, 0.1175]),
    (lambda: {"multi_avg_fn": swa_utils.get_ema_multi_avg_fn(0.8), "use_buffers": True},
     [0.5760, -0.0869, 0.4298, -0.4993], [0.4556, 0.3897, 0.2369, 0.1151]),
    (lambda: {"avg_fn": swa_utils.get_ema_avg_fn(0.8)},
     [0.5760, -0.0869, 0.4298, -0.4993], [0.4556, 0.3897, 0.2369, 0.1151]),
    (lambda: {"avg_fn": swa_utils.get_swa_avg_fn()},
     [0.5594, -0.1205, 0.4246, -0.5523], [0.4572, 0.3882, 0.2363, 0.1175]),
]  # fmt: skip


@pytest.mark.parametrize(("options", "weight", "variance"), AVERAGES)
def test_averages_are_those_of_pytorch(options, weight, variance):
    """A run with a schedule and batch norm, whose statistics are computed anew at the end."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1))
    rest = [*model[1].parameters(), *model[3].parameters()]
    groups = [{"params": model[0].parameters()}, {"params": rest, "lr": 0.3}]
    optimizer = torch.optim.SGD(groups, lr=0.1)
    averaged = swa_utils.AveragedModel(model, **options())
    schedule = swa_utils.SWALR(optimizer, [0.02, 0.05], 4)
    rates = []
    for _ in range(6):
        x = torch.randn(8, 3)
        optimizer.zero_grad()
        (model(x) - x.sum(1, keepdim=True)).pow(2).mean().backward()
        optimizer.step()
        averaged.update_parameters(model)
        schedule.step()
        rates.append(schedule.get_last_lr())
    swa_utils.update_bn([(torch.randn(8, 3), 1) for _ in range(3)], averaged)
    np.testing.assert_allclose(averaged.module[3].weight[0].detach().numpy(), weight, atol=6e-5)
    np.testing.assert_allclose(averaged.module[1].running_var.numpy(), variance, atol=6e-5)
    assert rates[0] == pytest.approx([0.08828427124746191, 0.2633883476483184])
    assert rates[2] == pytest.approx([0.0317157287525381, 0.08661165235168157])
    assert rates[3:] == [[0.02, 0.05]] * 3
    assert averaged.n_averaged == 6 and averaged.module[1].momentum == 0.1
    assert list(averaged.state_dict())[:2] == ["n_averaged", "module.0.weight"]


def test_averages_of_integers_are_integers():
    """Such as batch norm's count of batches: what is behind the point is cut off."""
    average = [torch.tensor([0, 10, -7])]
    swa_utils.get_swa_multi_avg_fn()(average, [torch.tensor([7, 3, 8])], torch.tensor(1))
    assert average[0].tolist() == [3, 7, 0]


def test_swa_refuses_what_pytorchs_refuses():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    with pytest.raises(ValueError, match="Invalid decay value 1.5 provided"):
        swa_utils.get_ema_avg_fn(1.5)
    with pytest.raises(AssertionError, match="Only one of avg_fn and multi_avg_fn"):
        swa_utils.AveragedModel(nn.ReLU(), avg_fn=max, multi_avg_fn=max)
    with pytest.raises(ValueError, match="must be one of 'cos' or 'linear', instead got x"):
        swa_utils.SWALR(optimizer, 0.1, anneal_strategy="x")
    with pytest.raises(ValueError, match="must be equal or greater than 0, got -1"):
        swa_utils.SWALR(optimizer, 0.1, anneal_epochs=-1)


def test_an_optimizer_lends_itself_to_other_parameters():
    """They move as they would in an optimizer of their own; its own parameters do not."""
    own = [torch.ones(2, requires_grad=True), torch.ones(3, requires_grad=True)]
    optimizer = torch.optim.Adam([{"params": own[:1], "lr": 0.1}, {"params": own[1:]}], lr=0.2)
    for param in own:
        param.grad = torch.ones_like(param)
    optimizer.step()
    before = [p.detach().clone() for p in own]
    state = copy.deepcopy(optimizer.state_dict())
    others = {"a": torch.zeros(2, requires_grad=True), "b": torch.zeros(3, requires_grad=True)}
    for param in others.values():
        param.grad = torch.ones_like(param)
    with torch.optim.swap_in_optimizer_params_and_state(optimizer, others, state):
        optimizer.step()
    assert [p.equal(b) for p, b in zip(own, before, strict=True)] == [True, True]
    assert others["a"].tolist() == pytest.approx([-0.1] * 2, rel=1e-4)
    assert others["b"].tolist() == pytest.approx([-0.2] * 3, rel=1e-4)
    assert optimizer.state[own[0]]["step"] == 1 and state["state"][0]["step"] == 2
    optimizer.step()
    assert own[0].tolist() == pytest.approx([0.8] * 2, rel=1e-4)
    with pytest.raises(ValueError, match="expected 2 parameters"):
        with torch.optim.swap_in_optimizer_params_and_state(optimizer, {}, state):
            pass
