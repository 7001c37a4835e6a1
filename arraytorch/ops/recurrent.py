"""Recurrent layers: a node of the tape for each walk over a sequence, not for each gate and step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._dtypes import int64, scalar_type_name
from ..autograd.calculus import grad
from ..autograd.modes import enable_grad
from ..autograd.tape import TensorBase, taped_many
from ..backends import backend_of, dtype_of, numpy_dtype
from ..backends.recurrence import Steps
from ._declare import cast, derivative, kernel_op
from .elementary import relu, sigmoid, tanh
from .indexing import chunk, narrow
from .joining import cat, stack
from .linear import linear
from .native_layers import dropout as _dropout
from .shape import reshape, transpose

Tensor = Any

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}
_ARRAYS = ("input", "h", "c", "w_ih", "w_hh", "b_ih", "b_hh", "w_hr")


def _pull_back(
    B: Any, g: Any, needs: Any, input: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any,
    b_hh: Any, w_hr: Any, steps: Any, out: Any, kept: Any,
) -> Any:  # fmt: skip
    arrays = (input, h, c, w_ih, w_hh, b_ih, b_hh, w_hr)
    return B.recurrence_backward(g, *arrays, steps, out[0], kept, needs)


@derivative(saves=(*_ARRAYS, "steps", "out", "kept"), joint=_pull_back, inputs=_ARRAYS)
def recurrence(
    input: Tensor, h: Tensor, c: Tensor | None, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None,
    b_hh: Tensor | None, w_hr: Tensor | None, steps: Steps,
) -> tuple[Tensor, ...]:  # fmt: skip
    """Returns the states of all steps, the last one and, of an LSTM, the last cell."""
    inputs = (input, h, c, w_ih, w_hh, b_ih, b_hh, w_hr)
    arrays = [None if t is None else t._data for t in inputs]
    if arrays[0].dtype.kind in "biuc":
        return _composed(*inputs, steps)
    *results, kept = backend_of(arrays[0]).recurrence(*arrays, steps)
    results = [r for r in results if r is not None]
    return taped_many(recurrence, results, inputs, (*inputs, steps, None, kept))


@kernel_op
def recurrence_backward(
    g: list[Any], input: Tensor, h: Tensor, c: Any, w_ih: Tensor, w_hh: Tensor, b_ih: Any,
    b_hh: Any, w_hr: Any, steps: Steps, out: Any, kept: Any, needs: tuple[bool, ...],
) -> list[Any]:  # fmt: skip
    """Returns the gradients of `recurrence`, differentiable in turn: it walks again, by plain ops."""
    with enable_grad():
        # Aliases, as gradients shall end here and run no hooks of the tensors themselves.
        given: list[Any] = [
            None if t is None else cast(t, t._data.dtype)
            for t in (input, h, c, w_ih, w_hh, b_ih, b_hh, w_hr)
        ]
        outs = _composed(*given, steps)  # type: ignore[arg-type, call-arg]
        pairs = [(o, d) for o, d in zip(outs, g, strict=False) if d is not None]
        wanted = [t for t, need in zip(given, needs, strict=True) if need]
        found = iter(
            grad([o for o, _ in pairs], wanted, [d for _, d in pairs], create_graph=True,
                 allow_unused=True)
        )  # fmt: skip
        return [next(found) if need else None for need in needs]


def _composed(
    input: Tensor, h: Tensor, c: Any, w_ih: Tensor, w_hh: Tensor, b_ih: Any, b_hh: Any, w_hr: Any,
    steps: Steps,
) -> tuple[Tensor, ...]:  # fmt: skip
    """What `recurrence` computes, by an operation per gate and step."""
    z, batch = linear(input, w_ih, b_ih), h._data.shape[0]
    outs = []
    for start, stop in steps.spans:
        n = stop - start
        old = [None if t is None else narrow(t, 0, 0, n) for t in (h, c)]
        y = linear(old[0], w_hh, b_hh)
        new_h, new_c = _step(steps.mode, narrow(z, 0, start, n), y, *old)
        new_h = new_h if w_hr is None else linear(new_h, w_hr)
        outs.append((start, new_h))
        h, c = (
            new if old is None or n == batch else cat([new, narrow(old, 0, n, batch - n)])
            for old, new in ((h, new_h), (c, new_c))
        )
    out = cat([o for _, o in sorted(outs, key=lambda pair: pair[0])])
    return (out, h) if c is None else (out, h, c)


def _step(mode: str, z: Tensor, y: Tensor, h: Tensor, c: Any) -> tuple[Tensor, Any]:
    if mode == "LSTM":
        i, f, g, o = chunk(z + y, 4, 1)
        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        return sigmoid(o) * tanh(c), c
    if mode == "GRU":
        (zr, zu, zn), (yr, yu, yn) = chunk(z, 3, 1), chunk(y, 3, 1)
        n = tanh(zn + sigmoid(zr + yr) * yn)
        return n + sigmoid(zu + yu) * (h - n), None
    return relu(z + y) if mode == "RNN_RELU" else tanh(z + y), None


# ------------------------------------------------------------------------------------- sequences

_PADDED = ("input", "hx", "params", "has_biases", "num_layers", "dropout", "train", "bidirectional",
           "batch_first")  # fmt: skip
_PACKED = ("data", "batch_sizes", *_PADDED[1:-1])


def lstm(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Runs layers of long short-term memory (Hochreiter & Schmidhuber 1997): output, h and c.

    It takes ``(input, hx, params, has_biases, num_layers, dropout, train, bidirectional,
    batch_first)``, or with packed sequences ``(data, batch_sizes, hx, params, has_biases,
    num_layers, dropout, train, bidirectional)``. ``hx`` is the pair (h, c), each of shape
    (layers * directions, batch, size), and ``params`` lists for each layer and direction w_ih,
    w_hh, the biases b_ih and b_hh if there are any, and w_hr if h is a projection, which is so
    where h and c differ in size. The gates come in the order input, forget, cell, output.

    >>> w, zeros = torch.full((4, 1), 0.5), torch.zeros(1, 1, 1)
    >>> torch.lstm(torch.ones(2, 1, 1), (zeros, zeros), [w, w], False, 1, 0., False, False, False)[0]
    tensor([[[0.1743]],
    <BLANKLINE>
            [[0.3091]]])
    """
    return _run("lstm", "LSTM", args, kwargs)  # type: ignore[return-value]


