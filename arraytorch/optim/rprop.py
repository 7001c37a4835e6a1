"""Rprop: steps by the sign of the gradient alone."""

from __future__ import annotations

from typing import Any

from .._tensor import Tensor
from ..ops.creation import full_like, zeros_like
from ._by_ops import OpOptimizer, check_rate, scalar
from .optimizer import ParamsT


class Rprop(OpOptimizer):
    """Resilient backpropagation (Riedmiller and Braun, 1993).

    Each element has a step size of its own, ``lr`` at first, which shrinks by the first of
    ``etas`` when its gradient changes sign (it stands still then) and grows by the second when
    not, within ``step_sizes``. ``maximize`` goes uphill. ``capturable`` needs parameters on an
    accelerator, ``foreach`` chooses nothing here, ``differentiable`` records the step.

    >>> weight = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.Rprop([weight], lr=0.1)
    >>> (3 * weight).sum().backward()
    >>> optimizer.step()
    >>> weight
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_rate(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _start(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        lr = float(group["lr"])
        size = full_like(param, complex(lr, lr) if param.is_complex() else lr)
        return {"step": scalar(0.0), "prev": zeros_like(param), "step_size": size}

    def _update(
        self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        (shrink, grow), (smallest, largest) = group["etas"], group["step_sizes"]
        # Copies, as a recorded product keeps what it multiplied.
        agreement = (grad * state["prev"].clone()).sign()
        same, opposite = agreement > 0, agreement < 0
        factor = agreement.masked_fill(same, grow).masked_fill(opposite, shrink)
        factor = factor.masked_fill(agreement == 0, 1.0)
        size = (state["step_size"].clone() * factor).clamp(smallest, largest)
        state["step_size"].copy_(size)
        grad = grad.masked_fill(opposite, 0.0)
        param.sub_(grad.sign() * size)
        state["prev"].copy_(grad)
