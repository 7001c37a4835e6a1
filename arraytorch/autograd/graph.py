"""The graph itself: its nodes and edges, and hooks on what nodes save."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple

from . import _observers, engine
from .tape import Handle, Node, Packed, Port, SavedOutput, TensorBase, stamp_quietly, wrap

__all__ = [
    "GradientEdge",
    "Node",
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
]

Tensor = Any
Pair = tuple[Callable[[Tensor], Any], Callable[[Any], Tensor]]

_hooks: ContextVar[tuple[Pair, ...]] = ContextVar("saved_tensors_hooks", default=())
_refusal: ContextVar[str | None] = ContextVar("refusal_of_hooks", default=None)
_users = 0


class saved_tensors_hooks:
    """Context manager in which what nodes save goes through ``pack_hook``, and back when it is used.

    ``pack_hook`` gets a tensor and may return anything; ``unpack_hook`` gets that and returns a
    tensor of equal elements. The innermost pair of hooks counts. Whatever is saved goes through
    them, which may be more tensors, or fewer, than PyTorch's kernels save.

    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> def pack(saved):
    ...     print("packs", saved); return saved.tolist()
    >>> with torch.autograd.graph.saved_tensors_hooks(pack, torch.tensor):
    ...     y = x.exp().sum()
    packs tensor([2.7183, 7.3891])
    >>> y.backward(); x.grad
    tensor([2.7183, 7.3891])
    """

    def __init__(
        self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]
    ) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook
        self._tokens: list[Any] = []

    def __enter__(self) -> None:
        message = _refusal.get()
        if message is not None:
            raise RuntimeError(message)
        self._tokens.append(_hooks.set((*_hooks.get(), (self.pack_hook, self.unpack_hook))))
        _count(1)

    def __exit__(self, *_: object) -> None:
        _count(-1)
        _hooks.reset(self._tokens.pop())


def _count(change: int) -> None:
    global _users
    _users += change
    if not _users:
        _observers.remove(_pack_saved)
    elif not _observers.watches(_pack_saved):
        _observers.add(_pack_saved)


class save_on_cpu(saved_tensors_hooks):
    """Context manager in which nodes keep what they save in the host's memory.

    ``pin_memory`` chooses nothing here; ``device_type`` is the one that tensors come from.
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda t: (t.device, t.cpu()), lambda packed: packed[1].to(packed[0]))


