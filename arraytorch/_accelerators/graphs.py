"""Graphs: work that is recorded once, and repeated by one call."""

from __future__ import annotations

import itertools
from typing import Any

from .devices import Devices
from .streams import Stream

_pools = itertools.count(1)


class Graph:
    """Work that is recorded once and repeated by one call, without Python in between.

    It is repeated on the memory of the recording: write new inputs into the same tensors with
    ``copy_``, and read the results from the same tensors. Raises RuntimeError, when recording
    begins, where the library of the device cannot record.
    """

    devices: Devices

    def __init__(self, keep_graph: bool = False) -> None:
        self.devices.backend()
        self._graph: Any = None
        self._queue: Any = None
        self._pool: tuple[int, int] | None = None

    def capture_begin(
        self, pool: tuple[int, int] | None = None, capture_error_mode: str = "global"
    ) -> None:
        """Has work given to the current stream recorded, not run; prefer `graph`."""
        if capture_error_mode not in ("global", "thread_local", "relaxed"):
            raise RuntimeError(
                "Unknown capture error mode. Expected `global`, `thread_local`, or `relaxed`, got "
                f"{capture_error_mode}"
            )
        if self._graph is not None:
            raise RuntimeError(
                "This CUDAGraph instance already owns a captured graph. To capture a new graph, "
                "create a new instance."
            )
        backend = self.devices.backend()
        self._queue = backend.current_queue(backend.current_device())
        backend.begin_capture(self._queue, capture_error_mode)
        self._pool = pool or (0, next(_pools))

    def capture_end(self) -> None:
        """Ends the recording."""
        if self._queue is None:
            raise RuntimeError("capture_end() was called before capture_begin()")
        queue, self._queue = self._queue, None
        self._graph = self.devices.backend().end_capture(queue)

    def replay(self) -> None:
        """Gives the recorded work to the current stream."""
        if self._graph is None:
            raise RuntimeError("Called CUDAGraph::replay without a preceding successful capture.")
        backend = self.devices.backend()
        backend.launch(self._graph, backend.current_queue(backend.current_device()))

    def reset(self) -> None:
        """Forgets the recorded work."""
        self._graph = None

    def pool(self) -> tuple[int, int]:
        """Returns the handle of its memory, that a later recording may be given."""
        if self._pool is None:
            raise RuntimeError("Called CUDAGraph::pool() without a preceding successful capture.")
        return self._pool


class GraphContext:
    """Records the work of a ``with`` block in a graph, on a stream of its own unless one is given.

    ``pool`` is accepted: a library shares the memory of graphs as it sees fit.
    """

    stream_class: type[Stream]
    _stream: Any = None  # shared by all recordings

    def __init__(
        self, graph: Graph, pool: Any = None, stream: Any = None, capture_error_mode: str = "global"
    ) -> None:
        cls = type(self)
        if stream is None:
            stream = cls._stream = cls._stream or self.stream_class()
        self.cuda_graph, self.pool, self.capture_stream = graph, pool, stream
        self.capture_error_mode = capture_error_mode

    def __enter__(self) -> None:
        backend = self.cuda_graph.devices.backend()
        backend.synchronize()  # nothing that was begun before may end within
        backend.empty_cache()
        self.capture_stream.__enter__()
        try:
            self.cuda_graph.capture_begin(self.pool, self.capture_error_mode)
        except BaseException:
            self.capture_stream.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        try:
            self.cuda_graph.capture_end()
        finally:
            self.capture_stream.__exit__()


class Graphs:
    """Recording on the devices of a type."""

    def __init__(self, devices: Devices) -> None:
        self.devices = devices

    def is_current_stream_capturing(self) -> bool:
        """Returns whether work given to the current stream is recorded for a graph, and not run."""
        if (backend := self.devices.loaded()) is None:
            return False
        return bool(backend.is_capturing(backend.current_queue(backend.current_device())))

    def graph_pool_handle(self) -> tuple[int, int]:
        """Returns a new handle, by which graphs can be told to share memory."""
        return 0, next(_pools)
