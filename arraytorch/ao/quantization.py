"""The modules that mark, in a model, where quantization begins and ends: until it is quantized they do nothing.

Nothing is quantized here, but models written to be quantized run and train as they are.
"""

from __future__ import annotations

from typing import Any

from ..nn.modules.module import Module

__all__ = ["DeQuantStub", "QuantStub", "QuantWrapper"]


class QuantStub(Module):
    """Marks where tensors are to be quantized; returns them as they are.

    >>> torch.ao.quantization.QuantStub()(torch.ones(1))
    tensor([1.])
    """

    def __init__(self, qconfig: Any = None) -> None:
        super().__init__()
        if qconfig is not None:
            self.qconfig = qconfig

    def forward(self, x: Any) -> Any:
        """Returns ``x``."""
        return x


class DeQuantStub(QuantStub):
    """Marks where quantized tensors are to become floats again; returns them as they are."""


class QuantWrapper(Module):
    """A module between a `QuantStub` and a `DeQuantStub`."""

    def __init__(self, module: Module) -> None:
        super().__init__()
        qconfig = getattr(module, "qconfig", None)
        self.add_module("quant", QuantStub(qconfig))
        self.add_module("dequant", DeQuantStub(qconfig))
        self.add_module("module", module)
        self.train(module.training)

    def forward(self, X: Any) -> Any:
        """Returns what the module makes of ``X``."""
        return self.dequant(self.module(self.quant(X)))
