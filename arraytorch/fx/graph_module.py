"""Modules that run a graph."""

from __future__ import annotations

import copy
import linecache
from pathlib import Path
from typing import Any

from .. import nn
from .._tensor import Tensor
from .graph import Graph
from .source import PythonCode

_USER_PRESERVED_ATTRIBUTES_KEY = "_user_preserved_attributes"
_compiled = 0  # how many forwards have been: each has a file name of its own, for tracebacks


class GraphModule(nn.Module):
    """A module made of a graph, with the submodules and parameters of ``root`` that the graph uses.

    ``root`` is a module, or a dictionary of what the graph names. After changes to ``graph`` call
    `recompile`.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        # Each has a class of its own, as each has a forward of its own.
        written = next(c for c in cls.__mro__ if "_is_single" not in vars(c))
        return super().__new__(type("GraphModuleImpl", (written,), {"_is_single": True}))

    def __init__(
        self, root: nn.Module | dict[str, Any], graph: Graph, class_name: str = "GraphModule"
    ) -> None:
        super().__init__()
        self.__class__.__name__ = class_name
        if isinstance(root, nn.Module):
            self.training = root.training
        for node in graph.nodes:
            if node.op in ("get_attr", "call_module"):
                target = str(node.target)
                if isinstance(root, nn.Module):
                    copy_attribute(root, self, target)
                elif target in root:
                    _assign(root[target], self, target)
                else:
                    raise RuntimeError(
                        f"Node {node} referenced target {target} but that target was not provided "
                        "in `root`!"
                    )
        self.graph = graph
        self._tracer_cls = graph._tracer_cls
        self.meta: dict[str, Any] = {}

    @property
    def graph(self) -> Graph:
        """The graph; assigning one makes new code."""
        return self._graph

    @graph.setter
    def graph(self, g: Graph) -> None:
        self._graph = g
        g.owning_module = self
        self.recompile()

    @property
    def code(self) -> str:
        """The source of ``forward``."""
        return self._code

    def recompile(self) -> PythonCode:
        """Makes ``forward`` anew from the graph, and returns its source."""
        global _compiled
        python = self._graph.python_code("self")
        self._code = python.src
        _compiled += 1
        file, space = f"<fx graph {_compiled}>", dict(python.globals)
        linecache.cache[file] = (len(python.src), None, python.src.splitlines(True), file)
        exec(compile(python.src, file, "exec"), space)
        type(self).forward = space["forward"]  # type: ignore[method-assign]
        return python

    def add_submodule(self, target: str, m: nn.Module) -> bool:
        """Puts a module where a dotted name leads, and returns whether that could be done."""
        if not isinstance(m, nn.Module):
            return False
        _assign(m, self, target)
        return True

    def delete_submodule(self, target: str) -> bool:
        """Removes the module of a dotted name, and returns whether there was one."""
        prefix, _, name = target.rpartition(".")
        try:
            holder = self.get_submodule(prefix)
        except AttributeError:
            return False
        return holder._modules.pop(name, None) is not None

    def delete_all_unused_submodules(self) -> None:
        """Removes the modules that no node of the graph calls or reads from."""
        used = [str(n.target) for n in self.graph.nodes if n.op in ("call_module", "get_attr")]
        for name, _ in [*self.named_modules()]:
            inside = any(
                u == name or u.startswith(f"{name}.") or name.startswith(f"{u}.") for u in used
            )
            if name and not inside:
                self.delete_submodule(name)

    def print_readable(self, print_output: bool = True) -> str:
        """Prints the module as a class with its source, and returns that."""
        body = "\n".join(f"    {line}" for line in self._code.strip().splitlines())
        text = f"class {self.__class__.__name__}(torch.nn.Module):\n{body}\n"
        if print_output:
            print(text)
        return text

    def to_folder(self, folder: str, module_name: str = "FxModule") -> None:
        """Writes the source of ``forward`` and the module's state into a folder."""
        where = Path(folder)
        where.mkdir(parents=True, exist_ok=True)
        (where / "module.py").write_text(self.print_readable(print_output=False), encoding="utf-8")
        (where / "__init__.py").write_text("from .module import *\n", encoding="utf-8")

    def __deepcopy__(self, memo: dict[int, Any]) -> GraphModule:
        copied = type(self).__new__(type(self))
        memo[id(self)] = copied
        GraphModule.__init__(
            copied,
            _CodeOnlyModule(copy.deepcopy({**self.__dict__, "_graph": None}, memo)),
            copy.deepcopy(self._graph),
            self.__class__.__name__,
        )
        extra = (
            "_state_dict_hooks", "_load_state_dict_pre_hooks", "_load_state_dict_post_hooks",
            "_forward_hooks", "_forward_pre_hooks", "_forward_hooks_with_kwargs",
            "_forward_pre_hooks_with_kwargs", "_backward_hooks", "_backward_pre_hooks",
        )  # fmt: skip
        for name in extra:
            if name in self.__dict__:
                setattr(copied, name, copy.deepcopy(self.__dict__[name], memo))
        copied.meta = copy.deepcopy(self.meta, memo)
        return copied

    def __copy__(self) -> GraphModule:
        return GraphModule(self, copy.deepcopy(self.graph), self.__class__.__name__)

    def __reduce__(self) -> Any:
        held = {k: v for k, v in self.__dict__.items() if k not in ("_graph", "_code")}
        return _restored, (held, self._graph, self.__class__.__name__)

    def __repr__(self) -> str:
        hint = "To see more debug info, please use `graph_module.print_readable()`"
        return f"{super().__repr__()}\n{self._code}\n# {hint}"

    __str__ = __repr__


def _restored(held: dict[str, Any], graph: Graph, name: str) -> GraphModule:
    return GraphModule(_CodeOnlyModule(held), graph, name)


class _CodeOnlyModule(nn.Module):
    """A module with the attributes of another, given as its dictionary."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__()
        self.__dict__ = body


def copy_attribute(from_module: nn.Module, to_module: nn.Module, target: str) -> None:
    """Puts what a dotted name leads to in one module where it leads in another."""
    prefix, _, name = target.rpartition(".")
    holder: Any = from_module
    for part in filter(None, prefix.split(".")):
        holder = getattr(holder, part, None)
        if holder is None:
            return
    _assign(getattr(holder, name), to_module, target)


_copy_attr = copy_attribute


def _assign(value: Any, to_module: nn.Module, target: str) -> None:
    *prefix, name = target.split(".")
    holder: Any = to_module
    for part in prefix:
        if not hasattr(holder, part):
            setattr(holder, part, nn.Module())
        holder = getattr(holder, part)
    if isinstance(value, Tensor) and not isinstance(value, nn.Parameter):
        holder.register_buffer(name, value)
    else:
        setattr(holder, name, value)
