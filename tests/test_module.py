"""nn.Module: attributes, traversal, conversion, state dicts, hooks, printing, copying."""

from __future__ import annotations

import copy
import gc
import pickle
import typing
import warnings
import weakref
from collections import OrderedDict

import pytest

import arraytorch as torch

nn = torch.nn


class Leaf(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.full((1,), 2.0))

    def forward(self, x):
        return x * self.scale

    def extra_repr(self):
        return "scale=2"


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(2, 3))
        self.register_buffer("b", torch.zeros(3))
        self.register_buffer("aside", torch.zeros(1), persistent=False)
        self.child = Leaf()
        self.register_parameter("pn", None)
        self.register_buffer("bn", None)
        self.register_module("mn", None)

    def forward(self, x, y=0):
        return self.child(x) + y


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        leaf = Leaf()
        self.a = leaf
        self.b = leaf
        self.c = Leaf()
        self.c.scale = leaf.scale


def error(kind, function, *args, **kwargs):
    with pytest.raises(kind) as info:
        function(*args, **kwargs)
    return str(info.value)


# ------------------------------------------------------------------------------ attributes


def test_wrong_assignments_raise_in_pytorchs_words():
    """A name of one kind does not take a value of another."""
    net = Net()
    expected = (
        "cannot assign 'torch.FloatTensor' as parameter 'w' (torch.nn.Parameter or None expected)"
    )
    assert error(TypeError, setattr, net, "w", torch.ones(1)) == expected
    assert "cannot assign 'int' as parameter 'w'" in error(TypeError, setattr, net, "w", 3)
    expected = "cannot assign 'int' as child module 'child' (torch.nn.Module or None expected)"
    assert error(TypeError, setattr, net, "child", 3) == expected
    expected = "cannot assign 'list' as buffer 'b' (torch.nn.Buffer, torch.Tensor or None expected)"
    assert error(TypeError, setattr, net, "b", [3]) == expected
    assert error(AttributeError, getattr, net, "zzz") == "'Net' object has no attribute 'zzz'"
    assert error(AttributeError, delattr, net, "zzz") == "'Net' object has no attribute 'zzz'"


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (lambda: Leaf(), "module"),
        (lambda: nn.Parameter(torch.ones(1)), "parameters"),
        (lambda: nn.Buffer(torch.ones(1)), "buffer"),
    ],
)
def test_assigning_before_init_says_so(value, what):
    """A subclass that forgot super().__init__() hears about it at its first assignment."""

    class Forgetful(nn.Module):
        def __init__(self):
            self.x = value()

    assert error(AttributeError, Forgetful) == f"cannot assign {what} before Module.__init__() call"


def test_plain_attributes_work_before_init():
    """Numbers and plain tensors need no registration, so init may come later."""

    class Late(nn.Module):
        def __init__(self):
            self.x = 1
            self.t = torch.ones(1)
            super().__init__()

    assert Late().x == 1


def test_unexpected_init_arguments_raise():
    """Module itself takes no arguments."""
    assert "got an unexpected keyword argument 'a'" in error(TypeError, nn.Module, a=1)
    assert "takes 1 positional argument but 3 were given" in error(TypeError, nn.Module, 1, 2)


def test_call_super_init_passes_arguments_on():
    """A class that sets call_super_init lets other bases see the arguments."""

    class Other:
        def __init__(self, a):
            self.got = a

    class Both(nn.Module, Other):
        call_super_init = True

    assert Both(7).got == 7


@pytest.mark.parametrize(
    ("method", "args", "kind", "message"),
    [
        ("register_parameter", ("a.b", None), KeyError, 'parameter name can\'t contain "."'),
        ("register_parameter", ("", None), KeyError, 'parameter name can\'t be empty string ""'),
        ("register_parameter", ("forward", None), KeyError, "attribute 'forward' already exists"),
        ("register_parameter", (3, None), TypeError, "parameter name should be a string. Got int"),
        (
            "register_parameter",
            ("x", 5),
            TypeError,
            "cannot assign 'int' object to parameter 'x' (torch.nn.Parameter or None required)",
        ),
        ("register_buffer", ("w", None), KeyError, "attribute 'w' already exists"),
        (
            "register_buffer",
            ("x", 3),
            TypeError,
            "cannot assign 'int' object to buffer 'x' (torch Tensor or None required)",
        ),
        ("add_module", ("a.b", None), KeyError, 'module name can\'t contain ".", got: a.b'),
        ("add_module", ("", None), KeyError, 'module name can\'t be empty string ""'),
        ("add_module", ("x", 3), TypeError, "int is not a Module subclass"),
        ("add_module", (5, None), TypeError, "module name should be a string. Got int"),
    ],
)
def test_registration_refuses_bad_names_and_values(method, args, kind, message):
    """Each registration checks the name and the kind of value."""
    with pytest.raises(kind) as info:
        getattr(Net(), method)(*args)
    assert info.value.args[0] == message


