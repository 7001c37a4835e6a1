"""``torch.masked``: reductions and normalisations in which a bool mask tells what counts.

A mask, where given, broadcasts to the input's shape; an element counts where it is true.
"""

from .ops.masked import amax as amax
from .ops.masked import amin as amin
from .ops.masked import argmax as argmax
from .ops.masked import argmin as argmin
from .ops.masked import cumprod as cumprod
from .ops.masked import cumsum as cumsum
from .ops.masked import log_softmax as log_softmax
from .ops.masked import logaddexp as logaddexp
from .ops.masked import logsumexp as logsumexp
from .ops.masked import mean as mean
from .ops.masked import median as median
from .ops.masked import norm as norm
from .ops.masked import normalize as normalize
from .ops.masked import prod as prod
from .ops.masked import softmax as softmax
from .ops.masked import softmin as softmin
from .ops.masked import std as std
from .ops.masked import sum as sum
from .ops.masked import var as var

__all__ = [
    "amax", "amin", "argmax", "argmin", "cumprod", "cumsum", "log_softmax", "logaddexp",
    "logsumexp", "mean", "median", "norm", "normalize", "prod", "softmax", "softmin", "std", "sum",
    "var",
]  # fmt: skip