def gru(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """Runs layers of gated recurrent units (Cho et al. 2014): returns the output and h.

    The arguments are those of `lstm`, with one tensor ``hx``, and the gates come in the order
    reset, update, new.

    >>> w, h = torch.full((3, 1), 0.5), torch.zeros(1, 1, 1)
    >>> torch.gru(torch.ones(2, 1, 1), h, [w, w], False, 1, 0., False, False, False)[1]
    tensor([[[0.2926]]])
    """
    return _run("gru", "GRU", args, kwargs)  # type: ignore[return-value]


def rnn_tanh(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """Runs recurrent layers h' = tanh(w_ih x + b_ih + w_hh h + b_hh): returns the output and h.

    The arguments are those of `lstm`, with one tensor ``hx``.

    >>> w, h = torch.ones(1, 1), torch.zeros(1, 1, 1)
    >>> torch.rnn_tanh(torch.ones(2, 1, 1), h, [w, w], False, 1, 0., False, False, False)[1]
    tensor([[[0.9427]]])
    """
    return _run("rnn_tanh", "RNN_TANH", args, kwargs)  # type: ignore[return-value]


def rnn_relu(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """Runs recurrent layers h' = relu(w_ih x + b_ih + w_hh h + b_hh): returns the output and h.

    The arguments are those of `lstm`, with one tensor ``hx``.

    >>> w, h = torch.ones(1, 1), torch.zeros(1, 1, 1)
    >>> torch.rnn_relu(torch.ones(2, 1, 1), h, [w, w], False, 1, 0., False, False, False)[1]
    tensor([[[2.]]])
    """
    return _run("rnn_relu", "RNN_RELU", args, kwargs)  # type: ignore[return-value]


def _run(name: str, mode: str, args: Any, kwargs: Any) -> tuple[Tensor, ...]:
    """Sorts the arguments of a sequence, walks through all layers and stacks their last states."""
    given = _bound(name, mode, args, kwargs)
    x, hx, sizes = given.get("input", given.get("data")), given["hx"], given.get("batch_sizes")
    if sizes is None:
        x = transpose(x, 0, 1) if given["batch_first"] else x
        if x._data.ndim != 3:
            raise IndexError(f"{name}: the input must have 3 dimensions, but has {x._data.ndim}")
        if not x._data.shape[0]:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        lengths, first = (x._data.shape[1],) * x._data.shape[0], x._data.shape[1]
        flat = reshape(x, (len(lengths) * first, x._data.shape[2]))
    else:
        flat, lengths = x, _lengths(sizes, x)
        first = lengths[0]
    states = _states(name, hx, given["params"], given["has_biases"])
    flat, *last = _layers(mode, flat, states, given, lengths)
    if sizes is None:
        flat = reshape(flat, (len(lengths), first, flat._data.shape[1]))
        flat = transpose(flat, 0, 1) if given["batch_first"] else flat
    return (flat, *last)


def _bound(name: str, mode: str, args: Any, kwargs: Any) -> dict[str, Any]:
    """The arguments by name; where their number alone does not say it, a tensor tells packed ones."""
    third = args[2] if len(args) > 2 else kwargs.get("hx")
    second = args[1] if len(args) > 1 else None
    packed = "batch_sizes" in kwargs or "data" in kwargs
    packed |= isinstance(second, TensorBase) and (mode == "LSTM" or isinstance(third, TensorBase))
    names = _PACKED if packed else _PADDED
    given = dict(zip(names, args, strict=False)) | kwargs
    hx = given.get("hx")
    fits = isinstance(hx, (tuple, list) if mode == "LSTM" else TensorBase)
    fits &= all(isinstance(given.get(n), TensorBase) for n in names[: 1 + packed])
    fits &= isinstance(given.get("params"), (tuple, list))
    if len(args) > len(names) or given.keys() != set(names) or not fits:
        kinds = ", ".join(type(v).__name__ for v in (*args, *kwargs.values()))
        raise TypeError(
            f"{name}() received an invalid combination of arguments - got ({kinds}), but expected "
            f"one of:\n * ({', '.join(_PACKED)})\n * ({', '.join(_PADDED)})\n"
        )
    return given


def _lengths(sizes: Tensor, data: Tensor) -> tuple[int, ...]:
    """How many sequences each step has, checked against the rows that there are."""
    if sizes._data.dtype is not numpy_dtype(int64):
        kind = scalar_type_name(dtype_of(sizes._data))
        raise RuntimeError(f"expected scalar type Long but found {kind}")
    lengths = tuple(reshape(sizes, (-1,)).tolist())
    if not lengths:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    start = 0
    for n in lengths:
        if start + n > data._data.shape[0]:
            raise RuntimeError(
                f"start ({start}) + length ({n}) exceeds dimension size ({data._data.shape[0]})."
            )
        start += n
    for before, n in zip(lengths, lengths[1:], strict=False):
        if n > before:
            raise RuntimeError(
                f"the sizes of a packed batch must not grow from step to step, but {before} is "
                f"followed by {n}"
            )
    return lengths


def _states(name: str, hx: Any, params: Any, has_biases: bool) -> list[tuple[Any, ...]]:
    """For each layer and direction: h, c and the weights (w_ih, w_hh, b_ih, b_hh, w_hr)."""
    cells: Sequence[Any] = (None,)
    if name == "lstm":
        if len(hx) != 2:
            raise RuntimeError("lstm expects two hidden states")
        hx, cells = hx
        if cells._data.ndim != 3:
            raise IndexError(f"lstm: the cells must have 3 dimensions, but have {cells._data.ndim}")
    if hx._data.ndim != 3:
        raise IndexError(f"{name}: the state must have 3 dimensions, but has {hx._data.ndim}")
    projects = name == "lstm" and hx._data.shape[2] != cells._data.shape[2]
    per = 2 + 2 * bool(has_biases) + projects
    if len(params) % per:
        raise RuntimeError("got an incorrect number of RNN parameters")
    count = hx._data.shape[0]
    cells = [None] * count if name != "lstm" else list(cells.unbind(0))
    found = []
    for k, (h, c) in enumerate(zip(hx.unbind(0), cells, strict=False)):
        own = list(params[k * per : (k + 1) * per])
        w_hr = own.pop() if projects and own else None
        found.append((h, c, own + [None] * (4 - len(own)) + [w_hr]))
    return found


def _layers(
    mode: str, x: Tensor, states: list[tuple[Any, ...]], given: dict[str, Any], lengths: Any
) -> tuple[Tensor, ...]:
    directions = 2 if given["bidirectional"] else 1
    count = given["num_layers"]
    if len(states) != count * directions or not count:
        raise RuntimeError("Expected more hidden states in stacked_rnn")
    per_cell = 2 + 2 * bool(given["has_biases"]) + (states[0][2][4] is not None)
    if len(given["params"]) != per_cell * count * directions:
        raise RuntimeError("Expected more weights in stacked_rnn")
    spans, start = [], 0
    for n in lengths:
        spans.append((start, start + n))
        start += n
    walks = [Steps(mode, tuple(spans)), Steps(mode, tuple(reversed(spans)))]
    lasts = []
    for layer in range(count):
        outs = []
        here = states[layer * directions :][:directions]
        for walk, (h, c, weights) in zip(walks, here, strict=False):
            _check(x, h, c, weights, _GATES[mode], lengths[0])
            out, *last = recurrence(x, h, c, *weights, walk)  # type: ignore[call-arg]
            outs.append(out)
            lasts.append(last)
        x = outs[0] if directions == 1 else cat(outs, 1)
        if given["dropout"] and given["train"] and layer + 1 < count:
            x = _dropout(x, given["dropout"], True)
    return (x, *[stack(part) for part in zip(*lasts, strict=True)])


def _check(x: Tensor, h: Tensor, c: Any, weights: Sequence[Any], gates: int, batch: int) -> None:
    """Raises RuntimeError unless arrays fit each other, in the words of the products in PyTorch."""
    w_ih, w_hh, *biases, w_hr = (None if w is None else w._data for w in weights)
    for a, w in ((x._data, w_ih), (h._data, w_hh)):
        if a.dtype is not w.dtype:
            have, other = (scalar_type_name(dtype_of(t)) for t in (a, w))
            raise RuntimeError(
                f"mat1 and mat2 must have the same dtype, but got {have} and {other}"
            )
        if a.shape[-1] != w.shape[-1] or w.ndim != 2:
            raise RuntimeError(
                f"mat1 and mat2 shapes cannot be multiplied ({a.shape[0]}x{a.shape[-1]} and "
                f"{w.shape[-1]}x{w.shape[0]})"
            )
    size = (h if c is None else c)._data.shape[-1]
    rows = {w.shape[0] for w in (w_ih, w_hh, *biases) if w is not None}
    if rows != {gates * size}:
        raise RuntimeError(
            f"The size of tensor a ({gates * size}) must match the size of tensor b "
            f"({max(rows - {gates * size})}) at non-singleton dimension 1"
        )
    for state in (h, c):
        if state is not None and state._data.shape[0] != batch:
            raise RuntimeError(
                f"The size of tensor a ({state._data.shape[0]}) must match the size of tensor b "
                f"({batch}) at non-singleton dimension 0"
            )
    if w_hr is not None and w_hr.shape != (h._data.shape[-1], size):
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({batch}x{size} and "
            f"{w_hr.shape[-1]}x{w_hr.shape[0]})"
        )


# ----------------------------------------------------------------------------------------- cells


def lstm_cell(
    input: Tensor,
    hx: Sequence[Tensor],
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Takes one step of `lstm` with (batch, size) tensors: returns h and c.

    >>> w, zeros = torch.full((4, 1), 0.5), torch.zeros(1, 1)
    >>> torch.lstm_cell(torch.ones(1, 1), (zeros, zeros), w, w)
    (tensor([[0.1743]]), tensor([[0.2876]]))
    """
    if not isinstance(hx, (tuple, list)):
        raise TypeError(
            "lstm_cell(): argument 'hx' (position 2) must be tuple of Tensors, not "
            f"{type(hx).__name__}"
        )
    if len(hx) != 2:
        raise RuntimeError("lstm_cell expects two hidden states")
    return _cell("lstm_cell", "LSTM", input, *hx, w_ih, w_hh, b_ih, b_hh)  # type: ignore[return-value]


def gru_cell(
    input: Tensor,
    hx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """Takes one step of `gru` with (batch, size) tensors: returns h.

    >>> w = torch.full((3, 1), 0.5)
    >>> torch.gru_cell(torch.ones(1, 1), torch.zeros(1, 1), w, w)
    tensor([[0.1745]])
    """
    return _cell("gru_cell", "GRU", input, hx, None, w_ih, w_hh, b_ih, b_hh)[0]


def rnn_tanh_cell(
    input: Tensor,
    hx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """Takes one step of `rnn_tanh` with (batch, size) tensors: returns h.

    >>> torch.rnn_tanh_cell(torch.ones(1, 1), torch.zeros(1, 1), *[torch.ones(1, 1)] * 2)
    tensor([[0.7616]])
    """
    return _cell("rnn_tanh_cell", "RNN_TANH", input, hx, None, w_ih, w_hh, b_ih, b_hh)[0]


def rnn_relu_cell(
    input: Tensor,
    hx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """Takes one step of `rnn_relu` with (batch, size) tensors: returns h.

    >>> torch.rnn_relu_cell(torch.ones(1, 1), torch.zeros(1, 1), *[torch.ones(1, 1)] * 2)
    tensor([[1.]])
    """
    return _cell("rnn_relu_cell", "RNN_RELU", input, hx, None, w_ih, w_hh, b_ih, b_hh)[0]


def _cell(name: str, mode: str, *tensors: Any) -> tuple[Tensor, ...]:
    for label, t in zip(("input", "hx", None, "w_ih", "w_hh"), tensors, strict=False):
        if label and not isinstance(t, TensorBase):
            raise TypeError(f"{name}(): argument '{label}' must be Tensor, not {type(t).__name__}")
    input, h, c, w_ih, w_hh, b_ih, b_hh = tensors
    x, hidden = input._data, w_hh._data.shape[1]
    for t in (x, w_ih._data):
        if t.ndim < 2:
            raise IndexError(
                "Dimension out of range (expected to be in range of [-1, 0], but got 1)"
            )
    if x.shape[1] != w_ih._data.shape[1]:
        raise RuntimeError(
            f"input has inconsistent input_size: got {x.shape[1]} expected {w_ih._data.shape[1]}"
        )
    if w_ih._data.shape[0] != _GATES[mode] * hidden:
        raise RuntimeError(
            f"weight_ih first dim must be {_GATES[mode]} * hidden_size = {_GATES[mode] * hidden}, "
            f"but got {w_ih._data.shape[0]}"
        )
    for k, state in enumerate((h, c)):
        if state is None:
            continue
        if state._data.shape[0] != x.shape[0]:
            raise RuntimeError(
                f"Input batch size {x.shape[0]} doesn't match hidden{k} batch size "
                f"{state._data.shape[0]}"
            )
        if state._data.shape[1] != hidden:
            raise RuntimeError(
                f"hidden{k} has inconsistent hidden_size: got {state._data.shape[1]}, expected "
                f"{hidden}"
            )
    _check(input, h, c, (w_ih, w_hh, b_ih, b_hh, None), _GATES[mode], x.shape[0])
    out, *last = recurrence(
        input, h, c, w_ih, w_hh, b_ih, b_hh, None, Steps(mode, ((0, x.shape[0]),))
    )
    return (out, *last[1:])
