"""Lazy modules, which learn their sizes from their first input."""

from __future__ import annotations

import copy
import pickle

import pytest

import arraytorch as torch
from arraytorch import nn

LAYERS = [  # a lazy layer, an input, the layer it becomes
    (lambda: nn.LazyLinear(4), (2, 5), lambda: nn.Linear(5, 4)),
    (lambda: nn.LazyLinear(4, bias=False), (5,), lambda: nn.Linear(5, 4, bias=False)),
    (lambda: nn.LazyConv1d(4, 3), (2, 6, 5), lambda: nn.Conv1d(6, 4, 3)),
    (lambda: nn.LazyConv2d(4, 3, 2, 1, groups=2, bias=False, padding_mode="circular"), (2, 6, 5, 5),
     lambda: nn.Conv2d(6, 4, 3, 2, 1, groups=2, bias=False, padding_mode="circular")),
    (lambda: nn.LazyConv3d(2, 1), (6, 5, 5, 5), lambda: nn.Conv3d(6, 2, 1)),
    (lambda: nn.LazyConvTranspose1d(4, 3), (6, 5), lambda: nn.ConvTranspose1d(6, 4, 3)),
    (lambda: nn.LazyConvTranspose2d(4, 3, 2, 1, 1, 2, dilation=2), (2, 6, 5, 5),
     lambda: nn.ConvTranspose2d(6, 4, 3, 2, 1, 1, 2, dilation=2)),
    (lambda: nn.LazyConvTranspose3d(4, 3), (2, 6, 5, 5, 5), lambda: nn.ConvTranspose3d(6, 4, 3)),
    (lambda: nn.LazyBatchNorm1d(0.1), (2, 6), lambda: nn.BatchNorm1d(6, 0.1)),
    (lambda: nn.LazyBatchNorm2d(affine=False), (2, 6, 5, 5),
     lambda: nn.BatchNorm2d(6, affine=False)),
    (lambda: nn.LazyBatchNorm3d(track_running_stats=False), (2, 6, 5, 5, 5),
     lambda: nn.BatchNorm3d(6, track_running_stats=False)),
    (lambda: nn.LazyInstanceNorm1d(), (2, 6, 5), lambda: nn.InstanceNorm1d(6, 1e-5, 0.1, True, True)),
    (lambda: nn.LazyInstanceNorm2d(bias=False), (2, 6, 5, 5),
     lambda: nn.InstanceNorm2d(6, 1e-5, 0.1, True, True, bias=False)),
    (lambda: nn.LazyInstanceNorm3d(affine=False), (2, 6, 5, 5, 5),
     lambda: nn.InstanceNorm3d(6, track_running_stats=True)),
]  # fmt: skip


@pytest.mark.parametrize(("lazy", "shape", "usual"), LAYERS)
def test_the_first_call_makes_the_usual_layer(lazy, shape, usual):
    """Of its class, with its keys, and the weights that it would have after the same seed."""
    layer, x = lazy(), torch.randn(shape)
    keys = list(layer.state_dict())
    assert repr(layer).startswith("Lazy")
    torch.manual_seed(0)
    out = layer(x)
    torch.manual_seed(0)
    other = usual()
    assert type(layer) is type(other) and repr(layer) == repr(other)
    assert keys == list(layer.state_dict()) == list(other.state_dict())
    assert out.equal(other(x))
    for name, value in layer.state_dict().items():
        assert value.equal(other.state_dict()[name])
    assert not layer._forward_pre_hooks and not layer._load_state_dict_pre_hooks
    assert layer(x).shape == out.shape


def test_uninitialized_parameters_have_dtype_and_device_only():
    weight = nn.LazyLinear(3).double().weight
    assert isinstance(weight, nn.UninitializedParameter) and isinstance(weight, nn.Parameter)
    assert weight.dtype is torch.float64 and weight.device.type == "cpu" and weight.is_leaf
    assert (
        weight.requires_grad and weight.grad is None and repr(weight) == "<UninitializedParameter>"
    )
    with pytest.raises(RuntimeError, match="Can't access the shape of an uninitialized parameter"):
        weight.shape
    for use in (lambda: weight + 1, weight.numel, weight.detach, lambda: torch.exp(weight),
                lambda: nn.functional.linear(torch.ones(2), weight)):  # fmt: skip
        with pytest.raises(ValueError, match="Attempted to use an uninitialized parameter"):
            use()
    frozen = nn.LazyLinear(3).requires_grad_(False)
    frozen(torch.ones(2))
    assert not frozen.weight.requires_grad


