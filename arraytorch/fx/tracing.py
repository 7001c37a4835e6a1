"""Tracing: a program is run with proxies for inputs, and what it does becomes a graph."""

from __future__ import annotations

import functools
import inspect
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FunctionType, ModuleType
from typing import Any

from .. import nn
from .._assertions import _assert
from .._device import device
from .._dtypes import dtype
from .._layouts import layout, memory_format
from .._tensor import Tensor
from . import tracing_state
from .graph import Graph
from .graph_module import GraphModule, copy_attribute
from .node import Argument, Node, Target
from .proxy import Proxy, TraceError, closed, first_proxy, opened

_CONSTANTS = (
    bool, int, float, complex, str, bytes, type(None), type(...), dtype, device, layout,
    memory_format, range,
)  # fmt: skip
_NOT_ITERABLE = (
    "Proxy object cannot be iterated. This can be attempted when the Proxy is used in a loop or as "
    "a *args or **kwargs function argument. See the torch.fx docs on pytorch.org for a more detailed "
    "explanation of what types of control flow can be traced, and check out the Proxy docstring for "
    "help troubleshooting Proxy iteration errors"
)


def wrap(fn_or_name: str | Callable[..., Any]) -> str | Callable[..., Any]:
    """Has tracing record calls of a function of this module, and not look into it.

    Given the function it is a decorator; given a name, of a function of this module or of Python's
    own such as "len", it is called at the module's top.

    >>> @torch.fx.wrap
    ... def halves(x):
    ...     return x[: len(x) // 2], x[len(x) // 2 :]
    """
    if not callable(fn_or_name) and not isinstance(fn_or_name, str):
        raise RuntimeError(
            "Unsupported type for global function! Must be either a callable or string name"
        )
    name = fn_or_name if isinstance(fn_or_name, str) else fn_or_name.__name__
    frame = sys._getframe(1)
    if frame.f_code.co_name not in ("<module>", "<string>"):
        raise NotImplementedError("wrap must be called at the top level of a module")
    tracing_state.add(frame.f_globals, name)
    return fn_or_name


def symbolic_trace(
    root: nn.Module | Callable[..., Any], concrete_args: dict[str, Any] | None = None
) -> GraphModule:
    """Returns a module whose code is what ``root``, a module or function, does.

    Its inputs are unknown while it runs, but for ``concrete_args``; TraceError if a decision depends
    on them.

    >>> print(torch.fx.symbolic_trace(lambda x: x.mean(dim=1) + 1).code.strip())
    def forward(self, x):
        mean = x.mean(dim = 1);  x = None
        add = mean + 1;  mean = None
        return add
    """
    tracer = Tracer()
    graph = tracer.trace(root, concrete_args)
    name = root.__class__.__name__ if isinstance(root, nn.Module) else root.__name__
    return GraphModule(tracer.root, graph, name)


