"""Times arraytorch and real PyTorch side by side on the same work; see README.md in this folder.

python benchmarks/compare.py [--group NAME]... [--match REGEX] [--threads 2] [--rounds 9]
    [--seconds 0.1] [--device cpu] [--json FILE]
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import multiprocessing
import os
import platform
import re
import statistics
import sys
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from workloads import WORKLOADS, Call, Workload

MODULES = ("torch", "arraytorch")
COMPARED_CALLS = 20  # whose results must agree; for training these are consecutive steps
PAUSE = 0.02  # seconds, for the other module's idle threads to fall asleep
GROUPS = list(dict.fromkeys(w.group for w in WORKLOADS))


def numbers(result: Any) -> list[float]:
    """At most 64 elements of a result, spread evenly over it."""
    array = np.asarray(result.detach().cpu().numpy(), np.float64).ravel()
    return array[:: max(1, array.size // 64)][:64].tolist()


def time_per_call(call: Call, seconds: float, wait: Call) -> float:
    """The median time of a call, from batches long enough for the clock; ``wait`` ends a batch."""
    now = time.perf_counter

    def batch(repeats: int) -> float:
        start = now()
        for _ in range(repeats):
            call()
        wait()
        return now() - start

    repeats, end = 1, now() + seconds
    while (taken := batch(repeats)) < 1e-3:
        repeats *= 2
    samples = [taken]
    while now() < end:
        samples.append(batch(repeats))
    return statistics.median(samples) / repeats


def serve(module: str, threads: int, device: str, pipe: Connection) -> None:
    """The loop of a worker: sets up the workload it is told, then times it whenever it is asked."""
    M = importlib.import_module(module)
    wait: Call = lambda: None
    if device != "cpu":
        M.set_default_device(device)
        wait = getattr(M, device.partition(":")[0]).synchronize
    if module == "torch":
        M.set_num_threads(threads)
    call: Call | None = None
    while (request := pipe.recv()) is not None:
        try:
            if isinstance(request, int):
                call = None  # frees the last one's memory first
                call = WORKLOADS[request].build(M)
                pipe.send([numbers(call()) for _ in range(COMPARED_CALLS)])
            else:
                assert call is not None
                pipe.send(time_per_call(call, request, wait))
        except Exception as error:
            pipe.send(f"{type(error).__name__}: {error}".splitlines()[0])


@contextlib.contextmanager
def workers(threads: int, device: str) -> Iterator[list[Connection]]:
    """A process for either module, with so many threads each."""
    for pool in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
        os.environ[f"{pool}_NUM_THREADS"] = str(threads)
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for module in MODULES:
        ours, theirs = context.Pipe()
        processes.append(
            context.Process(target=serve, args=(module, threads, device, theirs), daemon=True)
        )
        processes[-1].start()
        theirs.close()
        pipes.append(ours)
    try:
        yield pipes
    finally:
        for pipe, process in zip(pipes, processes, strict=True):
            with contextlib.suppress(BrokenPipeError):
                pipe.send(None)
            process.join(5)


def ask(pipe: Connection, request: int | float) -> Any:
    """The answer of a worker; a RuntimeError with its words where it failed."""
    pipe.send(request)
    answer = pipe.recv()
    if isinstance(answer, str):
        raise RuntimeError(answer)
    return answer


def measure(index: int, pipes: list[Connection], rounds: int, seconds: float) -> dict[str, Any]:
    """One row: the medians of both modules, and the median and the spread of the rounds' ratios."""
    chosen = WORKLOADS[index]
    row: dict[str, Any] = {"group": chosen.group, "name": chosen.name, "aim": chosen.aim}
    try:
        results = [np.array(ask(pipe, index)) for pipe in pipes]
        row["agree"] = results[0].shape == results[1].shape and bool(
            np.allclose(results[1], results[0], rtol=chosen.tolerance, atol=chosen.tolerance)
        )
        times: list[list[float]] = [[], []]
        for _ in range(rounds):
            for pipe, taken in zip(pipes, times, strict=True):
                time.sleep(PAUSE)
                taken.append(ask(pipe, seconds))
    except RuntimeError as error:
        return row | {"error": str(error)}
    ratios = [own / torch for torch, own in zip(*times, strict=True)]
    low, ratio, high = statistics.quantiles(ratios, n=4, method="inclusive")
    micro = [1e6 * statistics.median(taken) for taken in times]
    return row | dict(zip(MODULES, micro, strict=True)) | {"ratio": ratio, "low": low, "high": high}


def line(row: dict[str, Any]) -> str:
    """A row as text."""
    if "error" in row:
        return f"{row['name']:50} {row['error']}"
    notes = "" if row["agree"] else "  DIFFERENT RESULTS"
    if row["aim"]:
        notes += f"  aim {row['aim']} {'met' if row['ratio'] <= row['aim'] else 'MISSED'}"
    times = "".join(f"{row[module]:12.2f}" for module in MODULES)
    spread = f"{row['low']:.2f}-{row['high']:.2f}"
    return f"{row['name']:50}{times}{row['ratio']:8.2f}{spread:>12}{notes}"


def chosen_workloads(options: argparse.Namespace) -> list[int]:
    """The places of the workloads that the options ask for."""

    def fits(w: Workload) -> bool:
        return w.group in (options.group or GROUPS) and bool(re.search(options.match, w.name))

    return [i for i, w in enumerate(WORKLOADS) if fits(w)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--group", action="append", choices=GROUPS, help="may be repeated")
    parser.add_argument("--match", default="", metavar="REGEX", help="only rows with such a name")
    parser.add_argument("--threads", type=int, default=2, help="of either module (%(default)s)")
    parser.add_argument("--rounds", type=int, default=9, help="in turn per row (%(default)s)")
    parser.add_argument("--seconds", type=float, default=0.1, help="per round (%(default)s)")
    parser.add_argument("--device", default="cpu", help="where both compute (%(default)s)")
    parser.add_argument("--json", metavar="FILE", help="write the rows to this file")
    options = parser.parse_args()
    if options.rounds < 2:
        parser.error("--rounds must be at least 2, for a spread")
    print(
        f"Python {platform.python_version()}, {options.threads} threads each, "
        f"load {os.getloadavg()[0]:.1f}; microseconds per call, ratio and its quartiles"
    )
    rows = []
    with workers(options.threads, options.device) as pipes:
        for index in chosen_workloads(options):
            if not rows or rows[-1]["group"] != WORKLOADS[index].group:
                titles = "".join(f"{module:>12}" for module in MODULES)
                print(f"\n{WORKLOADS[index].group:50}{titles}{'ratio':>8}{'quartiles':>12}")
            rows.append(measure(index, pipes, options.rounds, options.seconds))
            print(line(rows[-1]), flush=True)
    # Weights that are drawn on another device need not be PyTorch's, so that results may differ there.
    elsewhere = options.device != "cpu"
    good = [row["ratio"] for row in rows if row.get("agree") or (elsewhere and "ratio" in row)]
    if good:
        print(f"\ngeometric mean of {len(good)} rows: {statistics.geometric_mean(good):.2f}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            told = {"threads": options.threads, "device": options.device, "rows": rows}
            json.dump(told, file, indent=1)
    sys.exit(any("error" in row or not row["agree"] for row in rows))


if __name__ == "__main__":
    main()
