"""Ops of the user's own: `Function` with a forward and a backward."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

from ..backends import backend_of
from .engine import _Ops, stale
from .modes import grad_enabled, no_grad
from .tape import (
    Leaf,
    Node,
    Packed,
    Port,
    Rules,
    SavedOutput,
    TensorBase,
    forbid_leaf,
    rebase,
    stamp,
    wrap,
)


class FunctionCtx:
    """What forward leaves for backward: ``ctx``."""

    _saved: tuple[Any, ...] = ()
    _inputs: tuple[Any, ...] = ()
    _dirty: tuple[Any, ...] = ()
    _non_differentiable: tuple[Any, ...] = ()
    _materialize = True
    needs_input_grad: tuple[bool, ...] = ()
    _node: Any = None

    def save_for_backward(self, *tensors: Any) -> None:
        """Keeps tensors (or None) for backward, where ``ctx.saved_tensors`` returns them."""
        for i, t in enumerate(tensors):
            if t is not None and not isinstance(t, TensorBase):
                raise TypeError(
                    f"save_for_backward can only save variables, but argument {i} is of type {type(t).__name__}"
                )
        self._saved = tensors

    save_for_forward = save_for_backward

    def mark_dirty(self, *args: Any) -> None:
        """Tells which inputs forward has changed in place."""
        self._dirty = args

    def mark_non_differentiable(self, *args: Any) -> None:
        """Tells which outputs have no gradient."""
        self._non_differentiable = args

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward gets zeros (True) or None for outputs that nobody used."""
        self._materialize = value

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors given to `save_for_backward`, checked not to have changed since."""
        node = self._node and self._node()
        if node is None:
            return self._saved
        if node.saved is None:
            raise RuntimeError(
                "Trying to backward through the graph a second time (or directly access saved "
                "tensors after they have already been freed). Saved intermediate values of the "
                "graph are freed when you call .backward() or autograd.grad(). Specify "
                "retain_graph=True if you need to backward through the graph a second time or "
                "if you need to access saved tensors after calling backward."
            )
        return tuple(self._restored(node, i, s) for i, s in enumerate(node.saved))

    def _restored(self, node: Any, position: int, s: Any) -> Any:
        """A saved output gets its history back here: while saved it was cut off, against the cycle."""
        if s is None:
            return None
        if s.__class__ is Packed:
            if position not in self._outputs_saved:
                return s.restored(node)
            s = SavedOutput(s._data)
        is_output = s.__class__ is SavedOutput
        owner = s if is_output or s._owner is None else s._owner
        written, writer = (s.written, s.writer) if is_output else (owner._written, owner._writer)
        if written > node.seq:
            raise stale(node, position, s.array if is_output else s._data, writer)
        if not is_output:
            return s
        out = wrap(s.array)
        index = self._outputs_saved[position]
        out._node = Port(node, index, s.array) if node.rules.outputs > 1 else node
        return out

    _outputs_saved: dict[int, int] = {}


class _UserRules(Rules):
    """The rules of one call of a user's function."""

    def __init__(self, cls: type[Function], ctx: Any, outputs: int) -> None:
        self.name, self.linear, self.backward_name = cls.__name__, False, cls.__name__ + "Backward"
        self.saved, self.out_at, self.pullbacks = (), None, ()
        self.cls, self.ctx, self.outputs = cls, ctx, outputs
        self.shapes: list[Any] = []
        self.joint = self._pull

    def _pull(self, B: Any, g: Any, needs: Any, saved: Any) -> list[Any]:
        create_graph = grad_enabled.get()
        given = g if g.__class__ is list else [g]
        given = given + [None] * (self.outputs - len(given))
        tensors = [
            (x if isinstance(x, TensorBase) else wrap(x)) if x is not None
            else self._zeros(i) if self.ctx._materialize else None
            for i, x in enumerate(given)
        ]  # fmt: skip
        result = self.cls.backward(self.ctx, *tensors)
        result = result if isinstance(result, tuple) else (result,)
        where = self.ctx._where
        count = len(self.ctx.needs_input_grad)
        if len(result) > count and all(r is None for r in result[count:]):
            result = result[:count]
        if len(result) != count:
            raise RuntimeError(
                f"function {self.backward_name} returned an incorrect number of gradients "
                f"(expected {count}, got {len(result)})"
            )
        pulled = []
        for position, need in zip(where, needs, strict=True):
            r = result[position]
            if r is not None and not isinstance(r, TensorBase):
                raise RuntimeError(
                    f"expected Variable or None (got {type(r).__name__}) from {self.backward_name}"
                )
            if r is not None and need and not _reducible(r._data.shape, self.ctx._shapes[position]):
                raise RuntimeError(
                    f"Function {self.backward_name} returned an invalid gradient at index {position}"
                    f" - got {list(r._data.shape)} but expected shape compatible with "
                    f"{list(self.ctx._shapes[position])}"
                )
            pulled.append(None if r is None or not need else r if create_graph else r._data)
        return pulled

    def _zeros(self, index: int) -> Any:
        if self.shapes[index] is None:
            return None  # an output that is no tensor
        shape, dtype, B = self.shapes[index]
        return wrap(B.zeros(shape, dtype))


