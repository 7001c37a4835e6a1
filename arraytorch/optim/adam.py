"""Adam, and AdamW, which is Adam with another weight decay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import _dtypes
from .._tensor import Tensor
from ..autograd.modes import enable_grad
from ..ops.creation import tensor, zeros_like
from ._checks import check_capturable, check_flags, check_fused
from ._packing import packing
from ._sparse import with_sparse_gradients
from .optimizer import Optimizer, ParamsT, as_number


class Adam(Optimizer):
    """Adam (Kingma and Ba, https://arxiv.org/abs/1412.6980).

    Subtracts ``lr`` times the running mean of the gradient over the root of that of its square
    (plus ``eps``), both corrected for their start at zero; ``betas`` are their decay rates.
    ``weight_decay`` adds that multiple of the parameter to the gradient or, with
    ``decoupled_weight_decay``, shrinks the parameter instead. ``amsgrad`` uses the largest mean
    square so far (https://arxiv.org/abs/1904.09237); ``maximize`` goes uphill. ``foreach`` and
    ``fused`` are PyTorch's, and choose nothing here: all parameters of a group are updated
    together anyway. ``capturable`` needs parameters on an accelerator. ``differentiable`` records
    the step, for parameters that are no leaves.

    >>> weight = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.Adam([weight], lr=0.1)
    >>> (3 * weight).sum().backward()
    >>> optimizer.step()
    >>> weight
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        _check_options(lr, betas, eps, weight_decay, bool(foreach) and not capturable)
        defaults = {
            "lr": lr,
            "betas": tuple(b.squeeze() if isinstance(b, Tensor) else b for b in betas),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)
        check_flags(fused, foreach, differentiable)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("amsgrad", False)
            group.setdefault("maximize", False)
            group.setdefault("foreach", None)
            group.setdefault("capturable", False)
            group.setdefault("differentiable", False)
            group.setdefault("decoupled_weight_decay", False)
            group.setdefault("fused", None)
            for param in group["params"]:
                own = self.state.get(param)
                if own and not isinstance(own["step"], Tensor):  # from before PyTorch 1.12
                    own["step"] = tensor(float(own["step"]), dtype=_step_dtype(group))

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Changes the parameters by their gradients; ``closure`` computes these, and the loss.

        Returns what the closure returns.
        """
        loss = self._evaluated(closure)
        for group in self.param_groups:
            if with_sparse_gradients(group["params"]):
                raise RuntimeError(
                    "Adam does not support sparse gradients, please consider SparseAdam instead"
                )
            if group["differentiable"]:
                with enable_grad():
                    self._recorded_step(group)
            else:
                self._step(group)
        return loss

    def _step(self, group: dict[str, Any]) -> None:
        if group["fused"]:
            check_fused(group["params"])
        if group["capturable"]:
            check_capturable(group["params"])
        packs, complete = packing(self, group, _names(group), _step_dtype(group))
        if packs is None:
            return
        beta1, beta2 = group["betas"]
        beta1, beta2, lr = as_number(beta1), as_number(beta2), as_number(group["lr"])
        eps, decay = group["eps"], as_number(group["weight_decay"])
        for pack, flat, params, grads, at in packs.calls(complete):
            steps = pack.steps[at]
            steps += 1
            pack.backend.adam_step(
                flat, params, grads, steps.item(0), lr, beta1, beta2, eps, decay,
                group["amsgrad"], group["decoupled_weight_decay"], group["maximize"],
            )  # fmt: skip

    def _recorded_step(self, group: dict[str, Any]) -> None:
        """The step in ops that are recorded, so that gradients flow through it."""
        beta1, beta2 = group["betas"]
        lr, decay = group["lr"], group["weight_decay"]
        for param in group["params"]:
            grad = param.grad
            if grad is None:
                continue
            state = self.state[param]
            if not state:
                state["step"] = tensor(0.0, dtype=_step_dtype(group))
                state.update((name, zeros_like(param)) for name in _names(group))
            step, m, v = state["step"], state["exp_avg"], state["exp_avg_sq"]
            if step.requires_grad:
                raise RuntimeError(
                    "`requires_grad` is not supported for `step` in differentiable mode"
                )
            if group["maximize"]:
                grad = -grad
            step += 1
            if decay != 0 and group["decoupled_weight_decay"]:
                param.mul_(1 - lr * decay)
            elif decay != 0:
                grad = grad + param.clone() * decay
            m.mul_(beta1).add_(grad * (1 - beta1))
            v.mul_(beta2).add_((grad * grad.conj() if grad.is_complex() else grad**2) * (1 - beta2))
            count = step.clone()
            if group["amsgrad"]:
                v = state["max_exp_avg_sq"].copy_(
                    state["max_exp_avg_sq"].clone().maximum(v.clone())
                )
            spread = v.sqrt() / (1 - beta2**count).sqrt() + group["eps"]
            param.add_(m.clone() / spread * (-lr / (1 - beta1**count)))


def _check_options(lr: Any, betas: Any, eps: float, weight_decay: float, foreach: bool) -> None:
    if isinstance(lr, Tensor):
        if foreach:
            raise ValueError(
                "lr as a Tensor is not supported for capturable=False and foreach=True"
            )
        if lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
    if not lr >= 0.0:
        raise ValueError(f"Invalid learning rate: {lr}")
    if not eps >= 0.0:
        raise ValueError(f"Invalid epsilon value: {eps}")
    for i in range(2):
        if not 0.0 <= betas[i] < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {betas[i]}")
    if not weight_decay >= 0.0:
        raise ValueError(f"Invalid weight_decay value: {weight_decay}")
    if not any(all(isinstance(beta, kind) for beta in betas[:2]) for kind in (float, Tensor)):
        raise ValueError("betas must be either both floats or both Tensors")
    for i in range(2):
        if isinstance(betas[i], Tensor):
            if foreach:
                raise ValueError(
                    f"betas[{i}] as a Tensor is not supported for capturable=False and foreach=True"
                )
            if betas[i].numel() != 1:
                raise ValueError(f"Tensor betas[{i}] must be 1-element")


def _names(group: dict[str, Any]) -> tuple[str, ...]:
    return _WITH_MAXIMUM if group["amsgrad"] else _MOMENTS


_MOMENTS = ("exp_avg", "exp_avg_sq")
_WITH_MAXIMUM = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")


def _step_dtype(group: dict[str, Any]) -> _dtypes.dtype:
    if group["fused"] or _dtypes.get_default_dtype() is not _dtypes.float64:
        return _dtypes.float32
    return _dtypes.float64
