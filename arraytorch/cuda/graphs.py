"""Graphs of work on CUDA and ROCm devices.

>>> torch.cuda.is_current_stream_capturing()
False
"""

from __future__ import annotations

from typing import Any

from .._accelerators import graphs
from .._accelerators.graphed import make_graphed
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


def make_graphed_callables(
    callables: Any,
    sample_args: Any,
    num_warmup_iters: int = 3,
    allow_unused_input: bool = False,
    pool: Any = None,
) -> Any:
    """Returns a function or module, or a tuple of such, whose forward and backward are graphs.

    ``sample_args`` are tensors of the shapes and of the ``requires_grad`` that later arguments will
    have, for each callable a tuple. A module keeps its parameters, and runs as before in the other
    mode of ``train()`` and ``eval()``. Raises RuntimeError for modules with hooks or with trainable
    buffers, and where the library of the device cannot record.
    """
    return make_graphed(
        CUDAGraph, graph, callables, sample_args, num_warmup_iters, allow_unused_input, pool
    )


_graphs = graphs.Graphs(DEVICES)

graph_pool_handle = _graphs.graph_pool_handle
is_current_stream_capturing = _graphs.is_current_stream_capturing
