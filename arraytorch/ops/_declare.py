"""How an op is declared: its signature, its docstring, its derivatives, and nothing else.

``@pointwise`` gives a documented signature its body; ``@derivative`` attaches derivatives to an
explicit function. The bodies here are the library's hot path: each op is one Python frame over
one call of the array library. They try the common case at once, a tensor with a tensor of the same
dtype or with a Python number, and hand everything else (promotion, several devices, ``out=``, bad
input) to `_Pointwise.slow`, which finds it by the exception or the unexpected result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from types import FunctionType, SimpleNamespace
from typing import Any, TypeVar

from .. import _dtypes
from .._dtypes import scalar_type_name
from ..autograd.modes import grad_enabled
from ..autograd.tape import (
    Node,
    Rules,
    SavedOutput,
    TensorBase,
    final,
    parameters_of,
    taped,
    wrap,
)
from ..backends import AS_ARRAY, BACKENDS, backend_of, learn, numpy_dtype, outermost
from ..backends.host import ndarray
from . import _intercept
from ._fitting import wrapped_around
from ._promote import (
    broadcast_shape,
    common_device,
    is_number,
    moved,
    place_for,
    plain,
    result_type,
    scalar_dtype,
)
from ._write import stamp, write_result

F = TypeVar("F", bound=Callable[..., Any])
_new = object.__new__

# The ops by the names of their kernels: the backend that rules run with to be recorded themselves.
OPS = SimpleNamespace()

# The ops that take two numbers.
ARITHMETIC = frozenset({"add", "sub", "mul", "div", "floor_divide"})

# What the hot path meets when a case is not the common one.
UNCOMMON = (AttributeError, KeyError, TypeError, ValueError, OverflowError)


def kernel_op(op: F) -> F:
    """Registers an op under its name as the recorded form of the kernel of that name."""
    setattr(OPS, op.__name__, op)
    return op


def derivative(
    *,
    saves: Sequence[str] = (),
    joint: Callable[..., Any] | None = None,
    inputs: Sequence[str] = (),
    linear: bool = False,
    name: str | None = None,
    kernel: str | None = None,
    **d: Callable[..., Any],
) -> Callable[[F], F]:
    """Attaches derivatives to an op: ``d_x=`` for each differentiable argument x, or ``joint=``.

    ``saves`` are the names of the values that the op hands to `taped`. ``joint`` is one function
    (B, g, needs, ...) that returns the gradients of all ``inputs`` at once. ``kernel`` is the name
    under which rules of other ops call this one, its own unless given. ``name`` is what PyTorch
    calls the node, where that is not the op's name in camel case with Backward0.
    """

    def attach(op: F) -> F:
        given = [p for p in parameters_of(op) if f"d_{p}" in d]
        if unknown := {n[2:] for n in d} - set(given):
            raise TypeError(f"{op.__name__} has no parameters {sorted(unknown)} to differentiate")
        op_: Any = op
        op_.args = list(inputs) or given
        op_.rules = Rules(
            op.__name__, [d[f"d_{p}"] for p in given], saves, joint, linear, backward_name=name
        )
        setattr(OPS, kernel or op.__name__, op)
        return op

    return attach


def renamed(op: Any, name: str) -> Any:
    """Returns a copy of an op, for `taped` and `taped_view`, whose nodes bear another name."""
    other: Any = FunctionType(
        getattr(op, "uncast", op).__code__,
        op.__globals__,
        op.__name__,
        op.__defaults__,
        op.__closure__,
    )
    other.__kwdefaults__ = op.__kwdefaults__
    other.args, other.rules = op.args, copy(op.rules)
    other.rules.backward_name = name
    return other


def pointwise(
    *,
    result: str = "same",
    refuses: str = "",
    refusal: str = "",
    kernel: str | None = None,
    name: str | None = None,
    **d: Callable[..., Any],
) -> Callable[[F], Any]:
    """Makes an elementwise op of a signature with one or two tensors and ``out``.

    ``result`` tells the dtype: "same" as the promoted arguments, "float" (integers become the
    default dtype), "number" (bools become int64), "bool" (a comparison), "real" (complex arguments
    give reals), or "real float".
    ``refuses`` are the dtype kinds (of b, i, u, f, c) of results that raise NotImplementedError, or
    RuntimeError in the words of ``refusal``.
    """

    def build(signature: F) -> Any:
        code = signature.__code__  # type: ignore[attr-defined]
        names = list(code.co_varnames[: code.co_argcount])
        rules = Rules(
            signature.__name__, [d[f"d_{n}"] for n in names if f"d_{n}" in d], backward_name=name
        )
        rules.elementwise = True
        declared = _Pointwise(
            signature.__name__, kernel or signature.__name__, names, rules, result, refuses, bool(d)
        )
        declared.refusal = refusal
        declared.numbers = tuple(["Number" in str(signature.__annotations__.get(n)) for n in names])
        body = _binary if len(names) == 2 else _unary
        op = _named_like(body(declared, declared.slow), signature)
        declared.op = op
        op.args, op.rules, op.declared = names, rules if d else None, declared
        if len(names) == 2:
            op.operator = _named_like(_binary(declared, declared.slow_operator), signature)
        setattr(OPS, declared.kernel, op)
        return op

    return build


def _named_like(op: Any, signature: Callable[..., Any]) -> Any:
    """Gives a body the name, docstring and signature of the op: tracebacks and help() show them."""
    op.__name__ = op.__qualname__ = signature.__name__
    op.__doc__, op.__module__, op.__wrapped__ = signature.__doc__, signature.__module__, signature
    op.__annotations__ = signature.__annotations__
    taken = signature.__code__.co_varnames[: signature.__code__.co_argcount]
    op.__code__ = op.__code__.replace(
        co_name=signature.__name__,
        co_qualname=signature.__qualname__,
        co_varnames=taken + op.__code__.co_varnames[len(taken) :],
    )
    return op


def _binary(declared: _Pointwise, slow: Callable[..., Any]) -> Any:
    rules, refuses, kernels = declared.rules, declared.refuses, declared.kernels
    compares = declared.result == "bool"
    # Ops that take no number meet these two classes nowhere, and so leave to the slow path.
    real, whole = (float, int) if declared.numbers[1] else (None, None)
    keeps_out, records = "out" in rules.saved, declared.differentiable
    names = (*declared.names, "out")
    first = second = both = None  # made when first needed: 30 us each, for every op, at import

    def op(input: Any, other: Any, *, out: Any = None) -> Any:
        try:
            x = input._data
            if other.__class__ is real or other.__class__ is whole:
                y, b = other, None
            else:
                y, b = other._data, other._node
                if x.dtype is not y.dtype:
                    return slow(input, other, out)
            if out is not None or (refuses and x.dtype.kind in refuses):
                return slow(input, other, out)
            z = kernels[x.__class__](x, y)
        except UNCOMMON:
            return slow(input, other, out)
        if z.dtype is not x.dtype and not compares:
            return slow(input, other, out)
        if z.__class__ is not x.__class__:
            z = AS_ARRAY[x.__class__](z)
        t = _new(final.Tensor)  # as in wrap, whose call takes 40 ns
        t._data = z
        t._node = t._base = t._owner = None
        a = input._node
        if (a is not None or b is not None) and records and grad_enabled.get():
            nonlocal first, second, both
            if b is None:
                pick = first = first or rules.picker(names, (1, 0))
            elif a is None:
                pick = second = second or rules.picker(names, (0, 1))
            else:
                pick = both = both or rules.picker(names, (1, 1))
            saved = pick(input, other, SavedOutput(z) if keeps_out else None)
            t._node = Node(rules, (a, b), saved, z)
        return t

    return op


def _unary(declared: _Pointwise, slow: Callable[..., Any]) -> Any:
    rules, refuses, kernels = declared.rules, declared.refuses, declared.kernels
    checks = declared.result in ("same", "float", "number")
    records = declared.differentiable
    saves_out, saves = "out" in rules.saved, bool(rules.saved)
    names = (*declared.names, "out")
    pick = None

    def op(input: Any, *, out: Any = None) -> Any:
        try:
            x = input._data
            if out is not None or (refuses and x.dtype.kind in refuses):
                return slow(input, None, out)
            z = kernels[x.__class__](x)
        except UNCOMMON:
            return slow(input, None, out)
        if z.dtype is not x.dtype and checks:
            return slow(input, None, out)
        if z.__class__ is not x.__class__:
            z = AS_ARRAY[x.__class__](z)
        elif z is x:
            z = backend_of(x).copy(x)
        t = _new(final.Tensor)  # as in wrap, whose call takes 40 ns
        t._data = z
        t._node = t._base = t._owner = None
        a = input._node
        if a is not None and records and grad_enabled.get():
            nonlocal pick
            pick = pick or rules.picker(names, (1,))
            saved = pick(input, SavedOutput(z) if saves_out else None) if saves else ()
            t._node = Node(rules, (a,), saved, z)
        return t

    return op


class _Pointwise:
    """What an elementwise op declares, and its slow path."""

    op: Any
    numbers: tuple[bool, ...]  # which arguments may be numbers, as the annotations say
    refusal = ""  # what is said of tensors of a kind that is refused
    fallback = ""  # the kernel for tensors that the first kernel refuses by ValueError

    def __init__(
        self,
        name: str,
        kernel: str,
        names: list[str],
        rules: Rules,
        result: str,
        refuses: str,
        differentiable: bool,
    ) -> None:
        self.name, self.kernel, self.names, self.rules = name, kernel, names, rules
        self.result, self.refuses, self.differentiable = result, refuses, differentiable
        self.kernels: dict[type, Callable[..., Any]] = {}  # by array type
        self.ufuncs: dict[type, Callable[..., Any]] = {}  # those that can write into an array
        self.natives: dict[Any, Any] = {}  # what is computed in, by dtypes of few operands

    def slow(self, input: Any, other: Any, out: Any) -> Any:
        """Does what the hot path would not: learns kernels, promotes, moves, writes ``out``, raises."""
        operands = [input] if len(self.names) == 1 else [input, other]
        if out is None:
            if (cast_ := self._cast_few(operands)) is not None:
                return self.op(*cast_)
        elif self._into(operands, out):
            stamp(out, 3)
            return out
        for position, operand in enumerate(operands):
            if _overrides(operand):
                return _intercept.handled(self.name, operands, {} if out is None else {"out": out})
            takes_number = self.numbers[position]
            if not (isinstance(operand, TensorBase) or takes_number and is_number(operand)):
                wanted = "Tensor or Number" if takes_number else "Tensor"
                raise TypeError(
                    f"{self.name}(): argument '{self.names[position]}' (position {position + 1}) "
                    f"must be {wanted}, not {type(operand).__name__}"
                )
        tensors = [t for t in operands if isinstance(t, TensorBase)]
        if not tensors and self.name in ARITHMETIC:
            tensors = [_number_alone(input)]
            operands[0] = tensors[0]
        if not tensors:
            raise TypeError(
                f"{self.name}(): argument '{self.names[0]}' (position 1) must be Tensor, "
                f"not {type(input).__name__}"
            )
        place = common_device(self.name, tensors)
        operands = [moved(t, place) if isinstance(t, TensorBase) else plain(t) for t in operands]
        tensors = [t for t in operands if isinstance(t, TensorBase)]
        broadcast_shape(self.name, *[t._data.shape for t in tensors])
        dtype = self._dtype(operands)
        native = numpy_dtype(dtype)
        if native.kind in self.refuses:
            raise self._unsupported(dtype)
        if self.refusal and any(_kind(o) in self.refuses for o in operands):
            raise RuntimeError(self.refusal)
        B = outermost(*[t._data for t in tensors])
        for t in tensors:
            if t._data.__class__ not in self.kernels:
                kernel = learn(self.kernels, t._data, self.kernel)
                if hasattr(kernel, "nin"):
                    learn(self.ufuncs, t._data, self.kernel)
        fallback = getattr(B, self.fallback, None) if isinstance(operands[-1], TensorBase) else None
        if self.fallback and not fallback and native.kind in "iu" and operands[-1] < 0:
            raise RuntimeError("Integers to negative integer powers are not allowed.")
        index = None if place is None else place.index
        operands = [self._as(t, native, B, index) for t in operands]
        if out is None:
            return self._computed(operands, dtype, B, fallback)
        return write_result(self.name, out, self._computed(operands, dtype, B, fallback), tensors)

    def _dtype(self, operands: list[Any]) -> _dtypes.dtype:
        """The dtype in which the operands are computed with."""
        dtype = result_type(*operands)
        if "float" in self.result and not (dtype.is_floating_point or dtype.is_complex):
            return _dtypes.get_default_dtype()
        return _dtypes.int64 if self.result == "number" and dtype is _dtypes.bool else dtype

    def _cast_few(self, operands: list[Any]) -> list[Any] | None:
        """Operands for which the hot path lacks nothing but one dtype, in that one; None for others.

        Of arrays of the host this is a third of the time of finding out all that can be wrong.
        """
        kinds: list[Any] = []
        for operand in operands:
            if operand.__class__ is int or operand.__class__ is float:
                if len(operands) < 2 or not self.numbers[len(kinds)]:
                    return None
                kinds.append(operand.__class__)
            elif operand.__class__ is final.Tensor and operand._data.__class__ is ndarray:
                kinds.append((operand._data.dtype, operand._data.ndim > 0))
            else:
                return None
        if ndarray not in self.kernels or kinds[-1] in (int, float) and kinds[0] in (int, float):
            return None
        key = (*kinds, _dtypes.get_default_dtype())
        native = self.natives.get(key)
        if native is None:
            native = self.natives[key] = numpy_dtype(self._dtype(operands))
        if self.fallback and native.kind != "f":
            return None
        made: list[Any] = []
        done = False
        for operand in operands:
            if not made and operand.__class__ in (int, float):
                operand, done = self._as(operand, native, BACKENDS[ndarray], None), True
            elif isinstance(operand, TensorBase):
                if operand._data.dtype.kind in self.refuses:
                    return None
                if operand._data.dtype is not native:
                    operand, done = cast(operand, native), True
            made.append(operand)
        return made if done and native.kind not in self.refuses else None

    def _into(self, operands: list[Any], out: Any) -> bool:
        """Lets the ufunc write a result that ``out`` fits exactly; False if it does not, or may not.

        A quarter of the time of the rest, and no memory for the result.
        """
        if out.__class__ is not final.Tensor or out._node is not None or self.result == "bool":
            return False
        z, arrays = out._data, []
        kind = z.dtype.kind
        if z.__class__ is not ndarray or kind not in "fi" or kind in self.refuses or 0 in z.strides:
            return False
        for operand in operands:
            if operand.__class__ is final.Tensor:
                x = operand._data
                if x.dtype is not z.dtype or x.shape != z.shape or operand._node is not None:
                    return False
                arrays.append(x)
            elif operand.__class__ in (int, float) and arrays and self.numbers[1]:
                arrays.append(operand)
            else:
                return False
        try:
            self.ufuncs[ndarray](*arrays, z)
        except UNCOMMON:  # there is none yet, or not for this dtype
            return False
        return True

    def slow_operator(self, input: Any, other: Any, out: Any) -> Any:
        """The slow path of a Python operator, which leaves foreign types to the other operand."""
        if not (isinstance(other, TensorBase) or is_number(other)):
            return (
                _intercept.answer(self.name, input, other) if _overrides(other) else NotImplemented
            )
        return self.slow(input, other, out)

    def _as(self, operand: Any, native: Any, B: Any, index: int | None) -> Any:
        if not isinstance(operand, TensorBase):
            return wrap(B.full((), wrapped_around(operand, native), native, index))
        return operand if operand._data.dtype == native else cast(operand, native)

    def _computed(self, operands: list[Any], dtype: Any, B: Any, fallback: Any) -> Any:
        arrays = [t._data for t in operands]
        kernel = getattr(B, self.kernel)
        try:
            z = kernel(*arrays)
        except TypeError as error:
            raise self._unsupported(dtype) from error
        except ValueError as error:
            if not fallback:
                raise RuntimeError(f"{self.name}(): {error}") from error
            z = fallback(*arrays)
        if self.result in ("same", "float", "number"):
            z = B.cast(z, arrays[0].dtype)
        if z.__class__ is not arrays[0].__class__:
            z = B.asarray(z) if hasattr(B, "asarray") else z
        if not self.differentiable:
            return wrap(z)
        values = dict(zip(self.names, operands, strict=True), out=z)
        return taped(self.op, z, tuple(operands), tuple(values[n] for n in self.rules.saved))

    def _unsupported(self, dtype: Any) -> Exception:
        if self.refusal and numpy_dtype(dtype).kind in self.refuses:
            return RuntimeError(self.refusal)
        return NotImplementedError(
            f"\"{self.name}_cpu\" not implemented for '{scalar_type_name(dtype)}'"
        )


def _overrides(operand: Any) -> bool:
    """Whether an operand is of a foreign class that overrides functions, and was not known to."""
    return (
        not isinstance(operand, TensorBase)
        and hasattr(type(operand), "__torch_function__")
        and not _intercept.subclasses_ignored.get()
        and _intercept.notice(type(operand))
    )


def _number_alone(value: Any) -> Any:
    """A number as the tensor that PyTorch makes of it where there is no other."""
    B, place = place_for(None)
    value = plain(value)
    return wrap(B.full((), value, numpy_dtype(scalar_dtype(value)), place.index))


def _kind(operand: Any) -> str:
    return (
        operand._data.dtype.kind if isinstance(operand, TensorBase) else type(operand).__name__[0]
    )


@derivative(d_input=lambda g: g, name="ToCopyBackward0")
def cast(input: Any, native: Any) -> Any:
    """Converts to another type of array element; the engine converts gradients back."""
    if native.kind in "biu":  # integers have no gradients
        return wrap(backend_of(input._data).cast(input._data, native))
    return taped(cast, backend_of(input._data).cast(input._data, native), (input,))
