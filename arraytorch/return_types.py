"""The types of what ops of several results return, such as ``torch.return_types.max``."""

from .ops._return_types import aminmax as aminmax
from .ops._return_types import cummax as cummax
from .ops._return_types import cummin as cummin
from .ops._return_types import frexp as frexp
from .ops._return_types import histogram as histogram
from .ops._return_types import histogramdd as histogramdd
from .ops._return_types import kthvalue as kthvalue
from .ops._return_types import linalg_cholesky_ex as linalg_cholesky_ex
from .ops._return_types import linalg_eig as linalg_eig
from .ops._return_types import linalg_eigh as linalg_eigh
from .ops._return_types import linalg_inv_ex as linalg_inv_ex
from .ops._return_types import linalg_lstsq as linalg_lstsq
from .ops._return_types import linalg_qr as linalg_qr
from .ops._return_types import linalg_slogdet as linalg_slogdet
from .ops._return_types import linalg_solve_ex as linalg_solve_ex
from .ops._return_types import linalg_svd as linalg_svd
from .ops._return_types import max as max
from .ops._return_types import median as median
from .ops._return_types import min as min
from .ops._return_types import mode as mode
from .ops._return_types import nanmedian as nanmedian
from .ops._return_types import qr as qr
from .ops._return_types import slogdet as slogdet
from .ops._return_types import sort as sort
from .ops._return_types import svd as svd
from .ops._return_types import topk as topk
