"""torch.fx: programs as graphs. The expected text is what PyTorch prints, but for names of wrapped functions."""

from __future__ import annotations

import copy
import math
import operator
import pickle

import pytest

import arraytorch as torch
from arraytorch import fx, nn

F = nn.functional


@fx.wrap
def opaque(x, k):
    """A function that tracing shall not look into."""
    return x + k if x.sum() > -1e9 else x


class Model(nn.Module):
    """Parameters, buffers, submodules, unpacking, operators, methods and constants."""

    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(4, 4)
        self.w = nn.Parameter(torch.ones(4))
        self.register_buffer("b", torch.zeros(4))
        self.seq = nn.Sequential(nn.Linear(4, 4), nn.ReLU())

    def forward(self, x, y=2, *, z=None):
        n, c = x.shape
        h = self.lin(x) * self.w + self.b
        h = torch.relu(h).view(n, -1)
        h = 1 - (self.seq(h) + 1)
        h = torch.cat([h, h], dim=1)[:, :4]
        h += y
        h = opaque(h, 3).flatten(1) @ self.w
        return {"out": h, "t": (h.sum(), x.size(0), -h, abs(h), h.max(0)[0])}


CODE = """
torch.fx.wrap("tests_test_fx_opaque")

def forward(self, x, y = 2, z = None):
    getattr_1 = x.shape
    getitem = getattr_1[0]
    getitem_1 = getattr_1[1];  getattr_1 = getitem_1 = None
    lin = self.lin(x)
    w = self.w
    mul = lin * w;  lin = None
    b = self.b
    add = mul + b;  mul = b = None
    relu = torch.relu(add);  add = None
    view = relu.view(getitem, -1);  relu = getitem = None
    seq_0 = getattr(self.seq, "0")(view);  view = None
    seq_1 = getattr(self.seq, "1")(seq_0);  seq_0 = None
    add_1 = seq_1 + 1;  seq_1 = None
    sub = 1 - add_1;  add_1 = None
    cat = torch.cat([sub, sub], dim = 1);  sub = None
    getitem_2 = cat[(slice(None, None, None), slice(None, 4, None))];  cat = None
    add_2 = getitem_2 + y;  getitem_2 = y = None
    opaque = tests_test_fx_opaque(add_2, 3);  add_2 = None
    flatten = opaque.flatten(1);  opaque = None
    matmul = flatten @ w;  flatten = w = None
    sum_1 = matmul.sum()
    size = x.size(0);  x = None
    neg = -matmul
    abs_1 = operator_abs(matmul)
    max_1 = matmul.max(0)
    getitem_3 = max_1[0];  max_1 = None
    return {'out': matmul, 't': (sum_1, size, neg, abs_1, getitem_3)}
"""


def test_a_traced_module_does_what_the_module_does():
    """Its source is PyTorch's, its state that of the module, and its gradients reach that."""
    torch.manual_seed(0)
    model = Model()
    traced = fx.symbolic_trace(model)
    name = opaque.__module__.replace(".", "_") + "_opaque"
    assert traced.code.strip() == CODE.strip().replace("tests_test_fx_opaque", name)
    x = torch.randn(3, 4)
    ours, theirs = traced(x), model(x)
    assert torch.equal(ours["out"], theirs["out"]) and ours["t"][1] == 3
    assert list(traced.state_dict()) == list(model.state_dict())
    ours["out"].sum().backward()
    assert model.w.grad is not None and type(traced).__name__ == "Model"
    retraced = fx.symbolic_trace(traced)
    assert torch.equal(retraced(x)["out"], theirs["out"])


def test_the_text_of_a_graph():
    """Nodes with their users, targets and arguments."""
    graph = fx.symbolic_trace(lambda x, y=1: F.relu(x, inplace=False) + [y, x][0]).graph
    assert str(graph).splitlines()[1:3] == [
        "    %x : [num_users=1] = placeholder[target=x]",
        "    %y : [num_users=1] = placeholder[target=y](default=1)",
    ]
    relu = next(n for n in graph.nodes if n.op == "call_function")
    assert relu.users and relu.all_input_nodes[0].name == "x" and relu.target is F.relu
    assert relu.kwargs == {"inplace": False} and str(relu) == "relu"


@pytest.mark.parametrize(
    ("program", "error", "words"),
    [
        (lambda x: x if x.sum() > 0 else -x, fx.proxy.TraceError, "inputs to control flow"),
        (lambda x: list(x), fx.proxy.TraceError, "cannot be iterated"),
        (lambda x: len(x), RuntimeError, "'len' is not supported in symbolic tracing by default"),
    ],
)
def test_what_cannot_be_recorded(program, error, words):
    """Decisions that depend on values raise, and leave nothing behind."""
    code = torch.add.__code__
    with pytest.raises(error, match=words):
        fx.symbolic_trace(program)
    assert torch.add.__code__ is code and "traced" not in vars(nn.Module)


def test_inputs_of_every_kind():
    """Stars, defaults and known values."""

    def program(a, *args, **kwargs):
        return a + args[0] * 2 + kwargs["c"]

    traced = fx.symbolic_trace(program)
    assert traced(torch.ones(1), torch.ones(1), c=3).item() == 6
    known = fx.symbolic_trace(lambda x, flag: x if flag else -x, concrete_args={"flag": False})
    assert known(torch.ones(1), False).item() == -1
    with pytest.raises(AssertionError, match="flag has been specialized to have value False"):
        known(torch.ones(1), True)