def test_materializing_takes_shape_device_and_dtype():
    weight = nn.UninitializedParameter()
    weight.materialize((2, 3))
    assert type(weight) is nn.Parameter and weight.shape == (2, 3) and weight.requires_grad
    weight.sum().backward()
    assert weight.grad.tolist() == [[1.0] * 3] * 2
    buffer = nn.UninitializedBuffer()
    assert isinstance(buffer, nn.Buffer)
    buffer.materialize((2,), dtype=torch.int64, device="meta")
    assert type(buffer) is torch.Tensor and buffer.is_meta and buffer.dtype is torch.int64


def test_state_dicts_give_shapes():
    """A lazy module takes the shapes of what it loads; two that know nothing agree."""
    usual, lazy = nn.Linear(4, 3), nn.LazyLinear(3)
    assert not lazy.load_state_dict(nn.LazyLinear(3).state_dict()).missing_keys
    lazy.load_state_dict(usual.state_dict())
    assert lazy.weight.equal(usual.weight) and type(lazy) is nn.LazyLinear
    assert lazy(torch.ones(4)).equal(usual(torch.ones(4)))
    assert repr(lazy) == "Linear(in_features=4, out_features=3, bias=True)"
    with pytest.raises(RuntimeError, match="Can't access the shape of an uninitialized parameter"):
        usual.load_state_dict(nn.LazyLinear(3).state_dict())


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_are_lazy_on_their_own(copied):
    layer = nn.LazyLinear(3).half()
    other = copied(layer)
    other(torch.ones(2, 5, dtype=torch.float16))
    assert type(other) is nn.Linear and type(layer) is nn.LazyLinear
    assert other.weight.shape == (3, 5) and layer.has_uninitialized_params()


def test_inputs_of_wrong_dimensions_are_refused():
    with pytest.raises(
        RuntimeError, match=r"Expected 3D \(unbatched\) or 4D \(batched\) input to Laz"
    ):
        nn.LazyConv2d(1, 1)(torch.ones(2))
    with pytest.raises(ValueError, match="in_channels must be divisible by groups"):
        nn.LazyConv1d(2, 1, groups=2)(torch.ones(3, 4))


def test_own_lazy_modules():
    """A user's class completes itself in the same way; the base warns that it may change."""

    class Scale(nn.modules.lazy.LazyModuleMixin, nn.Module):
        def __init__(self):
            super().__init__()
            self.factor = nn.UninitializedParameter()

        def initialize_parameters(self, x):
            self.factor.materialize(x.shape[-1:])
            nn.init.ones_(self.factor)

        def forward(self, x):
            return x * self.factor

    with pytest.warns(UserWarning, match="Lazy modules are a new feature"):
        layer = Scale()
    assert layer(torch.ones(2, 3)).shape == (2, 3)
    assert type(layer) is Scale and not layer.has_uninitialized_params()


def test_one_process_and_one_device():
    """SyncBatchNorm and DataParallel are what they are without a group and without GPUs."""
    net = nn.Sequential(nn.BatchNorm2d(3), nn.ReLU())
    net(torch.randn(4, 3, 2, 2))
    x = torch.randn(4, 3, 2, 2)
    expected = copy.deepcopy(net)(x)
    net = nn.SyncBatchNorm.convert_sync_batchnorm(net)
    assert type(net[0]) is nn.SyncBatchNorm and net[0].process_group is None
    model = nn.DataParallel(net)
    assert model(x).equal(expected)
    assert next(iter(model.state_dict())) == "module.0.weight"
    with pytest.raises(ValueError, match=r"expected at least 2D input \(got 1D input\)"):
        nn.SyncBatchNorm(3)(torch.ones(3))


def test_dropout_fills_its_mask_in_the_order_of_memory():
    """As PyTorch does: a transposed input has the transposed mask."""
    torch.manual_seed(0)
    plain = nn.functional.dropout(torch.ones(5, 4))
    torch.manual_seed(0)
    assert nn.functional.dropout(torch.ones(5, 4).t()).equal(plain.t())
