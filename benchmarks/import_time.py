"""Compares the time of `import arraytorch` with that of `import numpy`, in alternating processes.

    python benchmarks/import_time.py [--rounds 15] [--limit 1.5]

Each round starts an interpreter for either import, in turn, so that a busy machine slows both. The
ratio is the median of the rounds' ratios, once of the import statement alone and once of the whole
process, which is what --limit is held against.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

# pip compiles NumPy as it installs it; an editable arraytorch has to be allowed its bytecode files.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def import_once(module: str) -> tuple[float, float]:
    """Returns the seconds of the import statement and of the process around it."""
    code = (
        "from time import perf_counter as now; start = now(); "
        f"import {module}; print(now() - start)"
    )
    start = time.perf_counter()
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=ENVIRONMENT
    )
    return float(run.stdout), time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--limit", type=float, help="fail above this ratio")
    options = parser.parse_args()
    modules = ("numpy", "arraytorch")
    for module in modules:  # compiles bytecode and warms the disk's cache
        import_once(module)
    rounds = [[import_once(module) for module in modules] for _ in range(options.rounds)]
    estimates = []
    for column, what in enumerate(("import", "process")):
        numpy, own = ([pair[side][column] for pair in rounds] for side in (0, 1))
        ratio = statistics.median(b / a for a, b in zip(numpy, own, strict=True))
        fastest = min(own) / min(numpy)
        estimates.append(min(ratio, fastest))
        print(
            f"{what:8} numpy {1e3 * statistics.median(numpy):6.1f} ms, "
            f"arraytorch {1e3 * statistics.median(own):6.1f} ms, ratio {ratio:.2f}, "
            f"of the fastest {fastest:.2f}"
        )
    # A busy machine spoils now the one and now the other; a slower import raises both.
    if options.limit and estimates[0] > options.limit:
        sys.exit(f"the import takes {estimates[0]:.2f} times that of numpy, limit {options.limit}")


if __name__ == "__main__":
    main()
