"""What libraries ask about PyTorch's compiler."""

from __future__ import annotations

from typing import Any


def is_compile_supported(device_type: Any) -> bool:
    """Returns False: nothing is compiled here, for any device."""
    return False
