"""Collation: how a list of samples becomes a batch."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

from ... import _dtypes as dtypes
from ..._tensor import Tensor
from ...backends import host
from ...ops.creation import as_tensor, tensor
from ...ops.joining import stack

CollateMap = dict[Any, Callable[..., Any]]


def default_convert(data: Any) -> Any:
    """Makes tensors of the NumPy arrays in nested containers, and leaves everything else alone.

    It takes the place of collation where a loader does not batch; tuples become lists, named
    tuples stay what they are.

    >>> torch.utils.data.default_convert({"a": (1, "text")})
    {'a': [1, 'text']}
    """
    if isinstance(data, Tensor):
        return data
    if isinstance(data, (host.ndarray, *host.SCALARS)):
        return data if data.dtype.kind in "SUO" else as_tensor(data)
    if isinstance(data, Mapping):
        return _mapping_like(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _sequence_like(data, [default_convert(item) for item in data])
    return data


def collate(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """Merges samples by the type of the first: containers item by item, the rest by the map.

    ``collate_fn_map`` maps a type, or a tuple of types, to a function of the samples and the map;
    the exact type of the sample comes first, then the first entry that it is an instance of.
    Raises TypeError for a type that is neither there nor a container.
    """
    sample = batch[0]
    if collate_fn_map is not None:
        function = collate_fn_map.get(type(sample)) or next(
            (function for key, function in collate_fn_map.items() if isinstance(sample, key)), None
        )
        if function is not None:
            return function(batch, collate_fn_map=collate_fn_map)
    if isinstance(sample, Mapping):
        merged = {
            key: collate([sample[key] for sample in batch], collate_fn_map=collate_fn_map)
            for key in sample
        }
        return _mapping_like(sample, merged)
    if isinstance(sample, Sequence):
        if any(len(other) != len(sample) for other in batch) and not hasattr(sample, "_fields"):
            raise RuntimeError("each element in list of batch should be of equal size")
        columns = [collate(column, collate_fn_map=collate_fn_map) for column in zip(*batch)]
        return _sequence_like(sample, columns)
    raise TypeError(_UNKNOWN.format(type(sample)))


_UNKNOWN = (
    "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"
)


def _mapping_like(template: Any, values: dict[Any, Any]) -> Any:
    """Returns the values in a mapping of the template's type or, where none can be made, a dict."""
    try:
        if isinstance(template, MutableMapping):
            # A copy keeps what the type holds besides its items (a default factory, say).
            clone = copy.copy(template)
            clone.update(values)
            return clone
        return type(template)(values)
    except TypeError:
        return values


def _sequence_like(template: Any, values: list[Any]) -> Any:
    if isinstance(template, tuple):
        return type(template)(*values) if hasattr(template, "_fields") else values
    try:
        if isinstance(template, MutableSequence):
            clone = copy.copy(template)
            for i, value in enumerate(values):
                clone[i] = value
            return clone
        return type(template)(values)
    except TypeError:
        return values


def collate_tensor_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Tensor:
    """Stacks tensors along a new first dimension."""
    return stack(batch, 0)


def collate_numpy_array_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """Stacks NumPy arrays as tensors; raises TypeError for arrays of strings or objects."""
    if batch[0].dtype.kind in "SUO":
        raise TypeError(_UNKNOWN.format(batch[0].dtype))
    return collate([as_tensor(array) for array in batch], collate_fn_map=collate_fn_map)


def collate_numpy_scalar_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Tensor:
    """Makes a tensor of NumPy scalars."""
    return as_tensor(batch)


def collate_float_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Tensor:
    """Makes a float64 tensor of Python floats."""
    return tensor(batch, dtype=dtypes.float64)


def collate_int_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Tensor:
    """Makes an integer or bool tensor of Python numbers."""
    return tensor(batch)


def collate_str_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """Leaves strings as they are."""
    return batch


default_collate_fn_map: CollateMap = {
    Tensor: collate_tensor_fn,
    host.ndarray: collate_numpy_array_fn,
    host.SCALARS: collate_numpy_scalar_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}


def default_collate(batch: Any) -> Any:
    """Merges a list of samples into a batch: tensors, arrays and numbers into tensors.

    Containers are merged item by item: dicts, lists and named tuples keep their type, tuples
    become lists, strings stay a list of strings. ``default_collate_fn_map`` may be extended.

    >>> torch.utils.data.default_collate([(1, {"a": 2.0}), (3, {"a": 4.0})])
    [tensor([1, 3]), {'a': tensor([2., 4.], dtype=torch.float64)}]
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)
