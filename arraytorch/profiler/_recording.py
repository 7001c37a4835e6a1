"""Which operations ran, when and for how long: Python's own hook on calls, set while one records."""

from __future__ import annotations

import gzip
import json
import os
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from time import perf_counter_ns
from typing import Any

from .. import ops
from .._tensor import Tensor
from ..autograd import calculus

OPS = os.path.dirname(ops.__file__) + os.sep
CALCULUS, OPTIM = (
    calculus.__file__,
    os.path.join(os.path.dirname(os.path.dirname(OPS)), "optim", ""),
)
OPERATORS = {"plus": "add", "minus": "sub", "times": "mul", "over": "div"}


@cache
def _names() -> set[str]:
    """The operations that users can call."""
    functional = import_module("..nn.functional", __package__)
    return {*ops.__all__, *ops.LATE, *dir(Tensor), *dir(functional)}


@dataclass
class FunctionEvent:
    """A call of an operation, or a region that `record_function` names; times in microseconds."""

    name: str
    start: float
    thread: int
    input_shapes: list[Any] = field(default_factory=list)
    cpu_time_total: float = 0.0
    self_cpu_time_total: float = 0.0

    @property
    def key(self) -> str:
        """The name."""
        return self.name


@dataclass
class FunctionEventAvg:
    """The calls of one operation, added up."""

    key: str
    input_shapes: list[Any]
    count: int = 0
    cpu_time_total: float = 0.0
    self_cpu_time_total: float = 0.0

    @property
    def cpu_time(self) -> float:
        """The mean of a call."""
        return self.cpu_time_total / self.count if self.count else 0.0


class Recorder:
    """Records the operations of all threads between `start` and `stop`."""

    def __init__(self, shapes: bool) -> None:
        self.events: list[FunctionEvent] = []
        self._shapes, self._open = shapes, threading.local()

    def start(self) -> None:
        """Sets the hook."""
        active.append(self)
        self._before = sys.getprofile()
        threading.setprofile(self._called)
        sys.setprofile(self._called)

    def stop(self) -> None:
        """Takes the hook away."""
        sys.setprofile(self._before)
        threading.setprofile(None)
        active.remove(self)

    def enter(self, name: str, owner: object, shapes: list[Any] | None = None) -> None:
        """Begins an event within the one that is open in this thread."""
        started = FunctionEvent(name, perf_counter_ns() / 1e3, threading.get_ident(), shapes or [])
        self._stack().append((owner, started, [0.0]))

    def leave(self, owner: object) -> None:
        """Ends the event that was begun for this owner, if that is the one that is open."""
        stack = self._stack()
        if not stack or stack[-1][0] is not owner:
            return
        _, event, within = stack.pop()
        event.cpu_time_total = perf_counter_ns() / 1e3 - event.start
        event.self_cpu_time_total = event.cpu_time_total - within[0]
        if stack:
            stack[-1][2][0] += event.cpu_time_total
        self.events.append(event)

    def _stack(self) -> list[Any]:
        if not hasattr(self._open, "stack"):
            self._open.stack = []
        return self._open.stack  # type: ignore[no-any-return]

    def _called(self, frame: Any, what: str, argument: Any) -> None:
        if what not in ("call", "return"):
            return
        file, name = frame.f_code.co_filename, frame.f_code.co_name
        if file.startswith(OPS):
            # What one operation calls among the others is a part of it.
            caller = frame.f_back
            if caller is None or caller.f_code.co_filename.startswith(OPS):
                return
            if name == "op_":  # of all operations in place, each of which knows its name
                name = frame.f_locals.get("name", name)
            name = OPERATORS.get(name, name)
            if name not in _names():
                return
            name = f"aten::{name}"
        elif file == CALCULUS and name in ("backward", "grad"):
            name = f"autograd::{name}"
        elif file.startswith(OPTIM) and name == "hooked":
            kind = type(frame.f_locals["self"]).__name__
            name = f"Optimizer.step#{kind}.step"
        else:
            return
        if what == "return":
            self.leave(frame)
        else:
            self.enter(name, frame, self._shapes_of(frame))

    def _shapes_of(self, frame: Any) -> list[Any]:
        if not self._shapes:
            return []
        names = frame.f_code.co_varnames[: frame.f_code.co_argcount]
        values = (frame.f_locals.get(name) for name in names)
        return [list(value.shape) if isinstance(value, Tensor) else [] for value in values]


