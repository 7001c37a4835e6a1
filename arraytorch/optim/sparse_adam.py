"""SparseAdam: Adam that changes only the rows for which there are gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .._tensor import Tensor
from ..autograd.modes import no_grad
from ..ops.creation import zeros_like
from ._sparse import add_sparse, like
from .optimizer import Optimizer, ParamsT, as_number


class SparseAdam(Optimizer):
    """Adam (Kingma and Ba, https://arxiv.org/abs/1412.6980) for sparse gradients, in a lazy form.

    The running means of a row, and the row itself, change only in steps whose gradient has that row,
    and decay by ``betas`` only then. The correction for their start at zero counts all steps. For
    parameters of embeddings with ``sparse=True``; ``maximize`` goes uphill.

    Raises ValueError for sparse or complex parameters, RuntimeError for dense gradients.

    >>> table = torch.nn.Embedding(4, 1, sparse=True)
    >>> _ = torch.nn.init.ones_(table.weight)
    >>> optimizer = torch.optim.SparseAdam(table.parameters(), lr=0.1)
    >>> table(torch.tensor([2])).sum().backward()
    >>> optimizer.step()
    >>> table.weight.T
    tensor([[1.0000, 1.0000, 0.9000, 1.0000]], grad_fn=<PermuteBackward0>)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not lr > 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not eps > 0.0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        for i in range(2):
            if not 0.0 <= betas[i] < 1.0:
                raise ValueError(f"Invalid beta parameter at index {i}: {betas[i]}")
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})
        for wrong, what, demand in (
            ("is_sparse", "Sparse", "requires dense parameter tensors"),
            ("is_complex", "Complex", "does not support complex parameters"),
        ):
            found = self._places(wrong)
            if found:
                raise ValueError(f"{what} params at indices {found}: SparseAdam {demand}")

    def _places(self, wrong: str) -> list[list[int]]:
        """Where there are parameters of a kind, as pairs of the group and the position in it."""

        def is_wrong(param: Tensor) -> bool:
            value = getattr(param, wrong)
            return bool(value() if callable(value) else value)

        return [
            [g, i]
            for g, group in enumerate(self.param_groups)
            for i, param in enumerate(group["params"])
            if is_wrong(param)
        ]

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Changes the parameters by their gradients; ``closure`` computes these, and the loss.

        Returns what the closure returns.
        """
        loss = self._evaluated(closure)
        with no_grad():
            for group in self.param_groups:
                live = [param for param in group["params"] if param.grad is not None]
                if not all(param.grad.is_sparse for param in live):
                    raise RuntimeError(
                        "SparseAdam does not support dense gradients, please consider Adam instead"
                    )
                for param in live:
                    self._step(param, group)
        return loss

    def _step(self, param: Tensor, group: dict[str, Any]) -> None:
        state = self.state[param]
        if not state:
            state.update(step=0, exp_avg=zeros_like(param), exp_avg_sq=zeros_like(param))
        state["step"] += 1
        grad = (-param.grad if group["maximize"] else param.grad).coalesce()
        if not grad._nnz():
            return
        g, (beta1, beta2) = grad.values(), group["betas"]
        mean, square = (_moved(state[name], grad, to, 1 - beta) for name, to, beta in (
            ("exp_avg", g, beta1), ("exp_avg_sq", g * g, beta2)
        ))  # fmt: skip
        bias1, bias2 = (1 - beta ** state["step"] for beta in (beta1, beta2))
        rate = as_number(group["lr"]) * math.sqrt(bias2) / bias1
        add_sparse(param, like(grad, mean / (square.sqrt() + group["eps"]) * -rate))


def _moved(average: Tensor, grad: Tensor, goal: Tensor, share: float) -> Tensor:
    """Moves a running mean towards a goal at the places of a gradient; returns it there."""
    old = average.sparse_mask(grad).values()
    change = (goal - old) * share
    add_sparse(average, like(grad, change))
    return old + change
