"""Optimizers: their steps against plain NumPy and numbers recorded from PyTorch, and their state."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import arraytorch as torch
from arraytorch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
    required,
)

RECORDED = [  # from five steps of `descend`, by PyTorch
    ("SGD", {"lr": 0.05},
     [0.11678458750247955, -0.33681535720825195, 0.04118460416793823], 0.3510870337486267),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.1, "weight_decay": 0.2},
     [-0.608954131603241, 0.9969579577445984, -0.34130212664604187], 0.4692336618900299),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True},
     [-0.3254488706588745, 0.4682891368865967, -0.19315922260284424], 0.5650491118431091),
    ("SGD", {"lr": 0.05, "maximize": True},
     [3.7156713008880615, -7.095129013061523, 1.9138715267181396], 0.08450353890657425),
    ("Adam", {"lr": 0.1},
     [0.5065538287162781, -1.5116358995437622, 0.0028843656182289124], 0.7517455220222473),
    ("Adam", {"lr": 0.1, "weight_decay": 0.3, "amsgrad": True},
     [0.5046777725219727, -1.5090304613113403, 0.002090342342853546], 0.7520816922187805),
    ("Adam", {"lr": 0.1, "betas": (0.2, 0.6), "maximize": True},
     [1.5576469898223877, -2.556957244873047, 1.0604504346847534], -0.13702359795570374),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.3},
     [0.39227545261383057, -1.2554399967193604, -0.0376720204949379], 0.6875970363616943),
]  # fmt: skip


def parameters():
    return [
        torch.tensor([1.0, -2.0, 0.5], requires_grad=True),
        torch.tensor([[0.25]], requires_grad=True),
    ]


def descend(optimizer, params, steps=5, start=0):
    for k in range(start, start + steps):
        optimizer.zero_grad()
        x, y = params
        ((x**2).sum() * (k + 1) + (x.sum() * y).sum()).backward()
        optimizer.step()


@pytest.mark.parametrize(("kind", "options", "x", "y"), RECORDED)
@pytest.mark.parametrize("flag", [{}, {"foreach": True}, {"fused": True}])
def test_steps_are_those_of_pytorch(kind, options, x, y, flag):
    params = parameters()
    descend(getattr(torch.optim, kind)(params, **options, **flag), params)
    np.testing.assert_allclose(params[0].detach().numpy(), x, rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(params[1].item(), y, rtol=2e-5)


def numpy_sgd(p, g, state, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
    g = g + weight_decay * p
    if momentum:
        first = "b" not in state
        state["b"] = g if first else momentum * state["b"] + (1 - dampening) * g
        g = g + momentum * state["b"] if nesterov else state["b"]
    return p - lr * g


def numpy_adam(p, g, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False,
               decoupled=False):  # fmt: skip
    t = state["t"] = state.get("t", 0) + 1
    if decoupled:
        p = p * (1 - lr * weight_decay)
    else:
        g = g + weight_decay * p
    m = state["m"] = betas[0] * state.get("m", 0) + (1 - betas[0]) * g
    v = state["v"] = betas[1] * state.get("v", 0) + (1 - betas[1]) * g * g
    if amsgrad:
        v = state["w"] = np.maximum(state.get("w", 0), v)
    return p - lr * (m / (1 - betas[0] ** t)) / (np.sqrt(v / (1 - betas[1] ** t)) + eps)


CASES = [
    (torch.optim.SGD, numpy_sgd, {"lr": 0.1}),
    (
        torch.optim.SGD,
        numpy_sgd,
        {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01, "nesterov": True},
    ),
    (torch.optim.SGD, numpy_sgd, {"lr": 0.1, "momentum": 0.5, "dampening": 0.5}),
    (torch.optim.Adam, numpy_adam, {"lr": 0.1, "weight_decay": 0.01}),
    (torch.optim.Adam, numpy_adam, {"lr": 0.1, "betas": (0.0, 0.5), "eps": 1e-3}),
    (torch.optim.Adam, numpy_adam, {"lr": 0.1, "amsgrad": True}),
    (torch.optim.Adam, numpy_adam, {"lr": 0.0}),
    (torch.optim.Adam, numpy_adam, {"lr": 1e-30}),
]
# Above 65536 elements a tensor is stepped in blocks; small ones are stepped together.
SHAPES = [(300, 260), (7,), (), (2, 3, 4), (70000,), (5,)]


@pytest.mark.parametrize(("kind", "reference", "options"), CASES)
@pytest.mark.parametrize("missing", [False, True])
def test_steps_follow_the_formula(kind, reference, options, missing):
    """Twenty steps of tensors of all sizes, some of them without a gradient now and then."""
    rng = np.random.default_rng(0)
    values = [rng.standard_normal(shape) for shape in SHAPES]
    params = [torch.tensor(v, requires_grad=True) for v in values]
    # A transposed parameter is no contiguous memory.
    params[0] = torch.tensor(values[0].T.copy()).t().requires_grad_()
    optimizer = kind(params, **options)
    states = [{} for _ in params]
    for step in range(20):
        for i, param in enumerate(params):
            param.grad = None
            if not missing or (step + i) % 3:
                g = rng.standard_normal(SHAPES[i])
                param.grad = torch.tensor(g)
                values[i] = reference(values[i], g, states[i], **options)
        optimizer.step()
    for param, value in zip(params, values):
        np.testing.assert_allclose(param.detach().numpy(), value, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.complex64])
def test_other_dtypes_follow_float64(kind, dtype):
    """16-bit floats stay near the exact path; the parts of complex numbers are stepped apart."""
    complex_ = dtype.is_complex
    start = torch.tensor([0.5, -1.0, 2.0, 0.25])
    exact = torch.optim.__dict__[kind]([p := start.double().requires_grad_()], lr=0.125)
    own = torch.optim.__dict__[kind]([q := _as(start, dtype).requires_grad_()], lr=0.125)
    for k in range(4):
        p.grad = torch.tensor([0.5, -0.25, 1.0, 2.0]).double() * (k + 1)
        q.grad = _as(p.grad, dtype)
        exact.step()
        own.step()
    result = q.detach().real if complex_ else q.detach().double()
    np.testing.assert_allclose(result.numpy(), p.detach().numpy(), rtol=0.02, atol=0.02)
    if complex_:
        np.testing.assert_allclose(q.detach().imag.numpy(), result.numpy(), rtol=1e-5)
    assert q.dtype is dtype and all(
        t.dtype is dtype for n, t in own.state[q].items() if n != "step"
    )


def _as(x, dtype):
    return torch.complex(x.float(), x.float()) if dtype.is_complex else x.to(dtype)


def test_step_leaves_gradients_alone():
    params = parameters()
    optimizer = torch.optim.Adam(params, weight_decay=0.1, maximize=True)
    descend(optimizer, params, 1)
    grads = [p.grad.clone() for p in params]
    optimizer.step()
    assert all(p.grad.tolist() == g.tolist() for p, g in zip(params, grads))


def test_step_writes_into_the_parameters_memory():
    weight = torch.zeros(3, requires_grad=True)
    view, data = weight.detach(), weight.data_ptr()
    weight.grad = torch.ones(3)
    torch.optim.SGD([weight], lr=1.0).step()
    assert weight.data_ptr() == data
    assert view.tolist() == [-1.0] * 3
    assert weight.is_leaf and weight.requires_grad


def test_step_makes_saved_parameters_stale():
    """A backward through a value from before the step would be wrong, and says so."""
    weight = torch.ones(3, requires_grad=True)
    out = (weight * weight).sum()
    weight.grad = torch.ones(3)
    torch.optim.SGD([weight], lr=1.0).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.backward()


def test_closure_is_differentiated_and_its_loss_returned():
    weight = torch.tensor([2.0], requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (weight**2).sum()
        loss.backward()
        return loss

    with torch.no_grad():
        assert optimizer.step(closure).item() == 4.0
    assert weight.tolist() == [1.0]


def test_zero_grad_forgets_or_fills():
    params = parameters()
    optimizer = torch.optim.SGD(params)
    descend(optimizer, params, 1)
    kept = params[0].grad
    optimizer.zero_grad(set_to_none=False)
    assert params[0].grad is kept and kept.tolist() == [0.0] * 3
    optimizer.zero_grad()
    assert params[0].grad is None


# state


def test_state_has_pytorchs_layout():
    params = parameters()
    optimizer = torch.optim.Adam(params, lr=0.1, amsgrad=True)
    params[0].grad = torch.ones(3)
    optimizer.step()
    saved = optimizer.state_dict()
    assert list(saved) == ["state", "param_groups"]
    assert list(saved["state"]) == [0]
    own = saved["state"][0]
    assert list(own) == ["step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"]
    assert own["step"].shape == () and own["step"].dtype is torch.float32 and own["step"] == 1
    assert own["exp_avg"].shape == (3,)
    assert own["exp_avg"].tolist() == pytest.approx([0.1] * 3)
    assert saved["param_groups"] == [
        {
            "lr": 0.1, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0, "amsgrad": True,
            "maximize": False, "foreach": None, "capturable": False, "differentiable": False,
            "fused": None, "decoupled_weight_decay": False, "params": [0, 1],
        }
    ]  # fmt: skip
    sgd = torch.optim.SGD(params, momentum=0.9)
    sgd.step()
    assert list(sgd.state_dict()["state"]) == [0]
    assert list(sgd.state_dict()["state"][0]) == ["momentum_buffer"]


@pytest.mark.parametrize(("kind", "options", "x", "y"), RECORDED)
@pytest.mark.parametrize("copier", ["state_dict", "pickle", "deepcopy"])
def test_interrupted_descent_continues(kind, options, x, y, copier):
    params = parameters()
    optimizer = getattr(torch.optim, kind)(params, **options)
    descend(optimizer, params, 2)
    if copier == "state_dict":
        saved = copy.deepcopy(optimizer.state_dict())
        optimizer = getattr(torch.optim, kind)(params, lr=77)
        optimizer.load_state_dict(saved)
    elif copier == "pickle":
        optimizer = pickle.loads(pickle.dumps(optimizer))
        params = optimizer.param_groups[0]["params"]
    else:
        optimizer = copy.deepcopy(optimizer)
        params = optimizer.param_groups[0]["params"]
    descend(optimizer, params, 3, start=2)
    np.testing.assert_allclose(params[0].detach().numpy(), x, rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(params[1].item(), y, rtol=2e-5)


def test_loading_copies_and_casts():
    """The loaded tensors are not written to, and get the parameter's dtype; the step does not."""
    saved = {
        "state": {
            0: {
                "step": torch.tensor(3.0),
                "exp_avg": torch.ones(3),
                "exp_avg_sq": torch.ones(3),
            }
        },
        "param_groups": torch.optim.Adam([torch.zeros(3)]).state_dict()["param_groups"],
    }
    weight = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([weight])
    optimizer.load_state_dict(saved)
    weight.grad = torch.zeros_like(weight)
    optimizer.step()
    own = optimizer.state[weight]
    assert own["exp_avg"].dtype is torch.float64 and own["step"].dtype is torch.float32
    assert own["step"] == 4 and own["exp_avg"].tolist() == pytest.approx([0.9] * 3)
    assert saved["state"][0]["exp_avg"].tolist() == [1.0] * 3


