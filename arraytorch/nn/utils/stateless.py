"""Calling a module with other tensors in the places of its parameters."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from ..._tensor import Tensor
from ..modules.module import Module

__all__ = ["functional_call"]


def functional_call(
    module: Module,
    parameters_and_buffers: dict[str, Tensor],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Calls a module with tensors in the places of its parameters and buffers of those names.

    With ``tie_weights`` a tensor that has several names is replaced under all of them. With
    ``strict`` the names must be all that there are. `func.functional_call` is the newer form, as a
    FutureWarning says.
    """
    warnings.warn(
        "This API is deprecated as of PyTorch 2.0 and will be removed in a future version of "
        "PyTorch. Please use torch.func.functional_call instead which is a drop-in replacement.",
        FutureWarning,
        stacklevel=2,
    )
    return called_with(module, parameters_and_buffers, args, kwargs, tie_weights, strict)


def called_with(
    module: Module,
    tensors: Mapping[str, Tensor],
    args: Any,
    kwargs: dict[str, Any] | None,
    tie_weights: bool,
    strict: bool,
) -> Any:
    """Calls a module with other tensors, and puts its own back."""
    if args is None:
        args = ()
    elif not isinstance(args, tuple):
        args = (args,)
    with replaced(module, tensors, tie_weights, strict):
        return module(*args, **(kwargs or {}))


@contextlib.contextmanager
def replaced(
    module: Module, tensors: Mapping[str, Tensor], tie_weights: bool = False, strict: bool = False
) -> Iterator[None]:
    """Has a module use other tensors in the places of those names while it lasts.

    A buffer that the module replaces meanwhile is handed back in ``tensors``, if that is a dict.
    """
    wanted = _with_ties(module, tensors) if tie_weights else dict(tensors)
    if strict:
        _check_names(module, wanted)
    before: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for path, tensor in wanted.items():
            owner, _, name = path.rpartition(".")
            table = _table(module.get_submodule(owner), name)
            before.append((table, name, table[name]))
            table[name] = tensor
        yield
    finally:
        for (table, name, own), path in zip(before, wanted, strict=False):
            if isinstance(tensors, dict) and path in tensors:
                tensors[path] = table[name]
            table[name] = own


def _table(module: Module, name: str) -> dict[str, Any]:
    for table in (module._parameters, module._buffers):
        if name in table:
            return table  # type: ignore[return-value]
    if hasattr(module, name):
        raise TypeError(f"{name}: {getattr(module, name)} is not an instance of torch.Tensor")
    raise AttributeError(f"{module._get_name()} has no attribute `{name}`")


def _with_ties(module: Module, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    names: dict[int, list[str]] = {}
    for members in (module.named_parameters, module.named_buffers):
        for name, tensor in members(remove_duplicate=False):
            names.setdefault(id(tensor), []).append(name)
    wanted = dict(tensors)
    for same in names.values():
        given = {id(tensors[name]): tensors[name] for name in same if name in tensors}
        if len(given) > 1:
            raise ValueError(
                f"functional_call got multiple values for keys {sorted(same)}, which are tied. "
                "Consider using tie_weights=False"
            )
        for value in given.values():
            wanted.update(dict.fromkeys(same, value))
    return wanted


def _check_names(module: Module, wanted: Mapping[str, Tensor]) -> None:
    own = {
        name
        for members in (module.named_parameters, module.named_buffers)
        for name, _ in members(remove_duplicate=False)
    }
    missing, unexpected = sorted(own - wanted.keys()), sorted(wanted.keys() - own)
    problems = []
    if unexpected:
        problems.append("Unexpected key(s): " + ", ".join(unexpected) + ".")
    if missing:
        problems.append("Missing key(s): " + ", ".join(missing) + ".")
    if problems:
        raise RuntimeError(
            f"Error(s) in reparametrizing for {module._get_name()}:\n\t" + "\n\t".join(problems)
        )
