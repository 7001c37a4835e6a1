"""The tape: what an op leaves behind so that its gradient can be pulled back.

A tensor that needs no gradient has ``_node is None``, and that one test is all the price that ops
on it pay. Any other is a `Leaf`, which gathers a gradient, or carries the `Node` of the op that
made it. Each node takes the next tick of one clock, and inputs are older than outputs, so going
from the newest node to the oldest is a topological order that nobody has to compute. The clock
also dates in-place writes: a saved tensor is stale exactly if it was written after the node that
saved it was recorded.
"""

from __future__ import annotations

import itertools
import sys
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .modes import grad_enabled

tick = itertools.count(1).__next__
ref = weakref.ref
_new = object.__new__


class TensorBase:
    """The state of a tensor; `arraytorch.Tensor` adds the methods.

    ``_owner`` is the tensor whose memory this one shares and ``_base`` the one whose view it is;
    they differ for a detached tensor, which shares memory but no history.

    What each op sets or asks for is a slot, which whoever makes a tensor fills: a default in the
    class costs 21 ns where it is read and 55 where it is overridden, a slot 3 and 8. What few
    tensors have keeps its default.
    """

    __slots__ = ("__dict__", "__weakref__", "_base", "_data", "_node", "_owner", "_step")

    _data: Any
    _node: Node | Leaf | None
    _owner: TensorBase | None
    _base: TensorBase | None
    _step: tuple[Any, ...] | None  # how to make this from its base, for replay(); views have it
    _views: list[weakref.ref[TensorBase]] | None = None
    _written = 0  # the tick of the last in-place write to the memory, kept by its owner
    _writer: tuple[Any, int] | None = None  # the code and the instruction that wrote
    _grad: TensorBase | None = None
    _early: Any = None  # the views that a leaf had before it was one


class _Final:
    """The final Tensor class, which stands above this layer and introduces itself (adopt)."""

    __slots__ = ("Tensor",)


final = _Final()  # an instance, whose slot is read in a third of the time of a class's attribute
final.Tensor = TensorBase


def adopt(cls: type[TensorBase]) -> None:
    """Makes ``cls`` the class of all tensors that ops return."""
    final.Tensor = cls


def wrap(array: Any) -> Any:
    """Returns a new tensor around an array."""
    tensor = _new(final.Tensor)
    tensor._data = array
    tensor._node = tensor._base = tensor._owner = None
    return tensor


class Node:
    """One recorded op: ``rules`` say how to pull a gradient back, ``edges`` to whom, ``saved`` with what."""

    __slots__ = (
        "__weakref__",
        "dtype",
        "edges",
        "hooks",
        "rules",
        "saved",
        "seq",
        "shape",
        "trace",
    )

    def __init__(self, rules: Any, edges: Any, saved: Any, array: Any) -> None:
        self.rules = rules
        self.edges = edges
        self.saved = saved
        self.shape = array.shape
        self.dtype = array.dtype
        self.seq = tick()
        self.hooks = None

    def name(self) -> str:
        """Returns the name that PyTorch gives such a node, such as MulBackward0."""
        return self.rules.backward_name

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """The nodes that the gradient goes to, each with the number of the output it is for."""
        return tuple(_seen(edge) for edge in self.edges)

    @property
    def metadata(self) -> dict[Any, Any]:
        """A dictionary for whatever a user wants to attach."""
        return hooks_of(self).metadata

    def register_hook(self, fn: Callable[..., Any]) -> Any:
        """Calls ``fn(grad_inputs, grad_outputs)`` after the node has run; it may replace the former."""
        return hooks_of(self).add("post", fn)

    def register_prehook(self, fn: Callable[..., Any]) -> Any:
        """Calls ``fn(grad_outputs)`` before the node runs; it may replace them."""
        return hooks_of(self).add("pre", fn)

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"


class Port(Node):
    """One of several outputs of an op; its only edge leads to the node of the op."""

    __slots__ = ("index",)

    def __init__(self, node: Node, index: int, array: Any) -> None:
        super().__init__(node.rules, (node,), (), array)
        self.index = index


