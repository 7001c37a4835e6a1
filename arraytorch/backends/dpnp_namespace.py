"""dpnp as the generic kernels want it: arrays made on the current queue, and what it lacks."""

from __future__ import annotations

from typing import Any

import dpnp
import numpy as np


class DpnpNamespace:
    """dpnp's functions, but for those that make arrays, or that generic kernels call otherwise."""

    def __init__(self, devices: Any) -> None:
        self.devices = devices

    def __getattr__(self, name: str) -> Any:
        value = getattr(dpnp, name)
        self.__dict__[name] = value  # the next time it is found at once
        return value

    # creation, on the current queue

    def _known(self, dtype: Any) -> Any:
        if dtype is not None:
            check_dtype(np.dtype(dtype), self.devices.all[self.devices.index])
        return dtype

    def empty(self, shape: Any, dtype: Any = None) -> Any:
        return dpnp.empty(shape, dtype=self._known(dtype), sycl_queue=self.devices.queue)

    def zeros(self, shape: Any, dtype: Any = None) -> Any:
        return dpnp.zeros(shape, dtype=self._known(dtype), sycl_queue=self.devices.queue)

    def ones(self, shape: Any, dtype: Any = None) -> Any:
        return dpnp.ones(shape, dtype=self._known(dtype), sycl_queue=self.devices.queue)

    def full(self, shape: Any, value: Any, dtype: Any = None) -> Any:
        if isinstance(value, dpnp.ndarray):
            return dpnp.full(shape, value, dtype=self._known(dtype))
        return dpnp.full(shape, value, dtype=self._known(dtype), sycl_queue=self.devices.queue)

    def arange(self, *span: Any, dtype: Any = None) -> Any:
        return dpnp.arange(*span, dtype=self._known(dtype), sycl_queue=self.devices.queue)

    def linspace(self, start: Any, stop: Any, num: int, dtype: Any = None) -> Any:
        return dpnp.linspace(
            start, stop, num, dtype=self._known(dtype), sycl_queue=self.devices.queue
        )

    def eye(self, n: int, m: int | None = None, k: int = 0, dtype: Any = None) -> Any:
        return dpnp.eye(n, m, k, dtype=self._known(dtype), sycl_queue=self.devices.queue)

    def asarray(self, x: Any, dtype: Any = None) -> Any:
        if isinstance(x, dpnp.ndarray):
            return x if dtype is None else x.astype(dtype, copy=False)
        # NumPy says which type numbers without one have: of Python's integers int64.
        return dpnp.asarray(np.asarray(x, self._known(dtype)), sycl_queue=self.devices.queue)

    def empty_like(self, x: Any, dtype: Any = None) -> Any:
        if 0 in x.strides:  # dpnp's would have one element where x has one
            return self.empty(x.shape, x.dtype if dtype is None else dtype)
        return dpnp.empty_like(x, dtype=self._known(dtype))

    # what dpnp does otherwise than NumPy

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        return dpnp.where(forward(condition), forward(x), forward(y))

    def matmul(self, x: Any, y: Any) -> Any:
        return dpnp.matmul(solid(x), solid(y))

    def sum(self, x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
        return dpnp.sum(x, axis if x.ndim else None, dtype, keepdims=keepdims)

    def max(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return dpnp.max(x, axis if x.ndim else None, keepdims=keepdims)

    def min(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return dpnp.min(x, axis if x.ndim else None, keepdims=keepdims)

    def bincount(self, x: Any, weights: Any = None, minlength: int = 0) -> Any:
        if not x.size:
            return self.zeros(minlength, "i8" if weights is None else weights.dtype)
        return dpnp.bincount(x, weights, minlength)

    def histogram(self, x: Any, bins: Any, weights: Any = None) -> tuple[Any, Any]:
        if not x.size:
            kind = "i8" if weights is None else weights.dtype
            return self.zeros(bins.shape[0] - 1, kind), bins
        counts, edges = dpnp.histogram(x, bins, weights=weights)
        return counts, edges


def forward(x: Any) -> Any:
    """x, or a copy where it is read backwards, which `dpnp.where` (0.20) does wrongly."""
    try:
        return x if min(x.strides, default=0) >= 0 else x.copy()
    except AttributeError:  # a Python number
        return x


def solid(x: Any) -> Any:
    """x, or a copy where it was expanded or is read backwards, which `dpnp.matmul` may refuse."""
    return x.copy() if x.ndim > 2 and x.size and min(x.strides) <= 0 else x


def check_dtype(dtype: Any, device: Any) -> None:
    """Raises for an element type that dpnp or the device lacks."""
    if dtype.kind == "V":
        raise TypeError(
            f"Cannot convert to {dtype.name} on an XPU: dpnp has no such type. Use float16 or float32."
        )
    if not device.has_float64 and dtype.kind in "fc":
        if dtype.itemsize == (8 if dtype.kind == "f" else 16):
            raise RuntimeError("Required aspect fp64 is not supported on the device")
