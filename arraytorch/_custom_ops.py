"""An old name of `library.get_ctx`."""

from .library import get_ctx

__all__ = ["get_ctx"]
