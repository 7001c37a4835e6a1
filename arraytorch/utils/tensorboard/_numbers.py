"""Summaries of numbers and words: scalars, histograms, tensors, text, curves and their layout."""

from __future__ import annotations

from typing import Any

from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.pr_curve.plugin_data_pb2 import PrCurvePluginData
from tensorboard.plugins.text.plugin_data_pb2 import TextPluginData

from ... import _dtypes
from ..._tensor import Tensor
from ...backends import host
from ...ops import histograms
from ...ops.complex_numbers import view_as_real
from ...ops.counting import bincount
from ...ops.creation import as_tensor
from ...ops.joining import stack
from ._values import to_tensor

MOST_THRESHOLDS = 127  # what the plugin reads in one byte

# The type in a protocol buffer, and the field that its values go to.
FIELDS = {
    _dtypes.float16: ("DT_HALF", "half_val"),
    _dtypes.bfloat16: ("DT_BFLOAT16", "half_val"),
    _dtypes.float32: ("DT_FLOAT", "float_val"),
    _dtypes.float64: ("DT_DOUBLE", "double_val"),
    _dtypes.uint8: ("DT_UINT8", "int_val"),
    _dtypes.int8: ("DT_INT8", "int_val"),
    _dtypes.int16: ("DT_INT16", "int_val"),
    _dtypes.int32: ("DT_INT32", "int_val"),
    _dtypes.int64: ("DT_INT64", "int64_val"),
    _dtypes.bool: ("DT_BOOL", "bool_val"),
    _dtypes.complex64: ("DT_COMPLEX64", "scomplex_val"),
    _dtypes.complex128: ("DT_COMPLEX128", "dcomplex_val"),
}


def shape_of(*sizes: int) -> TensorShapeProto:
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in sizes])


def metadata(plugin: str, content: bytes = b"") -> SummaryMetadata:
    """Returns what tells TensorBoard which of its plugins shows a value."""
    data = SummaryMetadata.PluginData(plugin_name=plugin, content=content)
    return SummaryMetadata(plugin_data=data)


def scalar(tag: str, value: Any, new_style: bool, double_precision: bool) -> Summary:
    x = to_tensor(value).squeeze()
    if x.ndim != 0:
        raise AssertionError(
            "Tensor should contain one element (0 dimensions). "
            f"Was given size: {x.numel()} and {x.ndim} dimensions."
        )
    number = float(x)
    if not new_style:
        return Summary(value=[Summary.Value(tag=tag, simple_value=number)])
    if double_precision:
        tensor = TensorProto(double_val=[number], dtype="DT_DOUBLE")
    else:
        tensor = TensorProto(float_val=[number], dtype="DT_FLOAT")
    return Summary(value=[Summary.Value(tag=tag, tensor=tensor, metadata=metadata("scalars"))])


def default_bins() -> list[float]:
    """Returns TensorBoard's edges: each a tenth further from zero than the one before."""
    edge, edges = 1e-12, []
    while edge < 1e20:
        edges.append(edge)
        edge *= 1.1
    return [*(-edge for edge in reversed(edges)), 0, *edges]


def histogram(tag: str, values: Any, bins: Any, max_bins: int | None) -> Summary:
    """Returns the counts of values in bins, those at both ends left out that hold nothing.

    ``bins`` are edges, a number of bins, or the name of one of NumPy's rules for their width.
    """
    x = to_tensor(values).to(_dtypes.float64).reshape(-1)
    if x.numel() == 0:
        raise ValueError("The input has no element.")
    edges = as_tensor(host.bin_edges(x.numpy(), bins)).to(_dtypes.float64)
    counts = histograms.histogram(x, edges).hist.tolist()
    limits = edges.tolist()
    if max_bins is not None and len(counts) > max_bins:
        width = len(counts) // max_bins
        limits = [*limits[:-1:width], limits[-1]]
        counts = [sum(counts[i : i + width]) for i in range(0, len(counts), width)]
    filled = [i for i, count in enumerate(counts) if count > 0]
    if not filled:
        raise ValueError("The histogram is empty, please file a bug report.")
    start, end = filled[0], filled[-1] + 1
    # A bucket is known by its right limit alone: an empty one on the left tells the first one's left.
    return histogram_raw(
        tag,
        min=x.min().item(),
        max=x.max().item(),
        num=x.numel(),
        sum=x.sum().item(),
        sum_squares=(x @ x).item(),
        bucket_limits=limits[start : end + 1],
        bucket_counts=[0, *counts[start:end]],
    )


def histogram_raw(
    tag: str,
    min: float,
    max: float,
    num: int,
    sum: float,
    sum_squares: float,
    bucket_limits: Any,
    bucket_counts: Any,
) -> Summary:
    histo = HistogramProto(
        min=min,
        max=max,
        num=num,
        sum=sum,
        sum_squares=sum_squares,
        bucket_limit=bucket_limits,
        bucket=bucket_counts,
    )
    return Summary(value=[Summary.Value(tag=tag, histo=histo)])


