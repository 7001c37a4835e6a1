"""What the docstrings' examples may use without importing it."""

from __future__ import annotations

from typing import Any

import pytest

import arraytorch


@pytest.fixture(autouse=True)
def _examples_namespace(doctest_namespace: dict[str, Any]) -> None:
    """Gives every docstring example the name ``torch``."""
    doctest_namespace["torch"] = arraytorch
