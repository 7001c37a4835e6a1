"""Moving a whole module to another dtype or device."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..._device import as_device
from ..._device import device as Device
from ..._dtypes import PYTHON
from ..._dtypes import dtype as DType
from ..._tensor import Tensor
from ...autograd.modes import no_grad
from ...ops.creation import empty_like
from ..parameter import Parameter

if TYPE_CHECKING:
    from typing import Self


class Convertible:
    """The part of ``Module`` that converts its tensors in place."""

    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Any]

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Replaces the data of every parameter, gradient and buffer by ``fn`` of it.

        Parameters stay the same objects, so that optimizers keep seeing them.
        """
        if recurse:
            for module in self._modules.values():
                if module is not None:
                    module._apply(fn)
        with no_grad():
            for parameter in self._parameters.values():
                if parameter is None:
                    continue
                grad = parameter.grad
                parameter.data = fn(parameter)
                if grad is not None:
                    parameter.grad = fn(grad).requires_grad_(grad.requires_grad)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Converts the module in place and returns it.

        Called as ``to(device=None, dtype=None, non_blocking=False)``, ``to(dtype)``, ``to(tensor)``
        (for its dtype and device) or ``to(memory_format=...)``. The dtype, floating-point or
        complex, applies to the floating-point and complex tensors only.

        >>> torch.nn.Linear(2, 2).to(torch.float64).weight.dtype
        torch.float64
        """
        device, dtype, non_blocking, memory_format = _parse_to(*args, **kwargs)
        if dtype is not None:
            if not (dtype.is_floating_point or dtype.is_complex):
                raise TypeError(
                    "nn.Module.to only accepts floating point or complex dtypes, but got desired "
                    f"dtype={dtype}"
                )
            if dtype.is_complex:
                warnings.warn(
                    "Complex modules are a new feature under active development whose design may "
                    "change, and some modules might not work as expected when using complex "
                    "tensors as parameters or buffers.",
                    stacklevel=2,
                )

        def convert(t: Tensor) -> Tensor:
            wanted = dtype if t.is_floating_point() or t.is_complex() else None
            if memory_format is not None and t.dim() in (4, 5):
                return t.to(device, wanted, non_blocking, memory_format=memory_format)
            return t.to(device, wanted, non_blocking)

        return self._apply(convert)

    def to_empty(self, *, device: str | int | Device | None, recurse: bool = True) -> Self:
        """Moves the module to ``device`` without its values: its tensors are uninitialized there."""
        return self._apply(lambda t: empty_like(t, device=device), recurse=recurse)

    def cpu(self) -> Self:
        """Moves the module to the CPU, in place, and returns it."""
        return self._apply(lambda t: t.cpu())

    def cuda(self, device: int | Device | None = None) -> Self:
        """Moves the module to a CUDA device, in place, and returns it."""
        return self._apply(lambda t: t.cuda(device))

    def xpu(self, device: int | Device | None = None) -> Self:
        """Moves the module to an XPU device, in place, and returns it."""
        return self._apply(lambda t: t.xpu(device))

    def type(self, dst_type: DType | str) -> Self:
        """Converts all parameters and buffers to ``dst_type``, in place, and returns the module."""
        return self._apply(lambda t: t.type(dst_type))

    def float(self) -> Self:
        """Converts the floating-point tensors to float32, in place, and returns the module."""
        return self._apply(lambda t: t.float() if t.is_floating_point() else t)

    def double(self) -> Self:
        """Converts the floating-point tensors to float64, in place, and returns the module.

        >>> torch.nn.Linear(2, 2).double().bias.dtype
        torch.float64
        """
        return self._apply(lambda t: t.double() if t.is_floating_point() else t)

    def half(self) -> Self:
        """Converts the floating-point tensors to float16, in place, and returns the module."""
        return self._apply(lambda t: t.half() if t.is_floating_point() else t)

    def bfloat16(self) -> Self:
        """Converts the floating-point tensors to bfloat16, in place, and returns the module."""
        return self._apply(lambda t: t.bfloat16() if t.is_floating_point() else t)


def _parse_to(
    *args: Any,
    device: Any = None,
    dtype: DType | None = None,
    tensor: Tensor | None = None,
    non_blocking: bool = False,
    memory_format: Any = None,
    **unknown: Any,
) -> tuple[Device | None, DType | None, bool, Any]:
    """Sorts out the forms of ``to``: (device, dtype, non_blocking), (dtype, ...), (tensor, ...)."""
    rest: list[Any] = [PYTHON.get(a, a) if a.__class__ is type else a for a in args]
    dtype = PYTHON.get(dtype, dtype)
    if rest and isinstance(rest[0], Tensor):
        tensor = rest.pop(0)
    elif rest and isinstance(rest[0], DType):
        dtype = rest.pop(0)
    elif rest:
        device = rest.pop(0)
        if rest and not isinstance(rest[0], bool):
            dtype = rest.pop(0)
    if rest:
        non_blocking = rest.pop(0)
    if rest or unknown or not isinstance(dtype, DType | None):
        given = ", ".join([*(type(a).__name__ for a in args), *unknown])
        raise TypeError(
            f"to() received an invalid combination of arguments - got ({given}), but expected "
            "(device=None, dtype=None, non_blocking=False), (dtype, non_blocking=False) or "
            "(tensor, non_blocking=False), each with memory_format=None"
        )
    if tensor is not None:
        return tensor.device, tensor.dtype, non_blocking, memory_format
    return None if device is None else as_device(device), dtype, non_blocking, memory_format
