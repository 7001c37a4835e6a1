"""Whether values are close, and how far they are apart, in PyTorch's words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .. import _dtypes
from .._dtypes import promote_types
from .._tensor import Tensor
from ..autograd.modes import no_grad
from ..ops import as_tensor, isclose, tensor

# By dtype: the relative and the absolute tolerance. All others are to be equal.
_TOLERANCES = {
    _dtypes.float16: (1e-3, 1e-5),
    _dtypes.bfloat16: (1.6e-2, 1e-5),
    _dtypes.float32: (1.3e-6, 1e-5),
    _dtypes.float64: (1e-7, 1e-7),
    _dtypes.complex64: (1.3e-6, 1e-5),
    _dtypes.complex128: (1e-7, 1e-7),
}
_NUMBERS = {int: _dtypes.int64, float: _dtypes.float64, complex: _dtypes.complex128}


@dataclass(frozen=True)
class _Rules:
    """What counts as close."""

    allow_subclasses: bool
    rtol: float | None
    atol: float | None
    equal_nan: bool
    check_device: bool
    check_dtype: bool
    check_layout: bool
    check_stride: bool

    def tolerances(self, *dtypes: Any) -> tuple[float, float]:
        """The tolerances given, else the larger ones of the dtypes."""
        if self.rtol is not None and self.atol is not None:
            return self.rtol, self.atol
        rtols, atols = zip(*(_TOLERANCES.get(d, (0.0, 0.0)) for d in dtypes))
        return max(rtols), max(atols)


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Raises AssertionError unless ``actual`` and ``expected`` are close, and alike otherwise.

    Close is |actual - expected| <= atol + rtol * |expected|; tolerances go by the dtype unless both
    are given. Sequences and mappings are compared item by item. ``msg`` replaces the message, or is a
    function of it. Raises TypeError for what cannot be compared.

    >>> torch.testing.assert_close(torch.tensor([1.0]), torch.tensor([1.0 + 1e-7]))
    >>> torch.testing.assert_close({"a": [1, 2]}, {"a": [1, 3]})
    Traceback (most recent call last):
        ...
    AssertionError: Scalars are not equal!
    <BLANKLINE>
    Expected 3 but got 2.
    Absolute difference: 1
    Relative difference: 0.3333333333333333
    <BLANKLINE>
    The failure occurred for item ['a'][1]
    """
    if (rtol is None) != (atol is None):
        missing = "rtol" if rtol is None else "atol"
        raise ValueError(
            f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}."
        )
    rules = _Rules(allow_subclasses, rtol, atol, equal_nan, check_device, check_dtype,
                   check_layout, check_stride)  # fmt: skip
    try:
        with no_grad():
            pairs = list(_pairs(actual, expected, (), rules))
            for compare, path in pairs:
                compare(path)
    except _Apart as found:
        text = str(found)
        if msg is not None:
            text = msg(text) if callable(msg) else msg
        raise AssertionError(text) from None


class _Apart(AssertionError):
    """What was found, with the place in a container where it was found."""

    def __init__(self, text: str, path: tuple[Any, ...]) -> None:
        place = "".join(f"[{key!r}]" for key in path)
        super().__init__(f"{text}\n\nThe failure occurred for item {place}" if path else text)


_Compare = Callable[[tuple[Any, ...]], None]


def _pairs(
    actual: Any, expected: Any, path: tuple[Any, ...], rules: _Rules
) -> Iterator[tuple[_Compare, tuple[Any, ...]]]:
    """All pairs of what is no container, as functions that compare them, with their places."""
    if _are(Sequence, actual, expected) and not _are(str, actual, expected):
        if len(actual) != len(expected):
            raise _Apart(
                f"The length of the sequences mismatch: {len(actual)} != {len(expected)}", path
            )
        for index, items in enumerate(zip(actual, expected)):
            yield from _pairs(*items, (*path, index), rules)
    elif _are(Mapping, actual, expected):
        _check_keys(actual, expected, path)
        for key in _in_order(actual):
            yield from _pairs(actual[key], expected[key], (*path, key), rules)
    else:
        yield _comparison(actual, expected, rules), path


def _are(kind: Any, actual: Any, expected: Any) -> bool:
    return isinstance(actual, kind) and isinstance(expected, kind)


def _check_keys(actual: Any, expected: Any, path: tuple[Any, ...]) -> None:
    missing, more = expected.keys() - actual.keys(), actual.keys() - expected.keys()
    if missing or more:
        raise _Apart(
            "The keys of the mappings do not match:\n"
            f"Missing keys in the actual mapping: {_in_order(missing)}\n"
            f"Additional keys in the actual mapping: {_in_order(more)}",
            path,
        )


def _in_order(keys: Any) -> list[Any]:
    try:
        return sorted(keys)
    except TypeError:
        return list(keys)


def _comparison(actual: Any, expected: Any, rules: _Rules) -> _Compare:
    """The function that compares two values of this kind."""
    if actual is None or expected is None:
        return lambda path: _same(actual, expected, "None", path)
    kinds = type(actual), type(expected)
    if kinds == (bool, bool):
        return lambda path: _same(actual, expected, "Booleans", path)
    if all(issubclass(k, (int, float, complex)) and k is not bool for k in kinds):
        return lambda path: _compare_numbers(actual, expected, path, rules)
    related = isinstance(actual, kinds[1]) or isinstance(expected, kinds[0])
    if (
        related
        and hasattr(actual, "__array__")
        and (rules.allow_subclasses or kinds[0] is kinds[1])
    ):
        try:
            tensors = as_tensor(actual), as_tensor(expected)
        except (TypeError, ValueError, RuntimeError):
            pass
        else:
            return lambda path: _compare_tensors(*tensors, path, rules)
    raise TypeError(
        f"No comparison pair was able to handle inputs of type {kinds[0]} and {kinds[1]}."
    )


