"""Muon: momentum whose matrices are made orthogonal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._tensor import Tensor
from ..autograd.modes import no_grad
from ..ops.creation import zeros_like
from ._sparse import refuse_sparse
from .optimizer import Optimizer, ParamsT, as_number


class Muon(Optimizer):
    """Muon (Jordan, https://kellerjordan.github.io/posts/muon), for matrices alone.

    The momentum, a running mean with the weight ``momentum`` (``nesterov`` looks one step ahead), is
    brought near the orthogonal matrix closest to it by ``ns_steps`` Newton-Schulz iterations in
    bfloat16 with ``ns_coefficients``; ``eps`` bounds the norm to divide by. ``weight_decay`` shrinks
    the parameter by itself. ``adjust_lr_fn`` scales the rate by the shape: "original" (and None) by
    sqrt(rows / columns) where that is above 1, "match_rms_adamw" by 0.2 sqrt(the larger of both).

    >>> weight = torch.tensor([[3.0, 0.0], [0.0, 4.0]], requires_grad=True)
    >>> optimizer = torch.optim.Muon([weight], lr=0.1, weight_decay=0)
    >>> (weight**2).sum().backward()
    >>> optimizer.step()
    >>> weight.diagonal()
    tensor([2.9302, 3.8906], grad_fn=<DiagonalBackward0>)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        for name, value in (
            ("Learning rate", lr),
            ("momentum", momentum),
            ("weight decay", weight_decay),
        ):
            if not value >= 0.0:
                raise ValueError(f"{name} should be >= 0 but is: {value}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for param in group["params"]:
                if param.ndim != 2:
                    raise ValueError(
                        "Muon only supports 2D parameters whereas we found a parameter with "
                        f"size: {param.size()}"
                    )

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
            raise RuntimeError("Muon does not support complex parameters")
        grad, momentum = param.grad, group["momentum"]
        state = self.state[param]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = zeros_like(grad)
        mean = state["momentum_buffer"].lerp_(grad, 1 - momentum)
        update = grad.lerp(mean, momentum) if group["nesterov"] else mean
        update = _orthogonal(update, group["ns_coefficients"], group["ns_steps"], group["eps"])
        lr = as_number(group["lr"])
        param.mul_(1 - lr * group["weight_decay"])
        param.add_(update, alpha=-lr * _shape_factor(group["adjust_lr_fn"], *param.shape))


def _shape_factor(kind: str | None, rows: int, columns: int) -> float:
    if kind == "match_rms_adamw":
        return 0.2 * max(rows, columns) ** 0.5
    return max(1, rows / columns) ** 0.5


def _orthogonal(matrix: Tensor, coefficients: Any, steps: int, eps: float) -> Tensor:
    """Brings the singular values of a matrix near 1, by iterating a polynomial of it."""
    if steps >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    a, b, c = coefficients
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.bfloat16()
    x = x.T if tall else x
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = _summed(a, x, 1.0, _summed(b, gram, c, gram, gram), x)
    return x.T if tall else x


def _summed(beta: float, start: Tensor, alpha: float, left: Tensor, right: Tensor) -> Tensor:
    """Returns beta * start + alpha * left @ right of bfloat16, computed in float32, rounded once."""
    return (beta * start.float() + alpha * (left.float() @ right.float())).bfloat16()
