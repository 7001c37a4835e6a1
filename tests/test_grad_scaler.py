"""GradScaler, against numbers that real PyTorch gave."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from fake_accelerator import installed

import arraytorch as torch
from arraytorch import nn


def parameter(value=1.0, lr=0.1):
    w = nn.Parameter(torch.full((2,), value))
    return w, torch.optim.SGD([w], lr=lr)


def test_scale_grows_and_shrinks():
    """PyTorch's scales and counts, step for step."""
    w, optimizer = parameter()
    scaler = torch.amp.GradScaler("cpu", growth_interval=2)
    seen = []
    for factor in (float("inf"), 3, 3, 3):
        optimizer.zero_grad()
        scaler.scale((w * factor).sum()).backward()
        assert scaler.step(optimizer) is None
        scaler.update()
        seen.append((scaler.get_scale(), scaler.state_dict()["_growth_tracker"]))
    assert seen == [(32768.0, 0), (32768.0, 1), (65536.0, 0), (65536.0, 1)]
    np.testing.assert_allclose(w.tolist(), [0.1, 0.1], rtol=1e-5)


def test_an_overflow_skips_the_step_of_its_optimizer_alone():
    """Two optimizers: the one with the NaN is left out, and the scale shrinks."""
    (w, one), (v, other) = parameter(), parameter()
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    scaler.scale((w * 2).sum()).backward()
    v.grad = torch.tensor([float("nan"), 1.0])
    scaler.step(one), scaler.step(other)
    scaler.update()
    assert v.tolist() == [1, 1] and scaler.get_scale() == 2.0
    np.testing.assert_allclose(w.tolist(), [0.8, 0.8], rtol=1e-6)


def test_scale_never_becomes_infinite():
    """Growth stops before float32 ends."""
    w, optimizer = parameter()
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127, growth_interval=1)
    scaler.scale(w.sum() * 0).backward()
    scaler.step(optimizer)
    scaler.update()
    assert scaler.get_scale() == 2.0**127


def test_unscaled_gradients_may_be_looked_at():
    """Between unscale_ and step the gradients are the true ones; a bad one put in later counts not."""
    w, optimizer = parameter()
    scaler = torch.amp.GradScaler("cpu")
    scaler.scale((w * 3).sum()).backward()
    assert w.grad.tolist() == [196608.0, 196608.0]
    scaler.unscale_(optimizer)
    assert w.grad.tolist() == [3.0, 3.0]
    with pytest.raises(RuntimeError, match="has already been called on this optimizer"):
        scaler.unscale_(optimizer)
    scaler.step(optimizer)
    with pytest.raises(RuntimeError, match="step.. has already been called since the last"):
        scaler.step(optimizer)
    with pytest.raises(RuntimeError, match="is being called after step"):
        scaler.unscale_(optimizer)
    with pytest.raises(AssertionError, match="may only be pickled at the beginning"):
        pickle.dumps(scaler)
    scaler.update()
    np.testing.assert_allclose(w.tolist(), [0.7, 0.7], rtol=1e-6)


def test_scaler_refuses_what_pytorch_refuses():
    """Classes and words."""
    w, optimizer = parameter()
    scaler = torch.amp.GradScaler("cpu")
    for name, args in (("update", ()), ("step", (optimizer,)), ("unscale_", (optimizer,))):
        with pytest.raises(AssertionError, match=f"Attempted {name} but _scale is None"):
            getattr(scaler, name)(*args)
    scaler.scale(w.sum())
    with pytest.raises(AssertionError, match="No inf checks were recorded for this optimizer"):
        scaler.step(optimizer)
    with pytest.raises(AssertionError, match="No inf checks were recorded prior to update"):
        scaler.update()
    with pytest.raises(RuntimeError, match="Closure use is not currently supported"):
        scaler.step(optimizer, closure=lambda: 1)
    with pytest.raises(ValueError, match="must be a Tensor or an iterable of Tensors"):
        scaler.scale(3)
    with pytest.raises(RuntimeError, match="source state dict is empty"):
        scaler.load_state_dict({})
    with pytest.raises(AssertionError, match="growth factor must be > 1.0"):
        torch.GradScaler("cpu", growth_factor=1.0)
    with pytest.raises(AssertionError, match="backoff factor must be < 1.0"):
        torch.GradScaler("cpu", backoff_factor=1.0)
    for bad in (torch.ones(2), torch.ones(1, requires_grad=True)):
        with pytest.raises(AssertionError, match="new_scale should be a float or a 1-element"):
            scaler.update(bad)
    h = nn.Parameter(torch.ones(2, dtype=torch.float16))
    h.grad = torch.ones(2, dtype=torch.float16)
    with pytest.raises(ValueError, match="Attempting to unscale FP16 gradients"):
        torch.GradScaler.unscale_(scaler, torch.optim.SGD([h], lr=0.1))


