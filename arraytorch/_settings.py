"""Settings of the whole process: determinism, the precision of products, tiny numbers."""

from __future__ import annotations

import warnings
from numbers import Integral

from . import backends

_MODES = ("default", "warn", "error")
_PRECISIONS = ("highest", "high", "medium")


class _Settings:
    """What is set now."""

    deterministic = 0
    interop_threads = 0
    warns_always = False


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Says that the same numbers are wanted in every run.

    The CPU's ops give them with or without it, so nothing raises or warns there. CUDA devices then add
    in order, and more slowly, what they add in any order otherwise (as in ``index_add``).

    >>> torch.use_deterministic_algorithms(True)
    >>> torch.are_deterministic_algorithms_enabled()
    True
    >>> torch.use_deterministic_algorithms(False)
    """
    for name, value in (("mode", mode), ("warn_only", warn_only)):
        if not isinstance(value, bool):
            raise TypeError(
                f"use_deterministic_algorithms(): argument '{name}' must be bool, not "
                f"{type(value).__name__}"
            )
    _Settings.deterministic = (1 if warn_only else 2) if mode else 0
    backends.make_deterministic(mode)


def are_deterministic_algorithms_enabled() -> bool:
    """Returns what `use_deterministic_algorithms` has set.

    >>> torch.are_deterministic_algorithms_enabled()
    False
    """
    return _Settings.deterministic > 0


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Returns whether `use_deterministic_algorithms` was told to warn only.

    >>> torch.is_deterministic_algorithms_warn_only_enabled()
    False
    """
    return _Settings.deterministic == 1


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """Sets the same as `use_deterministic_algorithms`: "default" or 0, "warn" or 1, "error" or 2.

    >>> torch.set_deterministic_debug_mode("default")
    """
    if not isinstance(debug_mode, (int, str)):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}")
    if isinstance(debug_mode, str):
        if debug_mode not in _MODES:
            raise RuntimeError(
                "invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got "
                f"{debug_mode}"
            )
        debug_mode = _MODES.index(debug_mode)
    if debug_mode not in (0, 1, 2):
        raise RuntimeError(
            f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}"
        )
    _Settings.deterministic = int(debug_mode)
    backends.make_deterministic(debug_mode > 0)


def get_deterministic_debug_mode() -> int:
    """Returns the mode that `set_deterministic_debug_mode` sets, as a number.

    >>> torch.get_deterministic_debug_mode()
    0
    """
    return _Settings.deterministic


def set_float32_matmul_precision(precision: str) -> None:
    """Says how exact products of float32 must be: "highest", "high" or "medium".

    The lower two permit CUDA devices to round factors to TF32's 10 bits; the CPU computes in full.

    >>> torch.set_float32_matmul_precision("high")
    >>> torch.get_float32_matmul_precision()
    'high'
    >>> torch.set_float32_matmul_precision("highest")
    """
    if not isinstance(precision, str):
        raise TypeError(
            "set_float32_matmul_precision(): argument 'precision' must be str, not "
            f"{type(precision).__name__}"
        )
    if precision not in _PRECISIONS:
        warnings.warn(
            f"{precision} is not one of 'highest', 'high', or 'medium'; the call has no effect.",
            stacklevel=2,
        )
        return
    backends.cuda.matmul.set_precision(precision)


def get_float32_matmul_precision() -> str:
    """Returns what `set_float32_matmul_precision` has set.

    >>> torch.get_float32_matmul_precision()
    'highest'
    """
    return backends.cuda.matmul.precision  # type: ignore[no-any-return]


def set_flush_denormal(mode: bool) -> bool:
    """Returns False: the processor cannot be told from Python to take tiny numbers for zero.

    >>> torch.set_flush_denormal(False)
    False
    """
    if not isinstance(mode, bool):
        raise RuntimeError(f"flush_denormal expects a bool, but got {type(mode).__name__}")
    return False


def get_num_interop_threads() -> int:
    """Returns what `set_num_interop_threads` has set; 1 unless it has.

    >>> torch.get_num_interop_threads()
    1
    """
    return _Settings.interop_threads or 1


def set_num_interop_threads(int: int, /) -> None:
    """Sets what `get_num_interop_threads` returns, once: operations run one after the other anyhow.

    Raises RuntimeError the second time, and unless the number is a positive integer.
    """
    if isinstance(int, bool) or not isinstance(int, Integral):
        kind = type(int).__name__
        raise RuntimeError(f"set_num_interop_threads expects an int, but got {kind}")
    if int <= 0:
        raise RuntimeError("set_num_interop_threads expects a positive integer")
    if _Settings.interop_threads:
        raise RuntimeError(
            "Error: cannot set number of interop threads after parallel work has started or "
            "set_num_interop_threads called"
        )
    _Settings.interop_threads = int


def set_warn_always(b: bool, /) -> None:
    """Says that warnings shall appear each time and not only once.

    None here appears once only: they are Python's, and the filters of `warnings` decide.

    >>> torch.set_warn_always(False)
    """
    if not isinstance(b, bool):
        raise RuntimeError(f"setWarnOnlyOnce expects a bool, but got {type(b).__name__}")
    _Settings.warns_always = b


def is_warn_always_enabled() -> bool:
    """Returns what `set_warn_always` has set.

    >>> torch.is_warn_always_enabled()
    False
    """
    return _Settings.warns_always


def compiled_with_cxx11_abi() -> bool:
    """Returns False: nothing here is compiled, by C++11's rules or others.

    >>> torch.compiled_with_cxx11_abi()
    False
    """
    return False