def _reducible(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    """Whether a gradient of one shape can be summed to another."""
    lead = len(shape) - len(to)
    return lead >= 0 and all(n in (1, shape[i + lead]) for i, n in enumerate(to))


class Function:
    """Base class of ops with a gradient of their own: define static ``forward`` and ``backward``.

    ``forward(ctx, *args)`` computes; alternatively ``forward(*args)`` with
    ``setup_context(ctx, inputs, output)``. ``backward(ctx, *grad_outputs)`` returns a gradient, or
    None, for each argument of forward. Call it by ``apply``.

    >>> class Cube(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x ** 3
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return g * 3 * x ** 2
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError(
            f"{type(self).__name__} should not be instantiated. Methods on autograd functions are all "
            "static, so you should invoke them on the class itself. Instantiating an autograd "
            "function will raise an error in a future version of PyTorch."
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Computes the outputs; to be defined."""
        raise NotImplementedError(
            "You must implement the forward function for custom autograd.Function."
        )

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Computes the gradients of forward's arguments; to be defined."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function "
            "to use it with backward mode AD."
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Prepares ``ctx`` where forward does not take it."""

    generate_vmap_rule = False  # PyTorch wants it for vmap; here that goes through forward anyway
    _by_own_rule: Any = None  # what calls `vmap`, once there is one

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *args: Any) -> Any:
        """Computes all samples of a vmap at once; returns the results, and their samples' dimensions.

        ``info`` has the ``batch_size`` and the ``randomness``, ``in_dims`` the samples' dimension of
        each argument. Only needed where forward does not consist of the library's operations.
        """
        raise NotImplementedError("this Function has no vmap of its own")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Runs forward, and records backward if an input needs a gradient."""
        if Function._by_own_rule is not None and cls.vmap is not Function.vmap:
            found = Function._by_own_rule(cls, args)
            if found is not None:
                return found[0]
        ctx = FunctionCtx()
        ctx.needs_input_grad = tuple(
            isinstance(a, TensorBase) and a._node is not None for a in args
        )
        records = any(ctx.needs_input_grad) and grad_enabled.get()
        with no_grad():
            if cls.setup_context is Function.setup_context:
                result = cls.forward(ctx, *args, **kwargs)
            else:
                result = cls.forward(*args, **kwargs)
                cls.setup_context(ctx, args, result)
        many = isinstance(result, (tuple, list))
        outputs = list(result) if many else [result]
        if records:
            outputs = _recorded(cls, ctx, args, outputs)
        else:
            for t in ctx._dirty:
                stamp(t)
            kept = {id(t) for t in ctx._dirty}
            outputs = [
                _alias(o) if _is_among(o, args) and id(o) not in kept else o for o in outputs
            ]
        return type(result)(outputs) if many else outputs[0]


def _is_among(value: Any, args: tuple[Any, ...]) -> bool:
    return isinstance(value, TensorBase) and any(value is a for a in args)


def _alias(tensor: Any) -> Any:
    """A tensor with the same memory and no history, whose writes the owner's clock dates."""
    out = wrap(tensor._data)
    out._owner = tensor if tensor._owner is None else tensor._owner
    return out


def _recorded(cls: Any, ctx: Any, args: tuple[Any, ...], outputs: list[Any]) -> list[Any]:
    inputs = [(i, a) for i, a in enumerate(args) if isinstance(a, TensorBase)]
    rules = _UserRules(cls, ctx, len(outputs))
    ctx._where, ctx._shapes = [i for i, _ in inputs], {i: a._data.shape for i, a in inputs}
    dirty, quiet = {id(t) for t in ctx._dirty}, {id(t) for t in ctx._non_differentiable}
    edges = [a._node for _, a in inputs]
    for t in ctx._dirty:
        forbid_leaf(t)
        stamp(t)
    given = {id(a) for _, a in inputs} - dirty
    node: Any = None
    finished: list[Any] = []
    for index, out in enumerate(outputs):
        if not isinstance(out, TensorBase):
            finished.append(out)
            rules.shapes.append(None)
            continue
        rules.shapes.append((out._data.shape, out._data.dtype, backend_of(out._data)))
        if id(out) in quiet or out._data.dtype.kind in "biu":
            finished.append(out)
            continue
        if node is None:
            node = Node(rules, edges, _kept(ctx, outputs, given), out._data)
        # forward may return an input, which must keep its own history, or a view of one.
        target = (
            _alias(out)
            if id(out) in given or out._base is not None and id(out) not in dirty
            else out
        )
        own = Port(node, index, out._data) if len(outputs) > 1 else node
        if id(out) in dirty:
            rebase(out, own, _Ops.table.overwrite)
        else:
            target._node = own
        finished.append(target)
    if node is not None:
        ctx._node, ctx._saved = weakref.ref(node), ()
    return finished


def _kept(ctx: Any, outputs: list[Any], given: set[int]) -> tuple[Any, ...]:
    """What to save: tensors, but outputs as `SavedOutput`, as the node would wait for itself."""
    ctx._outputs_saved = {}
    saved = []
    for position, t in enumerate(ctx._saved):
        index = next((i for i, o in enumerate(outputs) if o is t and id(o) not in given), None)
        if index is not None:
            ctx._outputs_saved[position] = index
            t = SavedOutput(t._data)
        saved.append(t)
    return tuple(saved)


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Decorates a backward that is not itself differentiable: differentiating it raises."""

    @functools.wraps(fn)
    def backward(ctx: Any, *args: Any) -> Any:
        with no_grad():
            result = fn(ctx, *args)
        if not grad_enabled.get() or not any(
            isinstance(a, TensorBase) and a._node is not None for a in args
        ):
            return result
        many = isinstance(result, tuple)
        marked = [_refusing(r) for r in (result if many else (result,))]
        return tuple(marked) if many else marked[0]

    return backward


class _Refusal(Rules):
    def __init__(self) -> None:
        super().__init__("once_differentiable", joint=_refuse)


def _refuse(B: Any, g: Any, needs: Any) -> Any:
    raise RuntimeError(
        "trying to differentiate twice a function that was marked with @once_differentiable"
    )


def _refusing(result: Any) -> Any:
    if not isinstance(result, TensorBase):
        return result
    out, source = wrap(result._data), wrap(result._data)
    out._node = Node(_Refusal(), (Leaf(source),), (), result._data)
    return out
