"""Parametrizations, weight and spectral norm in both forms, fusion. Numbers are PyTorch's."""

from __future__ import annotations

import copy
import pickle

import pytest

import arraytorch as torch
from arraytorch import nn
from arraytorch.nn import utils
from arraytorch.nn.utils import parametrizations, parametrize, stateless


class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).transpose(-1, -2)

    def right_inverse(self, x):
        return x.triu()


class Halves(nn.Module):
    def forward(self, a, b):
        return a + b

    def right_inverse(self, x):
        return x / 2, x / 2


def sums(module):
    return {k: round(v.double().sum().item(), 4) for k, v in module.state_dict().items()}


def test_a_parametrized_tensor_is_a_function_of_its_original():
    torch.manual_seed(0)
    layer = nn.Linear(3, 3)
    weight = layer.weight
    assert parametrize.register_parametrization(layer, "weight", Symmetric()) is layer
    assert layer.weight.equal(layer.weight.T)
    assert layer.parametrizations.weight.original is weight  # optimizers may know it
    assert list(layer.state_dict()) == ["bias", "parametrizations.weight.original"]
    assert type(layer).__name__ == "ParametrizedLinear"
    assert parametrize.type_before_parametrizations(layer) is nn.Linear
    assert parametrize.is_parametrized(layer, "weight")
    assert not parametrize.is_parametrized(layer, "bias")
    layer(torch.ones(1, 3)).sum().backward()
    assert weight.grad.equal(torch.ones(3, 3).triu() + torch.ones(3, 3).triu(1))
    layer.weight = torch.eye(3)
    assert layer.weight.equal(torch.eye(3)) and layer.parametrizations.weight.original is weight
    assert (
        repr(layer)
        == """ParametrizedLinear(
  in_features=3, out_features=3, bias=True
  (parametrizations): ModuleDict(
    (weight): ParametrizationList(
      (0): Symmetric()
    )
  )
)"""
    )


def test_removing_restores_class_and_parameter():
    layer = parametrize.register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    original, value = layer.parametrizations.weight.original, layer.weight.detach()
    parametrize.remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear and layer.weight is original and layer.weight.equal(value)
    with pytest.raises(ValueError, match="does not have a parametrization on weight"):
        parametrize.remove_parametrizations(layer, "weight")
    parametrize.register_parametrization(layer, "weight", Symmetric())
    parametrize.register_parametrization(layer, "bias", nn.Identity())
    parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    assert list(layer.state_dict()) == ["weight", "parametrizations.bias.original"]


def test_one_tensor_may_come_from_several():
    layer = parametrize.register_parametrization(nn.Linear(3, 3), "weight", Halves())
    names = [f"parametrizations.weight.original{i}" for i in range(2)]
    assert list(layer.state_dict()) == ["bias", *names]
    layer.weight = torch.ones(3, 3)
    assert layer.parametrizations.weight.original1.equal(torch.full((3, 3), 0.5))
    with pytest.raises(ValueError, match="Cannot leave unparametrized"):
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    parametrize.remove_parametrizations(layer, "weight")
    assert isinstance(layer.weight, nn.Parameter) and layer.weight.equal(torch.ones(3, 3))


def test_caching_copies_and_transfers():
    layer = parametrize.register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    parametrize.register_parametrization(layer, "weight", Symmetric())
    assert len(layer.parametrizations.weight) == 2
    with parametrize.cached():
        assert layer.weight is layer.weight
    assert layer.weight is not layer.weight
    other = copy.deepcopy(layer)
    other.weight = torch.zeros(3, 3)
    assert other.weight.equal(torch.zeros(3, 3)) and not layer.weight.equal(other.weight)
    with pytest.raises(RuntimeError, match="only supported through state_dict"):
        pickle.dumps(layer)
    target = parametrize.transfer_parametrizations_and_params(layer, nn.Linear(3, 3))
    assert target.weight.equal(layer.weight)
    assert target.parametrizations.weight.original is layer.parametrizations.weight.original


