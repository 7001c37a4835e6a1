"""Operations as modules, so that what they return can be observed and quantized."""

from __future__ import annotations

from typing import Any

from ...ops.activation import relu
from ...ops.arithmetic import mul
from ...ops.products import matmul
from ...ops.stacking import cat
from ...ops.sums import add
from ..modules.linear import Identity
from ..modules.module import Module

__all__ = ["FloatFunctional"]


class FloatFunctional(Module):
    """Operations that have no module, each followed by ``activation_post_process``.

    >>> torch.nn.quantized.FloatFunctional().add(torch.ones(2), torch.ones(2))
    tensor([2., 2.])
    """

    def __init__(self) -> None:
        super().__init__()
        self.activation_post_process = Identity()

    def forward(self, x: Any) -> Any:
        """Raises RuntimeError: it is the methods that are to be called."""
        raise RuntimeError(
            "FloatFunctional is not intended to use the 'forward'. Please use the underlying operation"
        )

    def add(self, x: Any, y: Any) -> Any:
        """Returns ``x + y``."""
        return self.activation_post_process(add(x, y))

    def add_scalar(self, x: Any, y: float) -> Any:
        """Returns ``x + y``, which is not observed."""
        return add(x, y)

    def mul(self, x: Any, y: Any) -> Any:
        """Returns ``x * y``."""
        return self.activation_post_process(mul(x, y))

    def mul_scalar(self, x: Any, y: float) -> Any:
        """Returns ``x * y``, which is not observed."""
        return mul(x, y)

    def cat(self, x: list[Any], dim: int = 0) -> Any:
        """Returns the tensors joined along a dimension."""
        return self.activation_post_process(cat(x, dim=dim))

    def add_relu(self, x: Any, y: Any) -> Any:
        """Returns ``relu(x + y)``."""
        return self.activation_post_process(relu(add(x, y)))

    def matmul(self, x: Any, y: Any) -> Any:
        """Returns ``x @ y``."""
        return self.activation_post_process(matmul(x, y))
