"""Which release this is, and which toolkits it computes with.

>>> torch.version.__version__ == torch.__version__
True
"""

from __future__ import annotations

from . import backends
from ._device import device

__version__ = "0.1.0"
debug = False


def __getattr__(name: str) -> str | None:
    # Asked of the backend in use, as the library that computes is chosen when it is first needed.
    if name not in ("cuda", "hip", "rocm", "xpu"):
        raise AttributeError(f"module 'arraytorch.version' has no attribute '{name}'")
    kind = "xpu" if name == "xpu" else "cuda"
    if not backends.is_available(kind):
        return None
    toolkits = getattr(backends.backend_for(device(kind)), "toolkits", None)
    return toolkits().get(name) if toolkits else None
