"""Activations and their like on Intel devices, in one pass over memory each."""

from __future__ import annotations

from typing import Any

import dpnp

from .dpnp_programs import Kernel
from .generic import ArrayModuleBackend

Array = Any

_CDF = "(A)0.5 * (1 + erf(v * (A)0.70710678118654752440))"
_INNER = "(A)0.79788456080286535588 * (v + (A)0.044715 * v * v * v)"


def _of_one(name: str, value: str) -> Kernel:
    return Kernel(name, "const T* x, T* z", f"A v = x[i]; z[i] = {value};")


_RELU = Kernel("relu", "const T* x, T* z", "T v = x[i]; z[i] = v > 0 || v != v ? v : (T)0;")
_STEP = Kernel("step", "const T* x, T* z", "z[i] = x[i] <= 0 ? (T)0 : (T)1;")
_SIGMOID = _of_one("sigmoid", "1 / (1 + exp(-v))")
_GELU = {
    "none": _of_one("gelu", f"v * {_CDF}"),
    "tanh": _of_one("gelu_tanh", f"(A)0.5 * v * (1 + tanh({_INNER}))"),
}
_GELU_BACKWARD = {
    "none": Kernel(
        "gelu_backward",
        "const T* g, const T* x, T* z",
        f"A v = x[i]; z[i] = g[i] * ({_CDF} + v * exp((A)-0.5 * v * v) * (A)0.39894228040143267794);",
    ),
    "tanh": Kernel(
        "gelu_tanh_backward",
        "const T* g, const T* x, T* z",
        f"A v = x[i], t = tanh({_INNER});"
        "A slope = (A)0.79788456080286535588 * (1 + (A)0.134145 * v * v);"
        "z[i] = g[i] * ((A)0.5 * (1 + t) + (A)0.5 * v * (1 - t * t) * slope);",
    ),
}


class DpnpPointwise(ArrayModuleBackend):
    """Elementwise kernels that dpnp would do in several steps."""

    launch: Any

    def _each(self, kernel: Kernel, *arrays: Array) -> Array | None:
        first = arrays[0]
        if first.dtype.kind != "f" or any(
            x.shape != first.shape or x.dtype is not first.dtype or not x.flags.c_contiguous
            for x in arrays
        ):
            return None
        z = dpnp.empty(first.shape, dtype=first.dtype, sycl_queue=first.sycl_queue)
        return z if self.launch(kernel, z.size, *arrays, z) else None

    def relu(self, x: Array) -> Array:
        found = self._each(_RELU, x)
        return super().relu(x) if found is None else found

    def step(self, x: Array) -> Array:
        found = self._each(_STEP, x)
        return super().step(x) if found is None else found

    def sigmoid(self, x: Array) -> Array:
        found = self._each(_SIGMOID, x)
        return super().sigmoid(x) if found is None else found

    def gelu(self, x: Array, approximate: str) -> Array:
        found = self._each(_GELU[approximate], x)
        return super().gelu(x, approximate) if found is None else found

    def gelu_backward(self, g: Array, x: Array, approximate: str) -> Array:
        found = self._each(_GELU_BACKWARD[approximate], g, x)
        return super().gelu_backward(g, x, approximate) if found is None else found

    # what dpnp does otherwise

    def pow(self, x: Array, y: Any) -> Array:
        """As NumPy's, which refuses negative powers of integers, so that the operation finds another way."""
        if getattr(x, "dtype", y.dtype if hasattr(y, "dtype") else None).kind in "iu":
            whole = isinstance(y, int) or getattr(y, "dtype", x).kind in "iu"
            if whole and bool(dpnp.any(y < 0) if hasattr(y, "dtype") else y < 0):
                raise ValueError("Integers to negative integer powers are not allowed.")
        return dpnp.power(x, y)

    def fft_complex(self, x: Array, dims: tuple[int, ...], norm: str, forward: bool) -> Array:
        return super().fft_complex(dpnp.ascontiguousarray(x), dims, norm, forward)

    def fft_real(self, x: Array, dims: tuple[int, ...], norm: str) -> Array:
        return super().fft_real(dpnp.ascontiguousarray(x), dims, norm)
