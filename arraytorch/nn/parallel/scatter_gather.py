"""Dividing what a module is called with among devices, and bringing results together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._tensor import Tensor
from ...ops.joining import cat

__all__ = ["gather", "scatter"]


def scatter(inputs: Any, target_gpus: Sequence[Any], dim: int = 0) -> Any:
    """Returns, for each device, the inputs with its part of every tensor in them.

    >>> from arraytorch.nn.parallel.scatter_gather import scatter
    >>> scatter((torch.arange(4), "mean"), ["cpu", "cpu"])
    [(tensor([0, 1]), 'mean'), (tensor([2, 3]), 'mean')]
    """
    if isinstance(inputs, Tensor):
        parts = inputs.chunk(len(target_gpus), dim)
        return [part.to(device) for part, device in zip(parts, target_gpus, strict=False)]
    if isinstance(inputs, tuple) and hasattr(inputs, "_fields"):
        return [type(inputs)(*row) for row in _rows(inputs, target_gpus, dim)]
    if isinstance(inputs, (tuple, list)) and inputs:
        return [type(inputs)(row) for row in _rows(inputs, target_gpus, dim)]
    if isinstance(inputs, Mapping) and inputs:
        rows = _rows(inputs.values(), target_gpus, dim)
        return [dict(zip(inputs, row, strict=True)) for row in rows]
    return [inputs for _ in target_gpus]


def _rows(values: Any, devices: Sequence[Any], dim: int) -> Any:
    return zip(*[scatter(value, devices, dim) for value in values], strict=False)


def gather(outputs: Sequence[Any], target_device: Any, dim: int = 0) -> Any:
    """Returns the results of several devices as one: their tensors behind each other, on one device."""
    first = outputs[0]
    if isinstance(first, Tensor):
        parts = [output.to(target_device) for output in outputs]
        return cat([part.reshape(1) if not part.dim() else part for part in parts], dim)
    if first is None:
        return None
    if isinstance(first, Mapping):
        return type(first)(
            (k, gather([out[k] for out in outputs], target_device, dim)) for k in first
        )  # type: ignore[call-arg]
    columns = [gather(column, target_device, dim) for column in zip(*outputs, strict=True)]
    return type(first)(*columns) if hasattr(first, "_fields") else type(first)(columns)