def test_buffers_can_be_parametrized():
    norm = parametrize.register_parametrization(nn.BatchNorm1d(3), "running_mean", nn.Identity())
    assert [n for n, _ in norm.named_buffers()] == [
        "running_var", "num_batches_tracked", "parametrizations.running_mean.original",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("forward", "right_inverse", "message"),
    [
        (lambda x: x.sum(), None, "may not change the shape of the tensor"),
        (lambda x: x.double(), None, "may not change the dtype of the tensor"),
        (lambda x: 3, None, "A parametrization must return a tensor. Got int."),
        (lambda x: x, lambda x: x.sum(), "may not change the shape of the tensor"),
        (lambda x: x, lambda x: x.double(), "outputs one tensor, it may not change the dtype"),
        (lambda x: x, lambda x: 3, "must return a Tensor or a Sequence of tensors"),
        (lambda x: x, lambda x: [3], "element 0 of the sequence with type int"),
    ],
)
def test_parametrizations_that_change_what_a_tensor_is_are_refused(forward, right_inverse, message):
    made = nn.Module()
    made.forward = forward
    if right_inverse is not None:
        made.right_inverse = right_inverse
    with pytest.raises(ValueError, match=message):
        parametrize.register_parametrization(nn.Linear(3, 3), "weight", made)


def test_other_errors_of_parametrizations():
    layer = nn.Linear(3, 3)
    with pytest.raises(ValueError, match="does not have a parameter, a buffer, or a parametrized"):
        parametrize.register_parametrization(layer, "nothing", Symmetric())
    parametrize.register_parametrization(layer, "weight", nn.Tanh())
    with pytest.raises(RuntimeError, match="parametrization Tanh does not implement right_inverse"):
        layer.weight = torch.ones(3, 3)
    with pytest.raises(ValueError, match="may not change the shape"):
        parametrize.register_parametrization(layer, "weight", nn.Flatten(0))


ORTHOGONAL = [  # options, sizes, the weight after a step of SGD
    ({}, (3, 4), [0.0129, -0.5622, -0.1586, 0.6831, -0.3478, 0.6292, -0.7294, -0.3025, 0.6085,
                  -0.0353, -0.6866, -0.4569]),
    ({}, (3, 3), [0.1549, 0.5091, -0.8467, -0.4439, -0.7298, -0.52, -0.8826, 0.4564, 0.1129]),
    ({"orthogonal_map": "cayley"}, (4, 3),
     [-0.3812, -0.326, -0.6513, -0.5694, -0.5136, 0.5028, -0.4292, 0.547, -0.6749, 0.221, 0.6026,
      -0.364]),
    ({"orthogonal_map": "matrix_exp"}, (3, 4),
     [0.1603, 0.2821, -0.8953, -0.311, -0.8856, -0.2557, -0.739, 0.1852, -0.2741, 0.5757, -0.3193,
      -0.2407]),
    ({"use_trivialization": False}, (4, 3),
     [0.0113, -0.5641, -0.6244, -0.5402, -0.7621, -0.1609, -0.3299, 0.5334, -0.3031, -0.6138,
      0.706, -0.1815]),
    ({"orthogonal_map": "cayley", "use_trivialization": False}, (3, 3),
     [0.9172, 0.2863, -0.277, -0.3837, 0.8216, -0.4215, 0.1069, 0.4929, 0.8635]),
    ({"orthogonal_map": "matrix_exp", "use_trivialization": False}, (4, 3),
     [0.8296, 0.4103, -0.2629, -0.2728, -0.3215, 0.9041, 0.1473, 0.24, 0.1519, 0.0111, 0.9062,
      -0.3945]),
]  # fmt: skip


