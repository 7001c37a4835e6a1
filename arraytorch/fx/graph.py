"""Graphs: nodes in the order in which they run, and the code that runs them."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Callable, Iterator
from typing import Any

from .node import Argument, Node, Target, map_arg, qualified
from .source import PythonCode, written

_OPS = ("placeholder", "call_method", "call_module", "call_function", "get_attr", "output", "root")


class _Nodes:
    """The nodes of a graph in order; ``reversed`` works, and so does erasing while iterating."""

    def __init__(self, graph: Graph, backwards: bool = False) -> None:
        self._graph, self._backwards = graph, backwards

    def __len__(self) -> int:
        return self._graph._count

    def __iter__(self) -> Iterator[Node]:
        step = "prev" if self._backwards else "next"
        node = getattr(self._graph._root, step)
        while node is not self._graph._root:
            if not node._erased:
                yield node
            node = getattr(node, step)

    def __reversed__(self) -> _Nodes:
        return _Nodes(self._graph, not self._backwards)


class _InsertPoint:
    """Where new nodes go until the ``with`` block ends."""

    def __init__(self, graph: Graph, insert: Callable[[Node], None]) -> None:
        self.graph, self.before = graph, graph._insert
        graph._insert = insert

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self.graph._insert = self.before


class Graph:
    """A program as a list of nodes, from its inputs to one output.

    >>> graph = torch.fx.Graph()
    >>> x = graph.placeholder("x")
    >>> y = graph.call_function(torch.add, (x, 1))
    >>> _ = graph.output(y)
    >>> torch.fx.GraphModule(torch.nn.Module(), graph)(torch.ones(2))
    tensor([2., 2.])
    """

    def __init__(self, owning_module: Any = None, tracer_cls: Any = None) -> None:
        self._root = Node(self, "", "root", "", (), {})
        self._insert: Callable[[Node], None] = self._root.prepend
        self._names: set[str] = set()
        self._count = 0
        self.owning_module, self._tracer_cls = owning_module, tracer_cls

    @property
    def nodes(self) -> _Nodes:
        """The nodes, in the order in which they run."""
        return _Nodes(self)

    # making nodes

    def create_node(
        self,
        op: str,
        target: Target,
        args: tuple[Argument, ...] | None = None,
        kwargs: dict[str, Argument] | None = None,
        name: str | None = None,
        type_expr: Any = None,
    ) -> Node:
        """Adds a node at the place where nodes go, the end unless set by `inserting_before`."""
        if op not in _OPS:
            raise AssertionError(f"op '{op}' is not one of {_OPS}")
        wanted = name if name is not None else _name_of(target)
        node = Node(self, self._fresh(wanted), op, target, args or (), kwargs or {}, type_expr)
        self._insert(node)
        self._count += 1
        return node

    def placeholder(self, name: str, type_expr: Any = None, default_value: Any = ...) -> Node:
        """Adds an input, with a default if one is given."""
        args = () if default_value is ... else (default_value,)
        return self.create_node("placeholder", name, args, type_expr=type_expr)

    def get_attr(self, qualified_name: str, type_expr: Any = None) -> Node:
        """Adds the fetching of a parameter or other attribute of the module."""
        return self.create_node("get_attr", qualified_name, type_expr=type_expr)

    def call_function(
        self,
        the_function: Callable[..., Any],
        args: tuple[Argument, ...] | None = None,
        kwargs: dict[str, Argument] | None = None,
        type_expr: Any = None,
        name: str | None = None,
    ) -> Node:
        """Adds the call of a function."""
        return self.create_node("call_function", the_function, args, kwargs, name, type_expr)

    def call_method(
        self,
        method_name: str,
        args: tuple[Argument, ...] | None = None,
        kwargs: dict[str, Argument] | None = None,
        type_expr: Any = None,
    ) -> Node:
        """Adds the call of a method of the first argument."""
        return self.create_node("call_method", method_name, args, kwargs, type_expr=type_expr)

    def call_module(
        self,
        module_name: str,
        args: tuple[Argument, ...] | None = None,
        kwargs: dict[str, Argument] | None = None,
        type_expr: Any = None,
    ) -> Node:
        """Adds the call of a submodule."""
        return self.create_node("call_module", module_name, args, kwargs, type_expr=type_expr)

    def output(self, result: Argument, type_expr: Any = None) -> Node:
        """Adds the end, which returns ``result``."""
        return self.create_node("output", "output", (result,), type_expr=type_expr)

    def output_node(self) -> Node:
        """Returns the node that ends the graph."""
        return next(node for node in reversed(self.nodes) if node.op == "output")

    def node_copy(
        self, node: Node, arg_transform: Callable[[Node], Argument] = lambda x: x
    ) -> Node:
        """Adds a copy of another graph's node; ``arg_transform`` gives what stands for its inputs."""
        args, kwargs = map_arg(node.args, arg_transform), map_arg(node.kwargs, arg_transform)
        copied = self.create_node(node.op, node.target, args, kwargs, node.name, node.type)
        copied.meta = dict(node.meta)
        return copied

    def graph_copy(
        self, g: Graph, val_map: dict[Node, Node], return_output_node: bool = False
    ) -> Argument | None:
        """Adds copies of another graph's nodes, and returns what stands for its result.

        ``val_map`` may tell of nodes that stand for others already, and is told of the rest.
        """
        for node in g.nodes:
            if node in val_map:
                continue
            if node.op == "output":
                result = map_arg(node.args[0], val_map.__getitem__)
                return (result, node) if return_output_node else result
            val_map[node] = self.node_copy(node, val_map.__getitem__)
        return None

    def _fresh(self, wanted: str) -> str:
        base, _, number = re.sub(r"\W", "_", wanted).rpartition("_")
        if not (base and number.isdigit()):
            base, number = re.sub(r"\W", "_", wanted) or "_", ""
        if base[0].isdigit():
            base = f"_{base}"
        name, n = f"{base}_{number}" if number else base, int(number or 0)
        while name in self._names or keyword.iskeyword(name) or name in _TAKEN:
            n += 1
            name = f"{base}_{n}"
        self._names.add(name)
        return name

    # changing it

    def inserting_before(self, n: Node | None = None) -> _InsertPoint:
        """Inside ``with``, new nodes go before ``n``, or to the beginning."""
        return self.inserting_after() if n is None else _InsertPoint(self, n.prepend)

    def inserting_after(self, n: Node | None = None) -> _InsertPoint:
        """Inside ``with``, new nodes go after ``n``, or to the beginning."""
        return _InsertPoint(self, (self._root if n is None else n).next.prepend)

    def erase_node(self, to_erase: Node) -> None:
        """Removes a node that nobody uses; RuntimeError for one that is used."""
        if to_erase.users:
            raise RuntimeError(
                f"Tried to erase Node {to_erase} but it still had {len(to_erase.users)} users in "
                f"the graph: {to_erase.users}!"
            )
        if to_erase.graph is not self:
            raise RuntimeError(f"Attempting to remove {to_erase} from wrong graph!")
        if not to_erase._erased:
            to_erase._unlink()
            to_erase._set((), {})
            to_erase._erased = True
            self._count -= 1

    def eliminate_dead_code(self, is_impure_node: Callable[[Node], bool] | None = None) -> bool:
        """Removes the nodes that nobody uses and that do nothing else; returns whether there were any."""
        impure = is_impure_node or Node.is_impure
        before = self._count
        for node in reversed(self.nodes):
            if not node.users and not impure(node):
                self.erase_node(node)
        return self._count < before

    def find_nodes(self, *, op: str, target: Target | None = None, sort: bool = True) -> list[Node]:
        """Returns the nodes of one kind, those with one target if that is given."""
        return [n for n in self.nodes if n.op == op and (target is None or n.target == target)]

    def lint(self) -> None:
        """Raises RuntimeError if a node uses what is not there before it."""
        seen: set[Node] = set()
        for node in self.nodes:
            for used in node.all_input_nodes:
                if used not in seen:
                    raise RuntimeError(
                        f"Argument '{used}' of Node '{node}' was used before it has been defined! "
                        f"Please check that Nodes in the graph are topologically ordered\n{self}"
                    )
            seen.add(node)

    # showing and copying it

    def python_code(self, root_module: str) -> PythonCode:
        """Returns the source of a function ``forward``, whose module is called ``root_module`` there."""
        return written(self, root_module)

    def print_tabular(self) -> None:
        """Prints the nodes as a table."""
        rows = [("opcode", "name", "target", "args", "kwargs")]
        rows += [(n.op, n.name, str(n.target), str(n.args), str(n.kwargs)) for n in self.nodes]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        rows.insert(1, tuple("-" * width for width in widths))  # type: ignore[arg-type]
        for row in rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))

    def __str__(self) -> str:
        lines = [node.format_node() for node in self.nodes]
        return "graph():" + "".join(f"\n    {line}" for line in lines if line)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Graph:
        copied = Graph(tracer_cls=self._tracer_cls)
        result = copied.graph_copy(self, {}, return_output_node=True)
        if result is not None:
            end = copied.output(result[0], type_expr=result[1].type)
            end.meta = dict(result[1].meta)
        return copied

    def __getstate__(self) -> dict[str, Any]:
        # As a flat list: the ring of nodes would be as deep for pickle as the graph is long.
        reference = lambda n: _Reference(n.name)  # noqa: E731
        nodes = [
            (
                n.op,
                n.target,
                map_arg(n.args, reference),
                map_arg(n.kwargs, reference),
                n.name,
                n.type,
            )
            for n in self.nodes
        ]
        return {"nodes": nodes, "tracer_cls": self._tracer_cls}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(tracer_cls=state["tracer_cls"])  # type: ignore[misc]
        made: dict[str, Node] = {}
        for op, target, args, kwargs, name, kind in state["nodes"]:
            args, kwargs = _resolved(args, made), _resolved(kwargs, made)
            made[name] = self.create_node(op, target, args, kwargs, name, kind)


class _Reference(str):
    """The name of a node, in place of it, in a pickled graph."""


def _resolved(a: Any, made: dict[str, Node]) -> Any:
    if isinstance(a, _Reference):
        return made[a]
    if isinstance(a, (tuple, list)):
        mapped = [_resolved(each, made) for each in a]
        return type(a)(*mapped) if hasattr(a, "_fields") else type(a)(mapped)
    if isinstance(a, dict):
        return {key: _resolved(each, made) for key, each in a.items()}
    if isinstance(a, slice):
        return slice(*[_resolved(each, made) for each in (a.start, a.stop, a.step)])
    return a


_TAKEN = {*dir(builtins), "self", "torch", "device", "inf", "nan"}


def _name_of(target: Target) -> str:
    name = target if isinstance(target, str) else qualified(target).rpartition(".")[2]
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.replace(".", "_")).lower()
    return name.strip("*") if isinstance(target, str) else name
