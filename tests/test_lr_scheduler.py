"""Learning rate schedulers. The sequences were recorded from PyTorch, eight steps from 0.8."""

from __future__ import annotations

import copy
import warnings

import pytest

import arraytorch as torch
from arraytorch.optim import lr_scheduler as schedulers

RECORDED = {
    "LambdaLR": (
        lambda o: schedulers.LambdaLR(o, lambda e: 0.9**e),
        [0.8, 0.72, 0.648, 0.5832, 0.52488, 0.472392, 0.4251528, 0.38263752],
    ),
    "MultiplicativeLR": (
        lambda o: schedulers.MultiplicativeLR(o, lambda e: 1 / e),
        [0.8, 0.8, 0.4, 0.13333333, 0.03333333, 0.00666667, 0.00111111, 0.00015873],
    ),
    "StepLR": (
        lambda o: schedulers.StepLR(o, 3, 0.5),
        [0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2, 0.2],
    ),
    "MultiStepLR": (
        lambda o: schedulers.MultiStepLR(o, [2, 5, 5], 0.5),
        [0.8, 0.8, 0.4, 0.4, 0.4, 0.1, 0.1, 0.1],
    ),
    "ConstantLR": (
        lambda o: schedulers.ConstantLR(o, 0.25, 4),
        [0.2, 0.2, 0.2, 0.2, 0.8, 0.8, 0.8, 0.8],
    ),
    "LinearLR": (
        lambda o: schedulers.LinearLR(o, 0.25, 1.0, 4),
        [0.2, 0.35, 0.5, 0.65, 0.8, 0.8, 0.8, 0.8],
    ),
    "ExponentialLR": (
        lambda o: schedulers.ExponentialLR(o, 0.5),
        [0.8, 0.4, 0.2, 0.1, 0.05, 0.025, 0.0125, 0.00625],
    ),
    "PolynomialLR": (
        lambda o: schedulers.PolynomialLR(o, 5, 2.0),
        [0.8, 0.512, 0.288, 0.128, 0.032, 0.0, 0.0, 0.0],
    ),
    "CosineAnnealingLR": (
        lambda o: schedulers.CosineAnnealingLR(o, 4, 0.1),
        [0.8, 0.69748737, 0.45, 0.20251263, 0.1, 0.20251263, 0.45, 0.69748737],
    ),
    "CosineAnnealingWarmRestarts": (
        lambda o: schedulers.CosineAnnealingWarmRestarts(o, 2, 2),
        [0.8, 0.4, 0.8, 0.68284271, 0.4, 0.11715729, 0.8, 0.76955181],
    ),
    "CyclicLR triangular2": (
        lambda o: schedulers.CyclicLR(
            o, 0.1, 0.7, 2, 3, mode="triangular2", cycle_momentum=False
        ),
        [0.1, 0.4, 0.7, 0.5, 0.3, 0.1, 0.25, 0.4],
    ),
    "CyclicLR exp_range": (
        lambda o: schedulers.CyclicLR(
            o, 0.1, 0.7, 2, mode="exp_range", gamma=0.9, cycle_momentum=False
        ),
        [0.1, 0.37, 0.586, 0.3187, 0.1, 0.277147, 0.4188646, 0.24348907],
    ),
    "OneCycleLR": (
        lambda o: schedulers.OneCycleLR(o, 1.0, 8, cycle_momentum=False),
        [0.04, 0.8192751, 0.97194178, 0.81174565, 0.55598401, 0.283061, 0.07664159, 4e-06],
    ),
    "OneCycleLR linear, three phases": (
        lambda o: schedulers.OneCycleLR(
            o, 1.0, epochs=2, steps_per_epoch=4, anneal_strategy="linear", three_phase=True,
            pct_start=0.4, cycle_momentum=False,
        ),
        [0.04, 0.47636364, 0.91272727, 0.65090909, 0.21454545, 0.03077015, 0.01538708, 4e-06],
    ),
    "SequentialLR": (
        lambda o: schedulers.SequentialLR(
            o, [schedulers.ConstantLR(o, 0.5, 3), schedulers.ExponentialLR(o, 0.5)], [3]
        ),
        [0.4, 0.4, 0.4, 0.8, 0.4, 0.2, 0.1, 0.05],
    ),
    "ChainedScheduler": (
        lambda o: schedulers.ChainedScheduler(
            [schedulers.ConstantLR(o, 0.5, 3), schedulers.ExponentialLR(o, 0.5)]
        ),
        [0.4, 0.2, 0.1, 0.1, 0.05, 0.025, 0.0125, 0.00625],
    ),
}  # fmt: skip


def sgd(lr=0.8, **options):
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr, **options)


def rates(scheduler, steps):
    """The rates before each of some steps."""
    seen = []
    for _ in range(steps):
        seen.append(scheduler.get_last_lr()[0])
        scheduler.optimizer.step()
        scheduler.step()
    return seen


@pytest.mark.parametrize("name", RECORDED)
def test_rates_are_those_of_pytorch(name):
    make, expected = RECORDED[name]
    optimizer = sgd()
    scheduler = make(optimizer)
    assert rates(scheduler, 8) == pytest.approx(expected, abs=1e-8)
    assert optimizer.param_groups[0]["lr"] == scheduler.get_last_lr()[0]


@pytest.mark.parametrize("name", [n for n in RECORDED if n not in ("OneCycleLR",)])
def test_saved_state_continues_the_sequence(name):
    """After four of eight steps, state dicts move the rest into a new optimizer and scheduler."""
    make, expected = RECORDED[name]
    first = make(sgd())
    rates(first, 4)
    optimizer = sgd()
    second = make(optimizer)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    optimizer.load_state_dict(copy.deepcopy(first.optimizer.state_dict()))
    assert rates(second, 4) == pytest.approx(expected[4:], abs=1e-8)


