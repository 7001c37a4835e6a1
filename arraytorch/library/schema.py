"""What an op takes and returns, as text: ``(Tensor x, int k=2) -> Tensor``."""

from __future__ import annotations

import inspect
import numbers
import re
import types
import typing
from ast import literal_eval
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from .._device import device
from .._dtypes import dtype
from .._tensor import Tensor

BASE: dict[Any, str] = {
    Tensor: "Tensor",
    int: "SymInt",
    float: "float",
    bool: "bool",
    str: "str",
    int | float | bool: "Scalar",
    dtype: "ScalarType",
    device: "Device",
}
ACCEPTED: dict[str, Any] = {
    "Tensor": Tensor,
    "SymInt": numbers.Integral,
    "int": numbers.Integral,
    "float": numbers.Real,
    "bool": bool,
    "str": str,
    "Scalar": numbers.Number,
    "ScalarType": dtype,
    "Device": (device, str, int),
}
REQUIRED = inspect.Parameter.empty
ARGUMENT = re.compile(
    r"(?P<kind>\w+)(?:\((?P<alias>\w+!?)\))?(?P<suffix>(?:\?|\[\d*\])*)\s+(?P<name>\w+)(?:\s*=\s*(?P<default>.+))?"
)


@dataclass(frozen=True)
class Argument:
    """An argument of an op: its kind as in ``Tensor?``, and whether the op changes it."""

    name: str
    kind: str
    default: Any = REQUIRED
    keyword_only: bool = False
    mutated: bool = False

    def accepts(self, value: Any) -> bool:
        """Returns whether a value is of this kind."""
        return _accepts(self.kind, value)


def _accepts(kind: str, value: Any) -> bool:
    if kind.endswith("?"):
        return value is None or _accepts(kind[:-1], value)
    if kind.endswith("]"):
        inner = kind[: kind.rindex("[")]
        return isinstance(value, (list, tuple)) and all(_accepts(inner, each) for each in value)
    return isinstance(value, ACCEPTED[kind])


