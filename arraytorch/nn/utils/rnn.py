"""Sequences of several lengths as one tensor: padded to the longest, or packed without gaps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ..._tensor import Tensor
from ...ops import argsort, full, index_copy, index_select, reshape, tensor, transpose, unbind
from ...ops.sorting import sort

__all__ = [
    "PackedSequence",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class _Fields(NamedTuple):
    data: Any
    batch_sizes: Any
    sorted_indices: Any
    unsorted_indices: Any


class PackedSequence(_Fields):
    """Sequences, the longest first, step by step: the first elements of all, the second ones, ...

    ``batch_sizes`` (on the CPU) tells how many sequences have each step, ``sorted_indices`` which
    sequence was put where, ``unsorted_indices`` how to undo it. Made by `pack_padded_sequence`.
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Any,
        batch_sizes: Any = None,
        sorted_indices: Any = None,
        unsorted_indices: Any = None,
    ) -> PackedSequence:
        """Takes the fields; without sizes, ``data`` is a pair of the elements and the sizes."""
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes is None:
            if not isinstance(data, (list, tuple)) or len(data) != 2:
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        if batch_sizes.device.type != "cpu":
            raise ValueError(
                "batch_sizes should always be on CPU. Instances of PackedSequence should never be "
                "created manually. They should be instantiated by functions like pack_sequence and "
                "pack_padded_sequences in nn.utils.rnn."
            )
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Returns it with the elements as another dtype or on another device; see `Tensor.to`."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        order = (self.sorted_indices, self.unsorted_indices)
        moved = [None if t is None else t.to(data.device) for t in order]
        return type(self)(data, self.batch_sizes, *moved)

    def cpu(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Returns it with the elements on the CPU."""
        return self.to(*args, device="cpu", **kwargs)

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Returns it with the elements on a CUDA or ROCm device, one of the arguments of `to`."""
        return self.to(*(args or ("cuda",)), **kwargs)

    def double(self) -> PackedSequence:
        """Returns it with elements in float64."""
        return self._cast("double")

    def float(self) -> PackedSequence:
        """Returns it with elements in float32."""
        return self._cast("float")

    def half(self) -> PackedSequence:
        """Returns it with elements in float16."""
        return self._cast("half")

    def long(self) -> PackedSequence:
        """Returns it with elements in int64."""
        return self._cast("long")

    def int(self) -> PackedSequence:
        """Returns it with elements in int32."""
        return self._cast("int")

    def short(self) -> PackedSequence:
        """Returns it with elements in int16."""
        return self._cast("short")

    def char(self) -> PackedSequence:
        """Returns it with elements in int8."""
        return self._cast("char")

    def byte(self) -> PackedSequence:
        """Returns it with elements in uint8."""
        return self._cast("byte")

    def _cast(self, name: str) -> PackedSequence:
        data = getattr(self.data, name)()
        return self if data is self.data else self.to(data.dtype)

    @property
    def is_cuda(self) -> bool:
        """Whether the elements are on a CUDA or ROCm device."""
        return self.data.is_cuda  # type: ignore[no-any-return]

    def is_pinned(self) -> bool:
        """Returns whether the elements are in pinned memory."""
        return self.data.is_pinned()  # type: ignore[no-any-return]


def invert_permutation(permutation: Any) -> Any:
    """Returns the permutation that undoes another; None for None.

    >>> torch.nn.utils.rnn.invert_permutation(torch.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    return None if permutation is None else argsort(permutation)


def _places(sizes: list[Any], batch: Any) -> list[Any]:
    """Where the packed elements lie in (steps, batch), flattened."""
    return [t * batch + b for t, size in enumerate(sizes) for b in range(size)]


def pack_padded_sequence(
    input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Packs sequences (steps, batch, ...), or (batch, steps, ...), of which only ``lengths`` count.

    They must come with the longest first, unless ``enforce_sorted`` is False: then they are sorted.
    Raises RuntimeError for lengths that do not fit.

    >>> x = torch.tensor([[1, 2, 3], [4, 0, 0]])
    >>> torch.nn.utils.rnn.pack_padded_sequence(x, [3, 1], batch_first=True).data
    tensor([1, 4, 2, 3])
    """
    lengths = lengths if isinstance(lengths, Tensor) else tensor(list(lengths))
    order = None
    if not enforce_sorted:
        lengths, order = sort(lengths, stable=True, descending=True)
        order = order.to(input.device)
        input = index_select(input, 0 if batch_first else 1, order)
    if not input.numel():
        raise RuntimeError("Cannot pack empty tensors.")
    x = transpose(input, 0, 1) if batch_first else input
    steps, batch, counts = x.shape[0], x.shape[1], lengths.tolist()
    if len(counts) != batch:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(counts)} "
            f"(batch_size={batch})"
        )
    if min(counts) <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that "
            "is <= 0"
        )
    if any(a < b for a, b in zip(counts, counts[1:])):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You "
            "can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to "
            "sidestep this requirement if you do not need ONNX exportability."
        )
    if counts[0] > steps:
        raise RuntimeError(f"a length of {counts[0]} was given for sequences of {steps} steps")
    sizes = [sum(n > t for n in counts) for t in range(counts[0])]
    at = tensor(_places(sizes, batch), device=x.device)
    flat = reshape(x, (steps * batch, *x.shape[2:]))
    return PackedSequence(index_select(flat, 0, at), tensor(sizes, device="cpu"), order)


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Any, Any]:
    """Returns packed sequences as a padded tensor, in their first order, and their lengths.

    ``total_length`` is the number of steps, that of the longest sequence unless given; ValueError
    if it is less.

    >>> rnn = torch.nn.utils.rnn
    >>> rnn.pad_packed_sequence(rnn.pack_sequence([torch.tensor([1, 2]), torch.tensor([3])]), True)
    (tensor([[1, 2],
            [3, 0]]), tensor([2, 1]))
    """
    data, sizes = sequence.data, sequence.batch_sizes.tolist()
    steps, batch = len(sizes), sizes[0]
    if total_length is not None:
        if total_length < steps:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in input, "
                f"but got total_length={total_length} and max sequence length being {steps}"
            )
        steps = total_length
    rest = tuple(data.shape[1:])
    flat = full((steps * batch, *rest), padding_value, dtype=data.dtype, device=data.device)
    at = tensor(_places(sizes, batch), device=data.device)
    padded = reshape(index_copy(flat, 0, at, data), (steps, batch, *rest))
    lengths = tensor([sum(n > b for n in sizes) for b in range(batch)], device="cpu")
    back = sequence.unsorted_indices
    if back is not None:
        padded = index_select(padded, 1, back)
        lengths = index_select(lengths, 0, back.cpu())
    return transpose(padded, 0, 1) if batch_first else padded, lengths


