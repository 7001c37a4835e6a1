"""What the docstrings' examples may use without importing it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

import arraytorch
from arraytorch.ops import _intercept

# Modules that import a vendor's library have no examples to be collected where that is missing.
collect_ignore_glob = [
    f"arraytorch/backends/{vendor}*.py"
    for vendor in ("cupy", "dpnp", "numba")
    if find_spec(vendor) is None
]
if find_spec("tensorboard") is None:
    collect_ignore_glob.append("arraytorch/utils/tensorboard/*.py")


@pytest.fixture(autouse=True)
def _examples_namespace(doctest_namespace: dict[str, Any]) -> None:
    """Gives every docstring example the name ``torch``."""
    doctest_namespace["torch"] = arraytorch


@pytest.fixture(autouse=True)
def _nobody_overrides_afterwards() -> Iterator[None]:
    """Ends what the first object of a class that overrides functions begins for good."""
    yield
    _intercept.forget_objects()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds ``--device``."""
    parser.addoption(
        "--device",
        default="cpu",
        help="the device that tests/ops/test_parity.py compares with the CPU: xpu, cuda, meta ...",
    )
