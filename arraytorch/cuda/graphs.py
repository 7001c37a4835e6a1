"""Graphs of work on CUDA and ROCm devices.

>>> torch.cuda.is_current_stream_capturing()
False
"""

from __future__ import annotations

from typing import Any

from .._accelerators import graphs
from ._devices import DEVICES
from .streams import Stream


class CUDAGraph(graphs.Graph):
    __doc__ = graphs.Graph.__doc__
    devices = DEVICES


class graph(graphs.GraphContext):
    __doc__ = graphs.GraphContext.__doc__
    stream_class = Stream

    def __init__(
        self,
        cuda_graph: CUDAGraph,
        pool: Any = None,
        stream: Any = None,
        capture_error_mode: str = "global",
    ) -> None:
        super().__init__(cuda_graph, pool, stream, capture_error_mode)


_graphs = graphs.Graphs(DEVICES)

graph_pool_handle = _graphs.graph_pool_handle
is_current_stream_capturing = _graphs.is_current_stream_capturing
