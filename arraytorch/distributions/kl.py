"""``torch.distributions.kl``: Kullback-Leibler divergences."""

from . import _kl_cross as _kl_cross
from . import _kl_same as _kl_same
from ._kl_registry import _KL_MEMOIZE as _KL_MEMOIZE
from ._kl_registry import _KL_REGISTRY as _KL_REGISTRY
from ._kl_registry import kl_divergence as kl_divergence
from ._kl_registry import register_kl as register_kl

__all__ = ["kl_divergence", "register_kl"]