def test_replaced_and_rewritten_state_counts():
    """What a user puts into the state, or writes into its tensors, is what the next step uses."""
    params = parameters()
    optimizer = torch.optim.Adam(params, betas=(0.5, 0.5))
    descend(optimizer, params, 3)
    first, second = params
    optimizer.state[first]["exp_avg"] = torch.full((3,), 8.0)
    optimizer.state[second]["exp_avg_sq"].fill_(4.0)
    optimizer.state[second]["step"].fill_(0.0)
    for param in params:
        param.grad = torch.zeros_like(param)
    optimizer.step()
    assert optimizer.state[first]["exp_avg"].tolist() == [4.0] * 3
    assert optimizer.state[second]["exp_avg_sq"].item() == 2.0
    assert [optimizer.state[p]["step"].item() for p in params] == [4.0, 1.0]
    optimizer.state.clear()
    optimizer.step()
    assert optimizer.state[first]["step"] == 1


def test_late_parameters_join():
    """State appears with a parameter's first gradient, and is kept while it has none."""
    params = parameters()
    optimizer = torch.optim.Adam(params)
    params[0].grad = torch.ones(3)
    optimizer.step()
    assert list(optimizer.state) == [params[0]]
    params[1].grad = torch.ones(1, 1)
    optimizer.step()
    params[0].grad = None
    optimizer.step()
    assert [optimizer.state[p]["step"].item() for p in params] == [2.0, 2.0]
    extra = torch.zeros(2, requires_grad=True)
    extra.grad = torch.ones(2)
    optimizer.add_param_group({"params": [extra], "lr": 0.5})
    optimizer.step()
    assert extra.tolist() == pytest.approx([-0.5] * 2)


