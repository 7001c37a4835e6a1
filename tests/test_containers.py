"""Sequential, ModuleList, ModuleDict, ParameterList and ParameterDict."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict

import pytest

import arraytorch as torch

nn = torch.nn


class Add(nn.Module):
    def __init__(self, k=1):
        super().__init__()
        self.k = k

    def forward(self, x):
        return x + self.k

    def extra_repr(self):
        return str(self.k)


class Weighted(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.full((1,), 2.0))


def adds(*values):
    return [Add(k) for k in values]


def ks(modules):
    return [m.k for m in modules]


def parameter(value):
    return nn.Parameter(torch.full((2,), float(value)))


def error(kind, function, *args, **kwargs):
    with pytest.raises(kind) as info:
        function(*args, **kwargs)
    return str(info.value)


# ------------------------------------------------------------------------------ Sequential


def test_sequential_calls_in_order():
    """Each module gets the result of the one before; none at all is the identity."""
    assert nn.Sequential(*adds(1, 2, 3))(torch.ones(1)).tolist() == [7.0]
    assert nn.Sequential()(torch.ones(1)).tolist() == [1.0]
    assert nn.Sequential(Add())(input=torch.ones(1)).tolist() == [2.0]


def test_sequential_prints_its_modules():
    """Names are numbers, or those of an OrderedDict."""
    named = nn.Sequential(OrderedDict(a=Add(1), b=Add(2)))
    assert repr(named) == "Sequential(\n  (a): Add(1)\n  (b): Add(2)\n)"
    assert repr(nn.Sequential(None)) == "Sequential(\n  (0): None\n)"
    assert repr(nn.Sequential()) == "Sequential()"
    assert named.b.k == 2


def test_sequential_reads_like_a_list():
    """Indices, negative ones, slices (which keep the names), iteration, membership."""
    net = nn.Sequential(*adds(1, 2, 3, 4))
    assert (net[0].k, net[-1].k, len(net)) == (1, 4, 4)
    assert ks(net[1:3]) == [2, 3]
    assert list(net[1:3]._modules) == ["1", "2"]
    assert ks(net[::-1]) == [4, 3, 2, 1]
    assert net[0] in net
    assert error(IndexError, net.__getitem__, 4) == "index 4 is out of range"
    assert error(IndexError, net.__getitem__, -5) == "index -5 is out of range"


def test_sequential_writes_like_a_list():
    """Setting, deleting, appending, inserting and popping renumber what follows."""
    net = nn.Sequential(*adds(1, 2, 3, 4))
    net[0] = Add(9)
    net[-1] = Add(8)
    assert ks(net) == [9, 2, 3, 8]
    del net[1]
    assert (ks(net), list(net._modules)) == ([9, 3, 8], ["0", "1", "2"])
    del net[:2]
    assert ks(net) == [8]
    assert net.append(Add(5)).extend(nn.Sequential(*adds(6, 7))) is net
    net.insert(1, Add(11)).insert(-1, Add(12))
    assert ks(net) == [8, 11, 5, 6, 12, 7]
    assert net.pop(0).k == 8
    assert net.pop(-1).k == 7
    assert ks(net) == [11, 5, 6, 12]
    assert error(IndexError, net.insert, 99, Add()) == "Index out of range: 99"
    assert error(TypeError, net.append, 3) == "int is not a Module subclass"


def test_sequential_adds_and_multiplies():
    """+, += and * make longer chains of the same modules."""
    net = nn.Sequential(*adds(1, 2))
    assert ks(net + nn.Sequential(Add(3))) == [1, 2, 3]
    assert ks(net * 2) == ks(2 * net) == [1, 2, 1, 2]
    net += nn.Sequential(Add(4))
    assert ks(net) == [1, 2, 4]
    net *= 2
    assert ks(net) == [1, 2, 4, 1, 2, 4]
    assert error(ValueError, net.__add__, [1]) == (
        "add operator supports only objects of Sequential class, but <class 'list'> is given."
    )
    assert "Non-positive multiplication factor 0" in error(ValueError, net.__mul__, 0)
    assert "unsupported operand type(s) for *" in error(TypeError, net.__mul__, 1.5)


# ------------------------------------------------------------------------------ ModuleList


def test_module_list_groups_equal_modules_in_its_repr():
    """Runs of equal modules are shown once."""
    assert repr(nn.ModuleList([*adds(1, 1, 2), Weighted()])) == (
        "ModuleList(\n  (0-1): 2 x Add(1)\n  (2): Add(2)\n  (3): Weighted()\n)"
    )
    layers = nn.ModuleList([nn.Sequential(*adds(1, 2)) for _ in range(3)] + [Add(3)])
    assert repr(layers) == (
        "ModuleList(\n  (0-2): 3 x Sequential(\n    (0): Add(1)\n    (1): Add(2)\n  )\n"
        "  (3): Add(3)\n)"
    )
    assert repr(nn.ModuleList()) == "ModuleList()"


def test_module_list_behaves_like_a_list():
    """All of a list's ways to read and write."""
    layers = nn.ModuleList(adds(1, 2, 3))
    layers[0] = Add(4)
    layers.insert(0, Add(7))
    layers.insert(-1, Add(70))
    layers.insert(99, Add(99))
    assert ks(layers) == [7, 4, 2, 70, 3, 99]
    assert ks(layers.pop(slice(0, 2))) == [7, 4]
    assert layers.pop(-1).k == 99
    del layers[-1]
    assert (ks(layers), list(layers._modules)) == ([2, 70], ["0", "1"])
    assert layers.append(Add(5)) is layers
    layers += [Add(6)]
    assert ks(layers.extend(Add(i) for i in range(2))) == [2, 70, 5, 6, 0, 1]
    assert ks(layers + [Add(8)])[-1] == 8
    assert ks(layers[1:3]) == [70, 5]
    assert ks(reversed(layers)) == [1, 0, 6, 5, 70, 2]
    assert error(IndexError, layers.__getitem__, 7) == "index 7 is out of range"
    assert error(TypeError, layers.extend, 5) == (
        "ModuleList.extend should be called with an iterable, but got int"
    )
    assert 'required "forward" function' in error(NotImplementedError, layers, 1)


