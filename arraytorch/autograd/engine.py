"""The engine: walks the tape from its newest node to its oldest and pulls gradients back.

The rules run on bare arrays. With ``create_graph=True`` the same rules run on tensors, with the
ops themselves as the backend, and so are recorded in turn.
"""

from __future__ import annotations

from _thread import allocate_lock
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import Any

from ..backends import LARGE, PULLING, backend_of, outermost
from .modes import grad_enabled
from .tape import Leaf, Packed, Port, SavedOutput, TensorBase, place_of, wrap

_accumulating = allocate_lock()


class _Ops:
    """The ops as a backend whose arrays are tensors; they stand above this layer and register."""

    table: Any = None


def adopt_ops(table: Any) -> None:
    """Makes ``table`` the backend that rules run with under ``create_graph=True``."""
    _Ops.table = table


def adopt_check(check: Any) -> None:
    """Makes every walk hand each node and what it pulled back to ``check``; None ends that."""
    _Anomaly.check = check


def adopt_levels(backend: Any, adapt: Any, forbid: Any) -> None:
    """Makes ``adapt`` give gradients of arrays of vmap's ``backend`` the levels that they shall have.

    ``forbid`` raises RuntimeError inside vmap.
    """
    _Levels.backend, _Levels.adapt, _Levels.forbid = backend, adapt, forbid


class _Levels:
    """What the engine knows of vmap: nothing before its first use."""

    backend: Any = None
    adapt: Any = None
    forbid: Any = None


def adopt_mixture(backend: Any) -> None:
    """Makes ``backend(B, saved)`` choose what a node's rules run with, where arrays are of two kinds.

    Nobody asks for that before there are sparse arrays.
    """
    _Mixture.backend = backend


class _Mixture:
    """What chooses the backend by the saved arrays, too; without it the gradient's class decides."""

    backend: Any = None


class _Anomaly:
    """What anomaly detection does with each gradient; it is off where this is None."""

    check: Any = None


def run(
    roots: Sequence[tuple[Any, Any]],
    create_graph: bool = False,
    retain_graph: bool = False,
    capture: Sequence[Any] | None = None,
) -> dict[Any, Any]:
    """Pulls gradients back from ``roots``, pairs of a node and its gradient (an array, or a tensor
    if ``create_graph``); returns the gradients of all leaves, or of the nodes in ``capture``."""
    needed = None if capture is None else _on_the_way(roots, set(capture))
    found: dict[Any, Any] = {}
    token, mark = grad_enabled.set(create_graph), len(_finally)
    try:
        _walk(roots, create_graph, retain_graph, capture, needed, found)
    finally:
        grad_enabled.reset(token)
        if len(_finally) > mark:
            _call_finally(mark)
    return found


# What hooks want to have called at the end of the walk that they are part of.
_finally: list[Any] = []


def call_at_end(callback: Any) -> None:
    """Has ``callback`` called when the walk that is going on has ended."""
    _finally.append(callback)


def _call_finally(mark: int) -> None:
    """Calls what was added since: a walk inside another, of a rule that differentiates, ends first."""
    callbacks, _finally[mark:] = _finally[mark:], []
    for callback in callbacks:
        callback()


