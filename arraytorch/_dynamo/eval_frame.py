"""The type of compiled modules, of which there is none: `compile` returns the module that it is given."""

from __future__ import annotations

from typing import Any

from ..nn.modules.module import Module

__all__ = ["OptimizedModule"]


class OptimizedModule(Module):
    """What ``isinstance`` asks for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError("nothing is compiled here: there is no OptimizedModule")
