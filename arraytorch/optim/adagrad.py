"""Adagrad: gradients over the root of the sum of their squares."""

from __future__ import annotations

from typing import Any

from .._tensor import Tensor
from ..autograd.tape import forbid_leaf
from ..ops.creation import full_like
from ._by_ops import OpOptimizer, check_option, check_rate, one_pass, scalar
from ._checks import check_flags
from ._sparse import add_sparse, like, with_sparse_gradients
from .optimizer import ParamsT, as_number


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

    def _look(self, group: dict[str, Any]) -> None:
        if sparse := with_sparse_gradients(group["params"]):
            if group["fused"]:
                raise RuntimeError("`fused` does not support sparse grad or complex param")
            if group["weight_decay"] != 0:
                raise RuntimeError("weight_decay option is not compatible with sparse gradients")
            if group["differentiable"]:
                forbid_leaf(sparse[0])

    def _update(
        self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        if grad.is_sparse:
            self._update_rows(param, grad.coalesce(), state, group)
            return
        rate = group["lr"] / (1 + (state["step"].item() - 1) * group["lr_decay"])
        numbers = group["eps"], as_number(rate)
        if one_pass("adagrad", group, param, grad, [state["sum"]], numbers):
            return
        total = state["sum"] + grad * grad
        state["sum"].copy_(total)
        param.sub_(grad / (total.sqrt() + group["eps"]) * rate)

    def _update_rows(
        self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        add_sparse(state["sum"], grad.pow(2))
        rate = group["lr"] / (1 + (state["step"].item() - 1) * group["lr_decay"])
        spread = state["sum"].sparse_mask(grad).values().sqrt() + group["eps"]
        add_sparse(param, like(grad, grad.values() / spread * -rate))