@pytest.mark.parametrize(("options", "sizes", "weight"), ORTHOGONAL)
def test_orthogonal_matrices_train_as_pytorchs_do(options, sizes, weight):
    torch.manual_seed(0)
    layer = parametrizations.orthogonal(nn.Linear(*sizes), **options)
    w = layer.weight.detach()
    fewer = w @ w.T if sizes[0] >= sizes[1] else w.T @ w
    assert torch.allclose(fewer, torch.eye(3), atol=1e-5)
    (layer(torch.ones(1, sizes[0])) ** 3).sum().backward()
    torch.optim.SGD(layer.parameters(), lr=0.1).step()
    assert layer.weight.flatten().tolist() == pytest.approx(weight, abs=2e-4)
    target = torch.eye(sizes[1], sizes[0])
    if options.get("use_trivialization", True):
        layer.weight = target
        assert torch.allclose(layer.weight, target, atol=1e-6)
    elif "orthogonal_map" in options:
        with pytest.raises(NotImplementedError, match="It is not possible to assign to the matrix"):
            layer.weight = target


def test_orthogonal_refuses_what_pytorchs_refuses():
    layer = nn.Linear(2, 2, dtype=torch.complex64)
    for arguments, message in (
        (("weight", "x"), 'orthogonal_map has to be one of "matrix_exp"'),
        (("bias",), "Expected a matrix or batch of matrices. Got a tensor of 1 dimensions."),
        (("nothing",), "has no parameter or buffer with name 'nothing'"),
        (("weight", "householder"), "does not support complex tensors"),
    ):
        with pytest.raises(ValueError, match=message):
            parametrizations.orthogonal(layer, *arguments)


def test_weight_norm_in_both_forms():
    """The weight stays, its length and direction are parameters, and old state dicts load."""
    torch.manual_seed(0)
    layer = nn.Linear(3, 2)
    weight = layer.weight.detach().clone()
    with pytest.warns(FutureWarning, match="is deprecated in favor of"):
        utils.weight_norm(layer)
    assert sums(layer) == {"bias": 0.4463, "weight_g": 1.0712, "weight_v": -0.6622}
    assert torch.allclose(layer.weight, weight) and list(layer.weight_g.shape) == [2, 1]
    old = copy.deepcopy(layer.state_dict())
    layer(torch.ones(1, 3)).sum().backward()
    # The direction's gradient is orthogonal to it.
    assert (layer.weight_v.grad * layer.weight_v).sum(1).abs().max() < 1e-6
    with pytest.raises(RuntimeError, match="Cannot register two weight_norm hooks"), \
            pytest.warns(FutureWarning):  # fmt: skip
        utils.weight_norm(layer)
    utils.remove_weight_norm(layer)
    assert list(layer.state_dict()) == ["bias", "weight"]
    assert torch.allclose(layer.weight, weight) and not layer._forward_pre_hooks
    with pytest.raises(ValueError, match="weight_norm of 'weight' not found in Linear"):
        utils.remove_weight_norm(layer)
    new = parametrizations.weight_norm(nn.Linear(3, 2))
    new.load_state_dict(old)
    assert torch.allclose(new.weight, weight)
    new.weight = torch.full((2, 3), 2.0)
    assert torch.allclose(new.weight, torch.full((2, 3), 2.0))


@pytest.mark.parametrize(("dim", "shape"), [(None, []), (1, [1, 2, 1, 1]), (-2, [1, 1, 2, 1])])
def test_weight_norm_along_other_dimensions(dim, shape):
    conv = nn.Conv2d(2, 3, 2)
    weight = conv.weight.detach().clone()
    parametrizations.weight_norm(conv, dim=dim)
    assert list(conv.parametrizations.weight.original0.shape) == shape
    assert torch.allclose(conv.weight, weight)


