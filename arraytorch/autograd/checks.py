"""Derivatives compared with finite differences: `gradcheck` and `gradgradcheck`.

A complex number counts as its two parts here: every Jacobian is a real matrix with a row for each
part of each element of an input, and with the columns of either the real or the imaginary parts
of an output. A gradient in PyTorch's convention holds the derivatives for both parts of an input,
``dL/dx + i dL/dy``, so that nothing is lost.
"""

from __future__ import annotations

import itertools
import random
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .. import _dtypes
from ..backends import backend_of, dtype_of, host, numpy_dtype
from .calculus import grad
from .tape import Leaf, TensorBase, wrap

_DOUBLE = numpy_dtype(_dtypes.float64)


class GradcheckError(RuntimeError):
    """A derivative that finite differences contradict."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Returns whether the gradients of ``func`` agree with finite differences of step ``eps``.

    Those inputs are checked that require gradients; they should be of double precision. Any of the
    outputs may be complex. ``nondet_tol`` is how far two backward passes may differ;
    ``check_undefined_grad`` also compares the gradient of each output alone with the one that zeros
    for the other outputs give; ``check_batched_grad`` compares with ``is_grads_batched``;
    ``check_grad_dtypes`` asks that each gradient has its input's dtype. ``fast_mode`` compares one
    random projection of each Jacobian instead of all its elements. ``masked`` matters for sparse
    tensors only.

    Raises GradcheckError with both Jacobians where they differ, or returns False if
    ``raise_exception`` is off.

    >>> x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradcheck(lambda x: x * x, x)
    True
    """
    check = _Check(func, inputs, eps, atol, rtol, nondet_tol, fast_mode)
    try:
        check.compare()
        if check_undefined_grad:
            check.compare_undefined()
        if check_batched_grad:
            check.compare_batched()
        if check_grad_dtypes:
            check.compare_dtypes()
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Returns whether the second derivatives of ``func`` agree with finite differences of the first.

    Checks the gradient as a function of the inputs and of ``grad_outputs``, which are random unless
    given, and strided with ``gen_non_contig_grad_outputs``. The rest is as in `gradcheck`.

    >>> x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradgradcheck(lambda x: x * x * x, x)
    True
    """
    given = _tuple(inputs)
    if grad_outputs is None:
        source = random.Random(0)
        vectors = tuple(
            _random_like(out, source, gen_non_contig_grad_outputs)
            for out in _differentiable(func(*given))
        )
    else:
        vectors = _tuple(grad_outputs)
    wanted = [t for t in given if isinstance(t, TensorBase) and t._node is not None]

    def gradient(*args: Any) -> tuple[Any, ...]:
        own, vectors = args[: len(given)], args[len(given) :]
        outs = _differentiable(func(*own))
        targets = [t for t in own if isinstance(t, TensorBase) and t._node is not None]
        targets = targets[: len(wanted)]
        found = grad(outs, targets, list(vectors), create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(
        gradient, given + vectors, eps=eps, atol=atol, rtol=rtol,
        raise_exception=raise_exception, nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad, check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad, fast_mode=fast_mode, masked=masked,
    )  # fmt: skip


class _Check:
    """One comparison of a function's gradients with finite differences."""

    def __init__(
        self,
        func: Callable[..., Any],
        inputs: Any,
        eps: float,
        atol: float,
        rtol: float,
        nondet_tol: float,
        fast: bool,
    ) -> None:
        self.func, self.inputs = func, _tuple(inputs)
        self.eps, self.atol, self.rtol = eps, atol, rtol
        self.nondet_tol, self.fast = nondet_tol, fast
        self.where = _checked_inputs(self.inputs)

    def outputs(self) -> tuple[Any, ...]:
        return _differentiable(self.func(*self.inputs))

    def compare(self) -> None:
        """Compares all Jacobians, or in fast mode a number from each."""
        outs = self.outputs()
        if not outs:
            self._compare_constant()
        for at in self.where:
            x = self.inputs[at]
            for index, out in enumerate(outs):
                for imaginary in (False, True) if _is_complex(out) else (False,):
                    compare = self._compare_projection if self.fast else self._compare_jacobian
                    compare(x, at, index, out, imaginary)

    def _compare_jacobian(self, x: Any, at: int, index: int, out: Any, imaginary: bool) -> None:
        rows = [self._slope(direction, index, imaginary) for direction in _unit_steps(x, self.eps)]
        numerical = host.from_nested([r.tolist() for r in rows], _DOUBLE).reshape(len(rows), -1)
        analytical = self._pulled_back(x, out, imaginary)
        self._demand_equal(analytical, numerical, self.atol, at, index, imaginary)
        again = self._pulled_back(x, self.outputs()[index], imaginary)
        self._demand_repeatable(analytical, again)

    def _compare_projection(self, x: Any, at: int, index: int, out: Any, imaginary: bool) -> None:
        source = random.Random(at * 1000 + index)
        u, v = _random_array(x, source), _real(_random_array(out, source), False)
        numerical = (self._slope(_step(x, u, self.eps), index, imaginary) * v.reshape(-1)).sum()
        B = backend_of(out._data)
        seed = wrap(B.cast(B.from_host(v * (1j if imaginary else 1)), out._data.dtype))
        g = self._grad(x, out, seed)
        analytical = sum((_real(g, i) * _real(u, i)).sum() for i in _parts(x))
        scale = sum(abs(_real(u, i)).sum() for i in _parts(x)) * abs(v).sum()
        a, n = (host.from_nested(side.tolist(), _DOUBLE) for side in (analytical, numerical))
        self._demand_equal(a, n, self.atol * max(1.0, scale), at, index, imaginary)
        self._demand_repeatable(g, self._grad(x, self.outputs()[index], seed))

    def _slope(self, step: Callable[[int], None], index: int, imaginary: bool) -> Any:
        """The change of an output, flat, per unit of a step that ``step(sign)`` takes and 0 undoes."""
        ends = []
        for sign in (1, -1):
            step(sign)
            ends.append(_real(_host(self.outputs()[index]), imaginary).astype(_DOUBLE).reshape(-1))
            step(0)
        return (ends[0] - ends[1]) / (2 * self.eps)

    def _pulled_back(self, x: Any, out: Any, imaginary: bool) -> Any:
        """The Jacobian by the tape, a column for each element of the output."""
        columns = []
        for place in _places(out):
            g = self._grad(x, out, _one_at(out, place, imaginary))
            columns.append(_interleaved(g, x).tolist())
        count = x._data.size * len(_parts(x))
        return host.from_nested(columns, _DOUBLE).reshape(-1, count).T

    def _grad(self, x: Any, out: Any, seed: Any) -> Any:
        (g,) = grad(out, x, seed, retain_graph=True, allow_unused=True)
        if g is None:
            return _host(x) * 0
        if g._data.shape != x._data.shape:
            raise GradcheckError(
                f"the gradient has shape {list(g._data.shape)}, its input {list(x._data.shape)}"
            )
        return _host(g)

    def _demand_equal(
        self, a: Any, n: Any, atol: float, at: int, index: int, imaginary: bool
    ) -> None:
        if (abs(a - n) <= atol + self.rtol * abs(n)).all():
            return
        part = "While considering the imaginary part of complex outputs only, " if imaginary else ""
        pairs = " (a row for the real and one for the imaginary part of each element)"
        raise GradcheckError(
            f"{part}Jacobian mismatch for output {index} with respect to input {at}"
            f"{pairs if _is_complex(self.inputs[at]) else ''},\n"
            f"numerical:{wrap(n)!r}\nanalytical:{wrap(a)!r}\n"
        )

    def _demand_repeatable(self, a: Any, again: Any) -> None:
        if not (abs(a - again) <= self.nondet_tol).all():
            raise GradcheckError(
                "Backward is not reentrant, i.e., running backward with same input and grad_output "
                "multiple times gives different values, although analytical gradient matches "
                f"numerical gradient. The tolerance for nondeterminism was {self.nondet_tol}."
            )

    def _compare_constant(self) -> None:
        """Without differentiable outputs, finite differences must see none either."""
        for at in self.where:
            for step in _unit_steps(self.inputs[at], self.eps):
                ends = []
                for sign in (1, -1):
                    step(sign)
                    ends.append([_host(t).tolist() for t in _floating(self.func(*self.inputs))])
                    step(0)
                if ends[0] != ends[1]:
                    raise GradcheckError("Numerical gradient for function expected to be zero")

    def compare_undefined(self) -> None:
        """Compares leaving the other outputs' gradients undefined with giving zeros."""
        outs = self.outputs()
        targets = [self.inputs[at] for at in self.where]
        source = random.Random(1)
        for index, out in enumerate(outs if len(outs) > 1 else ()):
            seed = _random_like(out, source)
            zeros = [wrap(backend_of(o._data).zeros_like(o._data)) for o in outs]
            zeros[index] = seed
            alone = grad(out, targets, seed, retain_graph=True, materialize_grads=True)
            full = grad(outs, targets, zeros, retain_graph=True, materialize_grads=True)
            for a, b in zip(alone, full, strict=True):
                if not (abs(_host(a) - _host(b)) <= self.atol + self.rtol * abs(_host(b))).all():
                    raise GradcheckError(
                        "Expected backward function to handle undefined output grads: the gradient "
                        f"of output {index} alone differs from the one with zeros for the others"
                    )

    def compare_batched(self) -> None:
        """Compares a batch of vectors with one vector after the other."""
        targets = [self.inputs[at] for at in self.where]
        source = random.Random(2)
        for out in self.outputs():
            seeds = [_random_like(out, source) for _ in range(2)]
            B = backend_of(out._data)
            batch = wrap(B.stack([s._data for s in seeds], 0))
            batched = grad(out, targets, batch, retain_graph=True, is_grads_batched=True,
                           materialize_grads=True)  # fmt: skip
            for i, seed in enumerate(seeds):
                single = grad(out, targets, seed, retain_graph=True, materialize_grads=True)
                for a, b in zip(batched, single, strict=True):
                    if not (abs(_host(a)[i] - _host(b)) <= self.atol).all():
                        raise GradcheckError("the gradient of a batch differs from the single ones")

    def compare_dtypes(self) -> None:
        """Compares the dtypes of gradients with those of their inputs."""
        targets = [self.inputs[at] for at in self.where]
        for out in self.outputs():
            found = grad(out, targets, _random_like(out, random.Random(3)), retain_graph=True,
                         allow_unused=True)  # fmt: skip
            for at, t, g in zip(self.where, targets, found, strict=True):
                if g is not None and g._data.dtype != t._data.dtype:
                    raise GradcheckError(
                        f"the gradient of input {at} is {dtype_of(g._data)!r}, "
                        f"the input {dtype_of(t._data)!r}"
                    )