class Leaf:
    """Where gradients end: the node of a tensor that a user asked gradients for.

    It holds its tensor weakly: nobody needs the gradient of a tensor that is gone.
    """

    __slots__ = ("__weakref__", "dtype", "hooks", "shape", "tensor")
    edges = ()
    seq = -1

    def __init__(self, tensor: TensorBase) -> None:
        self.tensor = weakref.ref(tensor)
        self.shape = tensor._data.shape
        self.dtype = tensor._data.dtype  # that gradients are cast to; None for any
        self.hooks = None

    @property
    def variable(self) -> Any:
        """The tensor, or None if it is gone."""
        return self.tensor()

    next_functions = ()

    def name(self) -> str:
        """Returns PyTorch's name for such a node."""
        return "torch::autograd::AccumulateGrad"

    register_hook = Node.register_hook
    register_prehook = Node.register_prehook
    metadata = Node.metadata

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self):#x}>"


def _seen(edge: Any) -> tuple[Any, int]:
    return (edge.edges[0], edge.index) if edge.__class__ is Port else (edge, 0)


class SavedOutput:
    """The array of a saved result, not the tensor.

    Tensor, node, saved tensor would be a cycle, and its memory would wait for the collector.
    """

    __slots__ = ("array", "writer", "written")

    def __init__(self, array: Any) -> None:
        self.array = array
        self.written = 0
        self.writer = None


class Packed(TensorBase):
    """What a hook made of a saved tensor; reading ``_data`` gives the array back.

    A TensorBase, so that the engine reads it like any other.
    """

    def __init__(self, unpack: Callable[[], Any], restore: Callable[[Any, Any], Any]) -> None:
        self._node = self._base = self._owner = None
        self.unpack = unpack
        self.restore = restore

    @property
    def _data(self) -> Any:  # type: ignore[override]
        return self.unpack()

    def restored(self, node: Any) -> Any:
        """Returns what the rules of ``node`` get where they run on tensors."""
        return self.restore(node, self.unpack())


# -------------------------------------------------------------------------------------- hooks


class Hooks:
    """What users attached to a node; made when the first one does."""

    def __init__(self) -> None:
        self.tensor: dict[int, Any] = {}
        self.pre: dict[int, Any] = {}
        self.post: dict[int, Any] = {}
        self.accumulated: dict[int, Any] = {}
        self.retain: weakref.ref[Any] | None = None
        self.metadata: dict[Any, Any] = {}

    def add(self, kind: str, hook: Callable[..., Any]) -> Handle:
        """Adds a hook to one of the dictionaries."""
        table = getattr(self, kind)
        handle = Handle(table)
        table[handle.id] = hook
        return handle


def hooks_of(node: Any) -> Hooks:
    """Returns the hooks of a node, made if need be."""
    if node.hooks is None:
        node.hooks = Hooks()
    return node.hooks


class Handle:
    """What a registration returns: ``remove()`` takes the hook away, as does the end of ``with``."""

    next_id = 0

    def __init__(self, table: dict[int, Any]) -> None:
        self.table, self.id = table, Handle.next_id
        Handle.next_id += 1

    def remove(self) -> None:
        """Takes the hook away; a second time does nothing."""
        self.table.pop(self.id, None)

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


# -------------------------------------------------------------------------------------- rules


