"""Measures agreement with PyTorch and writes the two tables of docs/coverage.md anew.

    python .ci/coverage_tables.py ORACLE_FOLDER

The folder holds opinfo.py and api_coverage.py. Run it on a machine that does nothing else, and read
the difference: the reasons below the first table are written by hand.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent.parent / "docs" / "coverage.md"
PHASES = ("forward", "grad", "errors")
TITLES = {
    "torch functions": "functions of `torch`",
    "torch classes": "classes of `torch`",
    "torch dtypes, constants": "dtypes and constants",
    "torch": "`torch`",
    "torch.Tensor": "`Tensor`",
}


def measured(program: Path, *options: str) -> Any:
    """The report of one of the two programs."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, program, "--module", "arraytorch", *options, "--json", report]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return json.loads(report.read_text("utf-8"))


def of(part: int, whole: int) -> str:
    return f"{part} of {whole}" if whole else "–"


def title(name: str) -> str:
    return TITLES.get(name) or f"`{name.removeprefix('torch.')}`"


def operators_table(summary: dict[str, Any]) -> str:
    """Operators by namespace, the largest first."""
    rows = ["| namespace | results | gradients | errors |", "| --- | --- | --- | --- |"]
    total = summary.pop("total")
    for name, phases in sorted(summary.items(), key=lambda item: -item[1]["forward"]["total"]):
        cells = [of(phases[p]["pass"], phases[p]["total"]) for p in PHASES]
        label = "`Tensor`, methods only" if name == "torch.Tensor" else title(name)
        rows.append(f"| {label} | {' | '.join(cells)} |")
    cells = [f"**{of(total[p]['pass'], total[p]['total'])}**" for p in PHASES]
    return "\n".join([*rows, f"| **all** | {' | '.join(cells)} |"])


def names_table(namespaces: dict[str, Any]) -> str:
    """Names, parameters and members by namespace, and which namespaces are not there."""
    rows = [
        "| namespace | names | parameters agree | attributes of classes |",
        "| --- | --- | --- | --- |",
    ]
    sums = [0] * 6
    for name, n in namespaces.items():
        known = n["signatures_ok"] + len(n["mismatches"])
        counts = n["present"], n["total"], n["signatures_ok"], known
        counts += n["members_present"], n["members_total"]
        sums = [a + b for a, b in zip(sums, counts, strict=True)]
        if not n["absent"]:
            cells = [of(*counts[i : i + 2]) for i in (0, 2, 4)]
            rows.append(f"| {title(name)} | {' | '.join(cells)} |")
    cells = [f"**{of(*sums[i : i + 2])}**" for i in (0, 2, 4)]
    rows.append(f"| **all, with those below** | {' | '.join(cells)} |")
    absent = ", ".join(title(name) for name, n in namespaces.items() if n["absent"])
    return "\n".join([*rows, "", f"Not there at all: {absent}."])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("oracle", type=Path, help="the folder of the measuring programs")
    oracle = parser.parse_args().oracle
    names = measured(oracle / "api_coverage.py")["namespaces"]
    summary = measured(oracle / "opinfo.py", "--timeout", "20")["summary"]
    page = PAGE.read_text("utf-8")
    for mark, table in (("operators", operators_table(summary)), ("names", names_table(names))):
        between = re.compile(rf"(<!-- {mark} -->\n\n).*?(\n\n<!-- end -->)", re.DOTALL)
        page = between.sub(lambda m, t=table: m[1] + t + m[2], page)
    PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