def tensor(tag: str, x: Tensor) -> Summary:
    if x.dtype not in FIELDS:
        raise ValueError(f"{tag} has unsupported tensor dtype {x.dtype}")
    if x.numel() * x.itemsize >= 1 << 31:
        raise ValueError("tensor is bigger than protocol buffer's hard limit of 2GB in size")
    kind, field = FIELDS[x.dtype]
    flat = x.detach().cpu().resolve_conj().reshape(-1)
    if field == "half_val":  # the bits of each number
        values = [bits & 0xFFFF for bits in flat.view(_dtypes.int16).tolist()]
    elif x.is_complex():
        values = view_as_real(flat).reshape(-1).tolist()
    else:
        values = flat.tolist()
    proto = TensorProto(dtype=kind, tensor_shape=shape_of(*x.shape), **{field: values})
    return Summary(value=[Summary.Value(tag=tag, tensor=proto, metadata=metadata("tensor"))])


def text(tag: str, words: str) -> Summary:
    proto = TensorProto(
        dtype="DT_STRING", string_val=[words.encode("utf-8")], tensor_shape=shape_of(1)
    )
    shown = metadata("text", TextPluginData(version=0).SerializeToString())
    return Summary(value=[Summary.Value(tag=f"{tag}/text_summary", tensor=proto, metadata=shown)])


def pr_curve(tag: str, labels: Any, predictions: Any, num_thresholds: int, weights: Any) -> Summary:
    """Returns precision and recall for as many thresholds, evenly spaced from 0 to 1."""
    num_thresholds = min(num_thresholds, MOST_THRESHOLDS)
    true = to_tensor(labels).to(_dtypes.float64)
    weight = 1.0 if weights is None else to_tensor(weights).to(_dtypes.float64)
    bucket = (to_tensor(predictions) * (num_thresholds - 1)).floor().to(_dtypes.int64)
    inside = (bucket >= 0) & (bucket < num_thresholds)

    def at_least(weighted: Tensor) -> Tensor:
        """Returns the weight of all predictions that reach each threshold."""
        each = weighted.expand(bucket.shape)[inside]
        return bincount(bucket[inside], each, num_thresholds).flip(0).cumsum(0).flip(0)

    tp, fp = at_least(true * weight), at_least((1.0 - true) * weight)
    tn, fn = fp[0] - fp, tp[0] - tp
    precision, recall = tp / (tp + fp).clamp(min=1e-7), tp / (tp + fn).clamp(min=1e-7)
    return pr_curve_raw(tag, tp, fp, tn, fn, precision, recall, num_thresholds)


def pr_curve_raw(
    tag: str, tp: Any, fp: Any, tn: Any, fn: Any, precision: Any, recall: Any, num_thresholds: int
) -> Summary:
    rows = stack(
        [as_tensor(row).to(_dtypes.float64) for row in (tp, fp, tn, fn, precision, recall)]
    )
    proto = TensorProto(
        dtype="DT_FLOAT", float_val=rows.reshape(-1).tolist(), tensor_shape=shape_of(*rows.shape)
    )
    content = PrCurvePluginData(version=0, num_thresholds=min(num_thresholds, MOST_THRESHOLDS))
    shown = metadata("pr_curves", content.SerializeToString())
    return Summary(value=[Summary.Value(tag=tag, tensor=proto, metadata=shown)])


def custom_scalars(layout: dict[str, dict[str, Any]]) -> Summary:
    """Returns which scalars are drawn together: categories of charts of a kind and its tags."""
    categories = [
        layout_pb2.Category(
            title=title, chart=[chart(name, *kind) for name, kind in charts.items()]
        )
        for title, charts in layout.items()
    ]
    proto = TensorProto(
        dtype="DT_STRING",
        string_val=[layout_pb2.Layout(category=categories).SerializeToString()],
        tensor_shape=shape_of(),
    )
    shown = metadata("custom_scalars")
    tag = "custom_scalars__config__"
    return Summary(value=[Summary.Value(tag=tag, tensor=proto, metadata=shown)])


def chart(title: str, kind: str, tags: list[str]) -> Any:
    if kind != "Margin":
        lines = layout_pb2.MultilineChartContent(tag=tags)
        return layout_pb2.Chart(title=title, multiline=lines)
    if len(tags) != 3:
        raise AssertionError("len(tags) != 3")
    value, lower, upper = tags
    series = layout_pb2.MarginChartContent.Series(value=value, lower=lower, upper=upper)
    return layout_pb2.Chart(title=title, margin=layout_pb2.MarginChartContent(series=[series]))