def _walk(
    roots: Sequence[tuple[Any, Any]],
    create_graph: bool,
    retain_graph: bool,
    capture: Sequence[Any] | None,
    needed: set[Any] | None,
    found: dict[Any, Any],
) -> None:
    lifted = _Ops.table if create_graph else None
    check, levels = _Anomaly.check, _Levels.backend
    mixture = None if create_graph else _Mixture.backend
    pulling = None if create_graph else PULLING[0]
    wanted = frozenset(capture or ())
    plain = needed is None and check is None and not create_graph
    grads: dict[Any, Any] = {}
    waiting: dict[int, Any] = {}  # by -seq, so that the heap holds plain integers
    heap: list[int] = []

    def give(edge: Any, g: Any) -> None:
        table = found if edge.__class__ is Leaf else grads
        if edge in table:
            before = table[edge]
            table[edge] = (
                _sum_lists(before, g) if g.__class__ is list else _add(before, g, create_graph)
            )
        else:
            table[edge] = g
            if table is grads:
                waiting[-edge.seq] = edge
                heappush(heap, -edge.seq)

    for node, g in roots:
        if levels is not None:
            g = _Levels.adapt(g, node.shape)
        give(node, g if create_graph or g.ndim else g[()])
    while heap:
        node = waiting.pop(heappop(heap))
        g = grads.pop(node)
        hooks = node.hooks
        if hooks is not None:
            g = _before(node, g, create_graph)
        if needed is not None:
            if node in wanted:
                found[node] = g
                # What it has saved serves another walk, unless this one goes on to other targets.
                if not any(e in needed for e in node.edges if e is not None):
                    continue
        if node.__class__ is Port:
            slots = [None] * (node.index + 1)
            slots[node.index] = g
            give(node.edges[0], slots)
            continue
        rules, saved = node.rules, node.saved
        pullbacks = rules.pullbacks
        B = lifted or (backend_of(g) if g.__class__ is not list else outermost(*_given(g)))
        try:
            if saved or saved is None:
                saved = _unpack(node, create_graph)
                if mixture is not None:
                    B = mixture(B, saved)
                if pulling is not None and hooks is None and rules.saved:
                    if g.__class__ is not list and g.size >= LARGE:
                        g, saved, pullbacks = pulling(g, saved, rules)
            if plain and hooks is None and rules.joint is None and B is not levels:
                # The common case, which runs for every recorded op: no calls but the pullbacks.
                for edge, pull in zip(node.edges, pullbacks):  # strict=True costs 87 ns
                    if edge is None:
                        continue
                    gi = pull(B, g, saved)
                    if gi.shape != edge.shape or gi.dtype is not edge.dtype:
                        gi = _fit(B, gi, edge)
                    if edge.__class__ is Leaf:
                        if edge in found:
                            give(edge, gi)
                        else:
                            found[edge] = gi
                    elif edge in grads:
                        give(edge, gi)
                    else:
                        grads[edge] = gi
                        waiting[-edge.seq] = edge
                        heappush(heap, -edge.seq)
                    gi = None  # accumulating in place asks who else holds a gradient
            else:
                for edge, gi in _pulled(node, B, g, saved, needed, create_graph):
                    give(edge, gi)
                gi = None
        except Exception as error:
            _explain(error, node)
            raise
        if saved and not retain_graph:
            node.saved = None
        g = saved = None
    for leaf in found:
        if leaf.hooks is not None and leaf.__class__ is Leaf:
            found[leaf] = _before(leaf, found[leaf], create_graph)


def _pulled(
    node: Any, B: Any, g: Any, saved: Any, needed: set[Any] | None, create_graph: bool
) -> list[tuple[Any, Any]]:
    """Runs the rules of one node; returns its edges with what to hand to them."""
    rules, edges = node.rules, node.edges
    needs = tuple([e is not None and (needed is None or e in needed) for e in edges])
    if rules.joint is not None:
        pulled = rules.joint(B, g, needs, saved)
    else:
        pulled = [
            pull(B, g, saved) if need else None
            for need, pull in zip(needs, rules.pullbacks, strict=True)
        ]
    pulled = [
        _fitted(B, gi, edge, create_graph) if need else None
        for edge, gi, need in zip(edges, pulled, needs, strict=True)
    ]
    if _Anomaly.check is not None:
        _Anomaly.check(node, pulled)
    if node.hooks is not None and node.hooks.post:
        pulled = _after(node, pulled, g, create_graph)
    return [(edge, gi) for edge, gi in zip(edges, pulled, strict=True) if gi is not None and edge]


def _given(grads: list[Any]) -> list[Any]:
    return [g for g in grads if g is not None]


def _add(before: Any, g: Any, create_graph: bool) -> Any:
    if create_graph:
        return g + before if before.is_sparse else before + g
    B = backend_of(before) if before.__class__ is g.__class__ else outermost(before, g)
    return B.accumulate(before, g)


def _sum_lists(a: list[Any], b: list[Any]) -> list[Any]:
    """Joins the gradients of an op's several results, each of which arrives once."""
    a.extend([None] * (len(b) - len(a)))
    for i, g in enumerate(b):
        if g is not None:
            a[i] = g if a[i] is None else a[i] + g
    return a