# ------------------------------------------------------------------------------ ModuleDict


def test_module_dict_behaves_like_a_dict():
    """Keys keep their order; values must be modules."""
    d = nn.ModuleDict({"a": Add(1), "b": Add(2)})
    assert repr(d) == "ModuleDict(\n  (a): Add(1)\n  (b): Add(2)\n)"
    d["c"] = Add(3)
    assert (list(d), list(d.keys()), ks(d.values()), len(d)) == (
        ["a", "b", "c"],
        ["a", "b", "c"],
        [1, 2, 3],
        3,
    )
    del d["a"]
    assert d.pop("b").k == 2
    d.update([("q", Add(4)), ["r", Add(5)]])
    d.update(nn.ModuleDict({"k": Add(6)}))
    assert [(k, m.k) for k, m in d.items()] == [("c", 3), ("q", 4), ("r", 5), ("k", 6)]
    assert "q" in d
    assert "z" not in d
    assert d.q.k == 4
    d.clear()
    assert len(d) == 0


def test_module_dict_refuses_what_cannot_be_an_attribute():
    """Names of methods, dots, numbers and values that are no modules."""
    assert "attribute 'keys' already exists" in error(KeyError, nn.ModuleDict, {"keys": Add()})
    assert "got: a.b" in error(KeyError, nn.ModuleDict, {"a.b": Add()})
    assert error(TypeError, nn.ModuleDict, {3: Add()}) == "module name should be a string. Got int"
    assert error(TypeError, nn.ModuleDict, {"a": 3}) == "int is not a Module subclass"
    assert error(TypeError, nn.ModuleDict().update, 3) == (
        "ModuleDict.update should be called with an iterable of key/value pairs, but got int"
    )
    assert error(ValueError, nn.ModuleDict().update, [(1, 2, 3)]) == (
        "ModuleDict update sequence element #0 has length 3; 2 is required"
    )


