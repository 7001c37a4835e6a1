"""What users tell the libraries of vendors: `torch.backends.cudnn`, `.cuda`, `.mkl`, `.mps`, `.openmp`.

A switch is kept here, and told to the backend that it concerns, at once or when that is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from numpy._core import _multiarray_umath as multiarray

# Set by the registry, which stands above: gives the loaded backend of a device type, or None.
loaded_backend: list[Callable[[str], Any]] = [lambda kind: None]


def _checked(name: str, value: object) -> Any:
    if not isinstance(value, bool):
        raise RuntimeError(f"set_{name} expects a bool, but got {type(value).__name__}")
    return value


class Cudnn:
    """Convolutions by NVIDIA's cuDNN: whether, and how."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {
            "enabled": os.environ.get("USE_CUDNN") != "0", "benchmark": False, "deterministic": False, "allow_tf32": True,
        }  # fmt: skip
        self.benchmark_limit: int | None = None

    @property
    def enabled(self) -> bool:
        """Whether it is used where it is installed."""
        return self._values["enabled"]  # type: ignore[no-any-return]

    @enabled.setter
    def enabled(self, value: bool) -> None:
        self._values["enabled"] = _checked("enabled_cudnn", value)

    @property
    def benchmark(self) -> bool:
        """Whether it may try several algorithms for each new shape."""
        return self._values["benchmark"]  # type: ignore[no-any-return]

    @benchmark.setter
    def benchmark(self, value: bool) -> None:
        self._values["benchmark"] = _checked("benchmark_cudnn", value)

    @property
    def deterministic(self) -> bool:
        """Whether only algorithms that give the same bits in each run will do."""
        return self._values["deterministic"]  # type: ignore[no-any-return]

    @deterministic.setter
    def deterministic(self, value: bool) -> None:
        self._values["deterministic"] = _checked("deterministic_cudnn", value)

    @property
    def allow_tf32(self) -> bool:
        """Whether float32 may be rounded to TF32's 10 bits."""
        return self._values["allow_tf32"]  # type: ignore[no-any-return]

    @allow_tf32.setter
    def allow_tf32(self, value: bool) -> None:
        self._values["allow_tf32"] = _checked("allow_tf32_cublas", value)

    def is_available(self) -> bool:
        """Returns whether the backend in use has it."""
        return self.version() is not None

    def version(self) -> int | None:
        """Returns its version as a number such as 90100, None where the backend in use has it not."""
        backend = loaded_backend[0]("cuda")
        ask = getattr(backend, "cudnn_version", None)
        return ask() if ask else None

    def set_flags(
        self,
        _enabled: bool | None = None,
        _benchmark: bool | None = None,
        _benchmark_limit: int | None = None,
        _deterministic: bool | None = None,
        _allow_tf32: bool | None = None,
    ) -> tuple[Any, ...]:
        """Sets what is not None, and returns what was set before."""
        before = (
            self.enabled, self.benchmark, self.benchmark_limit, self.deterministic, self.allow_tf32,
        )  # fmt: skip
        self.enabled = before[0] if _enabled is None else _enabled
        self.benchmark = before[1] if _benchmark is None else _benchmark
        self.benchmark_limit = before[2] if _benchmark_limit is None else _benchmark_limit
        self.deterministic = before[3] if _deterministic is None else _deterministic
        self.allow_tf32 = before[4] if _allow_tf32 is None else _allow_tf32
        return before

    @contextmanager
    def flags(
        self,
        enabled: bool = False,
        benchmark: bool = False,
        benchmark_limit: int | None = 10,
        deterministic: bool = False,
        allow_tf32: bool = True,
    ) -> Iterator[None]:
        """Sets the switches in a ``with`` block."""
        before = self.set_flags(enabled, benchmark, benchmark_limit, deterministic, allow_tf32)
        try:
            yield
        finally:
            limit = before[2]
            self.set_flags(*before)
            self.benchmark_limit = limit


class Matmul:
    """How products of matrices are computed on CUDA devices."""

    precision = "highest"  # of float32; set_float32_matmul_precision sets it, too
    _float16_sums = False

    @property
    def allow_tf32(self) -> bool:
        """Whether products of float32 may round their factors to TF32's 10 bits."""
        return self.precision != "highest"

    @allow_tf32.setter
    def allow_tf32(self, value: bool) -> None:
        self.set_precision("high" if _checked("allow_tf32_cublas", value) else "highest")

    @property
    def allow_fp16_accumulation(self) -> bool:
        """Whether products of float16 may be added up in float16."""
        return self._float16_sums

    @allow_fp16_accumulation.setter
    def allow_fp16_accumulation(self, value: bool) -> None:
        self._float16_sums = _checked("allow_fp16_accumulation_cublas", value)
        self.tell(loaded_backend[0]("cuda"))

    def __setattr__(self, name: str, value: Any) -> None:
        if not hasattr(type(self), name):
            raise AttributeError(f"Unknown attribute {name}")
        object.__setattr__(self, name, value)

    def set_precision(self, precision: str) -> None:
        """Sets how exact products of float32 must be: "highest", "high" or "medium"."""
        self.precision = precision
        self.tell(loaded_backend[0]("cuda"))

    def tell(self, backend: Any) -> None:
        """Tells a backend, if it can be told."""
        if hasattr(backend, "allow_tf32"):
            backend.allow_tf32(self.allow_tf32)
        if hasattr(backend, "allow_float16_sums"):
            backend.allow_float16_sums(self._float16_sums)


class Cuda:
    """Switches of CUDA and ROCm devices."""

    def __init__(self) -> None:
        self.matmul = Matmul()


class Mkl:
    """Intel's library of linear algebra."""

    def is_available(self) -> bool:
        """Returns whether NumPy's products are computed by it."""
        return "mkl" in _blas().get("name", "").lower()


class Mkldnn:
    """Intel's library of neural-network kernels, which nothing here uses."""

    enabled = False

    def is_available(self) -> bool:
        """Returns False: no backend computes with it."""
        return False


class OpenMP:
    """The threads of OpenMP."""

    def is_available(self) -> bool:
        """Returns whether NumPy's products are computed in such threads."""
        text = _blas().get("openblas configuration", "")
        return "USE_OPENMP" in text or mkl.is_available()


class Mps:
    """Apple's Metal, for which there is no backend."""

    def is_available(self) -> bool:
        """Returns False: no backend computes with it."""
        return False

    def is_built(self) -> bool:
        """Returns False: no backend computes with it."""
        return False


class Cpu:
    """The processor."""

    def get_cpu_capability(self) -> str:
        """Returns "AVX512" or "AVX2" if it has those instructions, "DEFAULT" otherwise."""
        features = getattr(multiarray, "__cpu_features__", {})
        for name, needed in (("AVX512", "AVX512F"), ("AVX2", "AVX2")):
            if features.get(needed) or features.get({"AVX2": "X86_V3"}.get(needed, "X86_V4")):
                return name
        return "DEFAULT"


@cache
def _blas() -> Any:
    found = np.show_config(mode="dicts")
    return found["Build Dependencies"]["blas"]


cpu, cudnn, cuda, mkl, mkldnn = Cpu(), Cudnn(), Cuda(), Mkl(), Mkldnn()
mps, openmp = Mps(), OpenMP()
