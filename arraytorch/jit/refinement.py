"""`torch.jit.isinstance`: whether an object is of a type that says what containers hold."""

from __future__ import annotations

import builtins
import types
import warnings
from typing import Any, Union, get_args, get_origin

__all__ = ["isinstance"]


def isinstance(obj: Any, target_type: Any) -> bool:
    """Returns whether an object is of a type, with all that it contains.

    >>> torch.jit.isinstance([1, 2], list[int]), torch.jit.isinstance([1, "a"], list[int])
    (True, False)
    """
    if builtins.isinstance(target_type, tuple):
        return any(isinstance(obj, kind) for kind in target_type)
    origin, args = get_origin(target_type), get_args(target_type)
    if target_type in (list, dict, tuple) or (origin in (list, dict, tuple) and not args):
        raise RuntimeError(
            "Attempted to use a container without a contained type. Please add a contained type, "
            "e.g. List[int]"
        )
    if origin in (Union, types.UnionType):
        return any(isinstance(obj, kind) for kind in args)
    if target_type is None:
        return obj is None
    if origin is None:
        return target_type is Any or builtins.isinstance(obj, target_type)
    if not builtins.isinstance(obj, origin):
        return False
    if origin is tuple:
        return len(obj) == len(args) and all(map(isinstance, obj, args))
    if not obj:
        warnings.warn(
            "The inner type of a container is lost when calling torch.jit.isinstance in eager mode. "
            "For example, List[int] would become list and therefore falsely return True for "
            "List[float] or List[str].",
            stacklevel=2,
        )
    if origin is dict:
        return all(isinstance(k, args[0]) and isinstance(v, args[1]) for k, v in obj.items())
    return all(isinstance(item, args[0]) for item in obj)
