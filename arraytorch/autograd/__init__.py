"""Reverse-mode automatic differentiation over any backend's arrays."""

from .calculus import backward as backward
from .calculus import grad as grad
from .function import Function as Function
from .modes import enable_grad as enable_grad
from .modes import inference_mode as inference_mode
from .modes import no_grad as no_grad
from .modes import set_grad_enabled as set_grad_enabled

__all__ = [
    "Function",
    "backward",
    "enable_grad",
    "grad",
    "inference_mode",
    "no_grad",
    "set_grad_enabled",
]
