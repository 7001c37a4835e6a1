"""The sample table: recurrent layers and cells, compared with loops over NumPy arrays."""

from __future__ import annotations

import numpy as np
from sample import REAL, case, sample
from scipy.special import expit

import arraytorch as torch

SIZES = (3, 2, 1)


def _step(mode, x, h, c, w_ih, w_hh, b_ih=0.0, b_hh=0.0):
    """The next state and cell, by the formulas."""
    a, b = x @ w_ih.T + b_ih, h @ w_hh.T + b_hh
    if mode == "lstm":
        i, f, g, o = np.split(a + b, 4, 1)
        c = expit(f) * c + expit(i) * np.tanh(g)
        return expit(o) * np.tanh(c), c
    if mode == "gru":
        (ar, az, an), (br, bz, bn) = np.split(a, 3, 1), np.split(b, 3, 1)
        z, n = expit(az + bz), np.tanh(an + expit(ar + br) * bn)
        return (1 - z) * n + z * h, None
    return (np.maximum(a + b, 0) if mode == "rnn_relu" else np.tanh(a + b)), None


def _walk(mode, x, h, *rest):
    """Output and last states of one layer that goes forward."""
    c, weights = (rest[0], rest[1:]) if mode == "lstm" else (None, rest)
    h, c, outs = h[0], None if c is None else c[0], []
    for row in x:
        h, c = _step(mode, row, h, c, *weights)
        outs.append(h)
    return (np.stack(outs), h[None]) if c is None else (np.stack(outs), h[None], c[None])


def _layers(mode, layers=1, both=False, biases=True, packed=False):
    """The op over tensors that come one by one: input, states, weights."""

    def op(x, h, *rest):
        hx, weights = ((h, rest[0]), rest[1:]) if mode == "lstm" else (h, rest)
        rest = (hx, weights, biases, layers, 0.0, True, both)
        run = getattr(torch, mode)
        return run(x, torch.tensor(SIZES), *rest) if packed else run(x, *rest, False)

    return op


def _shapes(gates, layers=1, directions=1, biases=True, state=2, size=2):
    """Shapes of the weights: inputs of 1, states of 2, which a projection makes fewer."""
    found = []
    for layer in range(layers):
        below = 1 if layer == 0 else state * directions
        one = [(gates * size, below), (gates * size, state)]
        one += [(gates * size,)] * 2 if biases else []
        found += (one + ([(state, size)] if state != size else [])) * directions
    return found


def _rows(mode, gates):
    states = 2 if mode == "lstm" else 1
    even, uneven = [(1, 2, 2)] * states, [(1, 3, 2)] * states
    grouped = (lambda x, h, c, *w: torch.lstm_cell(x, (h, c), *w)) if states == 2 else None
    reference = lambda x, h, *rest: (
        _step(mode, x, h, *rest) if states == 2 else _step(mode, x, h, None, *rest)[0]
    )
    return [
        sample(mode, lambda *t: _walk(mode, *t), case((3, 2, 1), *even, *_shapes(gates)),
               dtypes=REAL, op=_layers(mode), rtol=2e-5),
        sample(mode, None, case((6, 1), *uneven, *_shapes(gates, biases=False)),
               op=_layers(mode, biases=False, packed=True)),
        sample(f"{mode}_cell", reference, case((2, 1), *[(2, 2)] * states, *_shapes(gates)),
               case((0, 1), *[(0, 2)] * states, *_shapes(gates)), dtypes=REAL, op=grouped, rtol=2e-5),
    ]  # fmt: skip


SAMPLES = [
    *_rows("lstm", 4), *_rows("gru", 3), *_rows("rnn_tanh", 1), *_rows("rnn_relu", 1),
    sample("rnn_tanh", None, case((2, 2, 1), (4, 2, 2), *_shapes(1, 2, 2)), op=_layers("rnn_tanh", 2, True)),
    sample("rnn_tanh", None, case((6, 1), (2, 3, 2), *_shapes(1, 1, 2)), op=_layers("rnn_tanh", 1, True, packed=True)),
    sample("lstm", None, case((3, 1, 1), (1, 1, 1), (1, 1, 2), *_shapes(4, state=1)), op=_layers("lstm")),
]  # fmt: skip