def pad_sequence(
    sequences: Any,
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Any:
    """Returns sequences (steps, ...) as one tensor (longest, count, ...), or (count, longest, ...).

    Raises RuntimeError for none, or where other sizes than the first differ.

    >>> x = [torch.tensor([1, 2]), torch.tensor([3])]
    >>> torch.nn.utils.rnn.pad_sequence(x, batch_first=True, padding_value=-1)
    tensor([[ 1,  2],
            [ 3, -1]])
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            "pad_sequence: Expected iterable for input sequences, but got arg of type: "
            f"{type(sequences)}"
        )
    if padding_side not in ("left", "right"):
        raise RuntimeError(
            f"Expected padding_side to be one of left or right, but got {padding_side}."
        )
    parts = list(unbind(sequences) if isinstance(sequences, Tensor) else sequences)
    if not parts:
        raise RuntimeError("received an empty list of sequences")
    first, longest = parts[0], max(len(p) for p in parts)
    rest = tuple(first.shape[1:])
    shape = (len(parts), longest, *rest) if batch_first else (longest, len(parts), *rest)
    padded = full(shape, padding_value, dtype=first.dtype, device=first.device)
    for i, part in enumerate(parts):
        n = len(part)
        if tuple(part.shape[1:]) != rest:
            raise RuntimeError(
                f"pad_sequence: sequences must agree beyond the first size, but got {list(rest)} "
                f"and {list(part.shape[1:])}"
            )
        steps = slice(longest - n, None) if padding_side == "left" else slice(n)
        padded[(i, steps) if batch_first else (steps, i)] = part
    return padded


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Any]:
    """Returns the sequences that `pad_sequence` has put together, given their lengths.

    >>> x = torch.tensor([[1, 2], [3, 0]])
    >>> torch.nn.utils.rnn.unpad_sequence(x, torch.tensor([2, 1]), batch_first=True)
    [tensor([1, 2]), tensor([3])]
    """
    rows = padded_sequences if batch_first else transpose(padded_sequences, 0, 1)
    return [row[:n] for row, n in zip(unbind(rows), lengths.tolist(), strict=False)]


def pack_sequence(sequences: Any, enforce_sorted: bool = True) -> PackedSequence:
    """Packs sequences (steps, ...); see `pack_padded_sequence`.

    >>> torch.nn.utils.rnn.pack_sequence([torch.tensor([1, 2]), torch.tensor([3])]).data
    tensor([1, 3, 2])
    """
    lengths = tensor([len(s) for s in sequences])
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Any]:
    """Returns the sequences that `pack_sequence` has packed.

    >>> rnn = torch.nn.utils.rnn
    >>> rnn.unpack_sequence(rnn.pack_sequence([torch.tensor([1, 2]), torch.tensor([3])]))
    [tensor([1, 2]), tensor([3])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
