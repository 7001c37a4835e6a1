"""Counting the floating-point operations of products and convolutions, by module."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from math import prod
from typing import Any

from .._tensor import Tensor
from ..nn import functional as F
from ..nn.modules.module import (
    Module,
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from ..ops import _intercept
from ..ops.added_products import addmm, baddbmm
from ..ops.products import bmm, matmul, mm
from ..overrides import TorchFunctionMode

__all__ = ["FlopCounterMode"]


def _of_product(out: Any, x: Any, y: Any, *rest: Any, **others: Any) -> int:
    inner = x.shape[-1]
    return 2 * out.numel() * inner


def _of_sum_of_product(out: Any, added: Any, x: Any, y: Any, **others: Any) -> int:
    return _of_product(out, x, y)


def _of_linear(out: Any, x: Any, *rest: Any, **others: Any) -> int:
    return _of_product(out, x, None)


def _of_convolution(out: Any, x: Any, weight: Any, *rest: Any, **others: Any) -> int:
    return 2 * out.numel() * prod(weight.shape[1:])


def _of_transposed(out: Any, x: Any, weight: Any, *rest: Any, **others: Any) -> int:
    return 2 * x.numel() * prod(weight.shape[1:])


def _of_attention(out: Any, q: Any, k: Any, v: Any, *rest: Any, **others: Any) -> int:
    rows = prod(q.shape[:-1])
    return 2 * rows * k.shape[-2] * (q.shape[-1] + v.shape[-1])


_COUNTS: dict[Any, Callable[..., int]] = {
    mm: _of_product, bmm: _of_product, matmul: _of_product, addmm: _of_sum_of_product,
    baddbmm: _of_sum_of_product, F.linear: _of_linear, F.conv1d: _of_convolution,
    F.conv2d: _of_convolution, F.conv3d: _of_convolution, F.conv_transpose1d: _of_transposed,
    F.conv_transpose2d: _of_transposed, F.conv_transpose3d: _of_transposed,
    F.scaled_dot_product_attention: _of_attention,
}  # fmt: skip


class FlopCounterMode(TorchFunctionMode):
    """Counts, inside ``with``, the operations of products, convolutions and attention.

    Each multiplication with its addition is two. Gradients count when they are computed, as many as
    there are inputs that need one. ``depth`` is how deep the table that ``display`` prints goes;
    ``custom_mapping`` gives further functions their counts, called with the result and the arguments.

    >>> layer = torch.nn.Linear(4, 3)
    >>> with torch.utils.flop_counter.FlopCounterMode(display=False) as counter:
    ...     _ = layer(torch.ones(2, 4))
    >>> counter.get_total_flops()
    48
    """

    def __init__(
        self,
        mods: Module | list[Module] | None = None,
        depth: int = 2,
        display: bool = True,
        custom_mapping: dict[Any, Callable[..., int]] | None = None,
    ) -> None:
        super().__init__()
        self.depth, self.display = depth, display
        self._counts = {**_COUNTS, **(custom_mapping or {})}
        self.flop_counts: dict[str, dict[Any, int]] = {}
        self._modules: list[tuple[Module, str]] = []
        self._handles: list[Any] = []

    def __enter__(self) -> FlopCounterMode:
        self.flop_counts, self._modules = defaultdict(lambda: defaultdict(int)), []
        self._handles = [
            register_module_forward_pre_hook(self._entering),
            register_module_forward_hook(self._leaving, always_call=True),
        ]
        super().__enter__()
        return self

    def __exit__(self, *args: object) -> None:
        super().__exit__(*args)
        for handle in self._handles:
            handle.remove()
        self._handles = []
        if self.display:
            print(self.get_table(self.depth))

    def _entering(self, module: Module, inputs: Any) -> None:
        name = type(module).__name__
        if self._modules:
            parent, prefix = self._modules[-1]
            inner = next((n for n, m in parent.named_modules() if m is module), name)
            name = f"{prefix}.{inner}"
        self._modules.append((module, name))

    def _leaving(self, module: Module, inputs: Any, output: Any) -> None:
        self._modules.pop()

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        count = self._counts.get(func)
        if count is None:
            return self._looking_inside(func, args, kwargs)
        out = func(*args, **kwargs)
        flops = count(out, *args, **kwargs)
        counts = self.flop_counts
        names = ["Global", *[name for _, name in self._modules]]
        self._add(counts, names, func, flops)
        if isinstance(out, Tensor) and out.grad_fn is not None:
            tensors = [a for a in (*args, *kwargs.values()) if isinstance(a, Tensor) and a.ndim > 1]
            needed = sum(t.requires_grad for t in tensors[-3 if count is _of_attention else -2 :])
            # Attention computes its scores once more and four gradients of products.
            back = flops * 5 // 2 if count is _of_attention else flops * needed
            out.grad_fn.register_hook(lambda *_: self._add(counts, names, func, back))
        return out

    def _looking_inside(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Calls a function and counts what it calls."""
        detour = _intercept.known(func)
        if detour is None:
            return func(*args, **kwargs)
        with _Inner(self):
            return detour.after_overrides(args, kwargs)

    def _add(self, counts: Any, names: list[str], func: Any, flops: int) -> None:
        # Gradients that are computed afterwards, or while counting anew, are not this count's.
        for name in dict.fromkeys(names) if counts is self.flop_counts and self._handles else ():
            self.flop_counts[name][func] += flops

    def get_total_flops(self) -> int:
        """Returns the number of operations counted."""
        return sum(self.flop_counts.get("Global", {}).values())

    def get_flop_counts(self) -> dict[str, dict[Any, int]]:
        """Returns the numbers by module, "Global" for all, and function."""
        return {name: dict(counts) for name, counts in self.flop_counts.items()}

    def get_table(self, depth: int | None = None) -> str:
        """Returns the numbers as text, of modules down to a depth."""
        deepest = self.depth if depth is None else depth
        rows = [
            f"{name:40}{sum(counts.values()):>16,}"
            for name, counts in self.flop_counts.items()
            if name.count(".") <= deepest
        ]
        return "\n".join([f"{'Module':40}{'FLOP':>16}", *rows])


class _Inner(TorchFunctionMode):
    """Hands what it sees to a counter."""

    def __init__(self, counter: FlopCounterMode) -> None:
        self.counter = counter

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        return self.counter.__torch_function__(func, types, args, kwargs)