# -------------------------------------------------------------------------------------- inputs


def _tuple(values: Any) -> tuple[Any, ...]:
    return tuple(values) if isinstance(values, (tuple, list)) else (values,)


def _floating(result: Any) -> tuple[Any, ...]:
    return tuple(
        t for t in _tuple(result) if isinstance(t, TensorBase) and t._data.dtype.kind not in "biu"
    )


def _differentiable(result: Any) -> tuple[Any, ...]:
    return tuple(t for t in _floating(result) if t._node is not None)


def _checked_inputs(inputs: tuple[Any, ...]) -> list[int]:
    """Where the inputs stand that require gradients; raises ValueError if none does."""
    where = [i for i, t in enumerate(inputs) if isinstance(t, TensorBase) and t._node is not None]
    if not where:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them "
            "have requires_grad=True."
        )
    for i in where:
        x = inputs[i]._data
        if x.dtype.itemsize // len(_parts(inputs[i])) < 8:
            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating point or "
                "complex. This check will likely fail if all the inputs are not of double precision "
                "floating point or complex. ",
                stacklevel=4,
            )
        if any(stride == 0 and n > 1 for stride, n in zip(getattr(x, "strides", ()), x.shape)):
            raise RuntimeError(
                f"The {i}th input has a dimension with stride 0. gradcheck only supports inputs that "
                "are non-overlapping to be able to compute the numerical gradients correctly. You "
                "should call .contiguous on the input before passing it to gradcheck."
            )
        if inputs[i]._node.__class__ is Leaf:
            inputs[i]._grad = None
    return where


