"""Names that libraries written for PyTorch use outside of its documented ones, and small parts of it."""

from __future__ import annotations

import io
from collections import namedtuple
from importlib import import_module
from typing import ClassVar

import pytest

import arraytorch as torch
from arraytorch import nn
from arraytorch.utils import _pytree as pytree
from arraytorch.utils.checkpoint import get_device_states, set_device_states
from arraytorch.utils.flop_counter import FlopCounterMode

F = nn.functional


def test_switches_can_be_imported_as_modules():
    """Under the alias; they are the objects that attributes give."""
    with torch.as_torch():
        cudnn = import_module("torch.backends.cudnn")
        assert cudnn is torch.backends.cudnn
        assert not import_module("torch.backends.mkldnn").is_available()
        with pytest.raises(ModuleNotFoundError, match=r"no 'backends\.nothing'"):
            import_module("torch.backends.nothing")
    assert torch.backends.cpu.get_cpu_capability() in ("DEFAULT", "AVX2", "AVX512")


def test_repeat_along_new_dimensions_copies():
    """The result is memory of its own, also where expanding would give the same values."""
    x = torch.arange(3.0)
    for made in (x.repeat(2, 1), x.tile(2, 1), x.view(1, 3).repeat(2, 1)):
        assert made.stride() == (3, 1)
        made[0] = 7
        assert made.tolist() == [[7.0] * 3, [0.0, 1.0, 2.0]] and x.tolist() == [0.0, 1.0, 2.0]


def test_floating_point_operations_are_counted():
    """Twice the products, by module; gradients as they are computed."""
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 3))
    x = torch.ones(1, 1, 4, 4)
    with FlopCounterMode(display=False) as counter:
        loss = model(x).sum()
    conv, linear = 2 * 2 * 2 * 2 * 9, 2 * 8 * 3
    assert counter.get_total_flops() == conv + linear
    counts = counter.get_flop_counts()
    assert counts["Sequential.0"] == {F.conv2d: conv} and counts["Sequential.2"] == {
        F.linear: linear
    }
    assert "Sequential.2" in counter.get_table() and "Sequential.2" not in counter.get_table(0)
    with counter:
        model(x).sum().backward()
    # Of the convolution the gradient of its input is not wanted.
    assert counter.get_total_flops() == conv * 2 + linear * 3
    loss.backward()
    assert counter.get_total_flops() == conv * 2 + linear * 3
    q = torch.ones(1, 2, 5, 4)
    with FlopCounterMode(display=False) as counter:
        F.scaled_dot_product_attention(q, q, q)
        F.conv_transpose1d(torch.ones(1, 2, 6), torch.ones(2, 3, 4))
        torch.baddbmm(torch.ones(2, 3, 3), torch.ones(2, 3, 4), torch.ones(2, 4, 3))
    by_function = counter.get_flop_counts()["Global"]
    assert by_function[F.scaled_dot_product_attention] == 2 * 2 * 5 * 5 * 8
    assert by_function[F.conv_transpose1d] == 2 * 12 * 12 and by_function[torch.baddbmm] == 144


def test_counting_prints_a_table_at_the_end(capsys):
    """Unless told not to; functions of one's own count as told."""
    with FlopCounterMode(custom_mapping={torch.exp: lambda out, x: out.numel()}):
        torch.exp(torch.ones(1234))
    assert "1,234" in capsys.readouterr().out


def test_trees_are_taken_apart_by_kind():
    """The table of kinds has named tuples under the function that makes them."""
    Point = namedtuple("Point", "x y")
    kind = pytree._get_node_type(Point(1, 2))
    assert kind is namedtuple and pytree._get_node_type([1]) is list
    assert kind in pytree.SUPPORTED_NODES and int not in pytree.SUPPORTED_NODES
    children, context = pytree.SUPPORTED_NODES[dict].flatten_fn({"a": 1})
    assert list(children) == [1]
    assert pytree.SUPPORTED_NODES[dict].unflatten_fn([2], context) == {"a": 2}