active: list[Recorder] = []


class EventList(list[Any]):
    """Events, which `table` prints."""

    def key_averages(self, group_by_input_shape: bool = False) -> EventList:
        """Returns the sums for each name, or each name and shapes."""
        sums: dict[Any, FunctionEventAvg] = {}
        for event in self:
            shapes = event.input_shapes if group_by_input_shape else []
            total = sums.setdefault((event.name, str(shapes)), FunctionEventAvg(event.name, shapes))
            total.count += 1
            total.cpu_time_total += event.cpu_time_total
            total.self_cpu_time_total += event.self_cpu_time_total
        return EventList(sums.values())

    @property
    def self_cpu_time_total(self) -> float:
        """The time of all events, none counted twice."""
        return sum(event.self_cpu_time_total for event in self)

    def table(
        self,
        sort_by: str | None = None,
        row_limit: int = 100,
        max_name_column_width: int = 55,
        header: str | None = None,
    ) -> str:
        """Returns a table of the sums, the largest by ``sort_by`` first."""
        rows = self if all(isinstance(e, FunctionEventAvg) for e in self) else self.key_averages()
        if sort_by is not None:
            rows = EventList(sorted(rows, key=_by(sort_by), reverse=True))
        total = rows.self_cpu_time_total or 1.0
        shown = rows[:row_limit] if row_limit >= 0 else rows
        width = max([4, *(len(row.key[:max_name_column_width]) for row in shown)])
        titles = (
            "Self CPU %",
            "Self CPU",
            "CPU total %",
            "CPU total",
            "CPU time avg",
            "# of Calls",
        )
        line = "-" * (width + 2 + 14 * len(titles))
        lines = [] if header is None else [header]
        lines += [line, "Name".rjust(width) + "".join(t.rjust(14) for t in titles), line]
        for row in shown:
            cells = (
                f"{row.self_cpu_time_total / total:.2%}", _time(row.self_cpu_time_total),
                f"{row.cpu_time_total / total:.2%}", _time(row.cpu_time_total),
                _time(row.cpu_time), str(row.count),
            )  # fmt: skip
            name = row.key[:max_name_column_width].rjust(width)
            lines.append(name + "".join(cell.rjust(14) for cell in cells))
        return "\n".join(
            [*lines, line, f"Self CPU time total: {_time(rows.self_cpu_time_total)}", ""]
        )

    def export_chrome_trace(self, path: Any) -> None:
        """Writes the events as JSON for chrome://tracing and its like."""
        process = os.getpid()
        events = [
            {"ph": "X", "cat": "cpu_op", "name": e.name, "pid": process, "tid": e.thread,
             "ts": e.start, "dur": e.cpu_time_total, "args": {"Input Dims": e.input_shapes}}
            for e in self
        ]  # fmt: skip
        opened = gzip.open if str(path).endswith(".gz") else open
        with opened(path, "wt", encoding="utf-8") as file:
            json.dump({"schemaVersion": 1, "traceEvents": events}, file)

    def __str__(self) -> str:
        return self.table()


def _by(name: str) -> Callable[[Any], Any]:
    if name not in ("cpu_time", "cpu_time_total", "self_cpu_time_total", "count"):
        raise AttributeError(f"events have no '{name}' to sort by")
    return lambda row: getattr(row, name)


def _time(microseconds: float) -> str:
    for unit, name in ((1e6, "s"), (1e3, "ms")):
        if microseconds >= unit:
            return f"{microseconds / unit:.3f}{name}"
    return f"{microseconds:.3f}us"


def of(recorders: Iterable[Recorder]) -> EventList:
    """Returns the events of some recorders, by their beginnings."""
    events = [event for recorder in recorders for event in recorder.events]
    return EventList(sorted(events, key=lambda event: event.start))
