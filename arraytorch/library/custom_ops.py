"""Ops of a program's own, by name: a function, its gradient, and what it does on ``meta``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from .. import ops
from .._tensor import Tensor
from ..autograd.function import Function
from ..autograd.modes import autocast_dtypes, is_grad_enabled, no_grad
from .schema import Schema, infer_schema, parse

REGISTRY: dict[str, CustomOpDef] = {}
Kernel = Callable[..., Any]


class OpNamespace(ModuleType):
    """The ops that share a name before ``::``, as attributes: ``torch.ops.<namespace>``."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"'_OpNamespace' '{self.__name__.rpartition('.')[2]}' object has no attribute '{name}'"
        )


class CustomOpDef:
    """An op that `custom_op` has made: it is called as the function was."""

    def __init__(
        self, name: str, schema: Schema, fn: Kernel | None, device_types: Sequence[str] | None
    ) -> None:
        self._qualname, self._schema, self._init_fn = name, schema, fn
        self._kernels: dict[str | None, Kernel] = {}
        self.autocast_kernels: dict[str, Kernel] = {}  # by kinds of devices
        self.recording_kernel: Kernel | None = None  # that sees to gradients itself
        self._composite = False  # whether the tape shall record what the kernel calls
        self._backward: Kernel | None = None
        self._setup_context: Kernel | None = None
        if fn is not None:
            kinds: Sequence[str | None] = device_types or [None]
            for each in kinds:
                self._kernels[each] = fn
        forward = {
            "forward": staticmethod(self._forward),
            "backward": staticmethod(self._backwards),
        }
        # The name is that of the node in the graph.
        self._function: Any = type(
            f"GeneratedBackwardFor_{name.replace('::', '_')}_default", (Function,), forward
        )

    def __repr__(self) -> str:
        return f"<CustomOpDef({self._qualname})>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        values = self._schema.bind(self._qualname, args, kwargs)
        leaves = [t for value in values for t in _leaves(value)]
        if self.autocast_kernels and (dtypes := autocast_dtypes.get()):
            kind = next((t.device.type for t in leaves if isinstance(t, Tensor)), "")
            if kind in dtypes and kind in self.autocast_kernels:
                return self._autocast(kind, values)
        if self._composite and self._backward is None:
            return self._run(values)
        if self.recording_kernel is not None and any(_needs_grad(t) for t in leaves):
            kernel, self.recording_kernel = self.recording_kernel, None
            try:
                return self._called(kernel, values)
            finally:
                self.recording_kernel = kernel
        if is_grad_enabled() and not self._schema.mutates and any(_needs_grad(t) for t in leaves):
            shape = [len(value) if isinstance(value, (list, tuple)) else None for value in values]
            lengths: list[Any] = []  # of the lists in the result, which forward tells
            outputs = self._function.apply(shape, lengths, *leaves)
            return self._restored(outputs, lengths)
        with no_grad():
            return self._run(values)

    def _called(self, kernel: Kernel, values: list[Any]) -> Any:
        """Calls a function with the values of all arguments."""
        inputs = zip(self._schema.arguments, values, strict=True)
        named = {a.name: value for a, value in inputs if a.keyword_only}
        return kernel(*values[: len(values) - len(named)], **named)

    def _autocast(self, kind: str, values: list[Any]) -> Any:
        token = autocast_dtypes.set({})
        try:
            return self._called(self.autocast_kernels[kind], values)
        finally:
            autocast_dtypes.reset(token)

    def implement(self, kind: str | None, fn: Kernel, composite: bool) -> None:
        """Gives the op the function for one kind of device, or for all."""
        self._kernels[kind] = fn
        self._composite = composite

    @property
    def default(self) -> CustomOpDef:
        """The op, as the only one of its name."""
        return self

    def register_kernel(
        self, device_types: str | Sequence[str] | None, fn: Kernel | None = None, /
    ) -> Any:
        """Gives the op another function for some kinds of devices; without one, a decorator."""
        if fn is None:
            return lambda function: self.register_kernel(device_types, function)
        kinds: list[str | None] = [None]
        if device_types is not None:
            kinds = [device_types] if isinstance(device_types, str) else list(device_types)
        for each in kinds:
            self._kernels[each] = fn
        return fn

    def register_fake(self, fn: Kernel, /) -> Kernel:
        """Gives the op what it does with tensors on ``meta``, which have shapes and no values."""
        self._kernels["meta"] = fn
        return fn

    def register_autograd(
        self, backward: Kernel, /, *, setup_context: Kernel | None = None
    ) -> None:
        """Gives the op its gradient: ``backward(ctx, *grads)``, after ``setup_context(ctx, inputs, output)``."""
        if self._schema.mutates:
            raise RuntimeError(
                f"Cannot register autograd formula for non-functional operator {self} with schema "
                f"{self._qualname}{self._schema.text}. Please create a functional operator and "
                "register an autograd formula for that."
            )
        self._backward, self._setup_context = backward, setup_context

    def _run(self, values: list[Any]) -> Any:
        """Calls the kernel for the device that the tensors are on."""
        tensors = [t for value in values for t in _leaves(value) if isinstance(t, Tensor)]
        kind = tensors[0].device.type if tensors else None
        kernel = self._kernels.get(kind, None if kind == "meta" else self._kernels.get(None))
        if kernel is None and kind == "meta":
            raise RuntimeError(
                f"There was no fake impl registered for {self}. This is necessary for "
                "torch.compile/export/fx tracing to work. Please use "
                f"`{getattr(self._init_fn, '__name__', 'torch.library')}.register_fake` to add an fake impl."
            )
        if kernel is None:
            raise NotImplementedError(
                f"Could not run '{self._qualname}' with arguments from the '{str(kind).upper()}' "
                "backend. This could be because the operator doesn't exist for this backend."
            )
        result = self._called(kernel, values)
        # A library that declares its ops by schemas answers for what they return.
        given = {_memory(t) for t in tensors if t.numel()} if self._init_fn is not None else ()
        for t in _outputs(result):
            if t.numel() and _memory(t) in given:
                raise RuntimeError(
                    f"{self._qualname}: The output of this custom operator (1) must not also be an "
                    "input to this custom operator and (2) may not alias any inputs to this custom "
                    "operator or other returns. Please instead return a clone of the offending "
                    "output tensor(s) (e.g. return x.clone()) or refactor the custom operator to "
                    "not return y."
                )
        return result

    def _forward(self, ctx: Any, shape: list[int | None], lengths: list[Any], *leaves: Any) -> Any:
        values = _grouped(leaves, shape)
        result = self._run(values)
        lengths += [len(r) if isinstance(r, (list, tuple)) else None for r in _listed(result)]
        ctx._shape, ctx._returned = shape, lengths
        if self._setup_context is not None:
            given = list(zip(self._schema.arguments, values, strict=True))
            inputs = tuple(value for a, value in given if not a.keyword_only)
            named = {a.name: value for a, value in given if a.keyword_only}
            with _needs_by_argument(ctx):
                if named:
                    self._setup_context(
                        ctx=ctx, inputs=inputs, keyword_only_inputs=named, output=result
                    )
                else:
                    self._setup_context(ctx, inputs, result)
        return tuple(_outputs(result))

    def _restored(self, outputs: Any, lengths: list[Any]) -> Any:
        """The result in the form that the function gave it, from a flat tuple."""
        grouped = _grouped(outputs, lengths)
        return tuple(grouped) if len(self._schema.returns) > 1 else grouped[0] if grouped else None

    def _backwards(self, ctx: Any, *grads: Any) -> Any:
        if self._backward is None:
            raise RuntimeError(
                f"Trying to backward through {self._qualname.replace('::', '.')}.default but no "
                "autograd formula was registered. Please use register_autograd to add one."
            )
        with _needs_by_argument(ctx):
            found = self._backward(ctx, *_grouped(grads, ctx._returned))
        found = list(found) if isinstance(found, tuple) else [found]
        flat: list[Any] = [None, None]
        for length, grad in zip(
            ctx._shape, found + [None] * (len(ctx._shape) - len(found)), strict=True
        ):
            flat += [grad] if length is None else [None] * length if grad is None else list(grad)
        return tuple(flat)


