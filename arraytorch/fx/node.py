"""Nodes of a graph: one call, or input, attribute or result, each."""

from __future__ import annotations

import builtins
import operator
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..overrides import resolve_name

if TYPE_CHECKING:
    from .graph import Graph

Target = Callable[..., Any] | str
Argument = Any

# What must stay in the graph though nobody uses its result.
_side_effects: set[Any] = set()


def has_side_effect(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Keeps calls of a function in graphs even where nobody uses the result; a decorator.

    >>> @torch.fx.has_side_effect
    ... def report(x):
    ...     print(x)
    """
    _side_effects.add(fn)
    return fn


def map_arg(a: Argument, fn: Callable[[Node], Argument]) -> Argument:
    """Returns an argument with each node in it, at any depth, replaced by ``fn(node)``.

    >>> graph = torch.fx.Graph()
    >>> x = graph.placeholder("x")
    >>> torch.fx.map_arg([x, {"a": (x, 1)}], lambda node: node.name)
    ['x', {'a': ('x', 1)}]
    """
    if isinstance(a, Node):
        return fn(a)
    if isinstance(a, tuple):
        mapped = [map_arg(each, fn) for each in a]
        return type(a)(*mapped) if hasattr(a, "_fields") else tuple(mapped)
    if isinstance(a, list):
        return [map_arg(each, fn) for each in a]
    if isinstance(a, dict):
        return {key: map_arg(each, fn) for key, each in a.items()}
    if isinstance(a, slice):
        return slice(map_arg(a.start, fn), map_arg(a.stop, fn), map_arg(a.step, fn))
    return a


class Node:
    """One step of a graph.

    ``op`` tells what it is: "placeholder" (an input), "get_attr", "call_function", "call_method",
    "call_module" or "output"; ``target`` what is called or fetched. ``args`` and ``kwargs`` hold other
    nodes where their results are used, and ``users`` are the nodes that use this one.
    """

    def __init__(
        self,
        graph: Graph,
        name: str,
        op: str,
        target: Target,
        args: tuple[Argument, ...],
        kwargs: dict[str, Argument],
        return_type: Any = None,
    ) -> None:
        self.graph, self.name, self.op, self.target, self.type = (
            graph,
            name,
            op,
            target,
            return_type,
        )
        self.users: dict[Node, None] = {}
        self.meta: dict[str, Any] = {}
        self.prev = self.next = self
        self._args: tuple[Argument, ...] = ()
        self._kwargs: dict[str, Argument] = {}
        self._inputs: dict[Node, None] = {}
        self._erased = False
        self._set(args, kwargs)

    def __repr__(self) -> str:
        return self.name

    # what it uses

    @property
    def args(self) -> tuple[Argument, ...]:
        """The positional arguments; assigning notes what is used."""
        return self._args

    @args.setter
    def args(self, args: tuple[Argument, ...]) -> None:
        self._set(args, self._kwargs)

    @property
    def kwargs(self) -> dict[str, Argument]:
        """The arguments by name; assigning notes what is used."""
        return self._kwargs

    @kwargs.setter
    def kwargs(self, kwargs: dict[str, Argument]) -> None:
        self._set(self._args, kwargs)

    def _set(self, args: tuple[Argument, ...], kwargs: dict[str, Argument]) -> None:
        for used in self._inputs:
            used.users.pop(self, None)
        self._args, self._kwargs, self._inputs = tuple(args), dict(kwargs), {}
        map_arg((self._args, self._kwargs), lambda n: self._inputs.setdefault(n))
        for used in self._inputs:
            used.users[self] = None

    @property
    def all_input_nodes(self) -> list[Node]:
        """The nodes that this one uses, each once."""
        return list(self._inputs)

    def update_arg(self, idx: int, arg: Argument) -> None:
        """Replaces one positional argument."""
        self.args = (*self.args[:idx], arg, *self.args[idx + 1 :])

    def update_kwarg(self, key: str, arg: Argument) -> None:
        """Replaces one argument by name."""
        self.kwargs = {**self.kwargs, key: arg}

    def insert_arg(self, idx: int, arg: Argument) -> None:
        """Inserts a positional argument before another."""
        self.args = (*self.args[:idx], arg, *self.args[idx:])

    def replace_input_with(self, old_input: Node, new_input: Node) -> None:
        """Uses one node instead of another."""
        swap = lambda n: new_input if n is old_input else n  # noqa: E731
        self._set(map_arg(self.args, swap), map_arg(self.kwargs, swap))

    def replace_all_uses_with(
        self,
        replace_with: Node,
        delete_user_cb: Callable[[Node], bool] | None = None,
        *,
        propagate_meta: bool = False,
    ) -> list[Node]:
        """Has the users of this node use another, and returns them.

        Only those for which ``delete_user_cb(user)`` is true, if that is given.
        """
        if propagate_meta:
            replace_with.meta.update(self.meta)
        users = [u for u in self.users if delete_user_cb is None or delete_user_cb(u)]
        for user in users:
            user.replace_input_with(self, replace_with)
        return users

    # where it stands

    def prepend(self, x: Node) -> None:
        """Moves another node to right before this one."""
        if x is not self:
            x._unlink()
            x.prev, x.next = self.prev, self
            self.prev.next = self.prev = x

    def append(self, x: Node) -> None:
        """Moves another node to right after this one."""
        self.next.prepend(x)

    def _unlink(self) -> None:
        self.prev.next, self.next.prev = self.next, self.prev

    def _rest(self) -> Iterator[Node]:
        """The nodes after this one, up to where the graph's ring closes."""
        node = self.next
        while node.op != "root":
            yield node
            node = node.next

    # what it is

    def is_impure(self) -> bool:
        """Whether it must stay in the graph even if nobody uses it."""
        if self.op in ("placeholder", "output"):
            return True
        if self.op == "call_function":
            return self.target in _side_effects or getattr(self.target, "__name__", "") == "_assert"
        return self.op == "call_method" and str(self.target).endswith("_")

    def format_node(
        self,
        placeholder_names: list[str] | None = None,
        maybe_return_typename: list[str] | None = None,
    ) -> str | None:
        """Returns the node as a line of text.

        Given a list of names the line of an input is None, and its name is added to the list.
        """
        users = f"[num_users={len(self.users)}]"
        if self.op == "placeholder":
            default = f"(default={self.args[0]})" if self.args else ""
            if placeholder_names is not None:
                placeholder_names.append(f"{self.target}{default}")
            return f"%{self.name} : {users} = placeholder[target={self.target}]{default}"
        if self.op == "get_attr":
            return f"%{self.name} : {users} = get_attr[target={self.target}]"
        if self.op == "output":
            return f"return {self.args[0]}"
        marked = [map_arg(given, _Marked) for given in (self.args, self.kwargs)]
        return (
            f"%{self.name} : {users} = {self.op}[target={qualified(self.target)}]"
            f"(args = {_plain(marked[0])}, kwargs = {_plain(marked[1])})"
        )


class _Marked:
    """A node in the text of another's arguments."""

    def __init__(self, node: Node) -> None:
        self.name = node.name

    def __repr__(self) -> str:
        return f"%{self.name}"


def _plain(a: Any) -> str:
    """The text of an argument, without quotes around strings."""
    if isinstance(a, tuple) and not hasattr(a, "_fields"):
        return f"({', '.join(map(_plain, a))}{',' if len(a) == 1 else ''})"
    if isinstance(a, list):
        return f"[{', '.join(map(_plain, a))}]"
    if isinstance(a, dict):
        return "{" + ", ".join(f"{key}: {_plain(value)}" for key, value in a.items()) + "}"
    return str(a)


def qualified(target: Target) -> str:
    """The name of what is called, with its module: torch's own as users know them."""
    if isinstance(target, str):
        return target
    name = getattr(target, "__name__", type(target).__name__)
    if getattr(builtins, name, None) is target:
        return f"builtins.{name}"
    if getattr(operator, name, None) is target:
        return f"operator.{name}"
    if known := resolve_name(target):
        return known
    module = getattr(target, "__module__", None) or ""
    own = __package__.partition(".")[0]
    if getattr(import_module(own), name, None) is target:
        return f"torch.{name}"
    if module.partition(".")[0] == own:
        module = "torch" + module[len(own) :]
    return f"{module}.{name}"
