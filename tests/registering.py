"""Backends that are registered for the length of a test."""

from arraytorch import backends


def forget(patch, array_types):
    """Lets arrays of these types be unknown, and be what they are now when ``patch`` is undone."""
    patch.setattr(backends, "_LOADED", dict(backends._LOADED))
    for table in (backends.BACKENDS, backends.AS_ARRAY):
        for kind in array_types:
            patch.setitem(table, kind, None)
            del table[kind]


def register(patch, backend):
    """Registers a backend until ``patch`` is undone."""
    forget(patch, backend.array_types)
    return backends.register(backend)
