"""Kernels of recurrent layers: one call walks a whole sequence, forward or back.

The input is a matrix with a row per step and sequence, so that its product with the weights is one.
What a step then has to do is a product with the last state and a few elementwise functions. On the
way back every gate's gradient is a factor times that of the state or the cell; the factors of all
steps are computed at once, before the walk.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

Times = Callable[[Any], Any]


class Steps:
    """The order of a walk: the rows (start, stop) of each step, as ``mode`` says what a step does.

    Where sequences have different lengths, the longest come first, and a step has a row for each of
    those that reach it. Never changed once it is made.
    """

    def __init__(self, mode: str, spans: tuple[tuple[int, int], ...]) -> None:
        self.mode, self.spans = mode, spans

    @cached_property
    def even(self) -> bool:
        """Whether all steps have the same number of rows."""
        return len({stop - start for start, stop in self.spans}) == 1


class RecurrenceKernels:
    """Recurrent layers over the namespace ``xp``."""

    xp: Any
    linear: Any
    matmul: Any

    def recurrence(
        self,
        x: Any,
        h: Any,
        c: Any,
        w_ih: Any,
        w_hh: Any,
        b_ih: Any,
        b_hh: Any,
        w_hr: Any,
        steps: Steps,
    ) -> tuple[Any, Any, Any, Any]:
        """The states of all steps in the order of x's rows, the last state and cell, and what
        `recurrence_backward` wants of them."""
        dtype = x.dtype
        x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr = (
            None if t is None else self._widened(t) for t in (x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr)
        )
        if steps.mode != "GRU" and b_hh is not None:
            b_ih, b_hh = b_hh if b_ih is None else b_ih + b_hh, None
        z = self.linear(x, w_ih, b_ih)
        walk = {"LSTM": self._lstm, "GRU": self._gru}.get(steps.mode, self._plain)
        out, h, c, kept = walk(z, h, c, w_hh, b_hh, w_hr, steps)
        return (
            out.astype(dtype, copy=False),
            h.astype(dtype, copy=True),
            None if c is None else c.astype(dtype, copy=True),
            kept,
        )

    def _times(self, w: Any, steps: Steps) -> Times:
        """What multiplies a state with w in each step."""
        # Products with a transposed view take up to a third longer; a few pay for the copy.
        if len(steps.spans) >= 8 and not w.flags.c_contiguous:
            w = w.copy()
        return lambda state: self.matmul(state, w)

    # A state has a row per sequence. Sequences that have ended, or not begun, keep theirs.

    @staticmethod
    def _start(state: Any, steps: Steps) -> Any:
        return state if steps.even else state.copy()

    @staticmethod
    def _moved(state: Any, new: Any, steps: Steps) -> Any:
        if steps.even:
            return new
        state[: new.shape[0]] = new
        return state

    def _plain(
        self, z: Any, h: Any, _c: Any, w: Any, _b: Any, _w_hr: Any, steps: Steps
    ) -> tuple[Any, ...]:
        """h' = tanh(z + h w), or relu of that."""
        xp, times = self.xp, self._times(w.T, steps)
        out = xp.empty(z.shape, dtype=z.dtype)
        h = self._start(h, steps)
        for start, stop in steps.spans:
            new = z[start:stop] + times(h[: stop - start])
            new = xp.maximum(new, 0) if steps.mode == "RNN_RELU" else xp.tanh(new)
            out[start:stop] = new
            h = self._moved(h, new, steps)
        return out, h, None, ()

    def _lstm(
        self, z: Any, h: Any, c: Any, w: Any, _b: Any, w_hr: Any, steps: Steps
    ) -> tuple[Any, ...]:
        """c' = f c + i g and h' = o tanh(c'), where i, f, o are sigmoids and g is a tanh.

        sigmoid(x) = (1 + tanh(x / 2)) / 2, so that one tanh serves all four gates.
        """
        xp, size, times = self.xp, c.shape[1], self._times(w.T, steps)
        scale = xp.full((4 * size,), 0.5, dtype=z.dtype)
        scale[2 * size : 3 * size] = 1
        shift = 1 - scale
        out = xp.empty((z.shape[0], h.shape[1]), dtype=z.dtype)
        cells = xp.empty((z.shape[0], size), dtype=z.dtype)
        h, c = self._start(h, steps), self._start(c, steps)
        for start, stop in steps.spans:
            n = stop - start
            gates = z[start:stop]
            gates += times(h[:n])
            gates *= scale
            xp.tanh(gates, out=gates)  # new memory for each step would cost more than the tanh
            gates *= scale
            gates += shift
            cell = gates[:, size : 2 * size] * c[:n]
            cell += gates[:, :size] * gates[:, 2 * size : 3 * size]
            new = xp.tanh(cell)
            new *= gates[:, 3 * size :]
            if w_hr is not None:
                new = self.matmul(new, w_hr.T)
            out[start:stop], cells[start:stop] = new, cell
            h, c = self._moved(h, new, steps), self._moved(c, cell, steps)
        return out, h, c, (z, cells)

    def _gru(
        self, z: Any, h: Any, _c: Any, w: Any, b: Any, _w_hr: Any, steps: Steps
    ) -> tuple[Any, ...]:
        """h' = n + u (h - n), where n = tanh(z_n + r (h w)_n) and r, u are sigmoids."""
        xp, size, times = self.xp, h.shape[1], self._times(w.T, steps)
        out = xp.empty((z.shape[0], size), dtype=z.dtype)
        inner = xp.empty((z.shape[0], size), dtype=z.dtype)
        h = self._start(h, steps)
        for start, stop in steps.spans:
            last, gates = h[: stop - start], z[start:stop]
            y = times(last)
            if b is not None:
                y += b
            both = gates[:, : 2 * size] + y[:, : 2 * size]
            both *= 0.5
            xp.tanh(both, out=both)
            both *= 0.5
            both += 0.5
            inner[start:stop] = y[:, 2 * size :]
            n = y[:, 2 * size :] * both[:, :size]
            n += gates[:, 2 * size :]
            xp.tanh(n, out=n)
            gates[:, : 2 * size], gates[:, 2 * size :] = both, n
            new = last - n
            new *= both[:, size:]
            new += n
            out[start:stop] = new
            h = self._moved(h, new, steps)
        return out, h, None, (z, inner)

    def recurrence_backward(
        self,
        g: list[Any],
        x: Any,
        h: Any,
        c: Any,
        w_ih: Any,
        w_hh: Any,
        b_ih: Any,
        b_hh: Any,
        w_hr: Any,
        steps: Steps,
        out: Any,
        kept: Any,
        needs: tuple[bool, ...],
    ) -> tuple[Any, ...]:
        """The gradients of `recurrence` for all of its arrays; None where ``needs`` is False."""
        dtypes = [None if t is None else t.dtype for t in (x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr)]
        x, h, c, w_ih, w_hh, w_hr, out = (
            None if t is None else self._widened(t) for t in (x, h, c, w_ih, w_hh, w_hr, out)
        )
        given = [None if t is None else self._widened(t) for t in g]
        out_g, dh, dc = (given + [None] * 3)[:3]
        dh = self.xp.zeros(h.shape, dtype=h.dtype) if dh is None else dh.copy()
        if c is not None:
            dc = self.xp.zeros(c.shape, dtype=c.dtype) if dc is None else dc.copy()
        earlier = self._earlier(h, out, steps)
        walk = {"LSTM": self._lstm_backward, "GRU": self._gru_backward}.get(
            steps.mode, self._plain_backward
        )
        d_input, d_state, dh, dc, dw_hr = walk(
            out_g, dh, dc, earlier, c, w_hh, w_hr, steps, out, kept
        )
        at_input = self.matmul(d_input.T, x) if needs[3] else None
        at_state = self.matmul(d_state.T, earlier) if needs[4] else None
        found = (
            self.matmul(d_input, w_ih) if needs[0] else None, dh, dc, at_input, at_state,
            self.linear_bias(d_input) if needs[5] else None,
            self.linear_bias(d_state) if needs[6] else None, dw_hr,
        )  # fmt: skip
        return tuple(
            t.astype(d, copy=False) if need and t is not None else None
            for t, d, need in zip(found, dtypes, needs, strict=True)
        )

    def _earlier(self, first: Any, rows: Any, steps: Steps) -> Any:
        """The state before each step, of states after each."""
        before = self.xp.empty(rows.shape, dtype=rows.dtype)
        state = self._start(first, steps)
        for start, stop in steps.spans:
            before[start:stop] = state[: stop - start]
            state = self._moved(state, rows[start:stop], steps)
        return before

    def _plain_backward(
        self, g: Any, dh: Any, _dc: Any, _e: Any, _c: Any, w: Any, _w: Any, steps: Steps, out: Any, _k: Any
    ) -> tuple[Any, ...]:  # fmt: skip
        slope = (out > 0) * 1 if steps.mode == "RNN_RELU" else 1 - out * out
        d, times = self.xp.empty(out.shape, dtype=out.dtype), self._times(w, steps)
        for start, stop in reversed(steps.spans):
            n = stop - start
            if g is not None:
                dh[:n] += g[start:stop]
            d[start:stop] = dh[:n] * slope[start:stop]
            dh[:n] = times(d[start:stop])
        return d, d, dh, None, None

    def _lstm_backward(
        self, g: Any, dh: Any, dc: Any, _e: Any, c: Any, w: Any, w_hr: Any, steps: Steps, out: Any, kept: Any
    ) -> tuple[Any, ...]:  # fmt: skip
        xp, (gates, cells), times = self.xp, kept, self._times(w, steps)
        rows, size = cells.shape
        gates = gates.reshape(rows, 4, size)
        i, f, n, o = (gates[:, k] for k in range(4))
        y = xp.tanh(cells)
        # The factors of the gates' gradients: of the cell's gradient in three, the state's in one.
        d = xp.empty(gates.shape, dtype=gates.dtype)
        d[:, 0], d[:, 1] = n * i * (1 - i), self._earlier(c, cells, steps) * f * (1 - f)
        d[:, 2], d[:, 3] = i * (1 - n * n), y * o * (1 - o)
        slope = o * (1 - y * y)
        flat = d.reshape(rows, 4 * size)
        projected = None if w_hr is None else xp.empty(out.shape, dtype=out.dtype)
        for start, stop in reversed(steps.spans):
            k = stop - start
            if g is not None:
                dh[:k] += g[start:stop]
            at = dh[:k]
            if projected is not None:
                projected[start:stop] = at
                at = self.matmul(at, w_hr)
            d[start:stop, 3] *= at
            dc[:k] += at * slope[start:stop]
            d[start:stop, :3] *= dc[:k, None]
            dc[:k] *= f[start:stop]
            dh[:k] = times(flat[start:stop])
        dw_hr = None if projected is None else self.matmul(projected.T, o * y)
        return flat, flat, dh, dc, dw_hr

    def _gru_backward(
        self, g: Any, dh: Any, _dc: Any, earlier: Any, _c: Any, w: Any, _w: Any, steps: Steps, out: Any, kept: Any
    ) -> tuple[Any, ...]:  # fmt: skip
        xp, (gates, inner), times = self.xp, kept, self._times(w, steps)
        rows, size = inner.shape
        gates = gates.reshape(rows, 3, size)
        r, u, n = (gates[:, k] for k in range(3))
        # The factors of the state's gradient in those of the gates before their functions.
        d = xp.empty(gates.shape, dtype=gates.dtype)
        slope = (1 - u) * (1 - n * n)
        d[:, 0], d[:, 1] = slope * inner * r * (1 - r), (earlier - n) * u * (1 - u)
        d[:, 2] = slope * r
        flat = d.reshape(rows, 3 * size)
        d_new = xp.empty(inner.shape, dtype=inner.dtype)
        for start, stop in reversed(steps.spans):
            k = stop - start
            if g is not None:
                dh[:k] += g[start:stop]
            at = dh[:k]
            d[start:stop] *= at[:, None]
            d_new[start:stop] = at * slope[start:stop]
            dh[:k] = times(flat[start:stop]) + at * u[start:stop]
        d_input = xp.concatenate([flat[:, : 2 * size], d_new], axis=1)
        return d_input, flat, dh, None, None
