"""An optimizer with other parameters and another state, for a while."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from .._tensor import Tensor
from ..autograd.modes import no_grad
from .optimizer import Optimizer


@contextlib.contextmanager
def swap_in_optimizer_params_and_state(
    optimizer: Optimizer,
    swapin_parameters: dict[str, Tensor],
    swapin_optim_state: dict[str, Any],
) -> Iterator[None]:
    """Has an optimizer work on other parameters, from another state, while it lasts.

    The parameters come in the order of the optimizer's own; the state has the form of `state_dict`.
    What the optimizer writes in place stays in both; what else it changes is forgotten.

    >>> own, other = (torch.zeros(1, requires_grad=True) for _ in range(2))
    >>> optimizer = torch.optim.SGD([own], lr=0.5)
    >>> other.grad = torch.ones(1)
    >>> state = optimizer.state_dict()
    >>> with torch.optim.swap_in_optimizer_params_and_state(optimizer, {"w": other}, state):
    ...     optimizer.step()
    >>> own.item(), other.item()
    (0.0, -0.5)
    """
    params = list(swapin_parameters.values())
    count = sum(len(group["params"]) for group in optimizer.param_groups)
    if len(params) != count:
        raise ValueError(
            f"expected {count} parameters, one for each of the optimizer's, got {len(params)}"
        )
    numbers = [n for group in swapin_optim_state["param_groups"] for n in group["params"]]
    by_number = dict(zip(numbers, params, strict=True))
    before = optimizer.state, optimizer.param_groups, optimizer._prepared
    optimizer.param_groups = [
        {**group, "params": [by_number[n] for n in group["params"]]}
        for group in swapin_optim_state["param_groups"]
    ]
    optimizer.state = defaultdict(dict)
    for number, values in swapin_optim_state["state"].items():
        optimizer.state[by_number[number]] = dict(values)
    optimizer._prepared = {}
    try:
        yield
    finally:
        # A fused step packs the state of many parameters: what was given gets its new values.
        with no_grad():
            for number, values in swapin_optim_state["state"].items():
                for name, new in optimizer.state[by_number[number]].items():
                    given = values.get(name)
                    if isinstance(given, Tensor) and given is not new:
                        given.copy_(new)
        optimizer.state, optimizer.param_groups, optimizer._prepared = before
