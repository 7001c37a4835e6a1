"""ASGD: gradient descent that averages what it passes."""

from __future__ import annotations

from typing import Any

from .._tensor import Tensor
from ..ops.creation import zeros_like
from ._by_ops import OpOptimizer, check_option, check_rate, scalar
from .optimizer import ParamsT


class ASGD(OpOptimizer):
    """Averaged stochastic gradient descent (Polyak and Juditsky, 1992).

    The rate falls with the steps as ``lambd`` and ``alpha`` say, ``lambd`` also shrinks the
    parameters, and from step ``t0`` on ``state[param]["ax"]`` is the mean of what a parameter was.
    ``weight_decay`` adds that multiple of the parameter to the gradient; ``maximize`` goes uphill.
    ``capturable`` needs parameters on an accelerator, ``foreach`` chooses nothing here,
    ``differentiable`` records the step.

    >>> weight = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.ASGD([weight], lr=0.1, lambd=0.0)
    >>> (3 * weight).sum().backward()
    >>> optimizer.step()
    >>> weight
    tensor([0.7000], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_rate(lr)
        check_option("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    _captured = "params, mus, etas, and state_steps"

    def _start(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {
            "step": scalar(0.0),
            "eta": scalar(float(group["lr"])),
            "mu": scalar(1.0),
            "ax": zeros_like(param),
        }

    def _update(
        self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        lr, lambd, step = float(group["lr"]), group["lambd"], state["step"].item()
        rate, mean = state["eta"].item(), state["ax"]
        param.mul_(1 - lambd * rate)
        param.sub_(grad * rate)
        if state["mu"].item() == 1:
            mean.copy_(param)
        else:
            mean.add_((param - mean) * state["mu"].item())
        state["eta"].copy_(scalar(lr / (1 + lambd * lr * step) ** group["alpha"]))
        state["mu"].copy_(scalar(1 / max(1, step - group["t0"])))
