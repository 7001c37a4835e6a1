"""Checkpointing: keeping inputs instead of intermediate values, and computing these again."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any

from .._accelerators.modules import get_device_module
from .._tensor import Tensor
from ..autograd.calculus import backward
from ..autograd.function import Function, once_differentiable
from ..autograd.graph import saved_tensors_hooks
from ..autograd.modes import enable_grad, no_grad
from ..random import fork_rng, get_rng_state, set_rng_state

__all__ = [
    "CheckpointError",
    "CheckpointFunction",
    "check_backward_validity",
    "checkpoint",
    "checkpoint_sequential",
    "detach_variable",
    "get_device_states",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
    "set_device_states",
]

Contexts = Callable[[], tuple[Any, Any]]
_NO_CHOICE = (
    "torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. Starting in "
    "PyTorch 2.9, calling checkpoint without use_reentrant will raise an exception. "
    "use_reentrant=False is recommended, but if you need to preserve the current default behavior, "
    "you can pass use_reentrant=True. Refer to docs for more details on the differences between "
    "the two variants."
)

_early_stop: ContextVar[bool | None] = ContextVar("early_stop", default=None)
_debug: ContextVar[bool | None] = ContextVar("checkpoint_debug", default=None)


class CheckpointError(RuntimeError):
    """What was computed again is not what was computed before."""


class _EnoughError(Exception):
    """Ends a repeated forward in which all that is needed has been saved."""


def noop_context_fn() -> tuple[Any, Any]:
    """Returns two contexts that do nothing: for the forward, and for its repetition."""
    return contextlib.nullcontext(), contextlib.nullcontext()


@contextlib.contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Says whether repeated forwards end as soon as all that is needed is there."""
    token = _early_stop.set(enable)
    try:
        yield
    finally:
        _early_stop.reset(token)


@contextlib.contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Says whether a CheckpointError names what was saved; None leaves it to the calls."""
    token = _debug.set(enabled)
    try:
        yield
    finally:
        _debug.reset(token)


def check_backward_validity(inputs: Any) -> None:
    """Warns if no tensor among the inputs needs a gradient."""
    if not any(isinstance(t, Tensor) and t.requires_grad for t in inputs):
        warnings.warn(
            "None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2
        )


def get_device_states(*args: Any) -> tuple[list[int], list[Tensor]]:
    """Returns the devices, other than the CPU, of tensors, and the states of their generators.

    >>> torch.utils.checkpoint.get_device_states(torch.ones(2))
    ([], [])
    """
    found = dict.fromkeys(t.device for t in _tensors(args) if t.device.type not in ("cpu", "meta"))
    states = [get_device_module(place).get_rng_state(place) for place in found]
    return [place.index or 0 for place in found], states


def set_device_states(
    devices: Sequence[int], states: Sequence[Tensor], *, device_type: str | None = None
) -> None:
    """Gives the generators of devices the states that `get_device_states` returned."""
    for index, state in zip(devices, states, strict=True):
        module = get_device_module(device_type)
        module.set_rng_state(state, index)


def _tensors(values: Any) -> Iterator[Tensor]:
    for value in values.values() if isinstance(values, dict) else values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple, dict)):
            yield from _tensors(value)


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Returns the inputs with tensors cut off from their history."""
    if not isinstance(inputs, tuple):
        raise RuntimeError(
            "Only tuple of tensors is supported. Got Unsupported input type: "
            f"{type(inputs).__name__}"
        )
    return tuple(
        t.detach().requires_grad_(t.requires_grad) if isinstance(t, Tensor) else t for t in inputs
    )


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Contexts = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """Returns ``function(*args, **kwargs)``, whose intermediate values backward computes again.

    ``use_reentrant=False`` records the graph but not what its nodes save; ``True``, which is older,
    records nothing and differentiates the repetition: then an input must need a gradient, there are
    no keyword arguments and no higher derivatives. With ``preserve_rng_state`` (True) the repetition
    draws the same random numbers. ``context_fn`` gives contexts for the forward and the repetition,
    ``determinism_check="none"`` leaves out the comparison of shapes and dtypes, ``early_stop`` ends
    the repetition when all is there, ``debug`` has errors say what was saved.

    >>> x = torch.ones(2, requires_grad=True)
    >>> y = torch.utils.checkpoint.checkpoint(lambda x: x.exp().sin(), x, use_reentrant=False)
    >>> y.sum().backward(); x.grad
    tensor([-2.4784, -2.4784])
    """
    if use_reentrant is None:
        warnings.warn(_NO_CHOICE, stacklevel=2)
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if use_reentrant:
        if kwargs:
            raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
        if context_fn is not noop_context_fn or debug is not False:
            raise ValueError(
                "Passing `context_fn` or `debug` is only supported when use_reentrant=False."
            )
        return CheckpointFunction.apply(function, preserve, *args)
    if determinism_check not in ("default", "none"):
        raise ValueError(
            f"determinism_check should be one of ['default', 'none'], but got {determinism_check}"
        )
    forward_context, repeat_context = context_fn()
    region = _Region(function, args, kwargs, preserve, repeat_context)
    region.checks = determinism_check == "default"
    chosen = _early_stop.get()
    region.early_stop = early_stop if chosen is None else chosen
    chosen = _debug.get()
    region.debug = debug if chosen is None else chosen
    with saved_tensors_hooks(region.pack, region.unpack), forward_context:
        return function(*args, **kwargs)


