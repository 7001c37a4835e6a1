"""Reverse-mode automatic differentiation over any backend's arrays."""

from importlib import import_module as _import_module

from .calculus import backward as backward
from .calculus import grad as grad
from .modes import enable_grad as enable_grad
from .modes import inference_mode as inference_mode
from .modes import no_grad as no_grad
from .modes import set_grad_enabled as set_grad_enabled

# What few programs use loads when first asked for.
_LAZY = {
    "Function": "function",
    "GradcheckError": "checks",
    "Variable": "variable",
    "detect_anomaly": "anomaly",
    "forward_ad": "",
    "functional": "",
    "gradcheck": "checks",
    "gradgradcheck": "checks",
    "graph": "",
    "profiler": "",
    "variable": "",
    "set_detect_anomaly": "anomaly",
}

__all__ = [
    "Function",
    "GradcheckError",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "forward_ad",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "graph",
    "inference_mode",
    "no_grad",
    "profiler",
    "set_detect_anomaly",
    "set_grad_enabled",
    "variable",
]


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module 'arraytorch.autograd' has no attribute '{name}'")
    module = _import_module(f".{_LAZY[name] or name}", __name__)
    value = getattr(module, name) if _LAZY[name] else module
    globals()[name] = value
    return value