@dataclass(frozen=True)
class Schema:
    """The arguments of an op, and the kinds of what it returns."""

    text: str
    arguments: tuple[Argument, ...]
    returns: tuple[str, ...]

    @property
    def mutates(self) -> bool:
        """Whether the op changes one of its arguments."""
        return any(argument.mutated for argument in self.arguments)

    def bind(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """Returns the value of each argument in a call."""
        positional = [a for a in self.arguments if not a.keyword_only]
        declaration = f"Declaration: {name}{self.text}"
        if len(args) > len(positional):
            raise RuntimeError(
                f"{name}() expected at most {len(positional)} argument(s) but received "
                f"{len(args)} argument(s). {declaration}"
            )
        given = {a.name: value for a, value in zip(positional, args, strict=False)}
        unknown = [key for key in kwargs if key in given or key not in map(_name, self.arguments)]
        if unknown:
            raise RuntimeError(
                f"Unknown keyword argument '{unknown[0]}' for operator '{name}'. {declaration}"
            )
        given.update(kwargs)
        values = []
        for position, argument in enumerate(self.arguments):
            value = given.get(argument.name, argument.default)
            if value is REQUIRED:
                raise RuntimeError(
                    f"{name}() is missing value for argument '{argument.name}'. {declaration}"
                )
            if not argument.accepts(value):
                raise RuntimeError(
                    f"{name}() Expected a value of type '{argument.kind}' for argument "
                    f"'{argument.name}' but instead found type '{type(value).__name__}'.\n"
                    f"Position: {position}\nValue: {value!r}\n{declaration}"
                )
            values.append(value)
        return values


def _name(argument: Argument) -> str:
    return argument.name


def parse(text: str) -> Schema:
    """Reads ``(Tensor x, *, Tensor(a!)? y=None) -> (Tensor, Tensor)``, with or without a name."""
    match = re.fullmatch(
        r"[\w:.]*\((?P<arguments>.*)\)\s*->\s*(?P<returns>.+)", text.strip(), re.DOTALL
    )
    if match is None:
        raise RuntimeError(f"cannot parse the schema {text!r}")
    arguments, keyword_only = [], False
    for part in _parts(match["arguments"]):
        if part == "*":
            keyword_only = True
        else:
            arguments.append(_argument(part, keyword_only))
    returns = match["returns"].strip()
    kinds = _parts(returns[1:-1]) if returns.startswith("(") else [returns]
    where = text.index("(")
    return Schema(
        text.strip()[where:], tuple(arguments), tuple(kind.split(" ")[0] for kind in kinds)
    )


def _parts(text: str) -> list[str]:
    return [part.strip() for part in re.split(r",(?![^\[(]*[\])])", text) if part.strip()]


def _argument(part: str, keyword_only: bool) -> Argument:
    match = ARGUMENT.fullmatch(part)
    if match is None or match["kind"] not in ACCEPTED:
        raise RuntimeError(f"cannot parse the argument {part!r} of a schema")
    default: Any = REQUIRED
    if match["default"] is not None:
        try:
            default = {"True": True, "False": False}.get(
                match["default"], literal_eval(match["default"])
            )
        except ValueError:
            raise RuntimeError(f"cannot parse the argument {part!r} of a schema") from None
    mutated = (match["alias"] or "").endswith("!")
    return Argument(match["name"], match["kind"] + match["suffix"], default, keyword_only, mutated)


def infer_schema(
    prototype_function: Callable[..., Any],
    /,
    *,
    mutates_args: str | Iterable[str],
    op_name: str | None = None,
) -> str:
    """Returns the schema that a function's annotations tell.

    >>> def scaled(x: torch.Tensor, by: float = 2.0) -> torch.Tensor:
    ...     return x * by
    >>> torch.library.infer_schema(scaled, mutates_args=())
    '(Tensor x, float by=2.) -> Tensor'
    """
    signature = inspect.signature(prototype_function)
    hints = typing.get_type_hints(prototype_function)

    def failed(what: str) -> ValueError:
        return ValueError(f"infer_schema(func): {what} Got func with signature {signature})")

    parts: list[str] = []
    unknown = mutates_args == "unknown"
    mutated = (
        set() if unknown else {mutates_args} if isinstance(mutates_args, str) else set(mutates_args)
    )
    for letter, parameter in enumerate(signature.parameters.values()):
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise failed("We do not support positional-only args, varargs, or varkwargs.")
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        if parameter.annotation is parameter.empty:
            raise failed(f"Parameter {parameter.name} must have a type annotation.")
        kind = _kind(hints[parameter.name])
        if kind is None:
            raise failed(
                f"Parameter {parameter.name} has unsupported type {hints[parameter.name]}."
            )
        if parameter.name in mutated or (unknown and kind.startswith("Tensor")):
            if not kind.startswith("Tensor"):
                raise failed(
                    f"Parameter {parameter.name} is in mutable_args but only Tensors or collections of Tensors can be mutated."
                )
            kind = kind.replace("Tensor", f"Tensor(a{letter}!)", 1)
        parts.append(f"{kind} {parameter.name}{_default(parameter, failed)}")
    if missing := mutated - set(signature.parameters):
        raise failed(
            f"{missing} in mutates_args were not found in the custom op's signature. mutates_args "
            "should contain the names of all args that the custom op mutates, or just the string "
            "'unknown' if you don't know."
        )
    if signature.return_annotation is signature.empty:
        raise failed("No return type annotation was provided. Please add one.")
    return f"{op_name or ''}({', '.join(parts)}) -> {_returned(hints['return'], failed)}"


def _kind(hint: Any) -> str | None:
    """The schema's word for an annotation: ``Tensor[]`` for list[Tensor], ``float?`` for float | None."""
    if hint in BASE:
        return BASE[hint]
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        rest = [each for each in inner if each is not type(None)]
        if len(rest) < len(inner):
            kind = _kind(typing.Union[tuple(rest)])
            return kind and f"{kind}?"
        return BASE.get(int | float | bool) if set(inner) == {int, float, bool} else None
    if isinstance(origin, type) and issubclass(origin, typing.Sequence) and origin is not tuple:  # type: ignore[arg-type]
        kind = _kind(inner[0])
        return kind and f"{kind}[]"
    return None


def _default(parameter: inspect.Parameter, failed: Callable[[str], ValueError]) -> str:
    value = parameter.default
    if value is parameter.empty:
        return ""
    if value is None or isinstance(value, (bool, int)):
        return f"={value}"
    if isinstance(value, float):
        return f"={value:g}" + ("." if value.is_integer() and abs(value) < 1e6 else "")
    if isinstance(value, (str, device)):
        return f'="{value}"'
    if isinstance(value, dtype):
        return f"={str(value).rpartition('.')[2]}"
    raise failed(
        f"Parameter {parameter.name} has an unsupported default value type {type(value)}. "
        "Please file an issue on GitHub so we can prioritize this."
    )


def _returned(hint: Any, failed: Callable[[str], ValueError]) -> str:
    if hint is None or hint is type(None):
        return "()"
    if typing.get_origin(hint) is tuple:
        kinds = [_kind(each) for each in typing.get_args(hint)]
        text = ", ".join(map(str, kinds))
        kind = None if None in kinds else f"({text})" if len(kinds) > 1 else text
    else:
        kind = _kind(hint)
    if kind is None:
        raise failed(f"Return has unsupported type {hint}.")
    return kind