class Rules:
    """How one op is differentiated: a pullback per tensor argument, or one for all of them.

    The parameters of a pullback declare what it works with: ``B``, the backend that computes;
    ``g``, the gradient of the result; any saved name. Only what the pullbacks that somebody waits
    for have named is kept alive.
    """

    elementwise = False  # whether each place of a gradient depends on that place alone

    def __init__(
        self,
        name: str,
        pullbacks: Sequence[Callable[..., Any]] = (),
        saves: Sequence[str] | None = None,
        joint: Callable[..., Any] | None = None,
        linear: bool = False,
        backward_name: str | None = None,
    ) -> None:
        self.name, self.linear = name, linear
        self.backward_name = backward_name or _camel(name) + "Backward0"
        rules = pullbacks if joint is None else (joint,)
        wants = [parameters_of(rule) for rule in rules]
        named = dict.fromkeys(n for w in wants for n in w if n not in ("B", "g", "needs"))
        self.saved = tuple(named) if saves is None else tuple(saves)
        if unknown := named.keys() - set(self.saved):
            raise TypeError(f"the derivative of {name} names {sorted(unknown)}, which nobody saves")
        self.wants = [set(w) for w in wants]
        bound = [_bind(rule, w, self.saved) for rule, w in zip(rules, wants, strict=True)]
        self.joint = bound[0] if joint is not None else None
        self.pullbacks = () if joint is not None else tuple(bound)
        self.out_at = self.saved.index("out") if "out" in self.saved else None
        self._kept: dict[tuple[bool, ...], Callable[..., Any]] = {}

    def picker(self, names: Sequence[str], needed: Sequence[Any]) -> Callable[..., tuple[Any, ...]]:
        """Returns a function from the values of ``names`` to the tuple to save.

        It has None for what only unneeded pullbacks would read: that may be large, and it may be
        overwritten.
        """
        keep: set[str] = set().union(*(w for w, n in zip(self.wants, needed, strict=True) if n))
        body = "".join(f"{n if n in keep else None}, " for n in self.saved)
        return eval(f"lambda {', '.join(names)}: ({body})")

    def keep(self, edges: Sequence[Any], saved: tuple[Any, ...]) -> tuple[Any, ...]:
        """Returns ``saved`` without what only pullbacks to missing edges would read."""
        if self.joint is not None:
            return saved
        needed = tuple([e is not None for e in edges])
        if needed not in self._kept:
            self._kept[needed] = self.picker(self.saved, needed)
        return self._kept[needed](*saved)


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.strip("_").split("_"))


