"""The documents' examples: every block of Python in them runs, page by page, from top to bottom."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")
FENCE = re.compile(r"^```\w*\n.*?^```$", re.MULTILINE | re.DOTALL)


def text_of(page: str) -> str:
    """A page's source."""
    return (ROOT / page).read_text("utf-8")


# A block that opens with a docstring "name.py: ..." is a file; others may import it.
def parts_of(page: str) -> tuple[dict[str, str], list[str]]:
    """The modules that a page prints, by name, and the blocks to run."""
    files, blocks = {}, []
    for block in BLOCK.findall(text_of(page)):
        name = re.match(r'"""(\w+)\.py:', block)
        if name:
            files[name[1]] = block
        else:
            blocks.append(block)
    return files, blocks


@pytest.mark.parametrize("page", [p for p in PAGES if parts_of(p)[1]])
def test_examples_run(page, tmp_path):
    """In an interpreter of its own, as examples set seeds, write files and register backends."""
    files, blocks = parts_of(page)
    for name, source in files.items():
        (tmp_path / f"{name}.py").write_text(source, "utf-8")
    script = tmp_path / "page.py"
    script.write_text("\n".join(blocks), "utf-8")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-W", "error", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    """A link within the repository names a file that is there."""
    for target in LINK.findall(FENCE.sub("", text_of(page))):
        assert (ROOT / page).parent.joinpath(target).exists(), target


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_exist(page):
    """A file of the repository that a page names by its path is where the page says."""
    named = re.findall(
        r"`((?:arraytorch|tests|docs|benchmarks|examples|\.ci)/[\w./-]+)`", text_of(page)
    )
    for path in named:
        assert (ROOT / path).exists(), path
