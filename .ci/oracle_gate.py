"""Fails when fewer operators agree with PyTorch than tests/oracle_ratchet.json says.

    python .ci/oracle_gate.py ORACLE_FOLDER [--update]

The folder holds opinfo.py, which runs PyTorch's own operator database against a module. With
--update the file's counts are raised to what was reached; they are never lowered by this program.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

RATCHET = Path(__file__).parent.parent / "tests" / "oracle_ratchet.json"


def reached(oracle: Path) -> dict[str, int]:
    """How many operators pass, by phase."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        # A busy machine is no reason to fail: samples get more time than the default.
        subprocess.run(
            [sys.executable, oracle / "opinfo.py", "--module", "arraytorch", "--timeout", "20"]
            + ["--show-fails", "3", "--json", report],
            check=True,
        )
        total = json.loads(report.read_text("utf-8"))["summary"]["total"]
    return {phase: counts["pass"] for phase, counts in total.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("oracle", type=Path, help="the folder of opinfo.py")
    parser.add_argument("--update", action="store_true", help="raise the file's counts")
    options = parser.parse_args()
    floor = json.loads(RATCHET.read_text("utf-8"))
    counts = reached(options.oracle)
    fallen = [phase for phase in floor if counts[phase] < floor[phase]]
    for phase, least in floor.items():
        print(f"{phase}: {counts[phase]} pass, at least {least} must")
    if options.update:
        raised = {phase: max(count, counts[phase]) for phase, count in floor.items()}
        RATCHET.write_text(json.dumps(raised, indent=2) + "\n", "utf-8")
    elif counts != floor and not fallen:
        print(f"more than the file says: raise it with --update ({RATCHET.name})")
    sys.exit(f"fewer than before: {', '.join(fallen)}" if fallen else 0)


if __name__ == "__main__":
    main()