@contextmanager
def _needs_by_argument(ctx: Any) -> Iterator[None]:
    """Has ``ctx.needs_input_grad`` tell of the op's arguments, lists among them, for a while."""
    flat = ctx.needs_input_grad
    ctx.needs_input_grad = tuple(_grouped(flat[2:], ctx._shape))
    try:
        yield
    finally:
        ctx.needs_input_grad = flat


def _needs_grad(value: Any) -> bool:
    return isinstance(value, Tensor) and value.requires_grad


def _leaves(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _listed(result: Any) -> list[Any]:
    return [] if result is None else list(result) if isinstance(result, tuple) else [result]


def _outputs(result: Any) -> list[Tensor]:
    return [t for r in _listed(result) for t in _leaves(r) if isinstance(t, Tensor)]


def _memory(t: Tensor) -> Any:
    return id(t) if t.device.type == "meta" else t.untyped_storage().data_ptr()


def _grouped(flat: Any, shape: list[int | None]) -> list[Any]:
    """Undoes the flattening: a list where there was one, of as many."""
    found, rest = [], iter(flat)
    for length in shape:
        found.append(next(rest) if length is None else [next(rest) for _ in range(length)])
    return found


def custom_op(
    name: str,
    fn: Kernel | None = None,
    /,
    *,
    mutates_args: str | Iterable[str],
    device_types: str | Sequence[str] | None = None,
    schema: str | None = None,
    tags: Any = None,
) -> Any:
    """Makes an op of a function, named ``namespace::name``; without a function, a decorator.

    It is called as the function was, and as ``torch.ops.namespace.name``. What it takes and returns
    is read from the annotations, or from a schema, and each call is checked against that.

    >>> @torch.library.custom_op("readme::twice", mutates_args=())
    ... def twice(x: torch.Tensor) -> torch.Tensor:
    ...     return x * 2
    >>> torch.ops.readme.twice(torch.tensor([1.0, 2.0]))
    tensor([2., 4.])
    """

    def made(function: Kernel) -> CustomOpDef:
        text = schema or infer_schema(function, mutates_args=mutates_args)
        kinds = [device_types] if isinstance(device_types, str) else device_types
        _, _, last = name.partition("::")
        if not last:
            raise ValueError(f"Expected a name of the form namespace::name, got {name}")
        return _entered(name, CustomOpDef(name, parse(text), function, kinds))

    return made if fn is None else made(fn)


def declare(name: str, schema: str) -> CustomOpDef:
    """Makes an op that has no function yet."""
    return _entered(name, CustomOpDef(name, parse(schema), None, None))


def _entered(name: str, op: CustomOpDef) -> CustomOpDef:
    namespace, _, last = name.partition("::")
    setattr(_namespace(namespace), last, op)
    REGISTRY[name] = op
    return op


def _namespace(name: str) -> ModuleType:
    found = ops.__dict__.get(name)
    if found is None:
        found = OpNamespace(f"torch.ops.{name}")
        setattr(ops, name, found)
    if not isinstance(found, OpNamespace):
        raise RuntimeError(f"torch.ops.{name} exists and is no namespace of custom ops")
    return found


def found(op: str | CustomOpDef) -> CustomOpDef:
    """Returns the op of a name."""
    if isinstance(op, CustomOpDef):
        return op
    if not isinstance(op, str):
        raise ValueError(f"Expected a CustomOpDef or the name of an op, got {type(op)}")
    if op not in REGISTRY:
        raise RuntimeError(f"operator {op} does not exist")
    return REGISTRY[op]
