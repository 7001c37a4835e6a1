"""Jacobians, Hessians and their products with vectors, of functions of tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import engine
from .calculus import grad
from .modes import enable_grad
from .tape import Leaf, TensorBase, wrap


def vjp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """Returns the outputs of ``func`` and the product of the vector ``v`` with its Jacobian.

    ``v`` has the shapes of the outputs, and may be left out for one output of one element. With
    ``strict``, RuntimeError is raised where an output does not depend on an input; zeros are
    returned otherwise.

    >>> torch.autograd.functional.vjp(lambda x: x * x, torch.tensor([1.0, 2.0]), torch.ones(2))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    with enable_grad():
        call = _Call(func, inputs, create_graph, strict, "vjp")
        vectors = _vectors(v, call.outs, call.many_outs, "the user-provided function")
        found = _pull(call.outs, call.inputs, vectors, create_graph, strict, "vjp")
    return call.finished(call.outs, call.many_outs), call.finished(found, call.many_inputs)


def jvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """Returns the outputs of ``func`` and the product of its Jacobian with the vector ``v``.

    ``v`` has the shapes of the inputs. Computed by differentiating `vjp`, which is linear in its
    vector, for that vector.

    >>> torch.autograd.functional.jvp(lambda x: x * x, torch.tensor([1.0, 2.0]), torch.ones(2))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    with enable_grad():
        call = _Call(func, inputs, create_graph, strict, "jvp")
        vectors = _vectors(
            v, call.inputs, call.many_inputs, "the input to the user-provided function"
        )
        pushed = _push(call, vectors, create_graph, strict, "jvp")
    return call.finished(call.outs, call.many_outs), call.finished(pushed, call.many_outs)


def vhp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """Returns the value of ``func``, a scalar, and the product of ``v`` with its Hessian.

    >>> torch.autograd.functional.vhp(lambda x: (x**3).sum(), torch.tensor([1.0, 2.0]), torch.ones(2))
    (tensor(9.), tensor([ 6., 12.]))
    """
    with enable_grad():
        call = _Call(func, inputs, create_graph, strict, "vhp").scalar()
        vectors = _vectors(
            v, call.inputs, call.many_inputs, "the input to the user-provided function"
        )
        slopes = _pull(call.outs, call.inputs, None, True, strict, "vhp")
        found = _pull(slopes, call.inputs, vectors, create_graph, strict, "vhp", second=True)
    return call.finished(call.outs, call.many_outs), call.finished(found, call.many_inputs)


def hvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """Returns the value of ``func``, a scalar, and the product of its Hessian with ``v``.

    A Hessian is symmetric, so that this is `vhp`, which is the faster one.

    >>> torch.autograd.functional.hvp(lambda x: (x**3).sum(), torch.tensor([1.0, 2.0]), torch.ones(2))
    (tensor(9.), tensor([ 6., 12.]))
    """
    with enable_grad():
        call = _Call(func, inputs, create_graph, strict, "hvp").scalar()
        vectors = _vectors(
            v, call.inputs, call.many_inputs, "the input to the user-provided function"
        )
        slopes = _pull(call.outs, call.inputs, None, True, strict, "hvp")
        call.slopes = slopes
        found = _push(call, vectors, create_graph, strict, "hvp")
    return call.finished(call.outs, call.many_outs), call.finished(found, call.many_inputs)


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """Returns the Jacobian: for each output and input, the derivatives in the shape of both.

    One tensor for one output and one input, a tuple where one of them is a tuple, a tuple of tuples
    where both are. ``strategy="forward-mode"``, which needs ``vectorize=True``, computes a column at
    a time rather than a row.

    >>> torch.autograd.functional.jacobian(lambda x: x * x, torch.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise ValueError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function '
            'has more outputs than inputs, "forward-mode" tends to be more performant. Otherwise, '
            'prefer to use "reverse-mode".'
        )
    if strict and vectorize:
        raise RuntimeError(
            "torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not "
            "supported together. Please either set `strict=False` or `vectorize=False`."
        )
    forward = strategy == "forward-mode"
    if forward and create_graph:
        raise NotImplementedError(
            "torch.autograd.functional.jacobian: `create_graph=True` and "
            '`strategy="forward-mode"` are not supported together (yet). Please either set '
            '`create_graph=False` or `strategy="reverse-mode"`.'
        )
    if forward and not vectorize:
        raise NotImplementedError(
            "Computing Jacobian using forward-AD or forward-over-reverse Hessian is only implemented "
            "for `vectorize=True`."
        )
    with enable_grad():
        call = _Call(func, inputs, create_graph, strict, "jacobian")
        table = _by_columns(call) if forward else _by_rows(call, create_graph, strict, vectorize)
    rows = [call.finished(row, call.many_inputs) for row in table]
    return tuple(rows) if call.many_outs else rows[0]


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """Returns the Hessian of ``func``, a scalar: for two inputs each, the second derivatives.

    >>> torch.autograd.functional.hessian(lambda x: (x**3).sum(), torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    many = isinstance(inputs, (tuple, list))
    if outer_jacobian_strategy not in ("reverse-mode", "forward-mode"):
        raise ValueError(
            'Expected strategy to be either "reverse-mode" or "forward-mode", '
            f"but got {outer_jacobian_strategy!r}"
        )

    def slopes(*args: Any) -> Any:
        call = _Call(func, args, True, strict, "hessian", fresh=False).scalar()
        return tuple(_pull(call.outs, call.inputs, None, True, strict, "jacobian"))

    def slope(arg: Any) -> Any:
        return slopes(arg)[0]

    return jacobian(slopes if many else slope, inputs, create_graph, strict, vectorize,
                    outer_jacobian_strategy)  # fmt: skip


# ------------------------------------------------------------------------------------- the call


class _Call:
    """A function called with inputs that require gradients, and its outputs."""

    slopes: Any = None

    def __init__(
        self,
        func: Callable[..., Any],
        inputs: Any,
        create_graph: bool,
        strict: bool,
        name: str,
        fresh: bool = True,
    ) -> None:
        self.name, self.create_graph, self.strict = name, create_graph, strict
        self.inputs, self.many_inputs = _tensors(inputs, "inputs", name)
        if fresh:
            self.inputs = tuple([_input(t, create_graph) for t in self.inputs])
        self.outs, self.many_outs = _tensors(
            func(*self.inputs), "outputs of the user-provided function", name
        )
        if strict:
            for i, out in enumerate(self.outs):
                if out._node is None:
                    raise RuntimeError(
                        f"Output {i} of the user-provided function does not require gradients. The "
                        "outputs must be computed in a differentiable manner from the input when "
                        "running in strict mode."
                    )

    def scalar(self) -> _Call:
        """Itself; raises RuntimeError unless the function gave one tensor of one element."""
        if self.many_outs or self.outs[0]._data.size != 1:
            raise RuntimeError(
                f"The function given to {self.name} should return a single Tensor with a single "
                "element."
                if not self.many_outs
                else f"The function given to {self.name} should return a single Tensor"
            )
        if self.outs[0]._data.ndim:
            self.outs = (self.outs[0].reshape(()),)
        return self

    def finished(self, values: Any, many: bool) -> Any:
        """Results for the caller: without history unless a graph was asked for."""
        values = tuple(values) if self.create_graph else tuple([v.detach() for v in values])
        return values if many else values[0]


def _tensors(values: Any, what: str, name: str) -> tuple[tuple[Any, ...], bool]:
    many = isinstance(values, (tuple, list))
    values = tuple(values) if many else (values,)
    for i, t in enumerate(values):
        if not isinstance(t, TensorBase):
            where = f"Value at index {i} of the {what}" if many else f"The {what}"
            raise TypeError(
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but "
                f"{where.lower()} has type {type(t)}."
            )
    return values, many


def _input(t: Any, create_graph: bool) -> Any:
    """A tensor of its own that requires gradients; with ``create_graph``, one with its history."""
    if create_graph and t._node is not None:
        return t.view_as(t)
    out = t.detach()
    out._node = Leaf(out)
    return out


def _vectors(v: Any, like: tuple[Any, ...], many: bool, what: str) -> tuple[Any, ...]:
    if v is None:
        if len(like) != 1 or like[0]._data.size != 1:
            raise RuntimeError(
                f"The vector v can only be None if {what} returns a single Tensor with a single "
                "element." if "input" not in what
                else f"The vector v can only be None if {what} is a single Tensor with a single element."
            )  # fmt: skip
        return (like[0].new_ones(like[0]._data.shape),)
    vectors = tuple(v) if isinstance(v, (tuple, list)) else (v,)
    if len(vectors) != len(like):
        raise RuntimeError(
            f"v is a tuple of invalid length: should be {len(like)} but got {len(vectors)}."
        )
    for i, (a, b) in enumerate(zip(vectors, like, strict=True)):
        if a._data.shape != b._data.shape:
            entry = f"Entry {i} in v" if many else "v"
            raise RuntimeError(f"{entry} has invalid size: should be {b.shape} but got {a.shape}.")
    return vectors


# --------------------------------------------------------------------------------- derivatives


def _pull(
    outs: Any,
    targets: Any,
    vectors: Any,
    create_graph: bool,
    strict: bool,
    name: str,
    second: bool = False,
    **options: Any,
) -> list[Any]:
    """Gradients with zeros, or in strict mode an error, where an input has no part in the outputs."""
    used = [i for i, out in enumerate(outs) if out._node is not None]
    found: Any = (None,) * len(targets)
    if used:
        given = None if vectors is None else [vectors[i] for i in used]
        found = grad([outs[i] for i in used], targets, given, retain_graph=True,
                     create_graph=create_graph, allow_unused=True, **options)  # fmt: skip
    results = []
    for i, (g, t) in enumerate(zip(found, targets, strict=True)):
        if strict and (g is None or (create_graph and g._node is None)):
            what = "Hessian" if second else "Jacobian"
            raise RuntimeError(
                f"The output of the user-provided function is independent of input {i}. This is not "
                "allowed in strict mode."
                if g is None
                else f"The {what} of the user-provided function is independent of input {i}. This is "
                "not allowed in strict mode when create_graph=True."
            )
        results.append(t.new_zeros(t._data.shape) if g is None else g)
    return results


def _push(call: _Call, vectors: Any, create_graph: bool, strict: bool, name: str) -> list[Any]:
    """The Jacobian of the outputs (or of their slopes) times vectors, by two pulls."""
    outs = call.outs if call.slopes is None else tuple(call.slopes)
    dummies = []
    for out in outs:
        dummy = wrap(out.new_zeros(out._data.shape)._data)
        dummy._node = Leaf(dummy)
        dummies.append(dummy)
    pulled = _pull(outs, call.inputs, dummies, True, strict, name)
    return _pull(pulled, dummies, vectors, create_graph, strict, name)


def _by_rows(call: _Call, create_graph: bool, strict: bool, vectorize: bool) -> list[list[Any]]:
    table = []
    for out in call.outs:
        count = out._data.size
        if vectorize and out._node is not None and count:
            basis = _basis(out)
            rows = _pull([out], call.inputs, [basis], create_graph, strict, "jacobian",
                         is_grads_batched=True)  # fmt: skip
        else:
            flat = out.reshape(-1)
            pulled = [
                _pull([flat[j]], call.inputs, None, create_graph, strict, "jacobian")
                if out._data.dtype.kind != "c"
                else _pull([flat[j]], call.inputs, [flat[j].new_ones(())], create_graph, strict, "jacobian")
                for j in range(count)
            ]  # fmt: skip
            rows = [_stacked(column) for column in zip(*pulled, strict=True)] or [
                t.new_zeros((0, *t._data.shape)) for t in call.inputs
            ]
        table.append([
            r.reshape((*out._data.shape, *t._data.shape)) if r._data.size or not count
            else t.new_zeros((*out._data.shape, *t._data.shape))
            for r, t in zip(rows, call.inputs, strict=True)
        ])  # fmt: skip
    return table


def _by_columns(call: _Call) -> list[list[Any]]:
    table: list[list[Any]] = [[] for _ in call.outs]
    for at, t in enumerate(call.inputs):
        zeros = [s.new_zeros(s._data.shape) for s in call.inputs]

        def push(one: Any, at: int = at, zeros: list[Any] = zeros) -> list[Any]:
            return _push(call, [*zeros[:at], one, *zeros[at + 1 :]], False, False, "jacobian")

        columns = engine._Ops.table.by_samples(push, [_basis(t)])
        for row, out, column in zip(table, call.outs, columns, strict=False):
            turned = column.movedim(0, -1)
            row.append(turned.reshape((*out._data.shape, *t._data.shape)))
    return table


def _basis(t: Any) -> Any:
    """For each element of a tensor one like it that is 1 there and else 0, stacked."""
    n = t._data.size
    basis = t.new_zeros((n, n))
    basis.diagonal().fill_(1)
    return basis.reshape((n, *t._data.shape))


def _stacked(tensors: Any) -> Any:
    return engine._Ops.table.stack(list(tensors), 0)
