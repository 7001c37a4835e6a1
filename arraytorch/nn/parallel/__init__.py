"""DataParallel, for the one device that there is, and the type of what needs several processes."""

from . import scatter_gather as scatter_gather
from .data_parallel import DataParallel
from .distributed import DistributedDataParallel

__all__ = ["DataParallel", "DistributedDataParallel"]
