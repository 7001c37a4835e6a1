"""The classes of scripted modules and functions."""

from __future__ import annotations

from typing import Any

from ..nn.modules.module import Module

__all__ = ["ScriptFunction", "ScriptModule"]


class ScriptModule(Module):
    """What old programs derive modules from; `script` and `trace` make none: they return what they get.

    >>> isinstance(torch.jit.script(torch.nn.Linear(1, 1)), torch.jit.ScriptModule)
    False
    """


class ScriptFunction:
    """What ``isinstance`` asks for; `script` and `trace` return the function itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError("functions are not scripted: they run as they are")
