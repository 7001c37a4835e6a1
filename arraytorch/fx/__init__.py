"""Symbolic tracing: a module's forward as a graph of calls, to be read, changed and run as code.

>>> class Doubled(torch.nn.Module):
...     def forward(self, x):
...         return torch.relu(x) + x
>>> traced = torch.fx.symbolic_trace(Doubled())
>>> print(traced.graph)
graph():
    %x : [num_users=2] = placeholder[target=x]
    %relu : [num_users=1] = call_function[target=torch.relu](args = (%x,), kwargs = {})
    %add : [num_users=1] = call_function[target=operator.add](args = (%relu, %x), kwargs = {})
    return add
>>> traced(torch.tensor([-1.0, 1.0]))
tensor([-1.,  2.])
"""

from __future__ import annotations

from . import graph as graph
from . import graph_module as graph_module
from . import interpreter as interpreter
from . import node as node
from . import proxy as proxy
from .graph import Graph
from .graph_module import GraphModule
from .interpreter import Interpreter, Transformer
from .node import Node, has_side_effect, map_arg
from .proxy import Proxy
from .tracing import Tracer, symbolic_trace, wrap

__all__ = [
    "Graph",
    "GraphModule",
    "Interpreter",
    "Node",
    "Proxy",
    "Tracer",
    "Transformer",
    "has_side_effect",
    "map_arg",
    "symbolic_trace",
    "wrap",
]
