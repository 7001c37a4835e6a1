"""Checks that a wheel is pure, small and holds the package alone."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

LARGEST = 1_500_000  # bytes
SUFFIXES = {".py", ".typed"}


def faults(wheel: Path) -> list[str]:
    """What is wrong with the wheel, a sentence each."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
    package = [name for name in names if ".dist-info/" not in name]
    found = [
        f"{name} does not belong into the wheel"
        for name in package
        if not name.startswith("arraytorch/")
        or Path(name).suffix not in SUFFIXES
        or "tests" in Path(name).parts
    ]
    if not wheel.name.endswith("-py3-none-any.whl"):
        found.append(f"{wheel.name} is not pure")
    if wheel.stat().st_size > LARGEST:
        found.append(f"{wheel.stat().st_size} bytes are more than {LARGEST}")
    if "arraytorch/py.typed" not in package:
        found.append("py.typed is missing")
    if not any(name.endswith("/LICENSE") for name in names):
        found.append("the licence is missing")
    return found


def main() -> None:
    wheel = Path(sys.argv[1])
    found = faults(wheel)
    print(f"{wheel.name}: {wheel.stat().st_size / 1000:.0f} kB", *found, sep="\n")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
