"""The graph of a model: what the tape records while the model runs once."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import get_ident
from typing import Any

from tensorboard.compat.proto.attr_value_pb2 import AttrValue
from tensorboard.compat.proto.config_pb2 import RunMetadata
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.node_def_pb2 import NodeDef
from tensorboard.compat.proto.step_stats_pb2 import DeviceStepStats, StepStats
from tensorboard.compat.proto.versions_pb2 import VersionDef

from ..._tensor import Tensor
from ...autograd import _observers
from ...autograd.modes import enable_grad
from ...autograd.tape import Port
from .._pytree import tree_leaves, tree_map
from ._numbers import shape_of


def graph(model: Any, inputs: Any) -> tuple[GraphDef, RunMetadata]:
    """Runs a model once, in evaluation mode; returns its operations in the folders of its modules.

    They are those that a gradient can flow through, from the inputs and the parameters on.
    """
    inputs = () if inputs is None else inputs if isinstance(inputs, (tuple, list)) else (inputs,)
    inputs = tree_map(_followed, tuple(inputs))
    drawing = Drawing()
    with ExitStack() as stack:
        stack.enter_context(enable_grad())
        stack.enter_context(_evaluated(model))
        drawing.add_inputs(model, inputs)
        drawing.add_modules(model, stack)
        stack.enter_context(drawing.watching())
        outputs = model(*inputs)
        drawing.add_outputs(outputs)
    definition = GraphDef(node=drawing.nodes, versions=VersionDef(producer=22))
    device = DeviceStepStats(device="/device:CPU:0")
    return definition, RunMetadata(step_stats=StepStats(dev_stats=[device]))


def _followed(x: Any) -> Any:
    """Returns a tensor whose way through the model the tape records."""
    if not isinstance(x, Tensor):
        return x
    return x.detach().requires_grad_(x.is_floating_point() or x.is_complex())


@contextmanager
def _evaluated(model: Any) -> Iterator[None]:
    """Has all parameters on the tape and the model in evaluation mode; restores both."""
    training = [module for module in model.modules() if module.training]
    frozen = [p for p in model.parameters() if not p.requires_grad and p.is_floating_point()]
    try:
        model.eval()
        for p in frozen:
            p.requires_grad_(True)
        yield
    finally:
        for p in frozen:
            p.requires_grad_(False)
        for module in training:
            module.training = True


class Drawing:
    """The nodes drawn so far, and by what name each node of the tape goes."""

    def __init__(self) -> None:
        self.nodes: list[NodeDef] = []
        self.names: dict[int, str] = {}
        self.kept: list[Any] = []  # alive, so that no other node gets the id of one of them
        self.used: Counter[str] = Counter()
        self.scope: list[str] = []

    def add(self, node: Any, name: str, kind: str, shape: Any, inputs: Any = ()) -> None:
        self.used[name] += 1
        name = name if self.used[name] == 1 else f"{name}_{self.used[name] - 1}"
        attributes = {"attr": AttrValue(s=b"")}
        if shape is not None:
            sizes = AttrValue.ListValue(shape=[shape_of(*shape)])
            attributes["_output_shapes"] = AttrValue(list=sizes)
        self.nodes.append(NodeDef(name=name, op=kind, input=inputs, attr=attributes))
        if node is not None:
            self.kept.append(node)
            self.names[id(node)] = name

    def name_of(self, edge: Any) -> str | None:
        return self.names.get(id(edge.edges[0] if isinstance(edge, Port) else edge))

    def add_inputs(self, model: Any, inputs: Any) -> None:
        names = [*inspect.signature(model.forward).parameters]
        for i, given in enumerate(inputs):
            name = names[i] if i < len(names) else str(i)
            for x in tree_leaves(given):
                if isinstance(x, Tensor):
                    self.add(x._node, f"input/{name}", "IO Node", x.shape)

    def add_modules(self, model: Any, stack: ExitStack) -> None:
        """Draws the parameters of all modules, and has the scope follow the calls of them."""
        scopes = {"": type(model).__name__}
        for path, module in model.named_modules():
            if path:
                parent, _, attribute = path.rpartition(".")
                scopes[path] = f"{scopes[parent]}/{type(module).__name__}[{attribute}]"
            for name, p in module.named_parameters(recurse=False):
                if self.name_of(p._node) is None:  # one that is shared is drawn where it is first
                    self.add(p._node, f"{scopes[path]}/{name}", "Parameter", p.shape)
            stack.enter_context(
                module.register_forward_pre_hook(
                    lambda module, args, scope=scopes[path]: self.scope.append(scope)
                )
            )
            stack.enter_context(
                module.register_forward_hook(
                    lambda module, args, out: self._leave(), always_call=True
                )
            )

    def _leave(self) -> None:
        self.scope.pop()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Draws whatever this thread records."""
        thread = get_ident()

        def observe(node: Any) -> None:
            if get_ident() != thread or isinstance(node, Port):
                return
            kind = re.sub(r"Backward\d*$", "", node.name())  # names that PyTorch knows, too
            inputs = [self.name_of(edge) for edge in node.edges if edge is not None]
            scope = "/".join([*self.scope[-1:], kind])
            self.add(node, scope, kind, node.shape, [x for x in inputs if x])

        _observers.add(observe)
        try:
            yield
        finally:
            _observers.remove(observe)

    def add_outputs(self, outputs: Any) -> None:
        for i, x in enumerate(x for x in tree_leaves(outputs) if isinstance(x, Tensor)):
            source = None if x._node is None else self.name_of(x._node)
            self.add(None, f"output/output.{i + 1}", "IO Node", x.shape, [source] if source else [])
