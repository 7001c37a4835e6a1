"""How tensors are shown: PyTorch's text, character for character, and a table for notebooks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from textwrap import indent
from typing import Any

from ._dtypes import bool as bool_
from ._dtypes import complex64, complex128, float64, get_default_dtype, int64
from .autograd.tape import wrap
from .backends import backend_of
from .backends.formatting import Column, columns, edges


class _Options:
    def __init__(self) -> None:
        self.precision = 4
        self.threshold: float = 1000
        self.edgeitems = 3
        self.linewidth = 80
        self.sci_mode: bool | None = None


_PROFILES: dict[str, dict[str, Any]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}
_options = _Options()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Sets how tensors are printed; what is None stays as it is, but for ``sci_mode``.

    ``precision`` counts the digits after the point. A tensor of more than ``threshold`` elements
    shows only ``edgeitems`` at either end of each dimension. Lines break before ``linewidth``.
    ``profile`` is "default", "short" or "full". ``sci_mode`` forces scientific notation on or off;
    None, also where it is left out, lets the values decide.

    >>> torch.set_printoptions(precision=2); torch.tensor([1.2345])
    tensor([1.23])
    >>> torch.set_printoptions(profile="default"); torch.tensor([1.2345])
    tensor([1.2345])
    """
    chosen = dict(_PROFILES.get(profile, {}) if profile is not None else {})
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    chosen.update((name, value) for name, value in given.items() if value is not None)
    for name, value in chosen.items():
        setattr(_options, name, value)
    _options.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """Returns how tensors are printed, as the keyword arguments of `set_printoptions`.

    >>> torch.get_printoptions()["linewidth"]
    80
    """
    return dict(vars(_options))


@contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """Prints otherwise for the length of a ``with`` block; takes what `set_printoptions` takes."""
    before = get_printoptions()
    set_printoptions(**options)
    try:
        yield
    finally:
        set_printoptions(**before)


# ---------------------------------------------------------------------------------- the text


def tensor_str(t: Any, *, tensor_contents: str | None = None) -> str:
    """Returns the text of a tensor, with ``tensor_contents`` in place of its numbers if given.

    A tensor of more than ``threshold`` elements is summarised; only what is shown leaves its device.
    """
    if hasattr(t._data.shape, "levels"):
        return _samples(t)
    kind = type(t)
    plain = kind.__module__.partition(".")[0] == __package__ and kind.__name__ in _PLAIN
    start = "tensor(" if plain else f"{kind.__name__}("
    if t.is_sparse and tensor_contents is None:
        tensor_contents = _sparse_contents(t, len(start))
    contents = _contents(t, len(start)) if tensor_contents is None else tensor_contents
    text = _with_suffixes(start + contents, list(_suffixes(t)), len(start))
    return text if plain or not _is_parameter(kind) else f"Parameter({text})"


_PLAIN = ("Tensor", "Parameter")


def _samples(t: Any) -> str:
    """The text of a tensor inside vmap: that of all its samples."""
    x = t._data
    text = indent(tensor_str(wrap(x.value)), "    ")
    return f"BatchedTensor(lvl={len(x.shape.levels)}, bdim=0, value=\n{text}\n)"


def _is_parameter(kind: type) -> bool:
    # By name: the class stands in a layer above this one.
    return any(
        c.__name__ == "Parameter" and c.__module__.startswith(__package__) for c in kind.__mro__
    )


def _suffixes(t: Any) -> Iterator[str]:
    shape, dtype, device = tuple(t.shape), t.dtype, t.device
    default = get_default_dtype()
    ordinary: tuple[Any, ...] = (
        default,
        complex128 if default is float64 else complex64,
        int64,
        bool_,
    )
    if device.type != "cpu":
        yield f"device='{device}'"
    if t.is_sparse:
        yield from _sparse_suffixes(t, ordinary)
        return
    if device.type == "meta":
        yield f"size={shape}"
        ordinary = (default,)
    elif math.prod(shape) == 0:
        if len(shape) != 1:
            yield f"size={shape}"
        ordinary = (default,)  # no element tells that the type is int64
    elif not _options.edgeitems:
        yield f"size={shape}"
    if dtype not in ordinary:
        yield f"dtype={dtype}"
    yield from _history(t)


def _history(t: Any) -> Iterator[str]:
    if t.grad_fn is not None:
        yield f"grad_fn=<{t.grad_fn.name()}>"
    elif t.requires_grad:
        yield "requires_grad=True"


def _sparse_suffixes(t: Any, ordinary: tuple[Any, ...]) -> Iterator[str]:
    yield f"nnz={t._nnz()}"
    if t.dtype not in ordinary:
        yield f"dtype={t.dtype}"
    yield "layout=torch.sparse_coo"
    yield from _history(t)


def _sparse_contents(t: Any, indent: int) -> str:
    """The tensors that a sparse one consists of and its size, each from a line of its own on."""
    parts = []
    for name, part in (("indices", t._indices()), ("values", t._values())):
        start = f"{name}=tensor("
        text = start + _contents(part, indent + len(start))
        if not math.prod(part.shape):
            text += f", size={tuple(part.shape)}"
        parts.append(text + ")")
    return (",\n" + " " * indent).join([*parts, f"size={tuple(t.shape)}"])


def _with_suffixes(text: str, suffixes: list[str], indent: int) -> str:
    parts = [text]
    length = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if length + len(suffix) + 2 > _options.linewidth:
            parts.append(",\n" + " " * indent + suffix)
            length = indent + len(suffix)
        else:
            parts.append(", " + suffix)
            length += len(suffix) + 2
    return "".join([*parts, ")"])


