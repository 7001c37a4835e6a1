"""RAdam: Adam that trusts its mean square only when it has seen enough."""

from __future__ import annotations

import math
from typing import Any

from .._tensor import Tensor
from ..ops.creation import zeros_like
from ._by_ops import OpOptimizer, blended, check_betas, check_option, check_rate, scalar
from .optimizer import ParamsT


class RAdam(OpOptimizer):
    """RAdam (Liu et al., https://arxiv.org/abs/1908.03265).

    Adam, except that the first steps use the running mean of the gradient alone, and the next
    ones scale by how well the mean square is known. ``weight_decay`` adds that multiple of the
    parameter to the gradient or, with ``decoupled_weight_decay``, shrinks the parameter instead;
    ``maximize`` goes uphill. ``capturable`` needs parameters on an accelerator, ``foreach``
    chooses nothing here, ``differentiable`` records the step.

    >>> weight = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.RAdam([weight], lr=0.1)
    >>> (3 * weight).sum().backward()
    >>> optimizer.step()
    >>> weight
    tensor([0.7000], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
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
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    _later_options = {**OpOptimizer._later_options, "decoupled_weight_decay": False}

    def _start(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {
            "step": scalar(0.0),
            "exp_avg": zeros_like(param),
            "exp_avg_sq": zeros_like(param),
        }

    def _update(
        self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        (beta1, beta2), step = group["betas"], state["step"].item()
        change = blended(state["exp_avg"], grad, beta1) / (1 - beta1**step) * group["lr"]
        square = blended(state["exp_avg_sq"], grad * grad, beta2)
        bias = 1 - beta2**step
        # The length of the simple moving average that the running mean square amounts to.
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * step * beta2**step / bias
        if length > 5.0:
            known = (length - 4) * (length - 2) * longest
            certain = (longest - 4) * (longest - 2) * length
            spread = square.sqrt() + group["eps"]
            change = change * (math.sqrt(bias) * math.sqrt(known / certain)) / spread
        param.sub_(change)
