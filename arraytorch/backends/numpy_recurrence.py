"""Recurrent layers on NumPy arrays, by compiled products and walks where numba is there."""

from __future__ import annotations

from typing import Any

from .compiled import MANY, kernels
from .recurrence import RecurrenceKernels, Steps, Times

_AGAIN = 4  # steps from which it pays to pack the weights


class NumpyRecurrence(RecurrenceKernels):
    """Steps multiply with weights that are packed once; those of an LSTM are one call."""

    def _times(self, w: Any, steps: Steps) -> Times:
        own = _own("products", w, steps)
        return super()._times(w, steps) if own is None else own.times(w)

    def _lstm(
        self, z: Any, h: Any, c: Any, w: Any, b: Any, w_hr: Any, steps: Steps
    ) -> tuple[Any, ...]:
        own = _own("recurrence", w, steps) if w_hr is None and z.dtype.char == "f" else None
        if own is None:
            return super()._lstm(z, h, c, w, b, w_hr, steps)
        return own.lstm(z, h, c, w, steps)

    def _lstm_backward(
        self, g: Any, dh: Any, dc: Any, e: Any, c: Any, w: Any, w_hr: Any, steps: Steps, out: Any, kept: Any
    ) -> tuple[Any, ...]:  # fmt: skip
        own = _own("recurrence", w, steps) if w_hr is None and out.dtype.char == "f" else None
        if own is None:
            return super()._lstm_backward(g, dh, dc, e, c, w, w_hr, steps, out, kept)
        earlier = self._earlier(c, kept[1], steps)
        d = own.lstm_backward(g, dh, dc, earlier, w, steps, kept)
        return d, d, dh, dc, None


def _own(topic: str, w: Any, steps: Steps) -> Any:
    """The compiled kernels for a topic, None if the weights are small or a few steps need them."""
    if w.size < MANY or len(steps.spans) < _AGAIN or w.dtype.char not in "fd":
        return None
    products = kernels("products")
    return None if products is None or not products.WIDE else kernels(topic)
