"""The Python source of a graph."""

from __future__ import annotations

import builtins
import math
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .._device import device
from .._dtypes import dtype
from .._layouts import layout, memory_format
from .node import Node, map_arg, qualified
from .tracing_state import is_wrapped

if TYPE_CHECKING:
    from .graph import Graph

_BINARY = {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**",
    "lshift": "<<", "rshift": ">>", "and_": "&", "or_": "|", "xor": "^", "matmul": "@",
    "eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">=",
}  # fmt: skip
_UNARY = {"neg": "-", "pos": "+", "invert": "~"}


@dataclass
class PythonCode:
    """Source, and the objects that it names."""

    src: str
    globals: dict[str, Any]


@dataclass
class _Names:
    """The objects that the source names, by their names there."""

    found: dict[str, Any] = field(default_factory=dict)

    def of(self, wanted: str, value: Any) -> str:
        """A name for an object, which is another's nowhere."""
        name = "".join(c if c.isalnum() else "_" for c in wanted)
        while name in self.found and self.found[name] is not value:
            name += "_1"
        self.found[name] = value
        return name

    def text(self, a: Any) -> str:
        """An argument as an expression."""
        if isinstance(a, Node):
            return a.name
        if isinstance(a, tuple):
            inner = ", ".join(map(self.text, a))
            if hasattr(a, "_fields"):
                return f"{self.of(type(a).__name__, type(a))}({inner})"
            return f"({inner}{',' if len(a) == 1 else ''})"
        if isinstance(a, list):
            return f"[{', '.join(map(self.text, a))}]"
        if isinstance(a, dict):
            return "{" + ", ".join(f"{k!r}: {self.text(v)}" for k, v in a.items()) + "}"
        if isinstance(a, slice):
            return f"slice({self.text(a.start)}, {self.text(a.stop)}, {self.text(a.step)})"
        if isinstance(a, (bool, int, str, bytes, complex, type(None), type(...))):
            return repr(a)
        if isinstance(a, float):
            if math.isfinite(a):
                return repr(a)
            return self.of("nan" if math.isnan(a) else "inf", abs(a)).join(["-" * (a < 0), ""])
        if isinstance(a, (dtype, layout, memory_format)):
            return repr(a)
        if isinstance(a, device):
            return f"torch.{a!r}"
        return self.of(getattr(a, "__name__", type(a).__name__), a)

    def function(self, target: Any) -> str:
        """A function, by a name that leads to it."""
        name = getattr(target, "__name__", "")
        if getattr(builtins, name, None) is target and target is not abs:
            return name
        full = qualified(target)
        if full.startswith("torch.") and _leads_to(full, target):
            return full
        return self.of(full.replace(".", "_"), target)


def _leads_to(full: str, target: Any) -> bool:
    found: Any = _package()
    for part in full.split(".")[1:]:
        found = getattr(found, part, None)
    return found is target


def _package() -> Any:
    return import_module(__package__.rpartition(".")[0])


def written(graph: Graph, root: str) -> PythonCode:
    """Returns the source of a function ``forward`` that runs a graph."""
    names, inputs, body, head = _Names({"torch": _package()}), [root], [], []
    last = _last_uses(graph)
    for node in graph.nodes:
        if node.op == "placeholder":
            default = f" = {names.text(node.args[0])}" if node.args else ""
            target = str(node.target)
            inputs.append(target[: len(target) - len(target.lstrip("*"))] + node.name + default)
            continue
        if node.op == "output":
            body.append(f"return {names.text(node.args[0])}")
            continue
        if node.op == "call_function" and is_wrapped(node.target):
            head.append(f'torch.fx.wrap("{names.function(node.target)}")')
        done = last.get(node, [])
        ends = f";  {' = '.join(n.name for n in done)} = None" if done else ""
        body.append(f"{node.name} = {_expression(node, root, names)}{ends}")
    lines = "\n".join(f"    {line}" for line in body or ["pass"])
    start = "\n".join(dict.fromkeys(head))
    return PythonCode(f"\n{start}\n\ndef forward({', '.join(inputs)}):\n{lines}\n    ", names.found)


def _last_uses(graph: Graph) -> dict[Node, list[Node]]:
    """For each node those whose results it is the last to use, so that memory is freed."""
    last: dict[Node, list[Node]] = {}
    seen: set[Node] = set()
    for node in reversed(graph.nodes):
        mine: list[Node] = []
        map_arg((node.args, node.kwargs), mine.append)
        for used in dict.fromkeys(mine):
            if used not in seen:
                seen.add(used)
                last.setdefault(node, []).append(used)
        if not node.users and node.op not in ("output", "placeholder"):
            last.setdefault(node, []).append(node)
    return last


def _expression(node: Node, root: str, names: _Names) -> str:
    if node.op == "get_attr":
        return _path(root, str(node.target))
    args = [names.text(a) for a in node.args]
    if node.op == "call_function":
        kind, _, name = qualified(node.target).rpartition(".")
        if kind == "operator" and not node.kwargs:
            if name in _BINARY and len(args) == 2:
                return f"{args[0]} {_BINARY[name]} {args[1]}"
            if name in _UNARY:
                return f"{_UNARY[name]}{args[0]}"
            if name == "getitem":
                return f"{args[0]}[{args[1]}]"
        if node.target is getattr and isinstance(node.args[1], str) and len(args) == 2:
            return f"{args[0]}.{node.args[1]}"
    given = ", ".join([*args, *[f"{k} = {names.text(v)}" for k, v in node.kwargs.items()]])
    if node.op == "call_method":
        rest = ", ".join([*args[1:], *[f"{k} = {names.text(v)}" for k, v in node.kwargs.items()]])
        return f"{args[0]}.{node.target}({rest})"
    if node.op == "call_module":
        return f"{_path(root, str(node.target))}({given})"
    return f"{names.function(node.target)}({given})"


def _path(root: str, target: str) -> str:
    found = root
    for part in target.split("."):
        found = f"{found}.{part}" if part.isidentifier() else f'getattr({found}, "{part}")'
    return found
