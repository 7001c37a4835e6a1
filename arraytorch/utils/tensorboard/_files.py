"""Files of events, which TensorBoard reads."""

from __future__ import annotations

import time
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event, TaggedRunMetadata
from tensorboard.summary.writer.event_file_writer import EventFileWriter


class FileWriter:
    """Writes protocol buffers to one file of events, from a thread of its own."""

    def __init__(
        self,
        log_dir: Any,
        max_queue: int = 10,
        flush_secs: float = 120,
        filename_suffix: str = "",
    ) -> None:
        self._options = str(log_dir), max_queue, flush_secs, filename_suffix
        self._closed = False
        self.event_writer = EventFileWriter(*self._options)

    def get_logdir(self) -> str:
        """Returns the folder of the file."""
        return self.event_writer.get_logdir()

    def add_event(self, event: Event, step: Any = None, walltime: float | None = None) -> None:
        """Writes an event, at a step and a time, by default now."""
        event.wall_time = time.time() if walltime is None else walltime
        if step is not None:
            event.step = int(step)
        self.event_writer.add_event(event)

    def add_summary(
        self, summary: Any, global_step: Any = None, walltime: float | None = None
    ) -> None:
        """Writes a summary as an event."""
        self.add_event(Event(summary=summary), global_step, walltime)

    def add_graph(self, graph_profile: Any, walltime: float | None = None) -> None:
        """Writes a graph and how long its nodes took, both as protocol buffers."""
        graph, stats = graph_profile
        self.add_event(Event(graph_def=graph.SerializeToString()), None, walltime)
        run = TaggedRunMetadata(tag="step1", run_metadata=stats.SerializeToString())
        self.add_event(Event(tagged_run_metadata=run), None, walltime)

    def flush(self) -> None:
        """Waits until all events are in the file."""
        self.event_writer.flush()

    def close(self) -> None:
        """Writes what waits, and closes the file."""
        self._closed = True
        self.event_writer.close()

    def reopen(self) -> None:
        """Starts another file in the folder, if this one was closed."""
        if self._closed:
            self._closed = False
            self.event_writer = EventFileWriter(*self._options)