@contextlib.contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Has `saved_tensors_hooks` raise RuntimeError with that message while it lasts.

    >>> with torch.autograd.graph.disable_saved_tensors_hooks("not here"):
    ...     with torch.autograd.graph.save_on_cpu():
    ...         pass
    Traceback (most recent call last):
    RuntimeError: not here
    """
    token = _refusal.set(error_message)
    try:
        yield
    finally:
        _refusal.reset(token)


@contextlib.contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[None]:
    """Lets tensors that nodes have saved be written in place: each node keeps a copy.

    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.autograd.graph.allow_mutation_on_saved_tensors():
    ...     y = x * 1
    ...     z = y.sin()
    ...     _ = y.zero_()
    ...     z.sum().backward()
    >>> x.grad
    tensor([0.5403, 0.5403])
    """
    with saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        yield


# ------------------------------------------------------------------------------ what is packed


def _pack_saved(node: Any) -> None:
    hooks = _hooks.get()
    if hooks and node.saved:
        node.saved = tuple([_packed(s, *hooks[-1]) for s in node.saved])


def _packed(s: Any, pack: Callable[[Tensor], Any], unpack: Callable[[Any], Tensor]) -> Any:
    if s.__class__ is SavedOutput:
        if s.array.__class__ is tuple:
            parts = [_through(a, pack, unpack) for a in s.array]
            return Packed(
                lambda: _Several([part() for part in parts]),
                lambda node, arrays: engine._lift_output(node, tuple(arrays)),
            )
        return Packed(_through(s.array, pack, unpack), engine._lift_output)
    if isinstance(s, TensorBase):
        before = s._node
        return Packed(_through(s._data, pack, unpack), lambda _, array: _with_node(array, before))
    if hasattr(s, "dtype") and getattr(s, "ndim", None):
        return Packed(_through(s, pack, unpack), lambda _, array: array)
    return s


class _Several(tuple):  # type: ignore[type-arg]
    """Arrays of one saved value, which the engine asks for their number of dimensions."""

    ndim = 1


def _with_node(array: Any, node: Any) -> Tensor:
    tensor = wrap(array)
    tensor._node = node
    return tensor


def _through(
    array: Any, pack: Callable[[Tensor], Any], unpack: Callable[[Any], Tensor]
) -> Callable[[], Any]:
    """Hands an array to a hook, as a tensor; returns what gets it back."""
    given = wrap(array)
    packed = pack(given)
    if given._written:
        raise RuntimeError(
            "A saved tensor pack hook is modifying its input in place. Tensors provided as input "
            "to pack hook can not be modified by in-place operations in order to ensure "
            "correctness."
        )

    def get() -> Any:
        found = unpack(packed)
        if not isinstance(found, TensorBase):
            raise TypeError(
                "Output of saved tensor unpack_hook expected to be a Tensor but got result of "
                f"type {type(found).__name__}"
            )
        return found._data

    return get


# -------------------------------------------------------------------------------------- edges


class GradientEdge(NamedTuple):
    """Where the gradient of a tensor arrives: a node, and which of its outputs the tensor is."""

    node: Any
    output_nr: int
    ownership_token: Any = None


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """Returns the edge of a tensor, which does not keep the tensor alive.

    >>> x = torch.ones(2, requires_grad=True)
    >>> torch.autograd.graph.get_gradient_edge(x * 2).node.name()
    'MulBackward0'
    """
    node = tensor._node
    if node is None:
        raise RuntimeError(
            "It is not possible to get the gradient edge for a Tensor that does not require gradients"
        )
    return (
        GradientEdge(node.edges[0], node.index) if node.__class__ is Port else GradientEdge(node, 0)
    )


def increment_version(tensor: Tensor | Iterable[Tensor]) -> None:
    """Dates a write to tensors that happened where nobody could see it.

    >>> x = torch.ones(2)
    >>> before = x._version
    >>> torch.autograd.graph.increment_version(x)
    >>> x._version > before
    True
    """
    stamp_quietly([tensor] if isinstance(tensor, TensorBase) else tensor)


def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Callable[[Any], None], *, mode: str = "all"
) -> Handle:
    """Calls ``fn`` when a backward has computed the gradients of several tensors.

    It gets a list of them, with None for tensors that had no part, when all are known; with mode
    "any" the first that is known, at once.

    >>> x, y = torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)
    >>> _ = torch.autograd.graph.register_multi_grad_hook((x, y), print)
    >>> (x * 2 + y * 3).backward()
    [tensor([2.]), tensor([3.])]
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    seen: dict[int, Any] = {}

    def finish() -> None:
        grads = [seen.get(i) for i in range(len(tensors))]
        seen.clear()
        if mode == "all":
            fn(grads)

    def watch(i: int) -> Callable[[Any], None]:
        def hook(grad: Any) -> None:
            first = not seen
            seen[i] = grad
            if first:
                engine.call_at_end(finish)
                if mode == "any":
                    fn(grad)

        return hook

    handles = {0: [t.register_hook(watch(i)) for i, t in enumerate(tensors)]}
    return _Handles(handles)


class _Handles(Handle):
    """The handle of several hooks at once."""

    def __init__(self, table: dict[int, Any]) -> None:
        super().__init__(table)

    def remove(self) -> None:
        """Takes the hooks away; a second time does nothing."""
        for handle in self.table.pop(0, ()):
            handle.remove()