def _fitted(B: Any, gi: Any, edge: Any, create_graph: bool) -> Any:
    if gi is None:
        return None
    if _Levels.adapt is not None:
        gi = _Levels.adapt(gi, edge.shape)
        B = B if create_graph else backend_of(gi)
    array = gi._data if create_graph else gi
    if array.shape != edge.shape or array.dtype is not edge.dtype:
        return _fit(B, gi, edge)
    return gi


def _fit(B: Any, g: Any, edge: Any) -> Any:
    """Undoes what broadcasting and promotion did to an argument before the op saw it."""
    shape = tuple(g.shape)
    if shape != edge.shape:
        lead = len(shape) - len(edge.shape)
        if shape[lead:] == edge.shape:
            g = B.sum(g, tuple(range(lead)), False)
        else:
            ones = [i + lead for i, n in enumerate(edge.shape) if n == 1 != shape[i + lead]]
            g = B.reshape(B.sum(g, (*range(lead), *ones), True), edge.shape)
    return g if edge.dtype is None else B.cast(g, edge.dtype)


def _unpack(node: Any, create_graph: bool) -> Sequence[Any]:
    """Returns what a node saved, as arrays or, if ``create_graph``, as tensors with their history."""
    saved = node.saved
    if saved is None:
        raise RuntimeError(
            "Trying to backward through the graph a second time (or directly access saved tensors "
            "after they have already been freed). Saved intermediate values of the graph are freed "
            "when you call .backward() or autograd.grad(). Specify retain_graph=True if you need "
            f"to backward through the graph a second time. The op is {node.rules.name}."
        )
    values = []
    for index, s in enumerate(saved):
        if s.__class__ is SavedOutput:
            if s.written > node.seq:
                raise stale(node, index, s.array, s.writer)
            s = _lift_output(node, s.array) if create_graph else _scalar(s.array)
        elif isinstance(s, TensorBase):
            owner = s if s._owner is None else s._owner
            if owner._written > node.seq:
                raise stale(node, index, s._data, owner._writer)
            if not create_graph:
                s = s._data
                if not s.ndim:
                    s = s[()]
            elif s.__class__ is Packed:
                s = s.restored(node)
        values.append(s)
    return values


def _scalar(array: Any) -> Any:
    """A 0-d array as what its library makes of one: NumPy's scalars compute 4 times as fast."""
    return array if array.__class__ is tuple or array.ndim else array[()]


def _lift_output(node: Any, array: Any) -> Any:
    if array.__class__ is tuple:
        lifted = []
        for index, one in enumerate(array):
            tensor = wrap(one)
            tensor._node = Port(node, index, one)
            lifted.append(tensor)
        return tuple(lifted)
    tensor = wrap(array)
    tensor._node = node
    return tensor


def stale(node: Any, index: int, array: Any, writer: Any) -> RuntimeError:
    """Returns the error for a saved tensor that was written in place afterwards."""
    name = node.rules.saved[index] if index < len(node.rules.saved) else "a saved tensor"
    shape = [list(a.shape) for a in array] if array.__class__ is tuple else list(array.shape)
    return RuntimeError(
        "one of the variables needed for gradient computation has been modified by an inplace "
        f"operation: '{name}' of shape {shape}, which {node.rules.name} ({node.name()}, output "
        f"shape {list(node.shape)}) saved for its gradient, was written afterwards at "
        f"{place_of(writer)}. Hint: use the out-of-place form there, or clone() the tensor before. "
        "autograd.set_detect_anomaly(True) shows where the op was called."
    )


def _explain(error: Exception, node: Any) -> None:
    """Adds to an exception which op it arose in, and in anomaly mode where that was called."""
    notes = getattr(error, "__notes__", ())
    if not any(note.startswith("During the backward of") for note in notes):
        error.add_note(f"During the backward of {node.rules.name} ({node.name()}).")
        trace = getattr(node, "trace", None)
        if trace:
            error.add_note("Its forward call:\n" + trace)


# -------------------------------------------------------------------------------------- hooks


def _as_tensor(g: Any, create_graph: bool) -> Any:
    return g if create_graph or g is None else wrap(g)


def _as_grad(g: Any, create_graph: bool) -> Any:
    return g if create_graph or g is None else g._data


