"""Where the time of a program goes: `profile`."""

from __future__ import annotations

import os
import socket
import time
import warnings
from collections.abc import Callable, Iterable
from contextlib import ContextDecorator
from enum import Enum
from typing import Any

from ._recording import EventList, FunctionEvent, FunctionEventAvg, Recorder, active, of

__all__ = [
    "EventList",
    "FunctionEvent",
    "FunctionEventAvg",
    "ProfilerAction",
    "ProfilerActivity",
    "kineto_available",
    "profile",
    "record_function",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]


class ProfilerActivity(Enum):
    """What could be profiled; `supported_activities` tells what is."""

    CPU = 0
    XPU = 1
    MTIA = 2
    CUDA = 3
    HPU = 4
    PrivateUse1 = 5


class ProfilerAction(Enum):
    """What a profile does in a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def supported_activities() -> set[ProfilerActivity]:
    """Returns what can be profiled: the calls that the host makes."""
    return {ProfilerActivity.CPU}


def kineto_available() -> bool:
    """Returns False: that library, which watches GPUs, is not used here.

    >>> torch.profiler.kineto_available()
    False
    """
    return False


def schedule(
    *,
    wait: int,
    warmup: int,
    active: int,
    repeat: int = 0,
    skip_first: int = 0,
    skip_first_wait: int = 0,
) -> Callable[[int], ProfilerAction]:
    """Returns what to do in each step: wait, warm up, record; ``repeat`` times, 0 for ever.

    >>> plan = torch.profiler.schedule(wait=1, warmup=1, active=2, repeat=1)
    >>> [plan(step).name for step in range(5)]
    ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE', 'NONE']
    """
    if wait < 0 or warmup < 0 or active <= 0 or repeat < 0 or skip_first < 0:
        raise AssertionError("Invalid profiler schedule arguments")
    length = wait + warmup + active

    def action(step: int) -> ProfilerAction:
        if step < 0:
            raise AssertionError(f"Step must be non-negative. Got {step}.")
        step -= skip_first
        if step < 0:
            return ProfilerAction.NONE
        step += wait if skip_first_wait else 0
        if repeat and step >= repeat * length:
            return ProfilerAction.NONE
        at = step % length
        if at < wait:
            return ProfilerAction.NONE
        if at < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD_AND_SAVE if at == length - 1 else ProfilerAction.RECORD

    return action


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False
) -> Callable[[Any], None]:
    """Returns an ``on_trace_ready`` that writes each trace to a file of its own in a folder."""

    def write(profiled: Any) -> None:
        os.makedirs(dir_name, exist_ok=True)
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        name = f"{worker}.{time.time_ns()}.pt.trace.json" + (".gz" if use_gzip else "")
        profiled.export_chrome_trace(os.path.join(dir_name, name))

    return write


class record_function(ContextDecorator):
    """Names a region, as a ``with`` block or a decorator, among the events of a `profile`."""

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name, self.args = name, args

    def __enter__(self) -> record_function:
        for recorder in active:
            recorder.enter(self.name, self)
        return self

    def __exit__(self, *error: object) -> None:
        for recorder in active:
            recorder.leave(self)


class profile:
    """Records which operations the host runs, and for how long, by Python's hook on calls.

    The hook costs time itself while it is set. With a `schedule`, `step` goes to the next step, and
    ``on_trace_ready`` is called with the profile whenever steps have been recorded.

    >>> with torch.profiler.profile(record_shapes=True) as profiled:
    ...     with torch.profiler.record_function("mine"):
    ...         _ = torch.ones(2, 3).mm(torch.ones(3, 4))
    >>> [(event.key, event.count) for event in profiled.key_averages()]
    [('mine', 1), ('aten::ones', 2), ('aten::mm', 1)]
    """

    def __init__(
        self,
        *,
        activities: Iterable[ProfilerActivity] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[[profile], Any] | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
        acc_events: bool = False,
    ) -> None:
        unmeasured = {"profile_memory": profile_memory, "with_stack": with_stack,
                      "with_flops": with_flops, "with_modules": with_modules}  # fmt: skip
        if wanted := [name for name, value in unmeasured.items() if value]:
            warnings.warn(f"this profile does not measure {', '.join(wanted)}", stacklevel=2)
        self.activities = set(activities) if activities else supported_activities()
        if not self.activities & supported_activities():
            raise AssertionError("No valid profiler activities found")
        self.schedule, self.on_trace_ready = schedule, on_trace_ready
        self.record_shapes, self.acc_events = record_shapes, acc_events
        self.step_num = 0
        self._recorders: list[Recorder] = []
        self._recording: Recorder | None = None

    @property
    def current_action(self) -> ProfilerAction:
        """What is done in this step."""
        return ProfilerAction.RECORD if self.schedule is None else self.schedule(self.step_num)

    def start(self) -> None:
        """Begins the first step."""
        self._act()

    def stop(self) -> None:
        """Ends the last step."""
        self._finish()

    def step(self) -> None:
        """Ends a step and begins the next."""
        if self.current_action is ProfilerAction.RECORD_AND_SAVE:
            self._finish()
        self.step_num += 1
        self._act()

    def _act(self) -> None:
        wanted = self.current_action in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)
        if wanted and self._recording is None:
            self._recording = Recorder(self.record_shapes)
            self._recorders = [*(self._recorders if self.acc_events else []), self._recording]
            self._recording.start()
        elif not wanted and self._recording is not None:
            self._finish()

    def _finish(self) -> None:
        if self._recording is not None:
            self._recording.stop()
            self._recording = None
            if self.on_trace_ready is not None:
                self.on_trace_ready(self)

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def events(self) -> EventList:
        """Returns what was recorded last, or with ``acc_events`` all that was."""
        return of(self._recorders)

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0
    ) -> EventList:
        """Returns the events added up by name, or by name and shapes."""
        return self.events().key_averages(group_by_input_shape)

    def export_chrome_trace(self, path: str) -> None:
        """Writes the events for chrome://tracing and its like, compressed if the name ends in .gz."""
        self.events().export_chrome_trace(path)
