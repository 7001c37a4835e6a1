"""LBFGS: a quasi-Newton method, for smooth losses without noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._tensor import Tensor
from ..autograd.modes import enable_grad, no_grad
from ..ops.complex_numbers import view_as_real
from ..ops.joining import cat
from ._wolfe import Point, search
from .optimizer import Optimizer, ParamsT, as_number


class LBFGS(Optimizer):
    """L-BFGS (Liu and Nocedal, 1989): steps by an inverse Hessian estimated from the last steps.

    One `step` makes up to ``max_iter`` moves with at most ``max_eval`` calls of its closure, which
    has to clear the gradients, compute the loss, call ``backward`` and return the loss. It ends
    early when no gradient exceeds ``tolerance_grad``, or neither the loss nor a parameter moves by
    ``tolerance_change``. The last ``history_size`` moves are kept. ``line_search_fn`` is None, which
    goes ``lr`` times the direction, or "strong_wolfe". There can be one group of parameters only.

    >>> weight = torch.tensor([3.0, -1.0], requires_grad=True)
    >>> optimizer = torch.optim.LBFGS([weight], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (weight**4).sum() + (weight[0] - weight[1]) ** 2
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure).item(), closure().item() < 1e-6
    (98.0, True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not lr >= 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Makes up to ``max_iter`` moves; returns the loss that ``closure`` had before the first."""
        if len(self.param_groups) != 1:
            raise AssertionError(
                f"Expected exactly one param_group, but got {len(self.param_groups)}"
            )
        with no_grad():
            return self._minimize(enable_grad()(closure), self.param_groups[0])

    def _minimize(self, closure: Callable[[], Any], group: dict[str, Any]) -> Any:
        # All of it is the state of the first parameter, as in PyTorch, whose files have it there.
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first_loss = closure()
        loss, grad = float(first_loss), self._flat_grad()
        state["func_evals"] += 1
        if grad.abs().max() <= group["tolerance_grad"]:
            return first_loss
        memory = {name: state.get(name) for name in _MEMORY}
        evals = moves = 0
        while moves < group["max_iter"]:
            moves += 1
            state["n_iter"] += 1
            start = state["n_iter"] == 1
            self._turn(memory, grad, start, state, group["history_size"])
            # A copy of its own: the closure may fill the gradients in place.
            memory["prev_flat_grad"], memory["prev_loss"] = grad.clone(), loss
            rate = as_number(group["lr"])
            memory["t"] = min(1.0, 1.0 / grad.abs().sum()) * rate if start else rate
            slope = grad.dot(memory["d"])
            if slope > -group["tolerance_change"]:
                break
            last = moves == group["max_iter"]
            before = Point(0, loss, grad, slope)
            after, used = self._move(closure, group, memory, before, evals, last)
            loss, grad = after.loss, after.grad
            evals += used
            state["func_evals"] += used
            if last or evals + 1 >= group["max_eval"] or self._settled(memory, loss, grad, group):
                break
        state.update(memory)
        return first_loss

    @staticmethod
    def _turn(
        memory: dict[str, Any], grad: Tensor, start: bool, state: dict[str, Any], history_size: int
    ) -> None:
        """Sets the next direction, ``d``, after it has learned from the move just made."""
        if start:
            memory.update(d=-grad, old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return
        changes, moves, weights = memory["old_dirs"], memory["old_stps"], memory["ro"]
        change, move = grad - memory["prev_flat_grad"], memory["d"] * memory["t"]
        curvature = change.dot(move)
        if curvature > 1e-10:
            if len(changes) == history_size:
                del changes[0], moves[0], weights[0]
            changes.append(change)
            moves.append(move)
            weights.append(1.0 / curvature)
            memory["H_diag"] = curvature / change.dot(change)
        shares = state.setdefault("al", [None] * history_size)
        direction = -grad
        for i in reversed(range(len(changes))):
            shares[i] = moves[i].dot(direction) * weights[i]
            direction.sub_(changes[i] * shares[i])
        direction = direction * memory["H_diag"]
        for i in range(len(changes)):
            back = changes[i].dot(direction) * weights[i]
            direction.add_(moves[i] * (shares[i] - back))
        memory["d"] = direction

    def _move(
        self,
        closure: Callable[[], Any],
        group: dict[str, Any],
        memory: dict[str, Any],
        here: Point,
        evals: int,
        last: bool,
    ) -> tuple[Point, int]:
        """Goes along ``d``; returns where that ends, and how many calls of the closure it took."""
        if group["line_search_fn"] is None:
            self._go(memory["t"], memory["d"])
            if last:  # its gradient would serve nobody
                return here, 0
            return Point(memory["t"], float(closure()), self._flat_grad(), None), 1
        if group["line_search_fn"] != "strong_wolfe":
            raise RuntimeError("only 'strong_wolfe' is supported")
        origin = [param.clone() for param in self._params]

        def evaluate(t: Any) -> Point:
            self._go(t, memory["d"])
            loss, grad = float(closure()), self._flat_grad()
            for param, value in zip(self._params, origin):
                param.copy_(value)
            return Point(t, loss, grad, grad.dot(memory["d"]))

        reach = memory["d"].abs().max()
        limit = group["max_eval"] - 1 - evals
        point, used = search(evaluate, here, memory["t"], reach, limit)
        memory["t"] = point.step
        self._go(point.step, memory["d"])
        return point, used

    @staticmethod
    def _settled(memory: dict[str, Any], loss: float, grad: Tensor, group: dict[str, Any]) -> bool:
        little = group["tolerance_change"]
        return bool(
            grad.abs().max() <= group["tolerance_grad"]
            or (memory["d"] * memory["t"]).abs().max() <= little
            or abs(loss - memory["prev_loss"]) < little
        )

    @property
    def _params(self) -> list[Tensor]:
        return self.param_groups[0]["params"]

    def _flat_grad(self) -> Tensor:
        """Returns the gradients of all parameters as one vector, which shares no memory."""
        parts = []
        for param in self._params:
            grad = param.grad
            part = param.new_zeros(param.numel()) if grad is None else grad.to_dense().reshape(-1)
            parts.append(view_as_real(part).reshape(-1) if part.is_complex() else part)
        return cat(parts)

    def _go(self, t: Any, direction: Tensor) -> None:
        start = 0
        for param in self._params:
            values = view_as_real(param) if param.is_complex() else param
            end = start + values.numel()
            values.add_(direction[start:end].view(values.shape) * t)
            start = end


_MEMORY = ("d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad", "prev_loss")
