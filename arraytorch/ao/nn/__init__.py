"""Modules for models that are to be quantized."""

from ...nn import quantized as quantized

__all__ = ["quantized"]