def test_spectral_norm_in_both_forms():
    torch.manual_seed(0)
    layer = utils.spectral_norm(nn.Linear(3, 4))
    start = {"bias": -1.1505, "weight_orig": -0.4023, "weight_u": -1.4867, "weight_v": -0.4704}
    assert sums(layer) == pytest.approx(start, abs=2e-4)
    out = layer(torch.ones(1, 3))
    assert out.tolist()[0] == pytest.approx([-0.8166, -1.1510, 0.3787, -0.1896], abs=2e-4)
    assert sums(layer)["weight_u"] == pytest.approx(-1.0024, abs=2e-4)
    assert layer.eval()(torch.ones(1, 3)).equal(out)
    versions = {"spectral_norm": {"weight.version": 1}, "version": 1}
    assert layer.state_dict()._metadata == {"": versions}
    with pytest.raises(RuntimeError, match="Cannot register two spectral_norm hooks"):
        utils.spectral_norm(layer)
    utils.remove_spectral_norm(layer)
    assert sums(layer) == {"bias": -1.1505, "weight": -0.6280}
    with pytest.raises(ValueError, match="spectral_norm of 'weight' not found in Linear"):
        utils.remove_spectral_norm(layer)

    torch.manual_seed(0)
    new = parametrizations.spectral_norm(nn.Linear(3, 4))
    assert sums(new)["parametrizations.weight.0._u"] == pytest.approx(0.6588, abs=2e-4)
    assert torch.linalg.matrix_norm(new.eval().weight, 2).item() == pytest.approx(1)
    assert nn.functional.normalize(layer.bias, dim=0).norm().item() == pytest.approx(1)
    bias = parametrizations.spectral_norm(nn.Linear(3, 4), "bias").bias
    assert bias.norm().item() == pytest.approx(1)


def test_spectral_norm_takes_outputs_of_transposed_convolutions_as_rows():
    conv = parametrizations.spectral_norm(nn.ConvTranspose2d(3, 4, 2), n_power_iterations=3)
    assert list(conv.parametrizations.weight[0]._u.shape) == [4]
    old = utils.spectral_norm(nn.ConvTranspose2d(3, 4, 2))
    assert list(old.weight_u.shape) == [4] and list(old.weight_v.shape) == [12]
    with pytest.raises(ValueError, match="Expected n_power_iterations to be positive"):
        parametrizations.spectral_norm(nn.Linear(2, 2), n_power_iterations=0)
    with pytest.raises(IndexError, match=r"expected to be in range of \[-2, 1\] but got 3"):
        parametrizations.spectral_norm(nn.Linear(2, 2), dim=3)


@pytest.mark.parametrize("transpose", [False, True])
def test_a_convolution_and_its_batch_norm_become_one(transpose):
    conv = nn.ConvTranspose2d(2, 3, 2) if transpose else nn.Conv2d(2, 3, 2, bias=False)
    norm, x = nn.BatchNorm2d(3), torch.randn(4, 2, 4, 4)
    norm(conv(x))
    with pytest.raises(AssertionError, match="Fusion only for eval!"):
        utils.fuse_conv_bn_eval(conv, norm, transpose)
    conv.eval(), norm.eval()
    fused = utils.fuse_conv_bn_eval(conv, norm, transpose)
    assert torch.allclose(fused(x), norm(conv(x)), atol=1e-5)
    assert fused.weight.requires_grad and fused.bias.requires_grad is transpose


def test_a_linear_layer_and_its_batch_norm_become_one():
    linear, norm, x = nn.Linear(4, 3).eval(), nn.BatchNorm1d(3), torch.randn(5, 4)
    norm(linear(x))
    norm.eval()
    assert torch.allclose(utils.fuse_linear_bn_eval(linear, norm)(x), norm(linear(x)), atol=1e-5)
    with pytest.raises(AssertionError, match="got linear.out_features=5 and bn.num_features=3"):
        utils.fuse_linear_bn_eval(nn.Linear(4, 5).eval(), norm)


