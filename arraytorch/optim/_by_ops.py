"""Optimizers whose step is written in ops, one parameter after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import _dtypes
from .._tensor import Tensor
from ..autograd.modes import enable_grad, no_grad
from ..autograd.tape import stamp_quietly
from ..backends import LARGE, backend_of
from ..ops.complex_numbers import view_as_real
from ..ops.creation import tensor
from ._checks import check_capturable, check_fused
from ._sparse import refuse_sparse
from .optimizer import Optimizer


class OpOptimizer(Optimizer):
    """Leaves to a subclass how a parameter's state starts and what a step does with it.

    New values are computed beside the old ones and then copied into the state's tensors, so that
    a step can be recorded.
    """

    # Options that groups saved by old releases lack, and their meaning.
    _later_options: dict[str, Any] = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }
    _captured = "params and state_steps"

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for name, value in self._later_options.items():
                group.setdefault(name, value)
            for param in group["params"]:
                own = self.state.get(param)
                for name in ("step", "mu_product", "eta", "mu"):
                    if own and name in own and not isinstance(own[name], Tensor):
                        own[name] = scalar(float(own[name]))

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Changes the parameters by their gradients; ``closure`` computes these, and the loss.

        Returns what the closure returns.
        """
        loss = self._evaluated(closure)
        for group in self.param_groups:
            self._look(group)
            if group.get("capturable"):
                check_capturable(group["params"], self._captured)
            if group.get("fused"):
                check_fused(group["params"])
            with enable_grad() if group["differentiable"] else no_grad():
                for param in group["params"]:
                    if param.grad is not None:
                        self._step(param, group)
        return loss

    def _look(self, group: dict[str, Any]) -> None:
        """Raises RuntimeError for gradients that the optimizer does not support."""
        refuse_sparse(self, group["params"])

    def _step(self, param: Tensor, group: dict[str, Any]) -> None:
        grad = -param.grad if group["maximize"] else param.grad
        state = self.state[param]
        if not state:
            with no_grad():
                state.update(self._start(param, group))
        state["step"].add_(1)
        # A group may carry keys that are another optimizer's.
        decay = group["weight_decay"] if "weight_decay" in self.defaults else 0
        if decay != 0:
            if group.get("decoupled_weight_decay"):
                param.mul_(1 - group["lr"] * decay)
            else:
                # A copy, as the parameter is about to be overwritten.
                grad = grad + param.clone() * decay
        if param.is_complex():  # real and imaginary parts are parameters of their own
            state = {k: view_as_real(v) if v.is_complex() else v for k, v in state.items()}
            param, grad = view_as_real(param), view_as_real(grad)
        self._update(param, grad, state, group)

    def _start(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        """Returns the state of a parameter before its first step."""
        raise NotImplementedError

    def _update(
        self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        """Changes a parameter, and its state, whose number of steps counts this one already."""
        raise NotImplementedError


def scalar(value: float, fused: bool | None = False) -> Tensor:
    """Returns a number of an optimizer's state as a tensor, of the precision that PyTorch uses."""
    double = not fused and _dtypes.get_default_dtype() is _dtypes.float64
    return tensor(value, dtype=_dtypes.float64 if double else _dtypes.float32)


def blended(old: Tensor, new: Tensor, keep: float) -> Tensor:
    """Returns ``keep`` of the old and the rest of the new, and copies it into the old."""
    mixed = old * keep + new * (1 - keep)
    old.copy_(mixed)
    return mixed


def one_pass(
    name: str, group: dict[str, Any], param: Tensor, grad: Tensor, kept: Sequence[Tensor],
    numbers: Sequence[float],
) -> bool:  # fmt: skip
    """Takes a step by one kernel where nothing is recorded and the backend has one; tells whether it did."""
    if group["differentiable"] or param.__class__ is not grad.__class__:
        return False
    p = param._data
    backend = backend_of(p)
    if p.size < LARGE or not hasattr(backend, "one_pass"):
        return False
    if not backend.one_pass(name, [p, grad._data, *[k._data for k in kept]], numbers):
        return False
    stamp_quietly([param, *kept])
    return True


def check_rate(lr: Any) -> None:
    """Raises ValueError for a learning rate below 0, or a tensor of several."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    check_option("learning rate", lr)


def check_option(name: str, value: Any, limit: float = float("inf")) -> None:
    """Raises ValueError for an option below 0 or above ``limit``."""
    if not 0.0 <= value <= limit:
        raise ValueError(f"Invalid {name}: {value}")


def check_betas(betas: Any) -> None:
    """Raises ValueError for decay rates outside [0, 1)."""
    for i in range(2):
        if not 0.0 <= betas[i] < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {betas[i]}")