# --------------------------------------------------------------- ParameterList, ParameterDict


def test_parameter_list():
    """Tensors become parameters; other values are kept as they are."""
    p = nn.ParameterList([parameter(1), torch.zeros(2), 3, "x"])
    assert [type(v).__name__ for v in p] == ["Parameter", "Parameter", "int", "str"]
    assert repr(p) == (
        "ParameterList(\n"
        "    (0): Parameter containing: [torch.float32 of size 2]\n"
        "    (1): Parameter containing: [torch.float32 of size 2]\n"
        "    (2): Object of type: int\n"
        "    (3): Object of type: str\n)"
    )
    assert [n for n, _ in p.named_parameters()] == list(p.state_dict()) == ["0", "1"]
    p[0] = torch.ones(1)
    assert p.append(torch.ones(3)) is p
    p += [parameter(4)]
    assert (len(p), p[-1].tolist(), p[2], len(p[1:3])) == (6, [4.0, 4.0], 3, 2)
    assert error(IndexError, p.__getitem__, 99) == "index 99 is out of range"
    assert error(RuntimeError, p, 1) == "ParameterList should not be called."
    assert "but got Tensor" in error(TypeError, nn.ParameterList, torch.ones(2, 2))


def test_parameter_dict():
    """A dict of parameters; plain dicts are sorted, as in PyTorch."""
    p = nn.ParameterDict({"b": torch.zeros(2, 3), "a": parameter(1), "c": 5})
    assert list(p) == ["a", "b", "c"]
    assert list(nn.ParameterDict(OrderedDict(z=parameter(1), a=parameter(2)))) == ["z", "a"]
    assert repr(p) == (
        "ParameterDict(\n"
        "    (a): Parameter containing: [torch.FloatTensor of size 2]\n"
        "    (b): Parameter containing: [torch.FloatTensor of size 2x3]\n"
        "    (c): Object of type: int\n)"
    )
    assert isinstance(p["b"], nn.Parameter)
    assert p.get("zz", 3) == 3
    assert p.setdefault("d", parameter(4)) is p["d"]
    assert p.popitem()[0] == "d"
    assert p.copy()["a"] is p["a"]
    assert p.pop("c") == 5
    assert list((p | nn.ParameterDict({"k": parameter(1)})).keys()) == ["a", "b", "k"]
    assert list(reversed(p)) == ["b", "a"]
    assert list(p.fromkeys(["x", "y"], 0)) == ["x", "y"]
    p.update([("x", parameter(1)), ("w", 2)])
    assert list(p) == ["a", "b", "x", "w"]
    p.clear()
    assert len(p) == 0
    assert "not a string (type is 'int')" in error(TypeError, p.__setitem__, 3, parameter(1))
    assert error(TypeError, p.update, 3).startswith("ParametersDict.update should be called")
    assert "already exists" in error(KeyError, p.__setitem__, "keys", parameter(1))


@pytest.mark.parametrize(
    "container",
    [
        lambda: nn.Sequential(Weighted()),
        lambda: nn.ModuleList([Weighted()]),
        lambda: nn.ModuleDict({"a": Weighted()}),
        lambda: nn.ParameterList([parameter(1)]),
        lambda: nn.ParameterDict({"a": parameter(1)}),
    ],
)
def test_containers_copy_and_pickle(container):
    """Copies print the same and hold their own tensors."""
    original = container()
    for new in (copy.deepcopy(original), pickle.loads(pickle.dumps(original))):
        assert repr(new) == repr(original)
        for (name, a), (other, b) in zip(
            new.named_parameters(), original.named_parameters(), strict=True
        ):
            assert (name, a.tolist()) == (other, b.tolist())
            assert a is not b