class _Region:
    """One checkpointed call: what its nodes would save, by the order in which they would."""

    checks = early_stop = True
    debug = False

    def __init__(
        self, function: Any, args: Any, kwargs: Any, preserve_rng_state: bool, context: Any
    ) -> None:
        self.function, self.args, self.kwargs = function, args, kwargs
        self.context = context
        self.rng = get_rng_state() if preserve_rng_state else None
        self.kinds: list[dict[str, Any]] = []
        self.values: dict[int, Tensor] = {}

    def pack(self, tensor: Tensor) -> int:
        """Keeps nothing but what kind of tensor it is."""
        self.kinds.append(_kind(tensor))
        return len(self.kinds) - 1

    def unpack(self, number: int) -> Tensor:
        """Returns what was saved, after another forward if need be."""
        if number not in self.values:
            self._repeat()
        return self.values.pop(number)

    def _repeat(self) -> None:
        found: list[Tensor] = []

        def keep(tensor: Tensor) -> int:
            found.append(tensor)
            if self.early_stop and len(found) == len(self.kinds):
                raise _EnoughError
            return len(found) - 1

        with contextlib.ExitStack() as stack:
            if self.rng is not None:
                stack.enter_context(fork_rng())
                set_rng_state(self.rng)
            stack.enter_context(contextlib.suppress(_EnoughError))
            stack.enter_context(enable_grad())
            stack.enter_context(saved_tensors_hooks(keep, found.__getitem__))
            stack.enter_context(self.context)
            self.function(*self.args, **self.kwargs)
        self._compare([_kind(t) for t in found])
        self.values = dict(enumerate(found))

    def _compare(self, kinds: list[dict[str, Any]]) -> None:
        if len(kinds) != len(self.kinds):
            detail = f"\nsaved: {self.kinds}\nrecomputed: {kinds}" if self.debug else ""
            raise CheckpointError(
                "torch.utils.checkpoint: A different number of tensors was saved during the "
                f"original forward and recomputation.\nNumber of tensors saved during forward: "
                f"{len(self.kinds)}\nNumber of tensors saved during recomputation: {len(kinds)}."
                f"{detail}"
            )
        if not self.checks or kinds == self.kinds:
            return
        lines = [
            f"tensor at position {i}:\nsaved metadata: {before}\nrecomputed metadata: {after}"
            for i, (before, after) in enumerate(zip(self.kinds, kinds, strict=True))
            if before != after
        ]
        raise CheckpointError(
            "torch.utils.checkpoint: Recomputed values for the following tensors have different "
            "metadata than during the forward pass.\n" + "\n".join(lines) + "\n."
        )


def _kind(tensor: Tensor) -> dict[str, Any]:
    return {"shape": tensor.shape, "dtype": tensor.dtype, "device": tensor.device}


class CheckpointFunction(Function):
    """The older form of checkpointing: a function whose backward repeats and differentiates it."""

    @staticmethod
    def forward(ctx: Any, run_function: Any, preserve_rng_state: bool, *args: Any) -> Any:  # type: ignore[override]
        check_backward_validity(args)
        ctx.run_function = run_function
        ctx.rng = get_rng_state() if preserve_rng_state else None
        ctx.places = [i for i, value in enumerate(args) if isinstance(value, Tensor)]
        ctx.others = [None if isinstance(value, Tensor) else value for value in args]
        ctx.save_for_backward(*(args[i] for i in ctx.places))
        with no_grad():
            return run_function(*args)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Any) -> Any:
        args = list(ctx.others)
        for i, tensor in zip(ctx.places, ctx.saved_tensors, strict=True):
            args[i] = tensor
        args = list(detach_variable(tuple(args)))
        with contextlib.ExitStack() as stack:
            if ctx.rng is not None:
                stack.enter_context(fork_rng())
                set_rng_state(ctx.rng)
            stack.enter_context(enable_grad())
            outputs = ctx.run_function(*args)
        outputs = (outputs,) if isinstance(outputs, Tensor) else outputs
        wanted = [
            (out, grad)
            for out, grad in zip(outputs, grads, strict=True)
            if isinstance(out, Tensor) and out.requires_grad
        ]
        if not wanted:
            raise RuntimeError(
                "none of output has requires_grad=True, this checkpoint() is not necessary"
            )
        backward([out for out, _ in wanted], [grad for _, grad in wanted])
        return None, None, *(a.grad if isinstance(a, Tensor) else None for a in args)


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """Calls functions, or the modules of a `nn.Sequential`, in a chain of checkpointed ``segments``.

    The last segment is not checkpointed.

    >>> net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
    >>> x = torch.ones(1, 2, requires_grad=True)
    >>> torch.utils.checkpoint.checkpoint_sequential(net, 2, x, use_reentrant=False).shape
    torch.Size([1, 1])
    """
    if use_reentrant is None:
        warnings.warn(_NO_CHOICE, stacklevel=2)
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    chain = list(functions.children() if hasattr(functions, "children") else functions)
    size, end = len(chain) // segments, 0
    for start in range(0, size * (segments - 1), size):
        end = start + size
        input = checkpoint(
            _chained(chain[start:end]),
            input,
            use_reentrant=use_reentrant,
            preserve_rng_state=preserve,
        )
    return _chained(chain[end:])(input)


def _chained(functions: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def run(input: Any) -> Any:
        for function in functions:
            input = function(input)
        return input

    return run