@pytest.mark.parametrize(
    "name", ["StepLR", "MultiStepLR", "LinearLR", "ExponentialLR", "CosineAnnealingLR"]
)
def test_closed_form_agrees_with_the_recursion(name):
    make, expected = RECORDED[name]
    scheduler = make(sgd())
    scheduler.optimizer.step()
    with pytest.warns(UserWarning, match="The epoch parameter in `scheduler.step"):
        scheduler.step(7)
    assert scheduler.get_last_lr() == pytest.approx([expected[7]], abs=1e-8)


def test_groups_keep_rates_of_their_own():
    a, b = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([{"params": [a], "lr": 1.0}, {"params": [b]}], lr=0.1)
    scheduler = schedulers.LambdaLR(optimizer, [lambda e: 0.5**e, lambda e: 1.0])
    rates(scheduler, 2)
    assert scheduler.get_last_lr() == [0.25, 0.1]
    with pytest.raises(ValueError, match="Expected 2 lr_lambdas, but got 1"):
        schedulers.LambdaLR(optimizer, [lambda e: 1.0])


def test_rate_that_is_a_tensor_is_filled():
    rate = torch.tensor(0.8)
    optimizer = sgd(lr=rate)
    scheduler = schedulers.ExponentialLR(optimizer, 0.5)
    before = scheduler.get_last_lr()[0]
    optimizer.step()
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == pytest.approx(0.4)
    assert before.item() == pytest.approx(0.8)


@pytest.mark.parametrize(("kind", "option"), [("SGD", "momentum"), ("Adam", "betas")])
def test_cycles_move_momentum_against_the_rate(kind, option):
    optimizer = getattr(torch.optim, kind)([torch.zeros(1, requires_grad=True)])
    scheduler = schedulers.OneCycleLR(optimizer, 1.0, 10)
    group = optimizer.param_groups[0]

    def momentum():
        return group["betas"][0] if option == "betas" else group["momentum"]

    assert momentum() == pytest.approx(0.95)
    rates(scheduler, 2)
    assert group["lr"] == pytest.approx(1.0)
    assert momentum() == pytest.approx(0.85)


def test_plateau_waits_cools_down_and_stops_at_the_minimum():
    optimizer = sgd()
    scheduler = schedulers.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=1, cooldown=2, min_lr=0.3
    )
    seen = []
    for loss in [3.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]:
        scheduler.step(torch.tensor(loss))
        seen.append(scheduler.get_last_lr()[0])
    assert seen == [0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.4, 0.3, 0.3]
    assert scheduler.in_cooldown


def test_plateau_state_resumes():
    first = schedulers.ReduceLROnPlateau(sgd(), mode="max", patience=2)
    for score in (1.0, 0.5):
        first.step(score)
    second = schedulers.ReduceLROnPlateau(sgd(), mode="max", patience=2)
    second.load_state_dict(first.state_dict())
    assert (second.best, second.num_bad_epochs) == (1.0, 1)


def test_step_before_the_optimizers_warns():
    scheduler = schedulers.StepLR(sgd(), 3)
    with pytest.warns(UserWarning, match=r"before `optimizer.step\(\)`"):
        scheduler.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler.step()


def test_overridden_optimizer_step_warns():
    optimizer = sgd()
    scheduler = schedulers.StepLR(optimizer, 3)
    optimizer.step = lambda: None
    optimizer.step()
    with pytest.warns(UserWarning, match="has been overridden"):
        scheduler.step()


def test_get_lr_from_outside_warns():
    with pytest.warns(UserWarning, match="please use `get_last_lr"):
        schedulers.StepLR(sgd(), 3).get_lr()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda o: schedulers.StepLR(None, 3), TypeError, "NoneType is not an Optimizer"),
        (lambda o: schedulers.StepLR(o, 3, last_epoch=2), KeyError, "'initial_lr' is not"),
        (lambda o: schedulers.MultiplicativeLR(o, 1), TypeError, "should be a function"),
        (lambda o: schedulers.ConstantLR(o, 2.0), ValueError, "between 0 and 1"),
        (lambda o: schedulers.LinearLR(o, 0.0), ValueError, "Starting multiplicative factor"),
        (lambda o: schedulers.CosineAnnealingWarmRestarts(o, 0), ValueError, "integer T_0"),
        (lambda o: schedulers.CyclicLR(o, 0.1, 0.2, mode="x"), ValueError, "mode is invalid"),
        (lambda o: schedulers.OneCycleLR(o, 0.1), ValueError, "either total_steps OR"),
        (lambda o: schedulers.ReduceLROnPlateau(o, "x"), ValueError, "mode x is unknown"),
        (lambda o: schedulers.SequentialLR(o, [], []), ValueError, "at least one scheduler"),
        (
            lambda o: schedulers.ChainedScheduler([schedulers.ReduceLROnPlateau(o)]),
            ValueError,
            "does not support `ReduceLROnPlateau`",
        ),
        (
            lambda o: schedulers.SequentialLR(o, [schedulers.StepLR(sgd(), 1)], []),
            ValueError,
            "belong to the same optimizer",
        ),
    ],
)
def test_schedulers_refuse_nonsense(make, error, message):
    with pytest.raises(error, match=message):
        make(sgd())


def test_one_cycle_ends():
    scheduler = schedulers.OneCycleLR(sgd(), 0.1, 3, cycle_momentum=False)
    with pytest.raises(ValueError, match="Tried to step 4 times"):
        rates(scheduler, 4)