def test_scaling_many_and_setting_the_scale():
    """Iterables keep their class; the scale may be set to a number or a tensor."""
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    one, (two, [three]) = scaler.scale([torch.ones(1), (torch.ones(2), [torch.ones(1).half()])])
    assert one.tolist() == [8] and two.tolist() == [8, 8] and three.dtype is torch.float16
    scaler.update(4.0)
    assert scaler.get_scale() == 4.0
    scaler.update(torch.tensor(2.0))
    assert scaler.get_scale() == 2.0


def test_state_of_a_scaler():
    """state_dict, load_state_dict, pickling, and the factors."""
    scaler = torch.amp.GradScaler("cpu", 4.0, 3.0, 0.25, 7)
    state = scaler.state_dict()
    assert state == {
        "scale": 4.0, "growth_factor": 3.0, "backoff_factor": 0.25, "growth_interval": 7,
        "_growth_tracker": 0,
    }  # fmt: skip
    other = torch.amp.GradScaler("cpu")
    other.scale(torch.ones(1))
    other.load_state_dict(state)
    assert other.state_dict() == state and other.scale(torch.ones(1)).item() == 4.0
    assert pickle.loads(pickle.dumps(other)).state_dict() == state
    other.set_growth_factor(5.0), other.set_backoff_factor(0.1), other.set_growth_interval(3)
    assert (other.get_growth_factor(), other.get_backoff_factor()) == (5.0, 0.1)
    assert other.get_growth_interval() == 3


def test_disabled_scaler_does_nothing():
    """It calls the optimizer, and that is all."""
    w, optimizer = parameter()
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    x = torch.ones(1)
    assert scaler.scale(x) is x and scaler.get_scale() == 1.0 and scaler.state_dict() == {}
    w.grad = torch.ones(2)
    scaler.unscale_(optimizer), scaler.update(), scaler.load_state_dict({})
    assert scaler.step(optimizer, lambda: torch.tensor(5.0)).item() == 5.0
    np.testing.assert_allclose(w.tolist(), [0.9, 0.9], rtol=1e-6)


def test_optimizers_that_scale_by_themselves():
    """They find the scale and whether a gradient overflowed; the old way warns."""
    seen = []

    class Own(torch.optim.SGD):
        _step_supports_amp_scaling = True

        def step(self, closure=None):
            seen.append((self.grad_scale and self.grad_scale.item(), self.found_inf.item()))

    class Old(Own):
        def step(self, closure=None, grad_scaler=None):
            seen.append(grad_scaler)

    w = nn.Parameter(torch.ones(2))
    optimizer, scaler = Own([w], lr=0.1), torch.amp.GradScaler("cpu", init_scale=2.0)
    scaler.scale(w.sum()).backward()
    scaler.step(optimizer)
    scaler.update()
    w.grad[0] = float("inf")
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    assert seen == [(2.0, 0.0), (None, 1.0)] and scaler.get_scale() == 1.0
    assert not hasattr(optimizer, "grad_scale")
    with pytest.warns(FutureWarning, match="stop passing itself"):
        scaler.step(Old([w], lr=0.1))
    assert seen[-1] is scaler


def test_scaler_on_a_device():
    """The scale lies on the loss's device; only step asks for a number."""
    with installed("cuda") as fake:
        w = torch.ones(2, device="cuda:1", requires_grad=True)
        optimizer = torch.optim.SGD([w], lr=0.5)
        scaler = torch.GradScaler("cuda", init_scale=4.0)
        loss = scaler.scale((w * w).sum())
        loss.backward()
        assert loss.device.index == 1 and scaler._scale.device.index == 1
        fake.calls.clear()
        scaler.unscale_(optimizer)
        assert not [c for c in fake.calls if c[0] == "to_host"]
        scaler.step(optimizer)
        asked = len([c for c in fake.calls if c[0] == "to_host"])
        scaler.update()
        assert len([c for c in fake.calls if c[0] == "to_host"]) == asked
        assert w.tolist() == [0, 0]


def test_gradients_of_several_dtypes_and_devices():
    """Each is unscaled in its own dtype, where it lies; one overflow anywhere skips the step."""
    with installed("cuda"):
        one, two = (torch.ones(2, device=f"cuda:{i}", requires_grad=True) for i in range(2))
        half = torch.ones(2, dtype=torch.bfloat16, requires_grad=True)
        wide = torch.ones(2, dtype=torch.float64, requires_grad=True)
        every = [one, two, half, wide]
        optimizer = torch.optim.SGD(every, lr=1.0)
        scaler = torch.amp.GradScaler("cpu")
        scaler.scale(torch.ones(1))
        for p in every:
            p.grad = torch.ones_like(p).detach()
        scaler.unscale_(optimizer)
        assert [p.grad.dtype for p in every] == [p.dtype for p in every]
        assert [p.grad[0].item() for p in every] == [2.0**-16] * 4
        scaler.update(1.0)
        two.grad[1] = float("-inf")
        scaler.step(optimizer)
        scaler.update()
        assert scaler.get_scale() == 0.5 and [p.tolist() for p in every] == [[1.0, 1.0]] * 4
