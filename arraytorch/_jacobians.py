"""Jacobians, Hessians and products with them, as functions: `func.jacrev`, `func.jvp` and their kin.

Jacobians are computed by vmap over a basis, all rows or columns at once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from itertools import accumulate
from typing import Any

from ._tensor import Tensor
from ._transforms import Argnums, check_aux, freed, positions, split, tracked, vjp
from ._vmap import vmap
from .autograd._reach import needs_others
from .autograd.calculus import grad as gradients_of
from .autograd.modes import enable_grad
from .ops.creation import zeros_like
from .ops.joining import cat
from .ops.sequences import eye
from .utils._pytree import TreeSpec, tree_flatten, tree_unflatten


def jvp(
    func: Callable[..., Any],
    primals: Any,
    tangents: Any,
    *,
    strict: bool = False,
    has_aux: bool = False,
) -> Any:
    """Returns the value of ``func``, and its Jacobian times ``tangents``, which is of the value's shape.

    It is the gradient of `vjp`, which is linear in its vector, for that vector: reverse mode twice
    (Townsend 2017). With ``strict``, RuntimeError is raised for a value that does not depend on
    ``primals``; with ``has_aux`` the function returns something besides, which comes last.

    >>> torch.func.jvp(torch.square, (torch.tensor(3.0),), (torch.tensor(2.0),))
    (tensor(9.), tensor(12.))
    """
    flat, spec = _primals("jvp(f, primals, tangents)", primals)
    given, shape = tree_flatten(tangents)
    if shape != spec:
        raise RuntimeError(
            "jvp(f, primals, tangents): Expected primals and tangents to have the same python "
            "structure. For example, if primals is a tuple of 3 tensors, tangents also must be. Got "
            f"primals with structure {spec} and tangents with structure {shape}"
        )
    for p, t in zip(flat, given, strict=True):
        if not isinstance(t, Tensor) or p.shape != t.shape:
            raise RuntimeError(
                "Trying to set a forward gradient that has a different size than that of the original "
                f"Tensor, this is not supported. Tensor is of size {list(p.shape)} while the given "
                f"forward gradient is of size {list(t.shape)}."
            )
    run = _Push(func, primals, has_aux, "jvp(f, primals, tangents)")
    if strict and not all(o.requires_grad for o in run.outputs):
        raise RuntimeError(
            "jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. "
            "This is not allowed with strict=True."
        )
    pushed = run.push(given)
    return (run.value, pushed, run.aux) if has_aux else (run.value, pushed)


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """Returns the value of ``func``, and a function from tangents to the Jacobian times them.

    The function is called once; each call of the result costs less than a `jvp`.

    >>> value, push = torch.func.linearize(torch.square, torch.tensor(3.0))
    >>> value, push(torch.tensor(1.0)), push(torch.tensor(2.0))
    (tensor(9.), tensor(6.), tensor(12.))
    """
    flat, spec = _primals("linearize(f, *primals)", primals)
    run = _Push(func, primals, False, "linearize(f, *primals)")

    def push(*tangents: Any) -> Any:
        given, shape = tree_flatten(tangents)
        if shape != spec:
            raise RuntimeError(
                f"Expected the tangents {shape} to have the same argspec as the primals {spec}"
            )
        for i, (p, t) in enumerate(zip(flat, given, strict=True)):
            for what in ("shape", "device", "dtype"):
                if getattr(p, what) != getattr(t, what):
                    raise RuntimeError(
                        f"tangent:{i} with {what} {getattr(t, what)} in flattened pytree doesn't match "
                        f"the {what} {getattr(p, what)} of the corresponding primal."
                    )
        return run.push(given)

    return run.value, push


def jacrev(
    func: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable[..., Any]:
    """Returns a function that computes the Jacobian of ``func``, by rows (reverse mode).

    For each result there are the derivatives for the argument ``argnums``, or a tuple of them for
    several, in the shape of both. ``chunk_size`` rows are computed at a time, all unless given.

    >>> torch.func.jacrev(torch.square)(torch.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if chunk_size is not None and not chunk_size > 0:
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        where = positions(argnums, len(args))
        found = vjp(
            _of_some(func, args, kwargs, where), *[args[i] for i in where], has_aux=has_aux
        )  # fmt: skip
        value, pull = found[:2]
        outputs, out_spec = tree_flatten(value)
        inputs, in_spec = tree_flatten(tuple(args[i] for i in where))
        seeds = tree_unflatten(_basis(outputs), out_spec)
        rows = tree_flatten(vmap(pull, chunk_size=chunk_size)(seeds))[0]
        columns = [_rows_apart(r, outputs, t) for r, t in zip(rows, inputs, strict=True)]
        table = [
            _of_arguments([c[i] for c in columns], in_spec, argnums) for i in range(len(outputs))
        ]
        jacobians = tree_unflatten(table, out_spec)
        return (jacobians, found[2]) if has_aux else jacobians

    return jacobian


def jacfwd(
    func: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    randomness: str = "error",
) -> Callable[..., Any]:
    """Returns a function that computes the Jacobian of ``func``, by columns; see `jacrev`.

    For functions with more results than arguments. ``randomness`` is that of `vmap`.

    >>> torch.func.jacfwd(torch.square)(torch.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        where = positions(argnums, len(args))
        primals = tuple(args[i] for i in where)
        inputs, in_spec = _primals("jacfwd: jvp(f, primals, tangents)", primals)
        some = _of_some(func, args, kwargs, where)

        def push(*tangents: Any) -> Any:
            found = jvp(some, primals, tangents, has_aux=has_aux)
            return found if has_aux else (*found, None)

        basis = tree_unflatten(_basis(inputs), in_spec)
        dims = (None, 0, None)
        value, columns, aux = vmap(push, 0, dims, randomness)(*basis)
        outputs, out_spec = tree_flatten(value)
        table = [
            _of_arguments(_columns_apart(c, inputs, o), in_spec, argnums)
            for c, o in zip(tree_flatten(columns)[0], outputs, strict=True)
        ]
        jacobians = tree_unflatten(table, out_spec)
        return (jacobians, aux) if has_aux else jacobians

    return jacobian


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """Returns a function that computes the Hessian of ``func``: `jacfwd` of `jacrev`.

    >>> torch.func.hessian(lambda x: (x**3).sum())(torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)


# ------------------------------------------------------------------------------------------ parts


class _Push:
    """A call of a function whose Jacobian can be multiplied with tangents."""

    def __init__(self, func: Any, primals: Any, has_aux: bool, name: str) -> None:
        with enable_grad():
            inner, self.leaves, _ = tracked(tuple(primals))
            output, aux = split(func(*inner), has_aux, name)
            if has_aux:
                check_aux(aux)
            self.outputs, self.spec = tree_flatten(output)
            for each in self.outputs:
                if not isinstance(each, Tensor):
                    raise RuntimeError(
                        f"{name}: expected f(*primals) to return only tensors, got unsupported type "
                        f"{type(each)}"
                    )
            self.used = [o for o in self.outputs if o.requires_grad]
            self.dummies = [zeros_like(o).requires_grad_() for o in self.used]
            self.slopes: list[Any] = [None] * len(self.leaves)
            if self.used:
                self.slopes = list(
                    gradients_of(
                        self.used, self.leaves, self.dummies, create_graph=True, allow_unused=True
                    )
                )
        self.inner = [*self.leaves, *self.dummies]
        self.value, self.aux = freed(output, self.leaves), freed(aux, self.leaves)

    def push(self, tangents: list[Any]) -> Any:
        """The Jacobian times tangents, in the structure of the function's value."""
        pairs = [
            (s, t) for s, t in zip(self.slopes, tangents, strict=True)
            if s is not None and s.requires_grad
        ]  # fmt: skip
        found: Any = [None] * len(self.used)
        if pairs:
            slopes, given = [s for s, _ in pairs], [t for _, t in pairs]
            inner = {id(t) for t in self.inner}
            lasting = any(t.requires_grad for t in given)
            lasting = lasting or any(needs_others(s, inner) for s in slopes)
            with enable_grad():
                found = gradients_of(
                    slopes, self.dummies, given, True, create_graph=lasting, allow_unused=True
                )
        of = {id(o): g for o, g in zip(self.used, found, strict=True)}
        pushed = [
            zeros_like(o) if of.get(id(o)) is None else of[id(o)] for o in self.outputs
        ]  # fmt: skip
        return freed(tree_unflatten(pushed, self.spec), self.inner)


def _primals(name: str, primals: Any) -> tuple[list[Any], TreeSpec]:
    if not isinstance(primals, tuple):
        raise RuntimeError(
            f"{name}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals)."
        )
    flat, spec = tree_flatten(primals)
    if not flat:
        raise RuntimeError(f"{name}: Expected primals to contain at least one Tensor.")
    for each in flat:
        if not isinstance(each, Tensor):
            raise RuntimeError(
                f"{name}: Expected primals to only contain Tensors, got {type(each)}"
            )
    return flat, spec


def _of_some(func: Any, args: Any, kwargs: Any, where: list[int]) -> Callable[..., Any]:
    """The function of some of its arguments, at these places, the others being what they are."""

    def some(*chosen: Any) -> Any:
        given = list(args)
        for i, value in zip(where, chosen, strict=True):
            given[i] = value
        return func(*given, **kwargs)

    return some


def _basis(tensors: list[Any]) -> list[Any]:
    """For each tensor one with a row for every element of all: 1 at the element, 0 elsewhere."""
    sizes = [t.numel() for t in tensors]
    ends = list(accumulate(sizes))
    parts = []
    for t, n, end in zip(tensors, sizes, ends, strict=True):
        ones = eye(n, dtype=t.dtype, device=t.device)
        before, after = end - n, ends[-1] - end
        rows = [ones.new_zeros(before, n), ones, ones.new_zeros(after, n)]
        parts.append(cat(rows).reshape(ends[-1], *t.shape))
    return parts


def _rows_apart(rows: Any, outputs: list[Any], like: Any) -> list[Any]:
    """The rows of a Jacobian for each of the outputs, in the shape of output and input."""
    parts = rows.split([o.numel() for o in outputs])
    return [p.reshape(*o.shape, *like.shape) for p, o in zip(parts, outputs, strict=True)]


def _columns_apart(columns: Any, inputs: list[Any], like: Any) -> list[Any]:
    parts = columns.movedim(0, -1).split([t.numel() for t in inputs], -1)
    return [p.reshape(*like.shape, *t.shape) for p, t in zip(parts, inputs, strict=True)]


def _of_arguments(parts: list[Any], spec: TreeSpec, argnums: Argnums) -> Any:
    """One result's derivatives in the structure of the arguments that were asked for."""
    found = tree_unflatten(parts, spec)
    return found[0] if isinstance(argnums, int) else tuple(found)