class Tracer:
    """Makes graphs of modules. Override `is_leaf_module` to choose which modules stay single nodes."""

    trace_asserts = False
    proxy_buffer_attributes = False
    record_stack_traces = False

    def __init__(
        self,
        autowrap_modules: tuple[ModuleType, ...] = (math,),
        autowrap_functions: tuple[Callable[..., Any], ...] = (),
        param_shapes_constant: bool = False,
    ) -> None:
        """``autowrap_modules`` and ``autowrap_functions`` are recorded, and not looked into."""
        self._wrapped = [*autowrap_functions]
        self._modules = autowrap_modules
        self.param_shapes_constant = param_shapes_constant
        self.submodule_paths: dict[nn.Module, str] | None = None
        self.graph, self.root = Graph(), nn.Module()

    # making nodes

    def create_node(
        self, kind: str, target: Target, args: tuple[Argument, ...], kwargs: dict[str, Argument],
        name: str | None = None, type_expr: Any = None,
    ) -> Node:  # fmt: skip
        """Adds a node to the graph."""
        return self.graph.create_node(kind, target, args, kwargs, name, type_expr)

    def proxy(self, node: Node) -> Proxy:
        """Returns what stands for the result of a node."""
        return Proxy(node, self)

    def create_proxy(
        self, kind: str, target: Target, args: tuple[Any, ...], kwargs: dict[str, Any],
        name: str | None = None, type_expr: Any = None,
        proxy_factory_fn: Callable[[Node], Proxy] | None = None,
    ) -> Proxy:  # fmt: skip
        """Adds a node, and returns what stands for its result."""
        given, named = self.create_arg(args), self.create_arg(kwargs)
        node = self.create_node(kind, target, given, named, name, type_expr)
        return proxy_factory_fn(node) if proxy_factory_fn else self.proxy(node)

    def create_arg(self, a: Any) -> Argument:
        """Returns an argument as nodes have it: nodes for proxies, and for tensors the fetching of them."""
        if isinstance(a, Proxy):
            return a.node
        if isinstance(a, Tensor):
            return self.create_node("get_attr", self._path_of_tensor(a), (), {})
        if isinstance(a, tuple) and hasattr(a, "_fields"):
            return type(a)(*[self.create_arg(each) for each in a])
        if isinstance(a, (tuple, list)):
            made = [self.create_arg(each) for each in a]
            return made if isinstance(a, list) else tuple(made)
        if isinstance(a, dict):
            return {key: self.create_arg(each) for key, each in a.items()}
        if isinstance(a, slice):
            return slice(*[self.create_arg(each) for each in (a.start, a.stop, a.step)])
        if isinstance(a, nn.Module):
            return self.create_node("get_attr", self.path_of_module(a), (), {})
        if isinstance(a, (*_CONSTANTS, type)) or callable(a):
            return a
        raise NotImplementedError(f"argument of type: {type(a)}")

    def _path_of_tensor(self, tensor: Tensor) -> str:
        for name, held in [*self.root.named_parameters(), *self.root.named_buffers()]:
            if held is tensor:
                return name
        if isinstance(tensor, nn.Parameter):
            raise NameError("parameter is not a member of this module")
        for name, held in vars(self.root).items():
            if held is tensor:
                return name
        name = self.get_fresh_qualname("_tensor_constant")
        setattr(self.root, name, tensor)
        return name

    def get_fresh_qualname(self, prefix: str) -> str:
        """Returns a name that starts with ``prefix``, and that the traced module does not have."""
        i = 0
        while hasattr(self.root, f"{prefix}{i}"):
            i += 1
        return f"{prefix}{i}"

    # what may be overridden

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Returns whether a module stays one node: those of `nn` do, but for containers."""
        own = m.__module__.startswith((f"{nn.__name__}.", nn.__name__))
        return own and not isinstance(m, nn.Sequential)

    def path_of_module(self, mod: nn.Module) -> str:
        """Returns the name of a submodule of the traced module; NameError if it is none."""
        if self.submodule_paths is None:
            self.submodule_paths = {m: n for n, m in self.root.named_modules()}
        if mod not in self.submodule_paths:
            raise NameError("module is not installed as a submodule")
        return self.submodule_paths[mod]

    def call_module(
        self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:  # fmt: skip
        """Records the call of a module that stays one node, and runs others."""
        path = self.path_of_module(m)
        if self.is_leaf_module(m, path):
            return self.create_proxy("call_module", path, args, kwargs)
        return forward(*args, **kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Proxy]) -> Any:
        """Returns what a module's attribute is while tracing: parameters become proxies."""
        if isinstance(attr_val, nn.Parameter) or (
            self.proxy_buffer_attributes and isinstance(attr_val, Tensor)
        ):
            for name, held in [*self.root.named_parameters(), *self.root.named_buffers()]:
                if held is attr_val:
                    if name not in parameter_proxy_cache:
                        parameter_proxy_cache[name] = self.create_proxy("get_attr", name, (), {})
                    return parameter_proxy_cache[name]
        return attr_val

    def to_bool(self, obj: Proxy) -> bool:
        """Raises TraceError: the truth of an unknown value was asked for."""
        raise TraceError("symbolically traced variables cannot be used as inputs to control flow")

    def iter(self, obj: Proxy) -> Iterator[Any]:
        """Raises TraceError: an unknown value was iterated over."""
        raise TraceError(_NOT_ITERABLE)

    def keys(self, obj: Proxy) -> Any:
        """Records the call of ``keys``."""
        return self.create_proxy("call_method", "keys", (obj,), {})

    # tracing

    def trace(
        self, root: nn.Module | Callable[..., Any], concrete_args: dict[str, Any] | None = None
    ) -> Graph:
        """Returns the graph of a module or function; ``concrete_args`` are inputs that are known."""
        if isinstance(root, nn.Module):
            self.root, function = root, type(root).forward
            self.submodule_paths = {m: n for n, m in root.named_modules()}
        else:
            self.root, function = nn.Module(), root
        self.graph = Graph(tracer_cls=type(self))
        opened()
        try:
            with ExitStack() as patches:
                for patch in self._patches(function):
                    patches.enter_context(patch)
                is_module = isinstance(root, nn.Module)
                function, args = self.create_args_for_root(function, is_module, concrete_args)
                result = function(*args)
                self.create_node("output", "output", (self.create_arg(result),), {})
        finally:
            closed()
            self.submodule_paths = None
        return self.graph

    def create_args_for_root(
        self, root_fn: Callable[..., Any], is_module: bool, concrete_args: dict[str, Any] | None = None
    ) -> tuple[Callable[..., Any], list[Any]]:  # fmt: skip
        """Adds the inputs to the graph; returns a function of them, each by position, and them."""
        concrete, function = concrete_args or {}, inspect.unwrap(root_fn)
        parameters = list(inspect.signature(function).parameters.values())
        args: list[Any] = [self.root] if is_module else []
        stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
        # Python keeps arguments in this order, whatever way they are given.
        parameters.sort(key=lambda p: (p.kind is p.VAR_KEYWORD, p.kind is p.VAR_POSITIONAL))
        for p in parameters[len(args) :]:
            if p.kind in stars:
                name = stars[p.kind] + p.name
                args.append(self.create_proxy("placeholder", name, (), {}))
            else:
                args.append(self._input(p, concrete))
        return _by_position(function), args

    def _input(self, p: inspect.Parameter, concrete: dict[str, Any]) -> Any:
        default = () if p.default is p.empty else (p.default,)
        if p.name not in concrete:
            return self.create_proxy("placeholder", p.name, default, {})
        value = concrete[p.name]
        known = self.create_proxy("placeholder", p.name, default, {}, name=f"{p.name}_1")
        if isinstance(value, (bool, int, float)) or value is None:
            text = f"{p.name} has been specialized to have value {value} but got another value"
            self.create_proxy("call_function", _assert, (known == value, text), {})
        return value

    def _patches(self, function: Any) -> Iterator[Any]:
        """What is exchanged for a while: how modules are called, and the functions to be recorded."""
        tracer, cache = self, {}  # type: ignore[var-annotated]
        call, get = nn.Module.__call__, nn.Module.__getattr__

        def called(mod: nn.Module, *args: Any, **kwargs: Any) -> Any:
            return tracer.call_module(mod, functools.partial(call, mod), args, kwargs)

        def gotten(mod: nn.Module, name: str) -> Any:
            return tracer.getattr(name, get(mod, name), cache)

        yield _exchanged(nn.Module, "__call__", called)
        yield _exchanged(nn.Module, "__getattr__", gotten)
        for namespace, name in tracing_state.entries():
            builtin = sys.modules["builtins"]
            original = namespace.get(name, getattr(builtin, name, None))
            if original is not None:
                yield _replaced(namespace, name, _recording(original))
        for module in self._modules:
            for name, value in vars(module).items():
                if callable(value) and not isinstance(value, type) and name[0] != "_":
                    yield _exchanged(module, name, _recording(value))
        space = getattr(inspect.unwrap(function), "__globals__", {})
        for name, value in list(space.items()):
            if any(value is each for each in self._wrapped):
                yield _replaced(space, name, _recording(value))


