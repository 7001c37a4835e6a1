"""Modules as functions of their parameters, and gradients of functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ._tensor import Tensor
from ._transforms import grad, grad_and_value, vjp
from .nn.modules.module import Module
from .nn.utils.stateless import called_with
from .ops.joining import stack

__all__ = ["functional_call", "grad", "grad_and_value", "stack_module_state", "vjp"]


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Calls a module with tensors in the places of its parameters and buffers of those names.

    They come in one dict or several, without a name twice. With ``tie_weights`` a tensor that has
    several names is replaced under all of them; with ``strict`` the names must be all there are.

    >>> layer = torch.nn.Linear(2, 1, bias=False)
    >>> torch.func.functional_call(layer, {"weight": torch.ones(1, 2)}, torch.tensor([2.0, 3.0]))
    tensor([5.])
    """
    given: Any = parameter_and_buffer_dicts
    if not isinstance(given, Mapping):
        if not isinstance(given, Sequence):
            raise ValueError(
                "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, "
                f"but got {type(given)}"
            )
        if not all(isinstance(part, Mapping) for part in given):
            raise ValueError(
                "Expected all elements of parameter_and_buffer_dicts to be dictionaries"
            )
        names = [name for part in given for name in part]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(
                f"{twice} appeared in multiple dictionaries; behavior of functional call is ambiguous"
            )
        given = {name: tensor for part in given for name, tensor in part.items()}
    return called_with(module, given, args, kwargs, tie_weights, strict)


def stack_module_state(
    models: Sequence[Module] | Any,
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Returns the parameters, and the buffers, of several models of one kind, stacked by name.

    >>> parameters, _ = torch.func.stack_module_state([torch.nn.Linear(2, 3) for _ in range(4)])
    >>> parameters["weight"].shape
    torch.Size([4, 3, 2])
    """
    models = list(models)
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({model.training for model in models}) > 1:
        raise RuntimeError(
            "stack_module_state: Expected all models to have the same training/eval mode."
        )
    if len({type(model) for model in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    parameters = {
        name: stack([dict(m.named_parameters())[name].detach() for m in models]).requires_grad_(
            value.requires_grad
        )
        for name, value in models[0].named_parameters()
    }
    buffers = {
        name: stack([dict(m.named_buffers())[name] for m in models])
        for name, _ in models[0].named_buffers()
    }
    return parameters, buffers
