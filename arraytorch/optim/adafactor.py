"""Adafactor: Adam's scaling with the memory of a row and a column."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._tensor import Tensor
from .._type_info import finfo
from ..autograd.modes import no_grad
from ..ops.creation import zeros_like
from ._by_ops import scalar
from ._sparse import refuse_sparse
from .optimizer import Optimizer, ParamsT, as_number


class Adafactor(Optimizer):
    """Adafactor (Shazeer and Stern, https://arxiv.org/abs/1804.04235).

    The mean square of a matrix's gradients is kept as its means over rows and over columns, whose
    product stands for it; ``beta2_decay`` says how fast the share of new ones falls. The step is at
    most ``lr``, or 1 / sqrt(steps), times the root mean square of the parameter (``eps[1]`` at
    least); ``eps[0]``, by default the dtype's, bounds mean squares from below; updates of a root mean
    square above ``d`` are scaled down. ``weight_decay`` shrinks the parameter by itself,
    ``maximize`` goes uphill. ``foreach`` chooses nothing here.

    >>> weight = torch.tensor([[1.0, 2.0]], requires_grad=True)
    >>> optimizer = torch.optim.Adafactor([weight], lr=0.1)
    >>> (3 * weight).sum().backward()
    >>> optimizer.step()
    >>> weight
    tensor([[0.8419, 1.8419]], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        for fits, message in (
            (lr >= 0.0, f"Learning rate should be >= 0 but is: {lr}"),
            (beta2_decay <= 0.0, f"beta2_decay should be <= 0 but is: {beta2_decay}"),
            (eps[0] is None or eps[0] >= 0.0, f"epsilon1 should be >= 0 but is: {eps[0]}"),
            (eps[1] >= 0.0, f"epsilon2 should be >= 0 but is: {eps[1]}"),
            (d >= 1.0, f"Clipping threshold d should be >= 1 but is: {d}"),
            (weight_decay >= 0.0, f"weight_decay should be >= 0 but is: {weight_decay}"),
        ):
            if not fits:
                raise ValueError(message)
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("foreach", None)
            for param in group["params"]:
                own = self.state.get(param)
                if own and not isinstance(own["step"], Tensor):
                    own["step"] = scalar(float(own["step"]))

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Changes the parameters by their gradients; ``closure`` computes these, and the loss.

        Returns what the closure returns.
        """
        loss = self._evaluated(closure)
        with no_grad():
            for group in self.param_groups:
                refuse_sparse(self, group["params"])
                for param in group["params"]:
                    if param.grad is not None:
                        self._step(param, group)
        return loss

    def _step(self, param: Tensor, group: dict[str, Any]) -> None:
        if param.is_complex():
            raise RuntimeError("Adafactor does not support complex parameters")
        grad = -param.grad if group["maximize"] else param.grad
        state, (least, least_size) = self.state[param], group["eps"]
        if not state:
            state.update(_start(grad))
        least = finfo(param.dtype).eps if least is None else least
        state["step"].add_(1)
        steps, lr = state["step"].item(), as_number(group["lr"])
        size = max(least_size, param.norm().item() / param.numel() ** 0.5)
        rate = size * min(lr, 1 / steps**0.5)
        param.mul_(1 - lr * group["weight_decay"])
        square = _mean_square(grad, state, steps ** group["beta2_decay"], least)
        update = square.clamp(min=least * least).rsqrt() * grad
        excess = max(1.0, update.norm().item() / (update.numel() ** 0.5 * group["d"]))
        param.add_(update, alpha=-rate / excess)


def _start(grad: Tensor) -> dict[str, Any]:
    if grad.dim() < 2:
        return {"step": scalar(0.0), "variance": zeros_like(grad)}
    *others, rows, columns = grad.shape
    return {
        "step": scalar(0.0),
        "row_var": grad.new_zeros((*others, rows, 1)),
        "col_var": grad.new_zeros((*others, 1, columns)),
    }


def _mean_square(grad: Tensor, state: dict[str, Any], share: float, least: float) -> Tensor:
    """Gives the gradient its share of the running means; returns what they say of its square."""
    square = grad * grad
    if grad.dim() < 2:
        return state["variance"].lerp_(square, share).clone()
    rows = state["row_var"].lerp_(square.mean(-1, keepdim=True), share)
    columns = state["col_var"].lerp_(square.mean(-2, keepdim=True), share)
    return rows @ columns / rows.mean(-2, keepdim=True).clamp(min=least)
