"""Saving and loading objects in PyTorch's file formats, without ever running code from a file."""

from .allowed import add_safe_globals, clear_safe_globals, get_safe_globals, safe_globals
from .loading import MAP_LOCATION, get_unsafe_globals_in_checkpoint, load
from .saving import DEFAULT_PROTOCOL, save

__all__ = [
    "DEFAULT_PROTOCOL",
    "MAP_LOCATION",
    "add_safe_globals",
    "clear_safe_globals",
    "get_safe_globals",
    "get_unsafe_globals_in_checkpoint",
    "load",
    "safe_globals",
    "save",
]
