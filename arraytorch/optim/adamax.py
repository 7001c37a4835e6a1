"""Adamax: Adam with the largest gradient in place of the mean square."""

from __future__ import annotations

from typing import Any

from .._tensor import Tensor
from ..ops.creation import zeros_like
from ._by_ops import OpOptimizer, blended, check_betas, check_option, check_rate, one_pass, scalar
from .optimizer import ParamsT, as_number


class Adamax(OpOptimizer):
    """Adamax (Kingma and Ba, https://arxiv.org/abs/1412.6980, section 7.1).

    Divides the running mean of the gradient by the largest (gradient plus ``eps``) so far, which
    decays with the second of ``betas``. ``weight_decay`` adds that multiple of the parameter to
    the gradient; ``maximize`` goes uphill. ``capturable`` needs parameters on an accelerator,
    ``foreach`` chooses nothing here, ``differentiable`` records the step.

    >>> weight = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.Adamax([weight], lr=0.1)
    >>> (3 * weight).sum().backward()
    >>> optimizer.step()
    >>> weight
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_rate(lr)
        check_option("epsilon value", eps)
        check_betas(betas)
        check_option("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _start(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {
            "step": scalar(0.0),
            "exp_avg": zeros_like(param),
            "exp_inf": zeros_like(param),
        }

    def _update(
        self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        beta1, beta2 = group["betas"]
        eps, rate = group["eps"], as_number(group["lr"]) / (1 - beta1 ** state["step"].item())
        kept = state["exp_avg"], state["exp_inf"]
        numbers = beta1, 1 - beta1, beta2, eps, rate
        if one_pass("adamax", group, param, grad, kept, numbers):
            return
        mean = blended(state["exp_avg"], grad, beta1)
        largest = (state["exp_inf"] * beta2).maximum(grad.abs() + group["eps"])
        state["exp_inf"].copy_(largest)
        param.sub_(mean / largest * (group["lr"] / (1 - beta1 ** state["step"].item())))