def _contents(t: Any, indent: int) -> str:
    if t.device.type == "meta":
        return "..."
    shape = tuple(t.shape)
    size = math.prod(shape)
    if not size:
        return "[]"
    summarize = size > _options.threshold
    if summarize and shape and not _options.edgeitems:
        return "[...]"
    shown = columns(_host(t._data, summarize))
    strings, width = _formatted(shown)
    per_line = max(1, (_options.linewidth - indent - len(shape) + 1) // (width + 2))
    return _nested(iter(strings), shape, indent, summarize, per_line)


def _host(array: Any, summarize: bool) -> Any:
    to_host = backend_of(array).to_host
    return edges(array, _options.edgeitems, to_host) if summarize else to_host(array)


def _formatted(shown: tuple[Column, ...]) -> tuple[list[str], int]:
    """The strings of all values, padded alike, and the width on which lines break."""
    if len(shown) == 1:
        strings, width = _numbers(shown[0])
        return [s.rjust(width) for s in strings], width
    (reals, wide), (imags, wide_too) = map(_numbers, shown)
    strings = [
        f"{real.rjust(wide)}{'' if imag[0] in '+-' else '+'}{imag}j"
        for real, imag in zip(reals, imags, strict=True)
    ]
    return strings, wide + wide_too + 1


def _numbers(column: Column) -> tuple[list[str], int]:
    """The strings of a column and its width, to which infinities, NaN and zeros do not count."""
    if column.counted is None:
        strings = [str(value) for value in column.values]
        return strings, max(map(len, strings))
    show = _style(column)
    strings = [show(value) for value in column.values]
    lengths = [len(s) for s, counts in zip(strings, column.counted, strict=True) if counts]
    return strings, max(lengths, default=1)


def _style(column: Column) -> Callable[[float], str]:
    low, high = column.lowest, column.highest
    if low is None or high is None:
        return _whole
    scientific = _options.sci_mode
    if scientific is None:
        scientific = high / low > 1000.0 or high > 1.0e8 or low < 1.0e-4
    if column.whole and not scientific:
        return _whole
    return f"{{:.{_options.precision}{'e' if scientific else 'f'}}}".format


def _whole(value: float) -> str:
    return f"{value:.0f}." if math.isfinite(value) else str(value)


def _nested(
    strings: Iterator[str], shape: tuple[int, ...], indent: int, summarize: bool, per_line: int
) -> str:
    """The brackets around ``strings``, which come in the order of the elements shown."""
    if not shape:
        return next(strings)
    count, inner = shape[0], shape[1:]
    cut = summarize and count > 2 * _options.edgeitems
    shown = range(2 * _options.edgeitems if cut else count)
    if inner:
        items = [_nested(strings, inner, indent + 1, summarize, per_line) for _ in shown]
        between = "," + "\n" * len(inner) + " " * (indent + 1)
        items[len(shown) // 2 : len(shown) // 2] = ["..."] if cut else []
        return f"[{between.join(items)}]"
    items = [next(strings) for _ in shown]
    items[len(shown) // 2 : len(shown) // 2] = [" ..."] if cut else []
    lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
    return f"[{(',' + chr(10) + ' ' * (indent + 1)).join(lines)}]"


# --------------------------------------------------------------------------------- the table


def tensor_html(t: Any) -> str:
    """Returns a table of a tensor of one or two dimensions for a notebook; others are its text.

    Long dimensions are summarised as in the text. The caption says type, shape and device.
    """
    shape = tuple(t.shape)
    caption = _escape(_caption(t, shape))
    if len(shape) not in (1, 2) or not math.prod(shape) or t.device.type == "meta":
        return f"<div><pre>{_escape(tensor_str(t))}</pre><small>{caption}</small></div>"
    edge = max(_options.edgeitems, 1)
    summarize = math.prod(shape) > _options.threshold
    host = edges(t._data, edge, backend_of(t._data).to_host) if summarize else _host(t._data, False)
    cells = iter(_formatted(columns(host))[0])
    rows, cols = (_shown(n, edge, summarize) for n in ((1, *shape) if len(shape) == 1 else shape))
    lines = [_row("th", "" if len(shape) == 2 else None, map(_ordinal, cols))]
    for row in rows:
        label = None if len(shape) == 1 else _ordinal(row)
        if row is None:
            lines.append(_row("td", label, ["&#8943;"] * len(cols)))
        else:
            body = (_ordinal(c) if c is None else _escape(next(cells).strip()) for c in cols)
            lines.append(_row("td", label, body))
    return f"<table><caption>{caption}</caption>{''.join(lines)}</table>"


# Python's html module would take longer to import than all of this one.
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})


def _escape(text: str) -> str:
    return text.translate(_ESCAPES)


def _caption(t: Any, shape: tuple[int, ...]) -> str:
    facts = [f"{type(t).__name__} of {t.dtype}", f"shape {shape}", f"on {t.device}"]
    return ", ".join([*facts, "requires grad"] if t.requires_grad else facts)


def _shown(count: int, edge: int, summarize: bool) -> list[int | None]:
    """The indices that are shown of a dimension, with None where some are left out."""
    if not summarize or count <= 2 * edge:
        return list(range(count))
    return [*range(edge), None, *range(count - edge, count)]


def _ordinal(index: int | None) -> str:
    return "&#8943;" if index is None else str(index)


def _row(tag: str, label: str | None, cells: Any) -> str:
    head = "" if label is None else f"<th>{label}</th>"
    return f"<tr>{head}{''.join(f'<{tag}>{cell}</{tag}>' for cell in cells)}</tr>"
