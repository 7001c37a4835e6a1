"""``backward`` and ``grad``: what users call to differentiate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..backends import backend_of
from . import engine
from .tape import Leaf, TensorBase, wrap


def _sequence(value: Any) -> tuple[Any, ...]:
    return (value,) if value is None or isinstance(value, TensorBase) else tuple(value)


def _roots(
    outputs: tuple[Any, ...], gradients: Any, create_graph: bool, what: str
) -> list[tuple[Any, Any]]:
    given = _sequence(gradients) if gradients is not None else (None,) * len(outputs)
    if len(given) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(given)} gradients")
    return [
        (_node_of(out, i, what), _initial(out, g, i, create_graph))
        for i, (out, g) in enumerate(zip(outputs, given, strict=True))
    ]


def _node_of(out: Any, i: int, what: str) -> Any:
    if not isinstance(out, TensorBase):
        raise TypeError(f"{what} must be Tensors, but element {i} is {type(out).__name__}")
    if out._node is None:
        raise RuntimeError(
            f"element {i} of tensors does not require grad and does not have a grad_fn"
        )
    return out._node


def _initial(out: Any, g: Any, i: int, create_graph: bool) -> Any:
    x = out._data
    if g is None:
        return _one(x, create_graph)
    if not isinstance(g, TensorBase):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
    if g._data.__class__ is not x.__class__:
        _check_place(out, g, i)
    if g._data.shape == x.shape and g._data.dtype is x.dtype:
        return g if create_graph else g._data
    if g._data.shape != x.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{i}] has a shape of {g._data.shape} and "
            f"output[{i}] has a shape of {x.shape}."
        )
    if (g._data.dtype.kind == "c") != (x.dtype.kind == "c"):
        raise RuntimeError(
            "For complex Tensors, both grad_output and output are required to have the same dtype."
            f" Mismatch in dtype: grad_output[{i}] has a dtype of {g._data.dtype.name} and "
            f"output[{i}] has a dtype of {x.dtype.name}."
        )
    return g if create_graph else backend_of(x).cast(g._data, x.dtype)


def _check_place(out: Any, g: Any, i: int) -> None:
    here, there = (backend_of(t._data).device_of(t._data) for t in (out, g))
    if here != there:
        raise RuntimeError(
            f"invalid gradient at index {i} - expected device {here} but got {there}"
        )


def _one(x: Any, create_graph: bool) -> Any:
    """The gradient of a scalar for itself."""
    if x.size != 1:
        raise RuntimeError(
            f"grad can be implicitly created only for scalar outputs, but got shape {list(x.shape)}"
        )
    if x.dtype.kind == "c":
        raise RuntimeError(
            "grad can be implicitly created only for real scalar outputs but got "
            f"torch.{x.dtype.name}"
        )
    ones = backend_of(x).ones_like(x)
    return wrap(ones) if create_graph else ones


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Adds the gradients of ``tensors`` to the ``.grad`` of the leaves they were computed from.

    ``grad_tensors`` weight each tensor's elements (the vector of a vector-Jacobian product) and
    may be None for tensors of one element. With ``inputs``, only those tensors receive gradients.

    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> torch.autograd.backward((x * x).sum())
    >>> x.grad
    tensor([2., 4.])
    """
    if grad_variables is not None:
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to "
                "`backward()`. Please only use `grad_tensors`."
            )
        grad_tensors = grad_variables
    if engine._Levels.adapt is not None:
        engine._Levels.forbid()
    if isinstance(tensors, TensorBase) and not isinstance(grad_tensors, (tuple, list)):
        # The usual call: no sequences to make and compare.
        node = _node_of(tensors, 0, "tensors")
        roots = [(node, _initial(tensors, grad_tensors, 0, create_graph))]
    else:
        roots = _roots(_sequence(tensors), grad_tensors, create_graph, "tensors")
    retain = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        engine.accumulate(engine.run(roots, create_graph, retain), create_graph)
        return
    targets = _sequence(inputs)
    if not targets:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    _check_inputs(targets)
    found = engine.run(roots, create_graph, retain, [t._node for t in targets])
    leaves = {n: g for n, g in found.items() if n.__class__ is Leaf}
    for t in targets:
        if t._node in found and t._node.__class__ is not Leaf:
            g = found[t._node]
            g = g if create_graph else wrap(backend_of(g).copy(g))
            t._grad = g if t._grad is None else t._grad + g
    engine.accumulate(leaves, create_graph)


def _check_inputs(inputs: Sequence[Any]) -> None:
    for i, t in enumerate(inputs):
        if not isinstance(t, TensorBase):
            raise TypeError(f"element {i} of inputs must be a Tensor, not {type(t).__name__}")
        if t._node is None:
            raise RuntimeError("One of the differentiated Tensors does not require grad")


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """Returns the gradients of ``outputs`` for ``inputs``, and changes no ``.grad``.

    Raises RuntimeError where an input has no part in the outputs, unless ``allow_unused`` (None
    is returned for it) or ``materialize_grads`` (zeros are). With ``is_grads_batched`` the first
    dimension of ``grad_outputs`` counts several vectors, and so does that of the results.

    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> (slope,) = torch.autograd.grad(x ** 3, x, create_graph=True)
    >>> torch.autograd.grad(slope, x)
    (tensor(18.),)
    """
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, "
            "but got: allow_unused=False."
        )
    outs, targets = _sequence(outputs), _sequence(inputs)
    if is_grads_batched:
        return _batched(outs, targets, grad_outputs, retain_graph, create_graph,
                        allow_unused, materialize_grads)  # fmt: skip
    _check_inputs(targets)
    roots = _roots(outs, grad_outputs, create_graph, "outputs")
    retain = create_graph if retain_graph is None else retain_graph
    found = engine.run(roots, create_graph, retain, [t._node for t in targets])
    results = []
    for t in targets:
        g = found.get(t._node)
        if g is None:
            if materialize_grads:
                g = backend_of(t._data).zeros_like(t._data)
                results.append(wrap(g))
                continue
            if not allow_unused:
                raise RuntimeError(
                    f"The differentiated Tensor at index {len(results)} appears to not have been "
                    "used in the graph. Set allow_unused=True if this is the desired behavior."
                )
            results.append(None)
        else:
            results.append(g if create_graph else wrap(backend_of(g).owned(g)))
    return tuple(results)


def _batched(
    outs: tuple[Any, ...],
    targets: tuple[Any, ...],
    grad_outputs: Any,
    retain_graph: bool | None,
    create_graph: bool,
    allow_unused: bool | None,
    materialize_grads: bool,
) -> tuple[Any, ...]:
    vectors = _sequence(grad_outputs)
    if any(v is None for v in vectors):
        raise RuntimeError("is_grads_batched=True needs grad_outputs for every output")
    retain = create_graph if retain_graph is None else retain_graph

    def pull(*seeds: Any) -> tuple[Any, ...]:
        return grad(outs, targets, seeds, retain, create_graph,
                    allow_unused=allow_unused, materialize_grads=materialize_grads)  # fmt: skip

    return tuple(engine._Ops.table.by_samples(pull, vectors))