def _by_position(function: Any) -> Callable[..., Any]:
    """A function that takes each parameter as one argument, also those with stars."""
    while not isinstance(function, FunctionType):  # an object that can be called
        function = getattr(function, "__func__", None) or type(function).__call__
    code = function.__code__
    stars = bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    code = code.replace(
        co_argcount=code.co_argcount + code.co_kwonlyargcount + stars,
        co_kwonlyargcount=0,
        co_flags=code.co_flags & ~(inspect.CO_VARARGS | inspect.CO_VARKEYWORDS),
    )
    return FunctionType(code, function.__globals__, function.__name__, None, function.__closure__)


def _recording(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that becomes a node where one of its arguments is a proxy."""

    @functools.wraps(function)
    def recorded(*args: Any, **kwargs: Any) -> Any:
        found = first_proxy(args, kwargs)
        if found is None:
            return function(*args, **kwargs)
        return found.tracer.create_proxy("call_function", function, args, kwargs)

    return recorded


@contextmanager
def _exchanged(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextmanager
def _replaced(namespace: dict[str, Any], name: str, value: Any) -> Iterator[None]:
    there, before = name in namespace, namespace.get(name)
    namespace[name] = value
    try:
        yield
    finally:
        if there:
            namespace[name] = before
        else:
            del namespace[name]


__all__ = ["Tracer", "copy_attribute", "symbolic_trace", "wrap"]
