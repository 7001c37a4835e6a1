"""Memory of freed arrays is kept for the next ones."""

import os
import subprocess
import sys

import pytest

from arraytorch.backends import freed_memory

COUNT = """
import resource, sys
import numpy as np
import arraytorch

def fill():
    arrays = [np.ones(1 << 20) for _ in range(6)]

fill()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    fill()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
CHOSEN = {"MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_MMAP_THRESHOLD_": "131072"}


def pages_fetched(**chosen):
    own = {k: v for k, v in os.environ.items() if k not in freed_memory._CHOICES}
    run = subprocess.run(
        [sys.executable, "-c", COUNT], env={**own, **chosen}, check=True, capture_output=True
    )
    return int(run.stdout)


@pytest.mark.skipif(not freed_memory.keep(), reason="another C library, or the user's own choice")
def test_pages_are_not_fetched_anew():
    """Ten times 48 MB take no pages from the system once they were there, unless the user wants that."""
    assert pages_fetched() < 200
    assert pages_fetched(**CHOSEN) > 200


def test_the_users_own_choice_stands(monkeypatch):
    """Nothing is told to a C library whose variables are set."""
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1000000")
    assert not freed_memory.keep()
