"""SGD: stochastic gradient descent, with momentum if wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._tensor import Tensor
from ..autograd.modes import enable_grad, no_grad
from ._checks import check_flags, check_fused
from ._packing import packing
from ._sparse import add_sparse, with_sparse_gradients
from .optimizer import Optimizer, ParamsT, as_number


class SGD(Optimizer):
    """Stochastic gradient descent: subtracts ``lr`` times the gradient.

    With ``momentum``, a buffer takes the place of the gradient: momentum times the buffer plus
    (1 - ``dampening``) times the gradient, from the second step on; ``nesterov`` looks one step
    ahead (Sutskever et al., 2013). ``weight_decay`` adds that multiple of the parameter to the
    gradient; ``maximize`` goes uphill. ``foreach`` and ``fused`` are PyTorch's, and choose nothing
    here: all parameters of a group are updated together anyway. ``differentiable`` records the
    step, for parameters that are no leaves.

    >>> weight = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.SGD([weight], lr=0.5)
    >>> (3 * weight).sum().backward()
    >>> optimizer.step()
    >>> weight
    tensor([-0.5000], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if lr < 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if momentum < 0.0:
            raise ValueError(f"Invalid momentum value: {momentum}")
        if weight_decay < 0.0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        check_flags(fused, foreach, differentiable)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("nesterov", False)
            group.setdefault("maximize", False)
            group.setdefault("foreach", None)
            group.setdefault("differentiable", False)
            group.setdefault("fused", False)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Changes the parameters by their gradients; ``closure`` computes these, and the loss.

        Returns what the closure returns.
        """
        loss = self._evaluated(closure)
        for group in self.param_groups:
            if group["differentiable"]:
                with enable_grad():
                    for param in group["params"]:
                        if (grad := self._direction(param, group)) is not None:
                            param.add_(grad * -group["lr"])
            else:
                if sparse := with_sparse_gradients(group["params"]):
                    self._step_rows(sparse, group)
                self._step(group)
        return loss

    def _step(self, group: dict[str, Any]) -> None:
        if group["fused"]:
            check_fused(group["params"])
        momentum = group["momentum"]
        names = ("momentum_buffer",) if momentum != 0 else ()
        packs, complete = packing(self, group, names, None)
        if packs is None:
            return
        lr, decay = as_number(group["lr"]), as_number(group["weight_decay"])
        dampening, nesterov = group["dampening"], group["nesterov"]
        for pack, flat, params, grads, at in packs.calls(complete):
            first = not pack.started[at.start or 0]
            pack.backend.sgd_step(
                flat, params, grads, lr, momentum, dampening, decay, nesterov,
                group["maximize"], first,
            )  # fmt: skip
            if first:
                pack.started[at] = [True] * len(params)

    def _step_rows(self, params: list[Tensor], group: dict[str, Any]) -> None:
        """The step for sparse gradients."""
        if group["fused"]:
            raise RuntimeError("`_fused_sgd` does not support sparse gradients")
        with no_grad():
            for param in params:
                change = self._direction(param, group) * -as_number(group["lr"])
                if change.is_sparse:
                    add_sparse(param, change)
                else:  # the buffer is from steps with dense gradients
                    param.add_(change)

    def _direction(self, param: Tensor, group: dict[str, Any]) -> Any:
        """What a parameter is to move against, computed by ops that can be recorded."""
        momentum, decay, grad = group["momentum"], group["weight_decay"], param.grad
        if grad is None:
            return None
        if group["maximize"]:
            grad = -grad
        if decay != 0:
            # A copy, as the parameter is about to be overwritten.
            grad = grad + param.clone() * decay
        if momentum != 0:
            state = self.state[param]
            buffer = state.get("momentum_buffer")
            if buffer is None:
                buffer = grad.detach().clone()
            else:
                buffer.mul_(momentum).add_(grad, alpha=1 - group["dampening"])
            # Coalesced, as it would grow with each step.
            state["momentum_buffer"] = buffer = buffer.coalesce() if buffer.is_sparse else buffer
            # A copy, as the next step overwrites the buffer.
            grad = grad + buffer * momentum if group["nesterov"] else buffer.clone()
        return grad