def test_a_name_moves_between_kinds():
    """Assigning another kind of value registers it anew and forgets the old one."""
    m = nn.Module()
    m.x = 3
    m.x = nn.Parameter(torch.ones(1))
    assert "x" not in m.__dict__
    assert list(m._parameters) == ["x"]
    m.y = nn.Buffer(torch.ones(2), persistent=False)
    assert list(m._buffers) == ["y"]
    assert m._non_persistent_buffers_set == {"y"}
    m.y = torch.zeros(1)
    assert m.y.tolist() == [0.0]
    assert m._non_persistent_buffers_set == {"y"}
    m.y = Leaf()
    assert (list(m._buffers), m._non_persistent_buffers_set, list(m._modules)) == ([], set(), ["y"])
    m.y = None
    assert m._modules == {"y": None}
    del m.y
    assert not hasattr(m, "y")


def test_dir_lists_members_but_no_numbers():
    """Tab completion shows parameters, buffers and modules; "0" is no attribute to type."""
    assert {"w", "b", "child", "training", "forward"} <= set(dir(Net()))
    assert not any(name.isdigit() for name in dir(nn.Sequential(Leaf())))


# ------------------------------------------------------------------------------- traversal


def test_enumerations_skip_none_and_duplicates():
    """Names come in registration order; shared members come once."""
    net, shared = Net(), Shared()
    assert [n for n, _ in net.named_parameters()] == ["w", "child.scale"]
    assert [n for n, _ in net.named_parameters("pre", recurse=False)] == ["pre.w"]
    assert [n for n, _ in net.named_buffers()] == ["b", "aside"]
    assert [n for n, _ in net.named_modules()] == ["", "child"]
    assert [n for n, _ in net.named_children()] == ["child"]
    assert [n for n, _ in shared.named_parameters()] == ["a.scale"]
    both = [n for n, _ in shared.named_parameters(remove_duplicate=False)]
    assert both == ["a.scale", "b.scale", "c.scale"]
    assert [n for n, _ in shared.named_modules()] == ["", "a", "c"]
    assert [n for n, _ in shared.named_modules(remove_duplicate=False)] == ["", "a", "b", "c"]
    assert list(shared.state_dict()) == ["a.scale", "b.scale", "c.scale"]


def test_lookup_by_dotted_name():
    """get_* follow the path; each wrong step is named."""
    net = Net()
    assert net.get_submodule("") is net
    assert net.get_parameter("child.scale") is net.child.scale
    assert net.get_buffer("b") is net.b
    assert error(AttributeError, net.get_submodule, "child.x") == "Leaf has no attribute `x`"
    assert error(AttributeError, net.get_submodule, "w") == "`w` is not an nn.Module"
    assert error(AttributeError, net.get_parameter, "b") == "`b` is not an nn.Parameter"
    assert error(AttributeError, net.get_buffer, "w") == "`w` is not a buffer"


def test_set_submodule_replaces_only_modules():
    """It needs modules on the way and, if strict, at the end."""
    net = Net()
    net.set_submodule("child", nn.Identity())
    assert isinstance(net.child, nn.Identity)
    message = "Cannot set the submodule without a target name!"
    assert error(ValueError, net.set_submodule, "", Leaf()) == message
    assert error(ValueError, net.set_submodule, "child", 3).startswith("`module` is not an nn.Mod")
    message = "Net has no attribute `new`"
    assert error(AttributeError, net.set_submodule, "new", Leaf(), strict=True) == message
    assert error(AttributeError, net.set_submodule, "w", Leaf()) == "`w` is not an nn.Module"


def test_apply_train_and_requires_grad_reach_everything():
    """apply goes to children first."""
    net, seen = Net(), []
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["Leaf", "Net"]
    assert [m.training for m in net.eval().modules()] == [False, False]
    assert [m.training for m in net.train().modules()] == [True, True]
    assert error(ValueError, net.train, 1) == "training mode is expected to be boolean"
    assert not any(p.requires_grad for p in net.requires_grad_(False).parameters())


