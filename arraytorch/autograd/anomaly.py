"""Anomaly detection: where a faulty gradient comes from, by the lines of the forward pass."""

from __future__ import annotations

import traceback
import warnings
from typing import Any

from . import _observers, engine


def _keep_trace(node: Any) -> None:
    node.trace = "".join(
        traceback.format_list(
            [f for f in traceback.extract_stack() if not f.filename.startswith(_HERE)]
        )
    )


_HERE = __file__.rpartition("autograd")[0]


def is_anomaly_enabled() -> bool:
    """Returns whether anomaly detection is on.

    >>> torch.is_anomaly_enabled()
    False
    """
    return _observers.watches(_keep_trace)


def is_anomaly_check_nan_enabled() -> bool:
    """Returns whether anomaly detection looks for NaN in gradients.

    >>> torch.is_anomaly_check_nan_enabled()
    True
    """
    return _Mode.check_nan


class _Mode:
    """The setting for the whole process, as in PyTorch."""

    check_nan = True


def _set(mode: bool, check_nan: bool) -> None:
    # An observer and a flag that the engine reads once per backward: off, nothing is paid.
    _observers.remove(_keep_trace)
    if mode:
        _observers.add(_keep_trace)
    _Mode.check_nan = check_nan
    engine.adopt_check(_demand_numbers if mode and check_nan else None)


def set_anomaly_enabled(mode: bool, check_nan: bool = True) -> None:
    """Switches anomaly detection on or off; see `autograd.set_detect_anomaly`.

    >>> torch.set_anomaly_enabled(False)
    """
    _set(mode, check_nan)


def _demand_numbers(node: Any, pulled: Any) -> None:
    for index, g in enumerate(pulled):
        if g is not None:
            g = getattr(g, "_data", g)
            g = g.values if hasattr(g, "layout") else g  # those of a sparse array
            if g.dtype.kind not in "biu" and bool((g != g).any()):
                raise RuntimeError(
                    f"Function '{node.name()}' returned nan values in its {index}th output."
                )


class set_detect_anomaly:
    """Switches anomaly detection on or off: at once, and back at the end of a ``with`` block.

    While it is on, every recorded op keeps the lines that called it; an exception in its backward
    carries them as a note. With ``check_nan``, a gradient that holds NaN raises RuntimeError.

    >>> with torch.autograd.set_detect_anomaly(True):
    ...     torch.is_anomaly_enabled()
    True
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = is_anomaly_enabled(), _Mode.check_nan
        _set(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        _set(*self._before)


class detect_anomaly:
    """Context manager in which anomaly detection is on; see `set_detect_anomaly`."""

    def __init__(self, check_nan: bool = True) -> None:
        self._check_nan = check_nan
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only "
            "be enabled for debugging.",
            stacklevel=2,
        )

    def __enter__(self) -> None:
        self._before = is_anomaly_enabled(), _Mode.check_nan
        _set(True, self._check_nan)

    def __exit__(self, *_: object) -> None:
        _set(*self._before)
