"""Modules that mark where a model is to be quantized."""

from . import nn as nn
from . import quantization as quantization

__all__ = ["nn", "quantization"]
