"""Functions and modules whose forward and backward are graphs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._tensor import Tensor
from ..amp.autocast_mode import is_autocast_cache_enabled, is_autocast_enabled
from ..autograd import grad
from ..autograd.function import Function
from ..nn.modules.module import Module
from ..ops.creation import empty_like, ones_like
from .graphs import Graph, GraphContext


class Graphed:
    """One callable, recorded: the tensors that it reads and writes, and its two graphs."""

    def __init__(self, function: Any, args: tuple[Any, ...], unused: bool) -> None:
        self.function, self.args, self.unused = function, args, unused
        self.tensors = [t for t in _flat(args) if isinstance(t, Tensor)]
        if len(self.tensors) != len(_flat(args)):
            raise TypeError("make_graphed_callables: only Tensors may be sample arguments")
        self.weights = list(function.parameters()) if isinstance(function, Module) else []
        self.inputs = [*self.tensors, *self.weights]
        self.forward: Any = None
        self.backward: Any = None

    def run(self) -> None:
        """Runs forward; notes its outputs."""
        self.result = self.function(*self.args)
        self.outputs = _flat(self.result)

    def run_back(self) -> None:
        """Runs backward; notes the gradients of the inputs."""
        wanted = [t for t in self.inputs if t.requires_grad]
        reached = [o for o in self.outputs if o.requires_grad]
        grads = [g for g in self.coming if g is not None]
        found = iter(grad(reached, wanted, grads, allow_unused=self.unused) if wanted else ())
        self.gradients = [next(found) if t.requires_grad else None for t in self.inputs]

    def expect(self, make: Callable[[Any], Any]) -> None:
        """Makes the tensors in which gradients of the outputs will come."""
        self.coming = [make(o.detach()) if o.requires_grad else None for o in self.outputs]

    @property
    def differentiable(self) -> bool:
        """Whether there is a backward to record."""
        return any(o.requires_grad for o in self.outputs)


class _Replay(Function):
    """Runs the graphs of a callable, on its own tensors."""

    @staticmethod
    def forward(ctx: Any, graphed: Graphed, *inputs: Any) -> Any:
        ctx.graphed = graphed
        for mine, given in zip(graphed.tensors, inputs, strict=False):
            if mine._data is not given._data:
                mine.detach().copy_(given.detach())
        graphed.forward.replay()
        outputs = tuple([o.detach() for o in graphed.outputs])
        ctx.mark_non_differentiable(
            *[d for d, o in zip(outputs, graphed.outputs, strict=True) if not o.requires_grad]
        )
        return outputs

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        graphed = ctx.graphed
        for mine, given in zip(graphed.coming, grads, strict=True):
            if mine is not None:
                mine.copy_(given)
        graphed.backward.replay()
        # Copies: the next replay writes into the graph's own tensors.
        return (None, *[None if g is None else g.detach().clone() for g in graphed.gradients])


def make_graphed(
    graph_class: type[Graph],
    context: type[GraphContext],
    callables: Any,
    sample_args: Any,
    warmups: int,
    unused: bool,
    pool: Any,
) -> Any:
    """Records the forwards in order and the backwards in reverse order; returns what replays them."""
    if is_autocast_enabled(graph_class.devices.kind) and is_autocast_cache_enabled():
        raise RuntimeError(
            "make_graphed_callables does not support the autocast caching. Please set "
            "`cache_enabled=False`."
        )
    if not isinstance(callables, tuple):
        return make_graphed(
            graph_class, context, (callables,), (sample_args,), warmups, unused, pool
        )[0]
    for function in callables:
        _check(function)
    all_of = [Graphed(f, a, unused) for f, a in zip(callables, sample_args, strict=True)]
    with context.stream_class():
        for graphed in all_of:
            for _ in range(warmups):
                graphed.run()
                if graphed.differentiable:
                    graphed.expect(ones_like)
                    graphed.run_back()
    for graphed in all_of:
        graphed.forward = graph_class()
        with context(graphed.forward, pool):
            graphed.run()
        pool = pool or graphed.forward.pool()
    for graphed in reversed(all_of):
        if graphed.differentiable:
            graphed.expect(empty_like)
            graphed.backward = graph_class()
            with context(graphed.backward, pool):
                graphed.run_back()
    return tuple([_replaying(graphed) for graphed in all_of])


def _check(function: Any) -> None:
    if not isinstance(function, Module):
        return
    if function._backward_hooks or function._forward_hooks or function._forward_pre_hooks:
        raise RuntimeError(
            "Modules must not have hooks registered at the time they are passed. However, "
            "registering hooks on modules after passing them through make_graphed_callables is "
            "allowed."
        )
    if any(b.requires_grad for b in function.buffers()):
        raise RuntimeError(
            "In any :class:`~torch.nn.Module` passed to :func:`~make_graphed_callables`, only "
            "parameters may be trainable. All buffers must have ``requires_grad=False``."
        )


def _replaying(graphed: Graphed) -> Any:
    def replay(*args: Any) -> Any:
        outputs = _Replay.apply(graphed, *_flat(args), *graphed.weights)
        return _refilled(graphed.result, iter(outputs))

    module = graphed.function
    if not isinstance(module, Module):
        return replay
    own, mode = module.forward, module.training

    def forward(*args: Any, **kwargs: Any) -> Any:
        # The graph is that of one mode: of dropout and batch norm as they were then.
        return replay(*args) if module.training == mode else own(*args, **kwargs)

    module.forward = forward  # type: ignore[method-assign]
    return module


def _flat(value: Any) -> list[Any]:
    """What nested tuples, lists and dictionaries hold, in order."""
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in _flat(item)]
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in _flat(item)]
    return [value]


def _refilled(value: Any, leaves: Any) -> Any:
    """The same nesting, of other leaves."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*[_refilled(item, leaves) for item in value])
    if isinstance(value, (list, tuple)):
        return type(value)([_refilled(item, leaves) for item in value])
    if isinstance(value, dict):
        return {key: _refilled(item, leaves) for key, item in value.items()}
    return next(leaves)
