"""Ops of a program's own, which other code calls by name: `custom_op`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .custom_ops import CustomOpDef, custom_op, found
from .libraries import Library, define, get_ctx, impl
from .schema import infer_schema

__all__ = [
    "CustomOpDef",
    "Library",
    "custom_op",
    "define",
    "get_ctx",
    "impl",
    "infer_schema",
    "register_autograd",
    "register_fake",
    "register_kernel",
]


def register_autograd(
    op: str | CustomOpDef,
    backward: Callable[..., Any],
    /,
    *,
    setup_context: Callable[..., Any] | None = None,
    lib: Library | None = None,
) -> None:
    """Gives a custom op its gradient: ``backward(ctx, *grads)``, after ``setup_context(ctx, inputs, output)``.

    >>> def cubed(x: torch.Tensor) -> torch.Tensor:
    ...     return x**3
    >>> cubed = torch.library.custom_op("readme::cubed", cubed, mutates_args=())
    >>> torch.library.register_autograd(
    ...     "readme::cubed",
    ...     lambda ctx, grad: grad * 3 * ctx.saved_tensors[0] ** 2,
    ...     setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs),
    ... )
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> cubed(x).backward()
    >>> x.grad
    tensor(12.)
    """
    found(op).register_autograd(backward, setup_context=setup_context)


def register_fake(
    op: str | CustomOpDef, func: Callable[..., Any] | None = None, /, *, lib: Library | None = None
) -> Any:
    """Gives a custom op what it does with tensors on ``meta``; without a function, a decorator.

    >>> op = torch.library.custom_op("readme::same", lambda x: x + 0, mutates_args=(), schema="(Tensor x) -> Tensor")
    >>> _ = torch.library.register_fake("readme::same", lambda x: torch.empty_like(x))
    >>> op(torch.ones(2, 3, device="meta")).shape
    torch.Size([2, 3])
    """
    return found(op).register_fake if func is None else found(op).register_fake(func)


def register_kernel(
    op: str | CustomOpDef,
    device_types: str | Sequence[str] | None,
    func: Callable[..., Any] | None = None,
    /,
    *,
    lib: Library | None = None,
) -> Any:
    """Gives a custom op another function for some kinds of devices; without one, a decorator."""
    return found(op).register_kernel(device_types, func)
