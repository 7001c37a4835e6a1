"""The one function of PyTorch's extension that libraries call for its own sake."""

from __future__ import annotations


def _log_api_usage_once(event: str) -> None:
    """Tells nobody that a part of a library is used, as PyTorch does unless it was built to."""


def _get_tracing_state() -> None:
    """Returns None: nothing is traced."""