def test_records_of_a_saved_file():
    """By name, as bytes."""
    file = io.BytesIO()
    torch.save({"x": torch.ones(2)}, file)
    reader = torch.PyTorchFileReader(file)
    assert {"data.pkl", "data/0", "version"} <= set(reader.get_all_records())
    assert reader.version() == 3 and reader.get_record("data/0") == b"\0\0\x80?" * 2
    with pytest.raises(RuntimeError, match="failed locating file nothing"):
        reader.get_record("nothing")


def test_modules_that_mark_quantization_do_nothing():
    """A model that is to be quantized computes as before."""
    q = torch.ao.quantization
    wrapped = q.QuantWrapper(nn.ReLU())
    assert list(dict(wrapped.named_children())) == ["quant", "dequant", "module"]
    assert wrapped(torch.tensor([-1.0, 1.0])).tolist() == [0.0, 1.0]
    f = torch.ao.nn.quantized.FloatFunctional()
    one = torch.ones(1)
    assert f.add_relu(one, -2).item() == 0 and f.mul_scalar(one, 3).item() == 3
    assert f.cat([one, f.mul(one, one)]).shape == (2,) and f.matmul(one, one).item() == 1
    assert f.add_scalar(one, 1).item() == f.add(one, one).item() == 2
    with pytest.raises(RuntimeError, match="not intended to use the 'forward'"):
        f(one)


def test_names_without_objects():
    """What programs compare with and ask for, of which there is nothing here."""
    assert torch.chalf is torch.complex32 and repr(torch.complex32) == "torch.complex32"
    with pytest.raises(RuntimeError, match="complex32 is a name alone"):
        torch.zeros(1, dtype=torch.complex32)
    with pytest.raises(RuntimeError, match="nothing is symbolic"):
        torch.SymInt(3)
    assert not isinstance(3, torch.SymInt) and not torch.is_autocast_enabled("mps")
    assert repr(torch.TensorType.get()) == "Tensor" and torch.torch is torch
    assert torch._C._nn._parse_to("cpu", torch.float16)[:2] == (torch.device("cpu"), torch.float16)
    active = torch._C._are_functorch_transforms_active
    inside = []
    torch.vmap(lambda x: (inside.append(active()), x)[1])(torch.ones(2))
    assert inside == [True] and not active()
    assert not torch.cuda._initialized and torch._C._get_tracing_state() is None


def test_states_of_devices():
    """Of tensors on the CPU there are none to keep."""
    assert get_device_states(torch.ones(1), [torch.ones(1), {"a": torch.ones(1)}]) == ([], [])
    set_device_states([], [])


def test_assertions_about_tensors():
    """They raise as PyTorch's do."""
    torch._assert_async(torch.tensor(1.0))
    with pytest.raises(RuntimeError, match="single nonzero value, but got zero"):
        torch._assert_async(torch.tensor(0))
    with pytest.raises(AssertionError, match="words"):
        torch._assert(False, "words")
    with pytest.raises(RuntimeError, match="why"):
        torch._check(False, lambda: "why")
    with pytest.raises(TypeError, match="cond must be a bool"):
        torch._check(1)


def test_what_an_exporter_is_told_is_kept():
    """And forgotten when asked."""

    class Registry:
        known: ClassVar[dict] = torch.onnx._symbolics

    noted = torch.onnx.symbolic_helper.parse_args("v", "i")(lambda g, x, i: None)
    assert noted._arg_descriptors == ("v", "i")
    torch.onnx.register_custom_op_symbolic("mine::op", noted, 11)
    assert Registry.known["mine::op", 11] is noted
    torch.onnx.unregister_custom_op_symbolic("mine::op", 11)
    assert ("mine::op", 11) not in Registry.known
    with pytest.raises(ValueError, match="Invalid symbolic name"):
        torch.onnx.register_custom_op_symbolic("op", noted, 11)


def test_a_prefix_of_state_dicts_is_removed():
    """From the keys and the metadata."""
    state = nn.DataParallel(nn.Linear(1, 1)).state_dict()
    nn.modules.utils.consume_prefix_in_state_dict_if_present(state, "module.")
    assert list(state) == ["weight", "bias"] and "" in state._metadata
    assert nn.modules.utils._pair(3) == (3, 3) and nn.modules.utils._triple([1, 2]) == (1, 2)
    assert nn.modules.utils._reverse_repeat_tuple((1, 2), 2) == (2, 2, 1, 1)