def test_load_state_dict_refuses_other_groups():
    optimizer = torch.optim.SGD(parameters())
    with pytest.raises(ValueError, match="different number of parameter groups"):
        optimizer.load_state_dict({"state": {}, "param_groups": []})
    with pytest.raises(ValueError, match="doesn't match the size of optimizer's group"):
        optimizer.load_state_dict({"state": {}, "param_groups": [{"params": [0]}]})


def test_names_are_kept_and_saved():
    x, y = parameters()
    optimizer = torch.optim.SGD([("x", x), ("y", y)])
    assert optimizer.param_groups[0]["param_names"] == ["x", "y"]
    saved = optimizer.state_dict()
    assert saved["param_groups"][0]["param_names"] == ["x", "y"]
    del saved["param_groups"][0]["param_names"]
    optimizer.load_state_dict(saved)
    assert optimizer.param_groups[0]["param_names"] == ["x", "y"]
    with pytest.raises(ValueError, match="with/without names"):
        torch.optim.SGD([("x", x), y])
    with pytest.raises(ValueError, match="cannot add param group without names"):
        optimizer.add_param_group({"params": [torch.zeros(1)]})


# construction


def test_repr_lists_the_options():
    text = repr(torch.optim.SGD([torch.zeros(1)], lr=0.5))
    assert text == (
        "SGD (\nParameter Group 0\n    dampening: 0\n    differentiable: False\n"
        "    foreach: None\n    fused: None\n    lr: 0.5\n    maximize: False\n"
        "    momentum: 0\n    nesterov: False\n    weight_decay: 0\n)"
    )