def _is_complex(t: Any) -> bool:
    return t._data.dtype.kind == "c"


def _parts(t: Any) -> tuple[bool, ...]:
    """Which parts its elements have: real alone (False), or imaginary too (True)."""
    return (False, True) if _is_complex(t) else (False,)


def _host(t: Any) -> Any:
    return backend_of(t._data).to_host(t._data)


def _real(array: Any, imaginary: bool) -> Any:
    return array.imag if imaginary else array.real


def _places(t: Any) -> Iterator[tuple[int, ...]]:
    return itertools.product(*map(range, t._data.shape))


def _interleaved(g: Any, x: Any) -> Any:
    """A gradient as a flat real array, the parts of an element next to each other."""
    flat = g.reshape(-1)
    if not _is_complex(x):
        return flat
    return flat.astype(numpy_dtype(_dtypes.complex128)).view(_DOUBLE)


# --------------------------------------------------------------------------------------- steps


def _unit_steps(x: Any, eps: float) -> Iterator[Callable[[int], None]]:
    """For each part of each element of a tensor, a function that moves it by eps in its memory."""
    array = x._data
    for place in _places(x):
        for imaginary in _parts(x):
            start = array[place].item()

            def step(
                sign: int, place: Any = place, start: Any = start, by: Any = imaginary
            ) -> None:
                array[place] = start + sign * eps * (1j if by else 1)

            yield step


def _step(x: Any, direction: Any, eps: float) -> Callable[[int], None]:
    B = backend_of(x._data)
    start = B.copy(x._data)
    direction = B.from_host(direction)

    def step(sign: int) -> None:
        B.write(x._data, start + direction * (sign * eps) if sign else start)

    return step


def _one_at(out: Any, place: Sequence[int], imaginary: bool) -> Any:
    seed = backend_of(out._data).zeros_like(out._data)
    seed[tuple(place)] = 1j if imaginary else 1
    return wrap(seed)


def _random_array(t: Any, source: random.Random) -> Any:
    """Numbers between -1 and 1 in the shape and kind of a tensor, in the host's memory."""
    draw: list[Any] = [source.uniform(-1, 1) for _ in range(t._data.size)]
    kind = _dtypes.complex128 if _is_complex(t) else _dtypes.float64
    if _is_complex(t):
        draw = [complex(a, source.uniform(-1, 1)) for a in draw]
    return host.from_nested(draw, numpy_dtype(kind)).reshape(t._data.shape)


def _random_like(t: Any, source: random.Random, strided: bool = False) -> Any:
    """A leaf that requires gradients, of random numbers; strided: with gaps in its memory."""
    B = backend_of(t._data)
    array = B.cast(B.from_host(_random_array(t, source)), t._data.dtype)
    if strided and array.ndim and array.size > 1:
        array = B.stack([array, array], array.ndim)[..., 0]
    leaf = wrap(array)
    leaf._node = Leaf(leaf)
    return leaf
