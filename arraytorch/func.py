"""Modules as functions of their parameters, and gradients of functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ._jacobians import hessian, jacfwd, jacrev, jvp, linearize
from ._rearrange import rearrange
from ._tensor import Tensor
from ._transforms import grad, grad_and_value, vjp
from ._vmap import vmap
from .autograd.tape import wrap
from .nn.modules.batchnorm import _BatchNorm
from .nn.modules.module import Module
from .nn.utils.stateless import called_with
from .ops.joining import stack

__all__ = [
    "debug_unwrap",
    "functional_call",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "rearrange",
    "replace_all_batch_norm_modules_",
    "stack_module_state",
    "vjp",
    "vmap",
]


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


def replace_all_batch_norm_modules_(root: Module) -> Module:
    """Takes the running statistics from all batch norms in a module, and returns it.

    Inside `vmap` each sample would have to update them, which one buffer for all cannot hold.

    >>> layer = torch.func.replace_all_batch_norm_modules_(torch.nn.BatchNorm1d(2))
    >>> layer.track_running_stats, layer.running_mean
    (False, None)
    """
    for module in root.modules():
        if isinstance(module, _BatchNorm):
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root


def debug_unwrap(tensor: Tensor, *, recurse: bool = True) -> Tensor:
    """Returns all samples of a tensor inside `vmap`, in all levels or in the innermost alone.

    For looking at values while debugging: what is computed with the result is not mapped.

    >>> _ = torch.vmap(lambda x: print(torch.func.debug_unwrap(x)) or x)(torch.ones(2))
    tensor([1., 1.])
    """
    x = tensor._data
    while hasattr(x.shape, "levels"):
        x = x.value
        if not recurse:
            break
    return wrap(x)
