"""Steps of optimizers on large parameters, which compiled kernels take in one pass."""

import numpy as np
import pytest

import arraytorch as torch
from arraytorch.backends.compiled import MANY

N = MANY + 7
CASES = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "dampening": 0.2, "weight_decay": 0.1}),
    ("SGD", {"momentum": 0.9, "weight_decay": 0.1, "nesterov": True}),
    ("SGD", {"momentum": 0.9, "maximize": True}),
    ("Adamax", {}),
    ("Adamax", {"weight_decay": 0.1}),
    ("NAdam", {}),
    ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.5}),
    ("RMSprop", {"centered": True, "maximize": True}),
    ("RMSprop", {"centered": True, "momentum": 0.5}),
    ("Adagrad", {"lr_decay": 0.1}),
    ("Adadelta", {}),
]


def trained(name, options, pieces):
    """The parameters after three steps, in pieces of so many elements, and what is kept of them."""
    rng = np.random.default_rng(0)
    start, grads = rng.standard_normal(N).astype("f4"), rng.standard_normal((3, N)).astype("f4")
    cuts = range(0, N, pieces)
    params = [torch.tensor(start[i : i + pieces], requires_grad=True) for i in cuts]
    optimizer = getattr(torch.optim, name)(params, lr=0.05, **options)
    for g in grads:
        for p, i in zip(params, cuts, strict=True):
            p.grad = torch.tensor(g[i : i + pieces])
        optimizer.step()
    kept = [optimizer.state[p] for p in params]
    names = [k for k, v in kept[0].items() if v is not None and v.numel() > 1]
    whole = {k: np.concatenate([state[k].numpy() for state in kept]) for k in names}
    return np.concatenate([p.detach().numpy() for p in params]), whole


@pytest.mark.parametrize(("name", "options"), CASES)
def test_large_parameters_take_the_steps_of_small_ones(name, options):
    """Whose steps are compared with PyTorch's elsewhere."""
    found, kept = trained(name, options, N)
    expected, wanted = trained(name, options, 1000)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-5)
    assert kept.keys() == wanted.keys()
    for key in kept:
        np.testing.assert_allclose(kept[key], wanted[key], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["SGD", "Adamax", "RMSprop"])
def test_what_was_saved_before_a_step_is_known_to_be_stale(name):
    p = torch.tensor(np.ones(N, "f4"), requires_grad=True)
    optimizer = getattr(torch.optim, name)([p], lr=0.05)
    loss = (p * p).sum()
    p.grad = torch.ones(N)
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_a_rate_may_be_a_tensor():
    p = torch.tensor(np.ones(N, "f4"), requires_grad=True)
    optimizer = torch.optim.Adamax([p], lr=torch.tensor(0.05))
    p.grad = torch.ones(N)
    optimizer.step()
    np.testing.assert_allclose(p.detach().numpy(), 0.95, rtol=1e-6)
