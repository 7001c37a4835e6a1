"""Whether a model is being exported to ONNX, for the modules that ask; there is no exporter."""

__all__ = ["is_in_onnx_export"]


def is_in_onnx_export() -> bool:
    """Returns False.

    >>> torch.onnx.is_in_onnx_export()
    False
    """
    return False
