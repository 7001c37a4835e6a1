"""Names for types in annotations of programs that TorchScript reads."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple  # noqa: UP035

__all__ = [
    "BroadcastingList1",
    "BroadcastingList2",
    "BroadcastingList3",
    "Dict",
    "List",
    "Optional",
    "TensorType",
    "Tuple",
]


class _BroadcastingList:
    """A list of some length, for which one element may stand: ``BroadcastingList2[int]``."""

    def __getitem__(self, types: Any) -> None:
        return None


class TensorType:
    """TorchScript's type of all tensors."""

    @staticmethod
    def get() -> TensorType:
        """Returns it."""
        return _tensor_type

    def __repr__(self) -> str:
        return "Tensor"


_tensor_type = TensorType()
BroadcastingList1 = BroadcastingList2 = BroadcastingList3 = _BroadcastingList()
