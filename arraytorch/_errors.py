"""PyTorch's own exception classes."""


class LinAlgError(RuntimeError):
    """A matrix that a linear-algebra routine cannot handle, such as a singular one."""


class OutOfMemoryError(RuntimeError):
    """A device that has no memory left for an allocation."""


class AcceleratorError(RuntimeError):
    """An error of a device while it executed something."""


class NotOneElement(RuntimeError, ValueError):
    """A tensor of none or several elements asked for its one: `item` has raised the first class,
    `float` and its like the second."""