def test_zero_grad_removes_or_fills():
    """By default gradients are dropped, which saves the addition of the next ones."""
    net = Net()
    net(torch.ones(1)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert net.child.scale.grad.tolist() == [0.0]
    net.zero_grad()
    assert net.child.scale.grad is None


# ------------------------------------------------------------------------------ conversion


def test_to_converts_in_place_and_keeps_the_parameters():
    """Optimizers hold the parameters, so these must stay the same objects."""
    net = Net()
    net(torch.ones(1)).sum().backward()
    kept = net.child.scale
    assert net.to(torch.float64) is net
    assert net.child.scale is kept
    assert kept.dtype == kept.grad.dtype == net.b.dtype == torch.float64
    assert isinstance(kept, nn.Parameter)
    assert kept.requires_grad


@pytest.mark.parametrize(
    ("args", "kwargs", "dtype"),
    [
        (("cpu", torch.float16), {}, torch.float16),
        ((), {"dtype": torch.bfloat16, "device": "cpu"}, torch.bfloat16),
        ((torch.zeros(1, dtype=torch.float64),), {"non_blocking": True}, torch.float64),
        ((torch.float64, True), {}, torch.float64),
        ((None, torch.float64), {}, torch.float64),
        (("cpu", torch.float64, True), {}, torch.float64),
        ((torch.device("cpu"),), {}, torch.float32),
        ((), {}, torch.float32),
    ],
)
def test_to_takes_all_forms(args, kwargs, dtype):
    """Device, dtype or a tensor, by place or by name."""
    assert Net().to(*args, **kwargs).w.dtype == dtype


def test_to_refuses_integer_dtypes():
    """A layer cannot have integer parameters."""
    message = (
        "nn.Module.to only accepts floating point or complex dtypes, but got desired "
        "dtype=torch.int32"
    )
    assert error(TypeError, Net().to, torch.int32) == message


def test_to_leaves_integer_buffers_alone():
    """Counters stay integers when the layer becomes float64."""
    layer = nn.BatchNorm1d(2).double()
    assert layer.num_batches_tracked.dtype == torch.int64
    assert layer.running_mean.dtype == torch.float64


def test_conversion_frees_the_old_memory():
    """What the parameter was made of is not kept alive by it."""
    start = torch.ones(2)
    net = nn.Module()
    net.p = nn.Parameter(start)
    gone = weakref.ref(start)
    net.double()
    del start
    gc.collect()
    assert gone() is None


def test_named_conversions():
    """half, double, bfloat16, float and type are shorthands."""
    assert Net().half().w.dtype == torch.float16
    assert Net().double().b.dtype == torch.float64
    assert Net().bfloat16().child.scale.dtype == torch.bfloat16
    assert Net().double().float().w.dtype == torch.float32
    assert Net().type(torch.float64).w.dtype == torch.float64


# ----------------------------------------------------------------------------- state dicts


def test_state_dict_names_and_metadata():
    """Non-persistent buffers and None are not in it; versions are in its metadata."""
    state = Net().state_dict()
    assert isinstance(state, OrderedDict)
    assert list(state) == ["w", "b", "child.scale"]
    assert state._metadata == {"": {"version": 1}, "child": {"version": 1}}
    assert list(Net().state_dict(prefix="x.")) == ["x.w", "x.b", "x.child.scale"]
    assert not state["w"].requires_grad
    assert Net().state_dict(keep_vars=True)["w"].requires_grad


def test_state_dict_shares_memory():
    """A state dict is a view of the module, not a copy."""
    net = Net()
    net.state_dict()["w"].fill_(5)
    assert net.w.tolist() == [[5.0] * 3] * 2


def test_load_state_dict_copies_into_the_same_parameters():
    """Values and not objects change; dtypes stay the model's."""
    net, other = Net(), Net()
    with torch.no_grad():
        other.w.mul_(3)
    kept = net.w
    assert (
        str(net.load_state_dict(other.double().state_dict())) == "<All keys matched successfully>"
    )
    assert net.w is kept
    assert net.w.dtype == torch.float32
    assert net.w.tolist() == [[3.0] * 3] * 2


def test_load_state_dict_collects_all_errors():
    """One error tells everything that is wrong, in PyTorch's words."""
    state = {"foo": torch.ones(1), "w": torch.ones(3, 2), "child.scale": torch.ones(2)}
    assert error(RuntimeError, Net().load_state_dict, state) == (
        "Error(s) in loading state_dict for Net:\n"
        '\tMissing key(s) in state_dict: "b". \n'
        '\tUnexpected key(s) in state_dict: "foo". \n'
        "\tsize mismatch for w: copying a param with shape torch.Size([3, 2]) from checkpoint, "
        "the shape in current model is torch.Size([2, 3]).\n"
        "\tsize mismatch for child.scale: copying a param with shape torch.Size([2]) from "
        "checkpoint, the shape in current model is torch.Size([1])."
    )
    state = {"w": 3, "b": torch.zeros(3), "child.scale": torch.ones(1)}
    assert error(RuntimeError, Net().load_state_dict, state) == (
        "Error(s) in loading state_dict for Net:\n"
        '\tWhile copying the parameter named "w", expected torch.Tensor or Tensor-like object from '
        "checkpoint but received <class 'int'>"
    )
    assert error(TypeError, Net().load_state_dict, [1]) == (
        "Expected state_dict to be dict-like, got <class 'list'>."
    )


def test_load_state_dict_not_strict_returns_the_keys():
    """Without strict, missing and unexpected names are only reported."""
    state = {"foo": torch.ones(1), "child.bar": torch.ones(1), "bar.baz": torch.ones(1)}
    result = Net().load_state_dict(state, strict=False)
    assert result.missing_keys == ["w", "b", "child.scale"]
    assert result.unexpected_keys == ["foo", "bar.baz", "child.bar"]
    assert repr(result) == (
        "_IncompatibleKeys(missing_keys=['w', 'b', 'child.scale'], "
        "unexpected_keys=['foo', 'bar.baz', 'child.bar'])"
    )


def test_load_state_dict_assign_takes_the_tensors():
    """With assign the tensors come with their dtype; parameters stay Parameters."""
    net = Net()
    net.w.requires_grad_(False)
    state = {k: v.clone().double() for k, v in net.state_dict().items()}
    net.load_state_dict(state, assign=True)
    assert net.b is state["b"]
    assert isinstance(net.w, nn.Parameter)
    assert net.w.dtype == torch.float64
    assert not net.w.requires_grad
    assert net.child.scale.requires_grad


def test_extra_state_is_saved_and_loaded():
    """A subclass may save more than tensors."""

    class Extra(Leaf):
        def __init__(self):
            super().__init__()
            self.extra = {"k": 1}

        def get_extra_state(self):
            return self.extra

        def set_extra_state(self, state):
            self.extra = state

    module = Extra()
    state = module.state_dict()
    assert list(state) == ["scale", "_extra_state"]
    state["_extra_state"] = 7
    module.load_state_dict(state)
    assert module.extra == 7
    del state["_extra_state"]
    assert 'Missing key(s) in state_dict: "_extra_state"' in error(
        RuntimeError, module.load_state_dict, state
    )
    assert "should never be called" in error(RuntimeError, Leaf().get_extra_state)


def test_state_dict_hooks():
    """Hooks see and change what is saved and loaded, in this order."""
    net, log = Net(), []
    net.register_state_dict_pre_hook(lambda m, prefix, keep: log.append(("pre", prefix, keep)))

    def add(module, state, prefix, metadata):
        log.append(("post", list(state), metadata))
        state["extra"] = torch.ones(1)

    net.register_state_dict_post_hook(add)
    state = net.state_dict()
    assert log == [("pre", "", False), ("post", ["w", "b", "child.scale"], {"version": 1})]
    net.register_load_state_dict_pre_hook(lambda m, state, *rest: state.pop("extra"))
    assert "matched" in str(net.load_state_dict(state))
    net.register_load_state_dict_post_hook(lambda m, keys: keys.missing_keys.clear())
    assert "matched" in str(net.load_state_dict({"extra": torch.ones(1)}))
    net.register_state_dict_post_hook(lambda *args: 3)
    assert error(RuntimeError, net.state_dict) == "state_dict post-hook must return None"


def test_load_from_state_dict_may_be_overridden():
    """Old names can be translated for one class, below any prefix."""

    class Renamed(Leaf):
        _version = 2

        def _load_from_state_dict(self, state, prefix, metadata, *args):
            if metadata.get("version", 1) < 2:
                state[prefix + "scale"] = state.pop(prefix + "factor")
            super()._load_from_state_dict(state, prefix, metadata, *args)

    net = nn.Sequential(Renamed())
    net.load_state_dict({"0.factor": torch.full((1,), 9.0)})
    assert net[0].scale.tolist() == [9.0]


# --------------------------------------------------------------------- calling, printing, copying


def test_missing_forward_raises():
    """The error names the class."""
    message = 'Module [Module] is missing the required "forward" function'
    assert error(NotImplementedError, nn.Module(), 1) == message


def test_errors_name_the_innermost_module():
    """In a deep network one wants to know which layer the shapes are wrong for."""
    net = nn.Sequential(nn.Sequential(nn.Linear(2, 3)), nn.Linear(4, 5))
    with pytest.raises(RuntimeError) as info:
        net(torch.ones(1, 2))
    expected = "In the forward of Linear(in_features=4, out_features=5, bias=True)."
    assert info.value.__notes__ == [expected]


def test_repr_nests_and_indents():
    """Children and extra lines are indented; a single extra line stays inline."""
    assert repr(Net()) == "Net(\n  (child): Leaf(scale=2)\n  (mn): None\n)"
    assert repr(nn.Module()) == "Module()"

    class Lines(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Sequential(Leaf())

        def extra_repr(self):
            return "one\ntwo"

    assert repr(Lines()) == (
        "Lines(\n  one\n  two\n  (a): Sequential(\n    (0): Leaf(scale=2)\n  )\n)"
    )


def test_deepcopy_keeps_sharing_and_classes():
    """What was one object is one object in the copy, too."""
    shared = Shared()
    new = copy.deepcopy(shared)
    assert new.a is new.b
    assert new.a is not shared.a
    assert new.c.scale is new.a.scale
    assert new.a.scale is not shared.a.scale
    assert isinstance(new.a.scale, nn.Parameter)
    with torch.no_grad():
        new.a.scale.fill_(0)
    assert shared.a.scale.tolist() == [2.0]


def test_pickle_keeps_state_and_hooks():
    """A module comes back with parameters, buffers and picklable hooks."""
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    net[0].register_forward_hook(double_output)
    new = pickle.loads(pickle.dumps(net))
    assert [n for n, _ in new.named_parameters()] == [n for n, _ in net.named_parameters()]
    assert isinstance(new[0].weight, nn.Parameter)
    assert new[0].weight.requires_grad
    x = torch.ones(1, 2)
    assert new[0](x).tolist() == net[0](x).tolist()
    del net[0]._forward_hooks
    assert len(new[0]._forward_hooks) == 1


def double_output(module, args, output):
    return output * 2


def test_parameter_is_a_tensor_that_requires_grad():
    """Parameter shares memory, prints its name and computes to plain tensors."""
    data = torch.ones(2)
    parameter = nn.Parameter(data)
    assert repr(parameter) == "Parameter containing:\ntensor([1., 1.], requires_grad=True)"
    data[0] = 5
    assert parameter.tolist() == [5.0, 1.0]
    assert type(parameter * 1) is torch.Tensor
    assert isinstance(nn.Parameter(), nn.Parameter)
    frozen = nn.Parameter(torch.tensor([1]), requires_grad=False)
    assert repr(frozen) == "Parameter containing:\ntensor([1])"
    assert "Only Tensors of floating point" in error(RuntimeError, nn.Parameter, torch.tensor([1]))
    assert isinstance(pickle.loads(pickle.dumps(parameter)), nn.Parameter)
    assert isinstance(copy.deepcopy(parameter), nn.Parameter)


def test_buffer_is_registered_on_assignment():
    """nn.Buffer says persistent or not; it is no Parameter."""
    m = nn.Module()
    m.kept = nn.Buffer(torch.ones(1))
    m.aside = nn.Buffer(torch.ones(1), persistent=False)
    assert list(m.state_dict()) == ["kept"]
    assert not m.kept.requires_grad
    assert isinstance(m.kept, nn.Buffer)
    assert not isinstance(torch.ones(1), nn.Buffer)


def test_no_warning_is_left_to_the_caller():
    """Ordinary use is silent."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net = Net()
        net(torch.ones(1)).sum().backward()
        net.load_state_dict(net.state_dict())


def test_type_hints_of_modules():
    """Libraries read them from their own subclasses."""

    class Configured(nn.Module):
        config: dict

    assert typing.get_type_hints(Configured)["config"] is dict
    for name in ("Linear", "LSTM", "Sequential", "TransformerEncoder"):
        assert typing.get_type_hints(getattr(nn, name))["training"] is bool
