"""Activations on CuPy arrays: one kernel where a chain of ufuncs would read and write each step."""

from __future__ import annotations

from typing import Any

import cupy

from .activation import ActivationKernels
from .pointwise import PointwiseKernels

# A 16-bit float is computed with as a float, `A`.
PREAMBLE = """
template<class T> struct Wide { typedef float type; };
template<> struct Wide<double> { typedef double type; };
template<class A> __device__ A normal_part(A x) { return (A)0.5 * ((A)1 + erf(x * (A)0.7071067811865476)); }
template<class A> __device__ A inner(A x) {
  return (A)0.7978845608028654 * (x + (A)0.044715 * x * x * x);
}
"""
_KINDS = ("float16", "bfloat16", "float32", "float64")
KERNELS: list[Any] = []


def _kernel(name: str, arguments: str, code: str) -> Any:
    """A kernel over broadcast arguments of one type and numbers, all in the type to compute in."""
    names = [a.split() for a in arguments.split(", ")]
    read = "".join([f"A {n}_ = (A){n}; " for _, n in names])
    made = cupy.ElementwiseKernel(
        arguments,
        "T out",
        f"typedef Wide<T>::type A; {read}{code}",
        f"arraytorch_{name}",
        preamble=PREAMBLE,
    )
    KERNELS.append(made)
    return made


_GELU = _kernel("gelu", "T x", "out = (T)(x_ * normal_part(x_));")
_GELU_TANH = _kernel("gelu_tanh", "T x", "out = (T)((A)0.5 * x_ * ((A)1 + tanh(inner(x_))));")
_GELU_BACKWARD = _kernel(
    "gelu_backward",
    "T g, T x",
    "A density = exp((A)-0.5 * x_ * x_) * (A)0.3989422804014327;"
    "out = (T)(g_ * (normal_part(x_) + x_ * density));",
)
_GELU_TANH_BACKWARD = _kernel(
    "gelu_tanh_backward",
    "T g, T x",
    "A t = tanh(inner(x_)); A slope = (A)0.7978845608028654 * ((A)1 + (A)0.134145 * x_ * x_);"
    "out = (T)(g_ * (A)0.5 * ((A)1 + t + x_ * ((A)1 - t * t) * slope));",
)
_SOFTPLUS = _kernel(
    "softplus",
    "T x, float64 beta, float64 threshold",
    "A scaled = x_ * beta_; out = scaled > threshold_ ? x : (T)(log1p(exp(scaled)) / beta_);",
)
_LOGSIGMOID = _kernel(
    "logsigmoid",
    "T x",
    "out = (T)((x_ < (A)0 ? x_ : (x_ != x_ ? x_ : (A)0)) - log1p(exp(-fabs(x_))));",
)
_SIGMOID = _kernel("sigmoid", "T x", "out = (T)((A)1 / ((A)1 + exp(-x_)));")
_RSQRT = _kernel("rsqrt", "T x", "out = (T)((A)1 / sqrt(x_));")
_STEP = _kernel("step", "T x", "out = (T)(x_ <= (A)0 ? (A)0 : (A)1);")
_RELU = _kernel("relu", "T x", "out = x_ < (A)0 ? (T)(A)0 : x;")  # NaN is not less than 0


def _takes(x: Any) -> bool:
    return x.dtype.name in _KINDS


class CupyActivation(ActivationKernels, PointwiseKernels):
    """One kernel for each activation, forward and backward."""

    def gelu(self, x: Any, approximate: str) -> Any:
        if not _takes(x):
            return super().gelu(x, approximate)
        return _GELU_TANH(x) if approximate == "tanh" else _GELU(x)

    def gelu_backward(self, g: Any, x: Any, approximate: str) -> Any:
        if not _takes(x) or g.dtype != x.dtype:
            return super().gelu_backward(g, x, approximate)
        return _GELU_TANH_BACKWARD(g, x) if approximate == "tanh" else _GELU_BACKWARD(g, x)

    def softplus(self, x: Any, beta: float, threshold: float) -> Any:
        if not _takes(x):
            return super().softplus(x, beta, threshold)
        return _SOFTPLUS(x, float(beta), float(threshold))

    def logsigmoid(self, x: Any) -> Any:
        return _LOGSIGMOID(x) if _takes(x) else super().logsigmoid(x)

    def sigmoid(self, x: Any) -> Any:
        return _SIGMOID(x) if _takes(x) else super().sigmoid(x)

    def rsqrt(self, x: Any) -> Any:
        return _RSQRT(x) if _takes(x) else super().rsqrt(x)

    def step(self, x: Any) -> Any:
        return _STEP(x) if _takes(x) else super().step(x)

    def relu(self, x: Any) -> Any:
        return _RELU(x) if _takes(x) else super().relu(x)
