"""The part of the protocol about the optimizers' steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from .optimizers import Flat

Array = Any
Shape = tuple[int, ...]


class Optimizers(Protocol):
    """Steps of optimizers over many parameters, in place."""

    # Multiplies gradients by a 0-d array (unless None); a 0-d array, 1 if one was not finite.
    def unscale(self, grads: list[Array], factor: Array | None) -> Array: ...

    # Lays tensors out, with zeros for each named quantity; a tensor above a block is alone.
    def flats(
        self, shapes: Sequence[Shape], dtype: Any, names: Sequence[str]
    ) -> list[tuple[list[int], Flat]]: ...
    # Takes a step in one pass over a parameter, its gradient and what is kept of it; False if it cannot.
    def one_pass(self, name: str, arrays: Sequence[Array], numbers: Sequence[float]) -> bool: ...
    # A step of stochastic gradient descent; ``first`` starts the momentum buffers.
    def sgd_step(
        self,
        flat: Flat,
        params: list[Any],
        grads: list[Any],
        lr: float,
        momentum: float,
        dampening: float,
        weight_decay: float,
        nesterov: bool,
        maximize: bool,
        first: bool,
    ) -> None: ...
    # Step number ``step`` (from 1) of Adam or, with ``decoupled`` weight decay, of AdamW.
    def adam_step(
        self,
        flat: Flat,
        params: list[Any],
        grads: list[Any],
        step: float,
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
        weight_decay: float,
        amsgrad: bool,
        decoupled: bool,
        maximize: bool,
    ) -> None: ...
