"""What `import arraytorch` loads, seen from a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import arraytorch

# Each costs more than the whole package, or is optional.
HEAVY = {
    "asyncio",
    "concurrent.futures.process",
    "cupy",
    "doctest",
    "dpctl",
    "dpnp",
    "http.client",
    "importlib.metadata",
    "matplotlib",
    "multiprocessing",
    "numba",
    "pathlib",
    "pdb",
    "scipy",
    "sqlite3",
    "ssl",
    "torch",
    "unittest",
    "urllib.request",
    "xml",
}


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after a statement."""
    code = (
        f"{statement}; import sys; names = list(sys.modules); import json; print(json.dumps(names))"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    return set(json.loads(run.stdout))


def test_import_loads_nothing_heavy():
    """SciPy, the device libraries and heavy parts of the standard library wait until needed."""
    own = loaded_by("import arraytorch") - loaded_by("import numpy")
    assert not own & HEAVY


def test_version_is_the_projects():
    """`__version__` and the project file cannot differ."""
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8"))
    assert arraytorch.__version__ == project["project"]["version"]
