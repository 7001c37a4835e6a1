"""Gradients as functions: `func.grad`, `func.grad_and_value` and `func.vjp`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ._tensor import Tensor
from .autograd._reach import needs_others
from .autograd.calculus import grad as gradients_of
from .autograd.modes import enable_grad, is_grad_enabled
from .ops.creation import ones_like, zeros_like
from .utils._pytree import tree_flatten, tree_map, tree_unflatten

Argnums = int | tuple[int, ...]


def grad(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Any:
    """Returns a function that computes the gradient of ``func``, which returns a scalar.

    The gradient is that of the argument ``argnums``, or a tuple for several; with ``has_aux``
    ``func`` returns something besides, and so does the gradient.

    >>> torch.func.grad(lambda x: x**3)(torch.tensor(2.0))
    tensor(12.)
    >>> torch.func.grad(torch.func.grad(lambda x: x**3))(torch.tensor(2.0))
    tensor(12.)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        found, value = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def grad_and_value(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Any:
    """Returns a function that computes the gradient of ``func`` and its value.

    >>> torch.func.grad_and_value(lambda x: x**3)(torch.tensor(2.0))
    (tensor(12.), tensor(8.))
    """

    @functools.wraps(func)
    def both(*args: Any, **kwargs: Any) -> Any:
        where = positions(argnums, len(args))
        wanted = tuple(args[i] for i in where)
        with enable_grad():
            inner, leaves, spec = tracked(wanted)
            given = list(args)
            for i, value in zip(where, inner, strict=True):
                given[i] = value
            output, aux = split(func(*given, **kwargs), has_aux, "grad_and_value(f)(*args)")
            _check_scalar(output)
            if has_aux:
                check_aux(aux)
            found = pulled([output], leaves, [ones_like(output)], False)
        gradients = tree_unflatten(_released(found, leaves), spec)
        value = freed(output, leaves)
        gradient = gradients[0] if isinstance(argnums, int) else gradients
        return gradient, (value, freed(aux, leaves)) if has_aux else value

    return both


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """Returns the value of ``func``, and a function from gradients of it to those of ``primals``.

    >>> value, pull = torch.func.vjp(lambda x: x * torch.tensor([1.0, 2.0]), torch.tensor(3.0))
    >>> value, pull(torch.ones(2))
    (tensor([3., 6.]), (tensor(3.),))
    """
    with enable_grad():
        inner, leaves, spec = tracked(primals)
        output, aux = split(func(*inner), has_aux, "vjp(f, *primals)")
        if has_aux:
            check_aux(aux)
    outputs, shape = tree_flatten(output)
    for each in outputs:
        if not isinstance(each, Tensor):
            raise RuntimeError(
                "vjp(f, *primals): expected f(*primals) to return only tensors, "
                f"got unsupported type {type(each)}"
            )

    def pull(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        seeds, seeds_shape = tree_flatten(cotangents)
        if seeds_shape != shape:
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of "
                f"outputs to the function. cotangents: {seeds_shape}, primal output: {shape}"
            )
        with enable_grad():
            found = pulled(outputs, leaves, seeds, retain_graph)
        gradients = tree_unflatten(_released(found, leaves), spec)
        return tuple(gradients)

    value = freed(output, leaves)
    return (value, pull, freed(aux, leaves)) if has_aux else (value, pull)


def positions(argnums: Any, count: int) -> list[int]:
    if not isinstance(argnums, (int, tuple)):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    given = (argnums,) if isinstance(argnums, int) else argnums
    if not given:
        raise RuntimeError("argnums must be non-empty")
    for each in given:
        if not -count <= each < count:
            raise RuntimeError(f"Got argnum={each}, but only {count} positional inputs")
    where = [each % count for each in given]
    if len(set(where)) < len(where):
        raise RuntimeError(f"argnums elements must be unique, got {given}")
    return where


def tracked(values: tuple[Any, ...]) -> tuple[Any, list[Tensor], Any]:
    """Arguments that record what is done with them: views of those that already do so."""
    leaves, spec = tree_flatten(values)
    for leaf in leaves:
        if not isinstance(leaf, Tensor):
            raise ValueError(f"Thing passed to transform API must be Tensor, got {type(leaf)}")
    inner = [t.view_as(t) if t.requires_grad else t.detach().requires_grad_() for t in leaves]
    return tree_unflatten(inner, spec), inner, spec


def split(result: Any, has_aux: bool, name: str) -> tuple[Any, Any]:
    if not has_aux:
        return result, None
    if not (isinstance(result, tuple) and len(result) == 2):
        raise RuntimeError(
            f"{name}: output of function f should be a tuple: (output, aux) if has_aux is True"
        )
    return result


def check_aux(aux: Any) -> None:
    for leaf in tree_flatten(aux)[0]:
        if not isinstance(leaf, Tensor):
            raise RuntimeError(f"Expected tensors, got unsupported type {type(leaf)}")


def _check_scalar(output: Any) -> None:
    if not isinstance(output, Tensor):
        raise RuntimeError(
            f"grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got {type(output)}"
        )
    if output.dim():
        raise RuntimeError(
            "grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor "
            f"with {output.dim()} dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
        )


def pulled(
    outputs: list[Any], leaves: list[Tensor], seeds: list[Any], retain_graph: bool = True
) -> list[Tensor]:
    """The gradients of the leaves: zeros for those that the outputs do not use."""
    for i, (output, seed) in enumerate(zip(outputs, seeds, strict=True)):
        if output.shape != seed.shape:
            raise RuntimeError(
                f"Mismatch in shape: grad_output[{i}] has a shape of {seed.shape} and output[{i}] "
                f"has a shape of {output.shape}."
            )
    used = [(o, s) for o, s in zip(outputs, seeds, strict=True) if o.requires_grad]
    if not used:
        return [zeros_like(leaf) for leaf in leaves]
    roots, given = [o for o, _ in used], [s for _, s in used]
    # Gradients need a history only if somebody outside may ask for theirs in turn.
    inner = {id(leaf) for leaf in leaves}
    lasting = any(s.requires_grad for s in given) or any(needs_others(o, inner) for o in roots)
    found = gradients_of(
        roots, leaves, given, retain_graph or lasting, create_graph=lasting, allow_unused=True
    )
    return [zeros_like(leaf) if g is None else g for g, leaf in zip(found, leaves, strict=True)]


def _released(found: list[Tensor], leaves: list[Tensor]) -> list[Tensor]:
    return [freed(each, leaves) for each in found]


def freed(result: Any, leaves: list[Tensor]) -> Any:
    """The result with a history only of what lies outside the function."""
    inner = {id(leaf) for leaf in leaves if leaf.is_leaf}
    keep = is_grad_enabled()

    def free(t: Any) -> Any:
        if not isinstance(t, Tensor) or not t.requires_grad:
            return t
        return t if keep and needs_others(t, inner) else t.detach()

    return tree_map(free, result)