def _before(node: Any, g: Any, create_graph: bool) -> Any:
    """Runs the hooks that see, and may replace, the gradient of a node."""
    hooks = node.hooks
    if hooks is None:
        return g
    many = g.__class__ is list
    for hook in list(hooks.tensor.values()):
        new = hook(_as_tensor(g, create_graph))
        if new is not None:
            _check_replacement(new, node)
            g = _as_grad(new, create_graph)
    for hook in list(hooks.pre.values()):
        given = tuple(_as_tensor(x, create_graph) for x in (g if many else [g]))
        new = hook(given)
        if new is not None:
            new = [_as_grad(x, create_graph) for x in (new if isinstance(new, tuple) else (new,))]
            g = new if many else new[0]
    if hooks.retain is not None and (tensor := hooks.retain()) is not None:
        new = _as_tensor(g, create_graph)
        if tensor._grad is None:
            tensor._grad = new if create_graph else wrap(backend_of(new._data).copy(new._data))
        else:
            tensor._grad = tensor._grad + new
    return g


def _check_replacement(new: Any, node: Any) -> None:
    if not isinstance(new, TensorBase):
        raise TypeError(f"expected Tensor, but hook returned '{type(new).__name__}'")
    if new._data.shape != node.shape:
        raise RuntimeError(
            f"hook has changed the size of value: {list(node.shape)} became {list(new._data.shape)}"
        )
    if node.dtype is not None and new._data.dtype != node.dtype:
        raise RuntimeError(
            f"hook has changed the type of value: {node.dtype} became {new._data.dtype}"
        )


def _after(node: Any, pulled: Sequence[Any], g: Any, create_graph: bool) -> list[Any]:
    """Runs the hooks that see, and may replace, what a node hands on."""
    given = tuple(_as_tensor(x, create_graph) for x in (g if g.__class__ is list else [g]))
    results = tuple(_as_tensor(x, create_graph) for x in pulled)
    for hook in list(node.hooks.post.values()):
        new = hook(results, given)
        if new is not None:
            results = new if isinstance(new, tuple) else (new,)
    return [_as_grad(x, create_graph) for x in results]


# ------------------------------------------------------------------------------- which nodes


def _on_the_way(roots: Iterable[tuple[Any, Any]], targets: set[Any]) -> set[Any]:
    """Returns the nodes from which a target can be reached, without recursion."""
    reaches: dict[Any, bool] = {}
    stack = [(node, False) for node, _ in roots]
    while stack:
        node, seen = stack.pop()
        if seen:
            reaches[node] = node in targets or any(
                e is not None and reaches.get(e, False) for e in node.edges
            )
        elif node not in reaches:
            reaches[node] = False
            stack.append((node, True))
            stack.extend((e, False) for e in node.edges if e is not None and e not in reaches)
    return {n for n, r in reaches.items() if r}


# ------------------------------------------------------------------------------- accumulation


def accumulate(grads: dict[Any, Any], create_graph: bool) -> None:
    """Adds the gradients of leaves to their ``.grad``; empties ``grads`` on the way."""
    hooked = []
    with _accumulating:
        while grads:
            leaf, g = grads.popitem()
            tensor = leaf.tensor()
            if tensor is None or tensor._node is None:  # gone, or no longer to have a gradient
                continue
            before = tensor._grad
            if create_graph:
                tensor._grad = g if before is None else _add(before, g, True)
            elif before is None:
                # The array may also be another leaf's, a view, or the caller's own.
                tensor._grad = wrap(backend_of(g).owned(g))
            else:
                tensor._grad = _added_to(before, g)
            if leaf.hooks is not None:
                hooked.append((leaf, tensor))
    for leaf, tensor in hooked:  # not under the lock: a hook may call backward
        for hook in list(leaf.hooks.accumulated.values()):
            hook(tensor)


def _added_to(before: Any, g: Any) -> Any:
    x = before._data
    B = backend_of(x) if x.__class__ is g.__class__ else outermost(x, g)
    if before._node is None:
        total = B.add_into(x, g)  # the sum only if it needed an array of another kind
        return before if total is None else wrap(total)
    before._data, before._node = B.accumulate(x, g), None
    return before
