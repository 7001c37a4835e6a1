"""__torch_function__: classes of tensors, classes that are none, and modes."""

from __future__ import annotations

import inspect
from copy import deepcopy

import pytest

import arraytorch as torch
from arraytorch import overrides
from arraytorch.ops import _intercept

F = torch.nn.functional


class Seen(torch.Tensor):
    """Notes what it is asked to handle."""

    calls: list = []

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        cls.calls.append((func, types, args, kwargs))
        return super().__torch_function__(func, types, args, kwargs)


class Duck:
    """Is no tensor, and answers with the function and the arguments."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return func, args, kwargs or {}


class Refusing:
    """Handles nothing."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return NotImplemented


class Names(overrides.TorchFunctionMode):
    """Notes the names of the functions that it sees."""

    def __init__(self):
        self.seen = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.seen.append(func.__name__)
        return func(*args, **(kwargs or {}))


@pytest.fixture
def seen():
    Seen.calls.clear()
    return torch.tensor([1.0, 2.0]).as_subclass(Seen)


CALLS = [  # what is written, what is handled, the result
    (lambda s: torch.add(s, 1), torch.add, [2.0, 3.0]),
    (lambda s: s.add(1), torch.Tensor.add, [2.0, 3.0]),
    (lambda s: s + 1, torch.Tensor.add, [2.0, 3.0]),
    (lambda s: 1 + s, torch.Tensor.add, [2.0, 3.0]),
    (lambda s: torch.ones(2) + s, torch.Tensor.add, [2.0, 3.0]),
    (lambda s: 1 - s, torch.Tensor.__rsub__, [0.0, -1.0]),
    (lambda s: s**2, torch.Tensor.__pow__, [1.0, 4.0]),
    (lambda s: s // 2, torch.Tensor.__floordiv__, [0.0, 1.0]),
    (lambda s: -s, torch.neg, [-1.0, -2.0]),
    (lambda s: s == 1, torch.Tensor.__eq__, [True, False]),
    (lambda s: s < 2, torch.lt, [True, False]),
    (lambda s: s[0], torch.Tensor.__getitem__, 1.0),
    (lambda s: s @ s, torch.matmul, 5.0),
    (lambda s: torch.cat([torch.ones(1), s]), torch.cat, [1.0, 1.0, 2.0]),
    (lambda s: F.relu(s), F.relu, [1.0, 2.0]),
    (lambda s: F.linear(s, torch.ones(1, 2)), F.linear, [3.0]),
    (lambda s: torch.linalg.norm(s * 0), torch.linalg.norm, 0.0),
    (lambda s: torch.special.expit(s * 0), torch.special.expit, [0.5, 0.5]),
    (lambda s: s.double(), torch.Tensor.double, [1.0, 2.0]),
    (lambda s: s.mT if s.ndim > 1 else s.real, torch.Tensor.real.__get__, [1.0, 2.0]),
]


@pytest.mark.parametrize(("call", "function", "result"), CALLS)
def test_a_subclass_handles_functions_methods_and_operators(seen, call, function, result):
    """It is told PyTorch's function for each, and what comes out is of its class."""
    out = call(seen)
    assert Seen.calls[-1][0] == function
    assert Seen.calls[-1][1] == (Seen,)
    assert type(out) is Seen
    with torch._C.DisableTorchFunctionSubclass():
        assert out.tolist() == result


def test_attributes_are_handled(seen):
    """Reading and setting a property are calls of its accessors."""
    assert seen.shape == (2,) and Seen.calls[-1][0] == torch.Tensor.shape.__get__
    seen.requires_grad = True
    assert Seen.calls[-1][0] == torch.Tensor.requires_grad.__set__
    assert Seen.calls[-1][2][1] is True
    (seen * seen).sum().backward()
    assert type(seen.grad) is torch.Tensor  # alone among results it stays as it is


def test_a_subclass_without_a_handler_keeps_its_class():
    """The handler that it inherits makes results of its class, in containers too."""

    class Kept(torch.Tensor):
        pass

    class Other(torch.Tensor):
        pass

    x = torch.tensor([[3.0, 1.0]]).as_subclass(Kept)
    values, indices = x.max(0)
    parts = [x + 1, torch.ones(2) * x, values, indices, *x.split(1), torch.stack([x, x]), x.data]
    assert {type(t) for t in parts} == {Kept}
    assert type(torch.tensor([1.0])) is torch.Tensor and type(x.tolist()) is list
    assert repr(x).startswith("Kept([[3., 1.]]")
    assert type(deepcopy(x)) is Kept
    with pytest.raises(TypeError, match="unsupported operand"):
        x + torch.ones(2).as_subclass(Other)
    made = torch.Tensor._make_subclass(Kept, torch.ones(1), True)
    assert type(made) is Kept and made.requires_grad and made.is_leaf


def test_parameters_of_a_subclass_keep_its_class(seen):
    """A parameter overrides nothing itself."""
    parameter = torch.nn.Parameter(seen)
    assert isinstance(parameter, torch.nn.Parameter) and type(parameter) is Seen
    assert not isinstance(seen, torch.nn.Parameter)
    plain = torch.nn.Parameter(torch.ones(1))
    assert type(plain + 1) is torch.Tensor and type(plain) is torch.nn.Parameter


def test_classes_that_are_no_tensors():
    """Any object with the method takes part, first met by a function, an operator, or in a list."""
    duck = Duck()
    assert torch.exp(duck) == (torch.exp, (duck,), {})
    assert torch.mean(duck, dim=0) == (torch.mean, (duck,), {"dim": 0})
    one = torch.ones(1)
    function, args, _ = one + duck
    assert function is torch.add and args[0] is one and args[1] is duck
    assert torch.cat([duck])[0] is torch.cat
    assert F.linear(one, duck)[0] is F.linear
    assert torch.zeros(duck)[0] is torch.zeros


@pytest.mark.parametrize("function", [torch.exp, torch.mean, torch.add, F.relu])
def test_what_nobody_handles_is_a_type_error(function):
    """All that were asked are named; an operator says what Python says."""
    _intercept.notice(Refusing)
    args = (Refusing(), 1) if function is torch.add else (Refusing(),)
    with pytest.raises(TypeError, match="(?s)Multiple dispatch failed for 'torch.*Refusing"):
        function(*args)
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \+"):
        torch.ones(1) + Refusing()


def test_subclasses_are_asked_before_their_bases():
    """Whatever the order of the arguments; of equals, the left one."""

    class Derived(Seen):
        calls: list = []

    Seen.calls.clear()
    base, derived = torch.ones(1).as_subclass(Seen), torch.ones(1).as_subclass(Derived)
    out = torch.mul(base, derived)
    assert type(out) is Derived and not Seen.calls
    assert Derived.calls[0][1] == (Derived, Seen)


def test_modes_see_what_has_no_tensors():
    """While one handles a call, the mode around it sees what it calls."""
    outer, inner = Names(), Names()
    with outer:
        x = torch.zeros(2)
        with inner:
            y = (x + 1).sum()
    assert outer.seen == ["zeros", "add", "sum"] and inner.seen == ["add", "sum"]
    assert y.item() == 2 and not _intercept.modes.get()
    with overrides.BaseTorchFunctionMode():
        assert torch.ones(1).item() == 1


def test_a_mode_sees_how_modules_are_made():
    """Initialization is there under its own name."""
    with Names() as names:
        torch.nn.Linear(2, 2)
    assert "kaiming_uniform_" in names.seen and "empty" in names.seen


def test_disabling():
    """One context turns off classes, the other one modes too."""
    x = torch.ones(2).as_subclass(Seen)
    with Names() as names, torch._C.DisableTorchFunctionSubclass():
        assert type(x + 1) is torch.Tensor
    assert names.seen == ["add"]
    with Names() as names, torch._C.DisableTorchFunction():
        assert type(x + 1) is torch.Tensor
    assert not names.seen


def test_functions_of_ones_own():
    """They ask, and hand over."""

    @overrides.wrap_torch_function(lambda a, b=None: (a, b))
    def mine(a, b=None):
        return "mine"

    duck = Duck()
    assert mine(1) == "mine" and mine(1, b=duck) == (mine, (1,), {"b": duck})
    assert overrides.has_torch_function((duck,)) and overrides.has_torch_function_unary(duck)
    assert not overrides.has_torch_function_variadic(torch.ones(1), 1)
    with pytest.raises(TypeError, match="no implementation found for .*mine.*Refusing"):
        mine(Refusing())
    assert overrides.is_tensor_like(duck) and not overrides.is_tensor_like(1)


def test_names_of_functions():
    """Each has the name by which users call it."""
    assert overrides.resolve_name(torch.add) == "torch.add"
    assert overrides.resolve_name(torch.lt) == "torch.lt"
    assert overrides.resolve_name(F.cross_entropy) == "torch.nn.functional.cross_entropy"
    assert overrides.resolve_name(torch.Tensor.grad.__get__) == "torch.Tensor.grad.__get__"
    assert overrides.resolve_name(print) is None
    assert overrides.is_tensor_method_or_property(torch.Tensor.item)
    assert not overrides.is_tensor_method_or_property(F.linear)


def test_what_can_be_overridden():
    """Functions of tensors, and not those that make them of nothing."""
    functions = overrides.get_overridable_functions()
    assert torch.exp in functions[torch] and torch.zeros not in functions[torch]
    assert F.linear in functions[F] and torch.Tensor.item in functions[torch.Tensor]
    ignored = overrides.get_ignored_functions()
    assert torch.zeros in ignored and torch.tensor in ignored and torch.exp not in ignored
    replacement = overrides.get_testing_overrides()[torch.cat]
    assert replacement([torch.ones(1)]) == -1
    assert inspect.signature(replacement) == inspect.signature(torch.cat)


def test_afterwards_functions_are_as_before():
    """Outside of modes there is no trace of them: not an instruction."""
    before = torch.matmul.__code__, torch.Tensor.shape.fget.__code__
    with Names():
        assert torch.matmul.__code__ is not before[0]
    assert (torch.matmul.__code__, torch.Tensor.shape.fget.__code__) == before


@pytest.mark.parametrize("outside", ["mode", "autocast"])
def test_modes_and_autocast_together(outside):
    """Either may begin first and end first, and a mode sees calls before autocast casts."""
    x, mode, region = torch.ones(2, 2), Names(), torch.autocast("cpu")
    code = torch.mm.__code__
    first, second = (mode, region) if outside == "mode" else (region, mode)
    first.__enter__()
    second.__enter__()
    lower = torch.mm(x, x)
    assert mode.seen == ["mm"] and lower.dtype is torch.bfloat16
    first.__exit__(None, None, None)
    y = torch.mm(x, x)
    assert y.dtype is (torch.bfloat16 if outside == "mode" else torch.float32)
    second.__exit__(None, None, None)
    assert torch.mm.__code__ is code and torch.mm(x, x).dtype is torch.float32


def test_a_tensor_s_dictionary_holds_what_programs_stored():
    """None of its own state; what is written there is stored on the tensor."""
    p = torch.nn.Parameter(torch.ones(2))
    (p * 2).sum().backward()
    assert p.__dict__ == {} and vars(torch.ones(1)) == {}
    p.note = 1
    p.__dict__["more"] = 2
    p.__dict__.update(last=3)
    assert p.__dict__ == {"note": 1, "more": 2, "last": 3} and p.more == 2
    del p.__dict__["note"]
    assert not hasattr(p, "note") and p.__dict__.pop("more") == 2
    assert p.__dict__.setdefault("last", 4) == 3 and deepcopy(p.__dict__) == {"last": 3}
    p.__dict__ = {"new": 5}
    assert p.__dict__ == {"new": 5} and p.new == 5
    # As accelerate moves a parameter: it passes the dictionary on.
    kwargs = p.__dict__
    kwargs.clear()
    kwargs["requires_grad"] = p.requires_grad
    assert torch.nn.Parameter(p.to("meta"), **kwargs).requires_grad
