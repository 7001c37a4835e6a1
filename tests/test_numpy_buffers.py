"""NumPy's buffers are made smaller, unless somebody has chosen their size."""

import subprocess
import sys

import pytest

SIZE = "import numpy as np; {}; import arraytorch; print(np.getbufsize())"


@pytest.mark.parametrize(("before", "size"), [("pass", 768), ("np.setbufsize(4096)", 4096)])
def test_size_of_buffers(before, size):
    """The import sets a size that suits broadcasting, and keeps one that the user has set."""
    run = subprocess.run(
        [sys.executable, "-c", SIZE.format(before)], check=True, capture_output=True, text=True
    )
    assert int(run.stdout) == size
