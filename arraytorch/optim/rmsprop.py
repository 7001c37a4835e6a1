"""RMSprop: gradients over the root of their running mean square."""

from __future__ import annotations

from typing import Any

from .._tensor import Tensor
from ..ops.creation import zeros_like
from ._by_ops import OpOptimizer, blended, check_option, check_rate, one_pass, scalar
from .optimizer import ParamsT, as_number


class RMSprop(OpOptimizer):
    """RMSprop (Hinton, lecture 6e of Neural Networks for Machine Learning).

    Divides the gradient by the root of the running mean of its square, with the decay rate
    ``alpha``, plus ``eps``; ``centered`` subtracts the square of the running mean first.
    ``momentum`` gathers these quotients. ``weight_decay`` adds that multiple of the parameter to
    the gradient; ``maximize`` goes uphill. ``capturable`` needs parameters on an accelerator,
    ``foreach`` chooses nothing here, ``differentiable`` records the step.

    >>> weight = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.RMSprop([weight], lr=0.01)
    >>> (3 * weight).sum().backward()
    >>> optimizer.step()
    >>> weight
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_rate(lr)
        check_option("epsilon value", eps)
        check_option("momentum value", momentum)
        check_option("weight_decay value", weight_decay)
        check_option("alpha value", alpha)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    _later_options = {**OpOptimizer._later_options, "momentum": 0, "centered": False}

    def _start(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        state = {"step": scalar(0.0), "square_avg": zeros_like(param)}
        if group["momentum"] > 0:
            state["momentum_buffer"] = zeros_like(param)
        if group["centered"]:
            state["grad_avg"] = zeros_like(param)
        return state

    def _update(
        self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        alpha, again = group["alpha"], group["momentum"]
        names = [
            "square_avg",
            *["grad_avg"] * group["centered"],
            *["momentum_buffer"] * (again > 0),
        ]
        kernel = ("centered" if group["centered"] else "rmsprop") + "_momentum" * (again > 0)
        numbers = [alpha, 1 - alpha, group["eps"], as_number(group["lr"]), *[again] * (again > 0)]
        if one_pass(kernel, group, param, grad, [state[n] for n in names], numbers):
            return
        spread = blended(state["square_avg"], grad * grad, alpha)
        if group["centered"]:
            mean = blended(state["grad_avg"], grad, alpha)
            spread = spread - mean * mean
        change = grad / (spread.sqrt() + group["eps"])
        if group["momentum"] > 0:
            change = state["momentum_buffer"] * group["momentum"] + change
            state["momentum_buffer"].copy_(change)
        param.sub_(change * group["lr"])
