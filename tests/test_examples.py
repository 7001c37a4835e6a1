"""The examples that train for longer than a test may take run for a few steps."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(name: str, *options: str) -> str:
    """What an example prints, in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / name), *options],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def losses(printed: str) -> list[float]:
    """The first and the last loss of a training."""
    return [float(x) for x in re.search(r"loss ([\d.]+), then ([\d.]+);", printed).groups()]


def test_gpt_learns_and_writes():
    """The loss falls from that of a guess, and letters come out."""
    printed = run("gpt.py", "--steps", "12", "--width", "32", "--depth", "2", "--batch", "8")
    first, last = losses(printed)
    assert 4 < first < 5
    assert last < first - 0.3
    assert len(printed.splitlines()[2:]) >= 1


def test_resnet_learns():
    """The loss of a narrow ResNet-18 falls."""
    pytest.importorskip("sklearn", reason="scikit-learn brings the images")
    first, last = losses(run("resnet.py", "--steps", "12", "--width", "4", "--size", "8"))
    assert last < first
