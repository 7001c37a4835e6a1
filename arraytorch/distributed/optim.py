"""The type of optimizers whose state is divided among processes."""

from __future__ import annotations

from typing import Any

__all__ = ["ZeroRedundancyOptimizer"]


class ZeroRedundancyOptimizer:
    """What ``isinstance`` asks for; a process alone has nobody to divide its state with."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError("a ZeroRedundancyOptimizer needs processes that communicate")