def test_generators_and_groups_are_taken():
    x, y = parameters()
    optimizer = torch.optim.SGD((p for p in (x, y)), lr=0.5)
    assert optimizer.param_groups[0]["params"][0] is x
    optimizer = torch.optim.SGD([{"params": x, "lr": 1.0}, {"params": iter([y])}], lr=0.5)
    assert [g["lr"] for g in optimizer.param_groups] == [1.0, 0.5]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda w: torch.optim.SGD(w), TypeError, "iterable of Tensors or dicts, but got torch"),
        (lambda w: torch.optim.SGD([]), ValueError, "optimizer got an empty parameter list"),
        (lambda w: torch.optim.SGD([3]), TypeError, "one of the params is int"),
        (lambda w: torch.optim.SGD([w * 1]), ValueError, "can't optimize a non-leaf Tensor"),
        (lambda w: torch.optim.SGD([{"params": {w}}]), TypeError, "ordered collections"),
        (lambda w: torch.optim.SGD([{"params": w}, {"params": w}]), ValueError, "more than one"),
        (lambda w: torch.optim.SGD([w], lr=-1), ValueError, "Invalid learning rate: -1"),
        (lambda w: torch.optim.SGD([w], momentum=-1), ValueError, "Invalid momentum value"),
        (lambda w: torch.optim.SGD([w], nesterov=True), ValueError, "Nesterov momentum requires"),
        (lambda w: torch.optim.SGD([w], fused=True, foreach=True), RuntimeError, "together"),
        (lambda w: torch.optim.SGD([w], lr=torch.ones(2)), ValueError, "must be 1-element"),
        (lambda w: torch.optim.Adam([w], betas=(1.0, 0.5)), ValueError, "beta parameter at index 0"),
        (lambda w: torch.optim.Adam([w], betas=(0.5, torch.tensor(0.5))), ValueError, "both"),
        (lambda w: torch.optim.Adam([w], eps=-1), ValueError, "Invalid epsilon value"),
        (lambda w: torch.optim.Adam([w], lr=torch.ones(1), foreach=True), ValueError, "lr as a"),
        (lambda w: torch.optim.Optimizer([w], {"lr": required}), ValueError, "parameter lr"),
    ],
)  # fmt: skip
def test_optimizers_refuse_nonsense(make, error, message):
    with pytest.raises(error, match=message):
        make(torch.zeros(2, requires_grad=True))


def test_duplicates_warn():
    weight = torch.zeros(2, requires_grad=True)
    with pytest.warns(UserWarning, match="duplicate parameters"):
        torch.optim.SGD([weight, weight])


def test_fused_and_capturable_need_what_they_need():
    weight = torch.zeros(2, dtype=torch.complex64, requires_grad=True)
    weight.grad = torch.zeros(2, dtype=torch.complex64)
    with pytest.raises(RuntimeError, match="floating point Tensors of supported devices"):
        torch.optim.Adam([weight], fused=True).step()
    with pytest.raises(AssertionError, match="If capturable=True"):
        torch.optim.Adam([weight], capturable=True).step()


