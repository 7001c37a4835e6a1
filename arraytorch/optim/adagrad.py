"""Adagrad: gradients over the root of the sum of their squares."""

from __future__ import annotations

from typing import Any

from .._tensor import Tensor
from ..ops.creation import full_like
from ._by_ops import OpOptimizer, check_option, check_rate, scalar
from ._checks import check_flags
from .optimizer import ParamsT


class Adagrad(OpOptimizer):
    """Adagrad (Duchi et al., https://jmlr.org/papers/v12/duchi11a.html).

    Divides the gradient by the root of the sum of the squares of all gradients so far (which
    starts at ``initial_accumulator_value``) plus ``eps``; ``lr_decay`` slows the rate down with
    the steps. ``weight_decay`` adds that multiple of the parameter to the gradient; ``maximize``
    goes uphill. ``foreach`` and ``fused`` choose nothing here, ``differentiable`` records the step.

    >>> weight = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.Adagrad([weight], lr=0.1)
    >>> (3 * weight).sum().backward()
    >>> optimizer.step()
    >>> weight
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_rate(lr)
        check_option("lr_decay value", lr_decay)
        check_option("weight_decay value", weight_decay)
        check_option("initial_accumulator_value value", initial_accumulator_value)
        check_option("epsilon value", eps)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        check_flags(fused, foreach, differentiable)
        for group in self.param_groups:
            for param in group["params"]:
                self.state[param].update(self._start(param, group))

    _later_options = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "fused": None,
    }

    def _start(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        value = group["initial_accumulator_value"]
        start = complex(value, value) if param.is_complex() else value
        return {"step": scalar(0.0, group["fused"]), "sum": full_like(param, start)}

    def _update(
        self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        total = state["sum"] + grad * grad
        state["sum"].copy_(total)
        rate = group["lr"] / (1 + (state["step"].item() - 1) * group["lr_decay"])
        param.sub_(grad / (total.sqrt() + group["eps"]) * rate)