def _same(actual: Any, expected: Any, what: str, path: tuple[Any, ...]) -> None:
    if actual is not expected:
        raise _Apart(f"{what} mismatch: {actual} is not {expected}", path)


def _compare_numbers(actual: Any, expected: Any, path: tuple[Any, ...], rules: _Rules) -> None:
    if rules.check_dtype and type(actual) is not type(expected):
        raise _Apart(f"The (d)types do not match: {type(actual)} != {type(expected)}.", path)
    rtol, atol = rules.tolerances(*(_NUMBERS.get(type(x)) for x in (actual, expected)))
    if not isclose(tensor(actual, dtype=_wide(actual)), tensor(expected, dtype=_wide(expected)),
                   rtol=rtol, atol=atol, equal_nan=rules.equal_nan):  # fmt: skip
        raise _Apart(_about_scalars(actual, expected, rtol, atol), path)


def _wide(x: Any) -> Any:
    return _dtypes.complex128 if isinstance(x, complex) else _dtypes.float64


def _compare_tensors(actual: Tensor, expected: Tensor, path: Any, rules: _Rules) -> None:
    _check_attributes(actual, expected, path, rules)
    if "meta" in (actual.device.type, expected.device.type):
        return
    if actual.is_sparse and expected.is_sparse:
        _compare_sparse(actual, expected, path, rules)
        return
    actual, expected = actual.to_dense(), expected.to_dense()
    _compare_elements(actual, expected, path, rules, "Tensor-likes")


def _compare_sparse(actual: Tensor, expected: Tensor, path: Any, rules: _Rules) -> None:
    if actual._nnz() != expected._nnz():
        raise _Apart(
            "The number of specified values in sparse COO tensors does not match: "
            f"{actual._nnz()} != {expected._nnz()}",
            path,
        )
    exact = replace(rules, rtol=0, atol=0)
    _compare_elements(actual._indices(), expected._indices(), path, exact, "Sparse COO indices")
    _compare_elements(actual._values(), expected._values(), path, rules, "Sparse COO values")


def _compare_elements(
    actual: Tensor, expected: Tensor, path: Any, rules: _Rules, what: str
) -> None:
    rtol, atol = rules.tolerances(actual.dtype, expected.dtype)
    common = promote_types(actual.dtype, expected.dtype)
    actual = actual.to(expected.device).to(common)
    expected = expected.to(common)
    close = isclose(actual, expected, rtol=rtol, atol=atol, equal_nan=rules.equal_nan)
    if close.all():
        return
    if not actual.dim():
        raise _Apart(_about_scalars(actual.item(), expected.item(), rtol, atol), path)
    raise _Apart(_about_tensors(what, actual, expected, close, rtol, atol), path)


def _check_attributes(actual: Tensor, expected: Tensor, path: Any, rules: _Rules) -> None:
    checks = [
        ("shape", True, actual.shape, expected.shape),
        ("layout", rules.check_layout, actual.layout, expected.layout),
        ("stride()", rules.check_stride, actual.stride(), expected.stride()),
        ("device", rules.check_device, actual.device, expected.device),
        ("dtype", rules.check_dtype, actual.dtype, expected.dtype),
    ]
    for name, asked, ours, theirs in checks:
        if asked and ours != theirs:
            raise _Apart(
                f"The values for attribute '{name}' do not match: {ours} != {theirs}.", path
            )


# ---------------------------------------------------------------------------------- messages


def _allowed(rtol: float, atol: float) -> tuple[str, str, str]:
    """How close was asked for: the word, and what follows the differences."""
    if rtol == atol == 0:
        return "equal", "", ""
    return "close", f" (up to {atol} allowed)", f" (up to {rtol} allowed)"


def _about_scalars(actual: Any, expected: Any, rtol: float, atol: float) -> str:
    word, absolute, relative = _allowed(rtol, atol)
    apart = abs(actual - expected)
    share = apart / abs(expected) if expected != 0 else math.inf
    return (
        f"Scalars are not {word}!\n\nExpected {expected} but got {actual}.\n"
        f"Absolute difference: {apart}{absolute}\nRelative difference: {share}{relative}"
    )


def _about_tensors(
    what: str, actual: Any, expected: Any, close: Tensor, rtol: float, atol: float
) -> str:
    word, absolute, relative = _allowed(rtol, atol)
    if actual.dtype is _dtypes.bool or not (actual.is_floating_point() or actual.is_complex()):
        actual, expected = actual.to(_dtypes.int64), expected.to(_dtypes.int64)
    number, total = int((~close).sum()), close.numel()
    apart = (actual - expected).abs()
    share = apart / expected.abs()
    lines = [
        f"{what} are not {word}!\n",
        f"Mismatched elements: {number} / {total} ({number / total:.1%})",
        f"Greatest absolute difference: {_greatest(apart, close)}{absolute}",
        f"Greatest relative difference: {_greatest(share, close)}{relative}",
    ]
    return "\n".join(lines)


def _greatest(differences: Tensor, close: Tensor) -> str:
    """The greatest difference of what is not close, and where it is."""
    differences = differences.masked_fill(close, 0) if close.any() else differences
    at = int(differences.flatten().argmax())
    index: list[int] = []
    for size in reversed(differences.shape):
        at, place = divmod(at, size)
        index.insert(0, place)
    return f"{differences[tuple(index)].item()} at index {tuple(index)}"