@pytest.mark.parametrize(("kind", "options", "x", "y"), RECORDED)
def test_recorded_steps_equal_the_others(kind, options, x, y):
    """With differentiable=True the step runs op by op, to the same numbers but for rounding.

    The bias corrections are float32 then, which costs 0.999 ** step the last digits.
    """
    a, b = params = [p.detach() for p in parameters()]
    optimizer = getattr(torch.optim, kind)(params, **options, differentiable=True)
    for k in range(5):
        a.grad, b.grad = 2 * (k + 1) * a + b[0], a.sum().reshape(1, 1)
        optimizer.step()
    np.testing.assert_allclose(a.numpy(), x, rtol=2e-4, atol=1e-5)
    np.testing.assert_allclose(b.item(), y, rtol=2e-4)


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_gradients_flow_through_recorded_steps(kind):
    """The derivative for the learning rate is that of the difference quotient."""

    def after(rate):
        weight = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True) * 1
        weight.retain_grad()
        rate = rate if isinstance(rate, torch.Tensor) else torch.tensor(rate, dtype=torch.float64)
        optimizer = getattr(torch.optim, kind)([weight], lr=rate, differentiable=True)
        for k in range(2):
            weight.grad = torch.tensor([0.5, 3.0], dtype=torch.float64) * (k + 1)
            optimizer.step()
        return (weight**2).sum()

    rate = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    after(rate).backward()
    slope = (after(0.1 + 1e-6) - after(0.1 - 1e-6)).item() / 2e-6
    assert rate.grad.item() == pytest.approx(slope, rel=1e-6)


# hooks


def test_step_hooks_run_around_the_step_and_may_change_arguments():
    params = parameters()
    optimizer = torch.optim.SGD(params)
    calls = []
    handles = [
        register_optimizer_step_pre_hook(lambda o, a, k: calls.append("all before")),
        register_optimizer_step_post_hook(lambda o, a, k: calls.append("all after")),
        optimizer.register_step_pre_hook(lambda o, a, k: ((o, lambda: "other"), k)),
        optimizer.register_step_post_hook(lambda o, a, k: calls.append(a[0] is optimizer)),
    ]
    assert optimizer.step(lambda: "loss") == "other"
    assert calls == ["all before", True, "all after"]
    for handle in handles:
        handle.remove()
    assert optimizer.step(lambda: "loss") == "loss"
    assert len(calls) == 3
    optimizer.register_step_pre_hook(lambda o, a, k: 3)
    with pytest.raises(RuntimeError, match="must return None or a tuple"):
        optimizer.step()


def test_step_hooks_run_once_for_a_subclass_that_calls_super():
    class Mine(torch.optim.SGD):
        def step(self, closure=None):
            return super().step(closure)

    optimizer, calls = Mine(parameters()), []
    optimizer.register_step_pre_hook(lambda o, a, k: calls.append(1))
    optimizer.step()
    assert calls == [1]


def test_state_hooks_run_in_order_and_may_replace():
    params = parameters()
    optimizer = torch.optim.SGD(params)
    calls = []
    optimizer.register_state_dict_pre_hook(lambda o: calls.append("second"))
    optimizer.register_state_dict_pre_hook(lambda o: calls.append("first"), prepend=True)
    optimizer.register_state_dict_post_hook(lambda o, s: {**s, "extra": 1})
    saved = optimizer.state_dict()
    assert calls == ["first", "second"] and saved["extra"] == 1
    optimizer.register_load_state_dict_pre_hook(lambda o, s: {**s, "state": {"mine": 7}})
    optimizer.register_load_state_dict_post_hook(lambda o: calls.append("loaded"))
    optimizer.load_state_dict(saved)
    assert optimizer.state["mine"] == 7 and calls[-1] == "loaded"


def test_own_optimizer_in_the_usual_form():
    """A subclass written for PyTorch, with its step under no_grad."""

    class Sign(torch.optim.Optimizer):
        def __init__(self, params, lr=required):
            super().__init__(params, {"lr": lr})

        @torch.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    self.state[p]["count"] = self.state[p].get("count", 0) + 1
                    p.add_(p.grad.sign(), alpha=-group["lr"])

    params = parameters()
    optimizer = Sign(params, lr=0.5)
    descend(optimizer, params, 1)
    assert params[0].tolist() == [0.5, -1.5, 0.0]
    assert optimizer.state_dict()["state"] == {0: {"count": 1}, 1: {"count": 1}}
