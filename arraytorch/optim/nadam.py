"""NAdam: Adam with Nesterov's momentum."""

from __future__ import annotations

from typing import Any

from .._tensor import Tensor
from ..ops.creation import zeros_like
from ._by_ops import OpOptimizer, blended, check_betas, check_option, check_rate, one_pass, scalar
from .optimizer import ParamsT, as_number


class NAdam(OpOptimizer):
    """NAdam (Dozat, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ).

    Adam with Nesterov's momentum, which grows with the steps as ``momentum_decay`` says.
    ``weight_decay`` adds that multiple of the parameter to the gradient or, with
    ``decoupled_weight_decay``, shrinks the parameter instead; ``maximize`` goes uphill.
    ``capturable`` needs parameters on an accelerator, ``foreach`` chooses nothing here,
    ``differentiable`` records the step.

    >>> weight = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.NAdam([weight], lr=0.1)
    >>> (3 * weight).sum().backward()
    >>> optimizer.step()
    >>> weight
    tensor([0.8944], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_rate(lr)
        check_option("epsilon value", eps)
        check_betas(betas)
        check_option("weight_decay value", weight_decay)
        check_option("momentum_decay value", momentum_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    _later_options = {**OpOptimizer._later_options, "decoupled_weight_decay": False}
    _captured = "params, mu_products and state_steps"

    def _start(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {
            "step": scalar(0.0),
            "mu_product": scalar(1.0),
            "exp_avg": zeros_like(param),
            "exp_avg_sq": zeros_like(param),
        }

    def _update(
        self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        (beta1, beta2), lr, step = group["betas"], group["lr"], state["step"].item()
        now, after = (
            beta1 * (1.0 - 0.5 * 0.96 ** (k * group["momentum_decay"])) for k in (step, step + 1)
        )
        state["mu_product"].mul_(now)
        product = state["mu_product"].item()
        of_g, of_m = lr * (1.0 - now) / (1.0 - product), lr * after / (1.0 - product * after)
        kept, spreads = (state["exp_avg"], state["exp_avg_sq"]), (1 - beta2**step, group["eps"])
        numbers = beta1, 1 - beta1, beta2, 1 - beta2, *spreads, as_number(of_g), as_number(of_m)
        if one_pass("nadam", group, param, grad, kept, numbers):
            return
        mean = blended(state["exp_avg"], grad, beta1)
        square = blended(state["exp_avg_sq"], grad * grad, beta2)
        spread = (square / (1 - beta2**step)).sqrt() + group["eps"]
        param.sub_(grad / spread * of_g)
        param.sub_(mean / spread * of_m)
