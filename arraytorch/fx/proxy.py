"""Proxies: what stands for a value while a program is traced, and records what is done with it."""

from __future__ import annotations

import dis
import operator
import sys
from collections.abc import Callable, Iterator
from typing import Any

from ..ops import _intercept
from ..overrides import is_tensor_method_or_property, resolve_name
from .node import Node


class TraceError(ValueError):
    """A program does what cannot be recorded without knowing values."""


def _left(function: Callable[..., Any]) -> Any:
    def method(self: Any, *others: Any) -> Any:
        return self.tracer.create_proxy("call_function", function, (self, *others), {})

    return method


def _right(function: Callable[..., Any]) -> Any:
    def method(self: Any, other: Any) -> Any:
        return self.tracer.create_proxy("call_function", function, (other, self), {})

    return method


class Proxy:
    """Stands for the result of a node, while a program is traced.

    Operators, methods and functions of the library that it takes part in become nodes.
    """

    def __init__(self, node: Node, tracer: Any) -> None:
        self.tracer, self.node = tracer, node

    def __repr__(self) -> str:
        return f"Proxy({self.node.name})"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return Attribute(self, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.tracer.create_proxy("call_method", "__call__", (self, *args), kwargs)

    def __iter__(self) -> Iterator[Any]:
        frame = sys._getframe(1)
        found = [i for i in dis.get_instructions(frame.f_code) if i.offset == frame.f_lasti]
        if found and found[0].opname == "UNPACK_SEQUENCE":
            return iter([self[i] for i in range(found[0].arg or 0)])
        return self.tracer.iter(self)  # type: ignore[no-any-return]

    def __bool__(self) -> bool:
        return self.tracer.to_bool(self)  # type: ignore[no-any-return]

    def keys(self) -> Any:
        """Records the call of ``keys``, where ``**`` of the value is taken."""
        return self.tracer.keys(self)

    def __len__(self) -> int:
        raise RuntimeError(
            "'len' is not supported in symbolic tracing by default. If you want this call to be "
            "recorded, please call torch.fx.wrap('len') at module scope"
        )

    __hash__ = object.__hash__

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        tracer = next(p for p in _proxies((*args, *kwargs.values()))).tracer
        name = resolve_name(func) or ""
        if name.startswith("torch.Tensor.") and is_tensor_method_or_property(func):
            if name.endswith(".__get__"):
                return tracer.create_proxy(
                    "call_function", getattr, (args[0], name.split(".")[-2]), {}
                )
            return tracer.create_proxy("call_method", name.rpartition(".")[2], args, kwargs)
        return tracer.create_proxy("call_function", func, args, kwargs)

    __add__, __radd__ = _left(operator.add), _right(operator.add)
    __sub__, __rsub__ = _left(operator.sub), _right(operator.sub)
    __mul__, __rmul__ = _left(operator.mul), _right(operator.mul)
    __truediv__, __rtruediv__ = _left(operator.truediv), _right(operator.truediv)
    __floordiv__, __rfloordiv__ = _left(operator.floordiv), _right(operator.floordiv)
    __mod__, __rmod__ = _left(operator.mod), _right(operator.mod)
    __pow__, __rpow__ = _left(operator.pow), _right(operator.pow)
    __matmul__, __rmatmul__ = _left(operator.matmul), _right(operator.matmul)
    __lshift__, __rlshift__ = _left(operator.lshift), _right(operator.lshift)
    __rshift__, __rrshift__ = _left(operator.rshift), _right(operator.rshift)
    __and__, __rand__ = _left(operator.and_), _right(operator.and_)
    __or__, __ror__ = _left(operator.or_), _right(operator.or_)
    __xor__, __rxor__ = _left(operator.xor), _right(operator.xor)
    __neg__, __pos__, __invert__ = _left(operator.neg), _left(operator.pos), _left(operator.invert)
    __abs__, __getitem__ = _left(operator.abs), _left(operator.getitem)
    __eq__, __ne__ = _left(operator.eq), _left(operator.ne)
    __lt__, __le__ = _left(operator.lt), _left(operator.le)
    __gt__, __ge__ = _left(operator.gt), _left(operator.ge)


class Attribute(Proxy):
    """An attribute of a proxy: a node if it is used, or the method of a call."""

    def __init__(self, root: Proxy, attr: str) -> None:
        self.root, self.attr, self.tracer, self._node = root, attr, root.tracer, None

    @property
    def node(self) -> Node:  # type: ignore[override]
        """The node that fetches it, made when first asked for: most are methods."""
        if self._node is None:
            made = self.tracer.create_proxy("call_function", getattr, (self.root, self.attr), {})
            self._node = made.node
        return self._node  # type: ignore[return-value]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.tracer.create_proxy("call_method", self.attr, (self.root, *args), kwargs)


def _proxies(values: Any) -> Iterator[Proxy]:
    for value in values:
        if isinstance(value, Proxy):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _proxies(value)
        elif isinstance(value, dict):
            yield from _proxies(value.values())
        elif isinstance(value, slice):
            yield from _proxies((value.start, value.stop, value.step))


def first_proxy(*values: Any) -> Proxy | None:
    """Returns a proxy among values, at any depth."""
    return next(_proxies(values), None)


opened, closed = _intercept.begin_tracing, _intercept.end_tracing
