"""The part of the protocol about activations and their gradients."""

from __future__ import annotations

from typing import Any, Protocol

Array = Any


class Activations(Protocol):
    """Activations that are not one function of an array library, in one call each."""

    # x times the normal distribution function, exact or by a tanh (Hendrycks & Gimpel 2016).
    def gelu(self, x: Array, approximate: str) -> Array: ...
    # x where positive, else x times a slope.
    def leaky_relu(self, x: Array, slope: float) -> Array: ...
    # g where x is positive, else g times the slope.
    def leaky_relu_backward(self, g: Array, x: Array, slope: float) -> Array: ...
    # scale * x where positive, else scale * alpha * (exp(rate * x) - 1).
    def elu(self, x: Array, alpha: float, scale: float, rate: float) -> Array: ...
    # g times the slope of elu.
    def elu_backward(
        self, g: Array, x: Array, alpha: float, scale: float, rate: float
    ) -> Array: ...
    # x times sigmoid(x).
    def silu(self, x: Array) -> Array: ...
    # g times the conjugate of the slope of silu.
    def silu_backward(self, g: Array, x: Array) -> Array: ...
    # g times the slope of gelu.
    def gelu_backward(self, g: Array, x: Array, approximate: str) -> Array: ...
    # log(1 + exp(beta x)) / beta, and x itself where beta x exceeds the threshold.
    def softplus(self, x: Array, beta: float, threshold: float) -> Array: ...
    # log(sigmoid(x)) = min(x, 0) - log(1 + exp(-|x|)).
    def logsigmoid(self, x: Array) -> Array: ...
