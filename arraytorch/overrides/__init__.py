"""Functions overridden by classes with ``__torch_function__``, and by modes.

>>> class Counted(torch.Tensor):
...     calls = 0
...     @classmethod
...     def __torch_function__(cls, func, types, args=(), kwargs=None):
...         Counted.calls += 1
...         return super().__torch_function__(func, types, args, kwargs)
>>> x = torch.ones(2).as_subclass(Counted)
>>> torch.exp(x + 1), Counted.calls
(Counted([7.3891, 7.3891]), 2)
"""

from __future__ import annotations

from .functions import (
    get_default_nowrap_functions,
    get_ignored_functions,
    get_overridable_functions,
    get_testing_overrides,
    is_tensor_method_or_property,
    resolve_name,
)
from .modes import BaseTorchFunctionMode, TorchFunctionMode
from .protocol import (
    handle_torch_function,
    has_torch_function,
    has_torch_function_unary,
    has_torch_function_variadic,
    is_tensor_like,
    wrap_torch_function,
)

__all__ = [
    "BaseTorchFunctionMode",
    "TorchFunctionMode",
    "get_default_nowrap_functions",
    "get_ignored_functions",
    "get_overridable_functions",
    "get_testing_overrides",
    "handle_torch_function",
    "has_torch_function",
    "has_torch_function_unary",
    "has_torch_function_variadic",
    "is_tensor_like",
    "is_tensor_method_or_property",
    "resolve_name",
    "wrap_torch_function",
]