def test_skipping_the_starting_values():
    torch.manual_seed(0)
    utils.skip_init(nn.Linear, 3, 4, dtype=torch.float64)
    after = torch.rand(1)
    torch.manual_seed(0)
    assert torch.rand(1).equal(after)
    with pytest.raises(RuntimeError, match="Module must support a 'device' arg"):
        utils.skip_init(nn.ReLU)
    with pytest.raises(RuntimeError, match="Expected a Module; got <class 'int'>"):
        utils.skip_init(int)


def test_weights_of_convolutions_get_a_memory_format():
    net = nn.Sequential(nn.Conv2d(2, 3, 2), nn.Linear(2, 2), nn.Conv3d(2, 3, 2))
    weight = net[0].weight.detach().clone()
    utils.convert_conv2d_weight_memory_format(net, torch.channels_last)
    assert net[0].weight.stride() == (8, 1, 4, 2) and net[0].weight.equal(weight)
    utils.convert_conv3d_weight_memory_format(net, torch.channels_last_3d)
    assert net[2].weight.stride() == (16, 1, 8, 4, 2)


def test_functional_call_replaces_tensors_and_ties():
    """Gradients reach what was given; the module has its own tensors again, whatever happens."""
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.BatchNorm1d(2))
    net[1].weight = net[0].weight
    own = net[0].weight
    given = {"0.weight": torch.eye(2).requires_grad_(), "2.running_mean": torch.zeros(2)}
    with pytest.warns(FutureWarning, match="use torch.func.functional_call instead"):
        stateless.functional_call(net, given, torch.ones(3, 2)).sum().backward()
    assert given["0.weight"].grad is not None and own.grad is None
    assert net[0].weight is own and net[1].weight is own
    assert net[2].running_mean.equal(torch.zeros(2)) and not given["2.running_mean"].equal(
        torch.zeros(2)
    )
    with pytest.warns(FutureWarning), pytest.raises(RuntimeError, match="Unexpected key"):
        stateless.functional_call(net, {"x": torch.ones(1)}, torch.ones(3, 2), strict=True)
    with pytest.warns(FutureWarning), pytest.raises(AttributeError):
        stateless.functional_call(net, {"0.nothing": torch.ones(1)}, torch.ones(3, 2))


def test_integers_of_a_tensor_have_no_gradient():
    """A conversion to integers ends the gradient's way, as in PyTorch."""
    x = torch.ones(2, requires_grad=True)
    for converted in (x.int(), x.to(torch.int64), x.bool(), x.type(torch.uint8)):
        assert not converted.requires_grad and converted.grad_fn is None
    (x * x.int()).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_functional_call_of_func_takes_several_dicts():
    layer = nn.BatchNorm1d(2)
    given = {"weight": torch.ones(2) * 3}, {"running_mean": torch.ones(2)}
    out = torch.func.functional_call(layer.eval(), given, torch.ones(1, 2))
    assert torch.allclose(out, torch.zeros(1, 2))
    with pytest.raises(ValueError, match="appeared in multiple dictionaries"):
        torch.func.functional_call(layer, (given[0], given[0]), torch.ones(1, 2))
    with pytest.raises(ValueError, match="to be a dict, or a list/tuple of dicts"):
        torch.func.functional_call(layer, 3, torch.ones(1, 2))


def test_states_of_models_are_stacked():
    parameters, buffers = torch.func.stack_module_state([nn.BatchNorm1d(2), nn.BatchNorm1d(2)])
    assert parameters["weight"].shape == (2, 2) and parameters["weight"].requires_grad
    assert parameters["weight"].is_leaf and buffers["num_batches_tracked"].shape == (2,)
    for models, message in (
        ([], "Expected at least one model, got 0."),
        ([nn.ReLU(), nn.ReLU().eval()], "to have the same training/eval mode"),
        ([nn.ReLU(), nn.Tanh()], "to be of the same class"),
    ):
        with pytest.raises(RuntimeError, match=message):
            torch.func.stack_module_state(models)