def test_modules_stay_single_nodes_as_a_tracer_says():
    """And calls of functions from modules that it names are recorded."""

    class Tracer(fx.Tracer):
        def is_leaf_module(self, m, module_qualified_name):
            return isinstance(m, nn.Sequential) or super().is_leaf_module(m, module_qualified_name)

    model = Model()
    graph = Tracer().trace(model)
    assert "seq" in [n.target for n in graph.nodes] and graph._tracer_cls is Tracer
    with pytest.raises(NameError, match="not installed as a submodule"):
        Tracer().path_of_module(nn.Linear(1, 1))
    scaled = fx.symbolic_trace(lambda x: x * math.sqrt(x.size(1)))
    assert [n.target for n in scaled.graph.nodes if n.name == "sqrt"] == [math.sqrt]
    assert scaled(torch.ones(1, 4)).tolist() == [[2.0, 2.0, 2.0, 2.0]]


def test_changing_a_graph():
    """Nodes are inserted, replaced and erased; code follows after recompile."""
    graph = fx.Graph()
    x = graph.placeholder("x")
    a = graph.call_function(torch.add, (x, 1))
    b = graph.call_method("relu", (a,))
    graph.output(b)
    graph.lint()
    module = fx.GraphModule(nn.Module(), graph)
    assert module(torch.tensor([-3.0, 1.0])).tolist() == [0.0, 2.0]
    with graph.inserting_after(a):
        c = graph.call_function(torch.neg, (a,))
    assert a.replace_all_uses_with(c, delete_user_cb=lambda user: user is not c) == [b]
    module.recompile()
    assert module(torch.tensor([-3.0, 1.0])).tolist() == [2.0, 0.0]
    with pytest.raises(RuntimeError, match="Tried to erase Node add but it still had 1 users"):
        graph.erase_node(a)
    assert [n.name for n in reversed(graph.nodes)] == ["output", "relu", "neg", "add", "x"]
    with graph.inserting_before(b):
        graph.call_function(torch.exp, (c,))
    assert len(graph.nodes) == 6 and graph.eliminate_dead_code() and len(graph.nodes) == 5
    assert not graph.eliminate_dead_code() and graph.output_node().args == (b,)
    assert graph.find_nodes(op="call_function", target=torch.neg) == [c]
    c.update_arg(0, x)
    c.target = torch.abs
    module.recompile()
    assert module(torch.tensor([-3.0])).tolist() == [3.0]
    b.prepend(a)
    x.append(b)
    with pytest.raises(RuntimeError, match="was used before it has been defined"):
        graph.lint()


def test_copies_of_graph_modules():
    """Deep copies and pickles have graphs, code and state of their own."""
    module = fx.symbolic_trace(nn.Sequential(nn.Linear(2, 2), nn.Tanh()))
    x = torch.ones(1, 2)
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module)), copy.copy(module)):
        assert torch.equal(other(x), module(x)) and other.code == module.code
        assert other.graph is not module.graph and isinstance(other, fx.GraphModule)
    copied = copy.deepcopy(module)
    with torch.no_grad():
        next(copied.parameters()).zero_()
    assert not torch.equal(copied(x), module(x))


def test_running_a_graph_node_by_node():
    """An interpreter may change what is done, or make a new graph."""
    module = fx.symbolic_trace(lambda x, y=3: torch.exp(x) * y)
    assert fx.Interpreter(module).run(torch.zeros(1)).item() == 3
    assert fx.Interpreter(module).run(torch.zeros(1), 5).item() == 5
    with pytest.raises(RuntimeError, match="Expected positional argument for parameter x"):
        fx.Interpreter(module).run()

    class Added(fx.Transformer):
        def call_function(self, target, args, kwargs):
            swapped = operator.add if target is operator.mul else target
            return super().call_function(swapped, args, kwargs)

    assert Added(module).transform()(torch.zeros(1)).item() == 4


def test_submodules_of_graph_modules():
    """They come and go by dotted names."""
    module = fx.symbolic_trace(nn.Sequential(nn.Linear(2, 2)))
    assert module.add_submodule("extra.deep", nn.ReLU())
    assert isinstance(module.get_submodule("extra.deep"), nn.ReLU)
    module.delete_all_unused_submodules()
    assert [name for name, _ in module.named_modules()] == ["", "0"]
    assert not module.delete_submodule("no.such")
    with pytest.raises(RuntimeError, match="referenced target 0 but that target was not provided"):
        fx.GraphModule({}, module.graph)
    assert fx.GraphModule({"0": nn.Linear(2, 2)}, module.graph)(torch.ones(1, 2)).shape == (1, 2)


def test_wrapping_is_for_the_top_of_a_module():
    """A name inside of a function would not be found again."""
    with pytest.raises(NotImplementedError, match="top level of a module"):
        fx.wrap("something")
    with pytest.raises(RuntimeError, match="Must be either a callable or string name"):
        fx.wrap(3)
