"""CuPy: the backend of NVIDIA's and AMD's devices, which both have the device type `cuda`.

What CuPy does as NumPy does is inherited. Overridden here, and by topic in the files `cupy_*.py`, is
what it does differently, lacks, or would do in several passes over memory where a kernel of CUDA C
takes one.
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import Any

import cupy
import numpy as np

from .._device import device
from .cupy_activation import CupyActivation
from .cupy_attention import CupyAttention
from .cupy_convolution import CupyConvolution
from .cupy_device import CupyDevices, MemoryLog
from .cupy_linalg import CupyLinalg
from .cupy_namespace import Namespace
from .cupy_normalization import CupyNormalization
from .cupy_optimizers import CupyOptimizers
from .cupy_places import CupyPlaces, IndexChecks
from .cupy_pooling import CupyPooling
from .cupy_random import CupyGenerator
from .cupy_source import wide


class CupyBackend(
    CupyActivation,
    CupyAttention,
    CupyConvolution,
    CupyPooling,
    CupyNormalization,
    CupyOptimizers,
    CupyPlaces,
    CupyLinalg,
    CupyDevices,
):
    """Kernels on CuPy arrays, on whatever device is current.

    Calls return before the work is done. Nothing in a training step makes the host wait: indices are
    checked on the device, and a bad one is told when the host next waits for it (`IndexChecks`).
    """

    device_type = "cuda"
    array_types = (cupy.ndarray,)

    def __init__(self) -> None:
        super().__init__(Namespace())
        self.blocking = os.environ.get("CUDA_LAUNCH_BLOCKING") == "1"
        self.checks = IndexChecks()
        self.memory_log = MemoryLog()
        self.memory_log.__enter__()
        self._devices: dict[int, device] = {}

    @cached_property
    def host(self) -> Any:
        """The CPU's backend, for what goes by way of the host."""
        from .numpy import NumpyBackend

        return NumpyBackend()

    def new_generator(self, index: int | None = None, algorithm: str | None = None) -> Any:
        if (algorithm or self.algorithm) == "philox":
            return CupyGenerator(self, index)
        return super().new_generator(index, algorithm)

    def device_of(self, x: Any) -> device:
        index = x.device.id
        found = self._devices.get(index)
        if found is None:
            found = self._devices[index] = device("cuda", index)
        return found

    def describe(self) -> str:
        kits = self.toolkits()
        platform = f"ROCm {kits['rocm']}" if "rocm" in kits else f"CUDA {kits['cuda']}"
        return f"CuPy {cupy.__version__}, {platform}, {self.device_count()} device(s)"

    def asarray(self, x: Any) -> Any:
        return x if isinstance(x, cupy.ndarray) else cupy.asarray(x)

    def report(self) -> None:
        self.checks.tell()

    # how products are computed

    def allow_tf32(self, allowed: bool) -> None:
        """Lets products of float32 round their factors to TF32's 10 bits, or not, as at first."""
        kind = (
            cupy._core._routines_linalg.COMPUTE_TYPE_TF32
            if allowed
            else cupy._core._routines_linalg.COMPUTE_TYPE_DEFAULT
        )
        cupy._core._routines_linalg.set_compute_type(np.dtype("f4"), kind)

    def allow_float16_sums(self, allowed: bool) -> None:
        """Lets products of float16 be added up in float16, or not, as at first."""
        kind = (
            cupy._core._routines_linalg.COMPUTE_TYPE_FP16
            if allowed
            else cupy._core._routines_linalg.COMPUTE_TYPE_DEFAULT
        )
        cupy._core._routines_linalg.set_compute_type(np.dtype("f2"), kind)

    def product(self, x: Any, y: Any) -> Any:
        """The matrix product; float16 as such, by cuBLAS with sums in float32, for its speed."""
        if x.dtype.kind == "V":  # bfloat16
            return cupy.matmul(x.astype("f4"), y.astype("f4")).astype(x.dtype)
        return cupy.matmul(x, y)

    def matmul(self, x: Any, y: Any) -> Any:
        if not x.size or not y.size:
            return super().matmul(x, y)
        return self.product(x, y)

    # memory

    def empty(self, shape: tuple[int, ...], dtype: Any, index: int | None = None) -> Any:
        with self._on(index):
            return super().empty(shape, dtype)

    def zeros(self, shape: tuple[int, ...], dtype: Any, index: int | None = None) -> Any:
        with self._on(index):
            return super().zeros(shape, dtype)

    def full(self, shape: tuple[int, ...], value: Any, dtype: Any, index: int | None = None) -> Any:
        with self._on(index):
            return super().full(shape, value, dtype)

    def arange(self, start: Any, end: Any, step: Any, dtype: Any, index: int | None = None) -> Any:
        with self._on(index):
            return super().arange(start, end, step, dtype)

    def ramp(self, start: Any, step: Any, n: int, dtype: Any, index: int | None = None) -> Any:
        with self._on(index):
            return super().ramp(start, step, n, dtype)

    def linspace(
        self, start: Any, end: Any, steps: int, dtype: Any, index: int | None = None
    ) -> Any:
        with self._on(index):
            return super().linspace(start, end, steps, dtype)

    def eye(self, n: int, m: int, dtype: Any, index: int | None = None) -> Any:
        with self._on(index):
            return super().eye(n, m, dtype)

    def data_ptr(self, x: Any) -> int:
        return x.data.ptr if x.size else 0

    def interface(self, x: Any) -> dict[str, Any]:
        """What `Tensor.__cuda_array_interface__` tells other libraries."""
        return x.__cuda_array_interface__

    def shares(self, x: Any, y: Any) -> bool:
        # Views made from a pointer have no base, but all views have the same memory object.
        return y is x or y.data.mem is x.data.mem

    def overlap(self, x: Any, y: Any) -> bool:
        return x.data.mem is y.data.mem

    def storage_offset(self, x: Any) -> int:
        return (x.data.ptr - x.data.mem.ptr) // x.itemsize if x.size else 0

    def as_strided(
        self, x: Any, size: tuple[int, ...], stride: tuple[int, ...], offset: int
    ) -> Any:
        memory, step = x.data.mem, x.dtype.itemsize
        owner = x if x.base is None else x.base
        self._check_room(max(owner.nbytes, memory.size) // step, size, stride, offset)
        if 0 in size:
            return cupy.empty(size, x.dtype)
        start = cupy.cuda.MemoryPointer(memory, offset * step)
        return cupy.ndarray(size, x.dtype, memptr=start, strides=tuple([s * step for s in stride]))

    def masked_fill(self, x: Any, mask: Any, value: Any) -> Any:
        # A number made by a kernel; one that is copied over could not be captured in a graph.
        return self.xp.where(mask, cupy.full((), value, x.dtype), x)

    # order and counts

    def has_nan(self, x: Any) -> bool:
        return x.dtype.kind not in "biu"  # to look would mean to wait

    def repeat(self, repeats: Any) -> Any:
        ends = cupy.cumsum(repeats)
        total = int(ends[-1]) if repeats.size else 0
        return cupy.searchsorted(ends, cupy.arange(total), side="right")

    def eps(self, x: Any) -> float:
        return float(np.finfo(wide(x.dtype)).eps)
