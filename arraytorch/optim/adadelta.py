"""Adadelta: steps as large as the last ones were."""

from __future__ import annotations

from typing import Any

from .._tensor import Tensor
from ..ops.creation import zeros_like
from ._by_ops import OpOptimizer, blended, check_option, check_rate, one_pass, scalar
from .optimizer import ParamsT, as_number


class Adadelta(OpOptimizer):
    """Adadelta (Zeiler, https://arxiv.org/abs/1212.5701).

    Scales the gradient by the root of the running mean square of the changes so far over that of
    the gradients, both with the decay rate ``rho`` and plus ``eps`` under the root.
    ``weight_decay`` adds that multiple of the parameter to the gradient; ``maximize`` goes uphill.
    ``capturable`` needs parameters on an accelerator, ``foreach`` chooses nothing here,
    ``differentiable`` records the step.

    >>> weight = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.Adadelta([weight], eps=0.01)
    >>> (3 * weight).sum().backward()
    >>> optimizer.step()
    >>> weight
    tensor([0.6855], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_rate(lr)
        check_option("rho value", rho, 1.0)
        check_option("epsilon value", eps)
        check_option("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _start(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {
            "step": scalar(0.0),
            "square_avg": zeros_like(param),
            "acc_delta": zeros_like(param),
        }

    def _update(
        self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        rho, eps = group["rho"], group["eps"]
        kept = state["square_avg"], state["acc_delta"]
        numbers = rho, 1 - rho, eps, as_number(group["lr"])
        if one_pass("adadelta", group, param, grad, kept, numbers):
            return
        spread = (blended(state["square_avg"], grad * grad, rho) + eps).sqrt()
        change = (state["acc_delta"] + eps).sqrt() / spread * grad
        blended(state["acc_delta"], change * change, rho)
        param.sub_(change * group["lr"])
