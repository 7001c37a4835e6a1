"""Pruning. Numbers were recorded from PyTorch."""

from __future__ import annotations

import pytest

import arraytorch as torch
from arraytorch import nn
from arraytorch.nn.utils import prune


def kept(module, name="weight"):
    return getattr(module, f"{name}_mask").sum().item()


def test_prunings_of_one_parameter_add_up():
    """Each looks at what the earlier ones left; counts and sums are PyTorch's from the same seed."""
    torch.manual_seed(0)
    conv = nn.Conv2d(4, 6, 3)
    prune.l1_unstructured(conv, "weight", 0.3)
    assert kept(conv) == 151 and list(dict(conv.named_parameters())) == ["bias", "weight_orig"]
    assert conv(torch.ones(1, 4, 3, 3)).sum().item() == pytest.approx(-1.5450, abs=1e-4)
    prune.ln_structured(conv, "weight", 2, 2, 0)
    (hook,) = conv._forward_pre_hooks.values()
    assert type(hook) is prune.PruningContainer and len(hook) == 2 and kept(conv) == 109
    prune.random_unstructured(conv, "weight", 10)
    assert kept(conv) == 99
    prune.random_structured(conv, "weight", 0.5, 1)
    assert kept(conv) == 47
    prune.identity(conv, "bias")
    prune.custom_from_mask(conv, "bias", torch.tensor([1, 0, 1, 1, 0, 1]))
    assert list(conv.state_dict()) == ["weight_orig", "bias_orig", "weight_mask", "bias_mask"]
    assert conv.bias[1] == 0 and kept(conv, "bias") == 4
    (conv(torch.ones(1, 4, 3, 3)) ** 2).sum().backward()
    assert conv.weight_orig.grad.abs().sum().item() == pytest.approx(18.5003, rel=1e-4)
    assert (conv.weight_orig.grad[conv.weight_mask == 0] == 0).all() and prune.is_pruned(conv)
    prune.remove(conv, "weight")
    assert isinstance(conv.weight, nn.Parameter)
    assert conv.weight.double().sum().item() == pytest.approx(-0.18615, abs=1e-4)
    prune.remove(conv, "bias")
    assert not prune.is_pruned(conv) and list(conv.state_dict()) == ["weight", "bias"]
    with pytest.raises(ValueError, match="has to be pruned before pruning can be removed"):
        prune.remove(conv, "weight")


def test_global_pruning_compares_all_parameters():
    net = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2))
    nn.init.ones_(net[0].weight)
    nn.init.constant_(net[2].weight, 0.5)
    nn.init.zeros_(net[0].bias)
    places = [(net[0], "weight"), (net[2], "weight"), (net[0], "bias")]
    prune.global_unstructured(places, prune.L1Unstructured, amount=15)
    assert [kept(*place) for place in places] == [20, 0, 0]
    prune.global_unstructured(places, prune.RandomUnstructured, amount=0.1)
    assert kept(net[0]) == 18  # of those that were left
    with pytest.raises(TypeError, match='Only "unstructured" PRUNING_TYPE supported'):
        prune.global_unstructured(places, prune.LnStructured, amount=5, n=2)


def test_importance_may_be_given():
    layer, scores = nn.Linear(3, 4), torch.arange(12.0).view(4, 3)
    prune.l1_unstructured(layer, "weight", 3, importance_scores=scores)
    assert layer.weight_mask.equal((scores > 2).float())
    with pytest.raises(AssertionError, match=r"got torch.Size\(\[2\]\) vs torch.Size\(\[4, 3\]\)"):
        prune.l1_unstructured(nn.Linear(3, 4), "weight", 1, importance_scores=torch.ones(2))


def test_norms_choose_channels():
    layer = nn.Linear(3, 4)
    with torch.no_grad():
        layer.weight.copy_(torch.arange(12.0).view(4, 3))
    for n, dim, mask in ((1, 0, [0, 0, 1, 1]), (float("inf"), 0, [0, 0, 1, 1])):
        method = prune.LnStructured(2, n, dim)
        assert method.compute_mask(layer.weight, torch.ones(4, 3)).sum(1).bool().tolist() == mask
    assert prune.LnStructured(1, 2).prune(layer.weight).sum(0).tolist() == [0, 22, 26]


@pytest.mark.parametrize(
    ("amount", "kind", "message"),
    [
        (-1, ValueError, "amount=-1 should either be a float in the range"),
        (1.5, ValueError, "amount=1.5 should either be a float in the range"),
        ("x", TypeError, "Invalid type for amount: x. Must be int or float."),
        (13, ValueError, "amount=13 should be smaller than the number of parameters to prune=12"),
    ],
)
def test_amounts_that_make_no_sense_are_refused(amount, kind, message):
    with pytest.raises(kind, match=message):
        prune.l1_unstructured(nn.Linear(3, 4), "weight", amount)


def test_other_errors():
    layer = nn.Linear(3, 4)
    with pytest.raises(ValueError, match="can only be applied to multidimensional tensors"):
        prune.ln_structured(layer, "bias", 1, 2, 0)
    with pytest.raises(IndexError, match="Invalid index 5 for tensor of size"):
        prune.random_structured(nn.Linear(3, 4), "weight", 1, 5)
    with pytest.raises(AssertionError, match=r"default_mask shape torch.Size\(\[4, 3\]\)"):
        prune.custom_from_mask(nn.Linear(3, 4), "weight", torch.ones(2))
    container = prune.PruningContainer(
        prune.identity(layer, "weight")._forward_pre_hooks.popitem()[1]
    )
    with pytest.raises(TypeError, match="is not a BasePruningMethod subclass"):
        container.add_pruning_method(3)
    other = prune.Identity.apply(nn.Linear(2, 2), "bias")
    with pytest.raises(ValueError, match="acting on the parameter named 'weight'"):
        container.add_pruning_method(other)