def parameters_of(function: Any) -> list[str]:
    """Returns the names of a plain function's parameters.

    It does for a twentieth of the time of inspect.signature, which importing the ops would feel.
    """
    code = function.__code__
    return list(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


def _bind(rule: Callable[..., Any], wants: list[str], saved: tuple[str, ...]) -> Callable[..., Any]:
    """Returns ``rule`` as a function of the backend, the gradient and the saved tuple.

    The common signatures get a body of their own: this runs for every edge of every backward.
    """
    names = [n for n in wants if n not in ("B", "g", "needs")]
    at = [saved.index(n) for n in names]
    order = [n for n in wants if n in ("B", "g", "needs")]
    if order == ["g"] and not at:
        return lambda B, g, s: rule(g)
    if order == ["g"] and len(at) == 1:
        (i,) = at
        return lambda B, g, s: rule(g, s[i])
    if order == ["B", "g"] and len(at) == 1:
        (i,) = at
        return lambda B, g, s: rule(B, g, s[i])
    if order == ["B", "g"] and len(at) == 2:
        i, j = at
        return lambda B, g, s: rule(B, g, s[i], s[j])
    if order == ["g"]:
        return lambda B, g, s: rule(g, *[s[k] for k in at])
    if order == ["B", "g"]:
        return lambda B, g, s: rule(B, g, *[s[k] for k in at])
    if order == ["B", "g", "needs"]:
        return lambda B, g, needs, s: rule(B, g, needs, *[s[k] for k in at])
    raise TypeError(f"a derivative takes (g, ...), (B, g, ...) or (B, g, needs, ...), not {wants}")


# ---------------------------------------------------------------------------------- recording


def taped(op: Any, array: Any, inputs: tuple[Any, ...], saved: tuple[Any, ...] = ()) -> Any:
    """Finishes an op: wraps its result and, if some input needs a gradient, records how to get it.

    ``inputs`` are the tensors that the op's rules know, in their order; None stands for an
    argument that was not given. ``saved`` are the values of ``saves``, in their order, with the
    result's array for ``out``.
    """
    out = _new(final.Tensor)  # as in wrap, whose call takes 40 ns
    out._data = array
    out._node = out._base = out._owner = None
    for i in inputs:
        if i is not None and i._node is not None:
            if grad_enabled.get():
                record(op.rules, out, inputs, saved)
            break
    return out


def record(rules: Rules, out: Any, inputs: tuple[Any, ...], saved: tuple[Any, ...]) -> None:
    """Gives ``out`` the node of an op with these inputs."""
    edges = [None if i is None else i._node for i in inputs]
    if rules.out_at is not None:
        saved = saved[: rules.out_at] + (SavedOutput(out._data),) + saved[rules.out_at + 1 :]
    if None in edges:
        saved = rules.keep(edges, saved)
    out._node = Node(rules, edges, saved, out._data)


def taped_many(
    op: Any,
    arrays: Iterable[Any],
    inputs: tuple[Any, ...],
    saved: tuple[Any, ...] = (),
    differentiable: Sequence[bool] | None = None,
) -> tuple[Any, ...]:
    """Finishes an op of several results.

    Its rules get the gradients as a list, with None for results that nobody used, and ``out`` as
    the tuple of all results.
    """
    outs = tuple([wrap(a) for a in arrays])
    for i in inputs:
        if i is not None and i._node is not None and grad_enabled.get():
            break
    else:
        return outs
    rules = op.rules
    edges = [None if i is None else i._node for i in inputs]
    if (at := rules.out_at) is not None:
        saved = saved[:at] + (SavedOutput(tuple(o._data for o in outs)),) + saved[at + 1 :]
    if None in edges:
        saved = rules.keep(edges, saved)
    _date_with_results(saved, outs, differentiable)
    node = Node(rules, edges, saved, outs[0]._data)
    for index, out in enumerate(outs):
        if differentiable is None or differentiable[index]:
            out._node = Port(node, index, out._data)
    return outs


def _date_with_results(
    saved: tuple[Any, ...], outs: tuple[Any, ...], differentiable: Sequence[bool] | None
) -> None:
    """Lets a saved tensor notice writes to a result that is the same array, such as indices."""
    if differentiable is not None:
        for s in saved:
            if isinstance(s, TensorBase) and s._owner is None:
                for out, has_history in zip(outs, differentiable, strict=True):
                    if not has_history and out._data is s._data:
                        s._owner = out


def lying_in(array: Any, tensor: Any) -> Any:
    """Returns a tensor over an array in the memory of ``tensor``: saved, it notices writes to that."""
    t = wrap(array)
    t._owner = tensor if tensor._owner is None else tensor._owner
    return t


def taped_view(
    op: Any, array: Any, input: Any, args: tuple[Any, ...], saved: tuple[Any, ...] = ()
) -> Any:
    """Finishes an op whose result shares the memory of its input; ``op(input, *args)`` repeats it."""
    out = _new(final.Tensor)  # as in wrap
    out._data = array
    if input._node is not None and grad_enabled.get():
        out._node = Node(op.rules, (input._node,), saved, array)
    else:
        out._node = None
    base, owner = input._base, input._owner
    if base is None:
        base = input
        out._step = (None, op, args)
    else:
        out._step = (input._step, op, args)
    out._base = base
    out._owner = input if owner is None else owner
    views = base._views
    if views is None:
        base._views = [ref(out)]
    elif views[-1]() is None:  # most views live shortly
        views[-1] = ref(out)
    else:
        # The list would grow with every view ever taken: it drops the dead ones as it doubles.
        n = len(views)
        if n >= 16 and n & (n - 1) == 0:
            views[:] = [v for v in views if v() is not None]
        views.append(ref(out))
    return out


def replay(base: Any, step: tuple[Any, ...] | None) -> Any:
    """Repeats on ``base`` the view ops that led to a view."""
    steps = []
    while step is not None:
        steps.append(step)
        step = step[0]
    for _, op, args in reversed(steps):
        base = op(base, *args)
    return base


# ------------------------------------------------------------------------------ in-place writes


def stamp(tensor: Any, depth: int = 2) -> None:
    """Dates a write to the memory of a tensor, so that whoever saved the old value will notice.

    ``depth`` is how many frames away the caller of the public function can be at the nearest.
    """
    # Looking at a frame makes an object of it, 60 ns, and a call that ends while it has such an object
    # takes 0.4 us longer: none is looked at in vain.
    try:
        frame = sys._getframe(depth)
    except ValueError:
        frame = sys._getframe(1)
    while frame.f_globals.get("__name__", "").startswith("arraytorch."):
        if frame.f_back is None:
            break
        frame = frame.f_back
    owner = tensor._owner
    if owner is None:
        owner = tensor
    owner._writer = frame.f_code, frame.f_lasti
    owner._written = now = tick()
    node = owner._node
    if node.__class__ is Leaf:
        if owner._early is not None:
            owner._early = owner._early.renew(owner)
    elif node is not None:
        _date_outputs(node, now, owner._writer)
    if tensor is not owner and tensor._node is not None:
        _date_outputs(tensor._node, now, owner._writer)


def stamp_quietly(tensors: Iterable[Any]) -> None:
    """Dates writes to several tensors without noting where they happened, as optimizers do."""
    for tensor in tensors:
        _date(tensor if tensor._owner is None else tensor._owner)


def _date(owner: Any) -> None:
    owner._written = now = tick()
    node = owner._node
    if node.__class__ is Leaf:
        if owner._early is not None:
            owner._early = owner._early.renew(owner)
    elif node is not None:
        _date_outputs(node, now, owner._writer)


def _date_outputs(node: Any, now: int, writer: Any) -> None:
    if node is None or node.__class__ is Leaf:
        return
    if node.__class__ is Port:
        node = node.edges[0]
    for s in node.saved or ():
        if s.__class__ is SavedOutput:
            s.written, s.writer = now, writer


def place_of(writer: tuple[Any, int] | None) -> str:
    """Returns the file and the line of a recorded write, in words."""
    if writer is None:
        return "an unrecorded place"
    code, instruction = writer
    line = next((p[0] for p in itertools.islice(code.co_positions(), instruction // 2, None)), None)
    return f"{code.co_filename}:{line}, in {code.co_name}"


def forbid_leaf(tensor: Any) -> None:
    """Raises RuntimeError if an in-place write to ``tensor`` would change a leaf that needs gradients."""
    base = tensor._base
    if tensor._node.__class__ is Leaf or (base is not None and base._node.__class__ is Leaf):
        what = "a leaf" if base is None else "a view of a leaf"
        raise RuntimeError(
            f"{what} Variable that requires grad is being used in an in-place operation."
        )


def rebase(tensor: Any, node: Any, overwrite: Any) -> None:
    """Gives a tensor that was written in place the node of its new value.

    If it is a view, its base has a new history too: that of the op ``overwrite(base, value, step)``.
    All views of the base are then taken anew from that history.
    """
    base = tensor._base
    if base is None or hasattr(base._data, "layout"):  # views of sparse arrays share no memory
        move(tensor, node)
        base = tensor
    else:
        old, value, now = wrap(base._data), wrap(tensor._data), wrap(base._data)
        old._node, value._node = base._node, node
        record(overwrite.rules, now, (old, value), (tensor._step,))
        move(base, now._node)
    for seen in list(base._views or ()):
        view = seen()
        if view is not None:
            move(view, replay(base, view._step)._node)


def move(tensor: Any, node: Any) -> None:
    """Gives a tensor another node, whose gradient it gathers from now on if `retain_grad` was called."""
    old = tensor._node
    if old is not None and old.hooks is not None and node is not None:
        retain = old.hooks.retain
        if retain is not None and retain() is tensor:
            old.hooks.retain, hooks_of(node).retain = None, retain
    tensor._node = node


def demote(tensor: Any) -> None:
    """Makes a tensor the view of a base that nobody sees, of which its own views are from now on.

    It can then be given another shape, while its views still tell how they came from the old one.
    """
    base = wrap(tensor._data)
    base._node = tensor._node
    base._owner = tensor if tensor._owner is None else tensor._owner
    base._views = [*tensor._views, ref(tensor)]
    for seen in tensor._views:
        if (view := seen()) is not None:
            view._base = base
    tensor._base, tensor._step, tensor._views = base, None, None
