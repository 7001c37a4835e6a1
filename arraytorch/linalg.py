"""``torch.linalg``: linear algebra on batches of matrices in the last two dimensions."""

from ._errors import LinAlgError as LinAlgError
from .ops.blending import linalg_cross as cross
from .ops.checked import cholesky_ex as cholesky_ex
from .ops.checked import inv_ex as inv_ex
from .ops.checked import solve_ex as solve_ex
from .ops.contractions import multi_dot as multi_dot
from .ops.diagonals import matrix_diagonal as diagonal
from .ops.factors import cholesky_of as cholesky
from .ops.factors import eig as eig
from .ops.factors import eigh as eigh
from .ops.factors import eigvals as eigvals
from .ops.factors import eigvalsh as eigvalsh
from .ops.factors import lstsq as lstsq
from .ops.factors import matrix_rank as matrix_rank
from .ops.factors import pinv as pinv
from .ops.factors import qr_of as qr
from .ops.factors import svd_of as svd
from .ops.factors import svdvals as svdvals
from .ops.lu import householder_product as householder_product
from .ops.lu import ldl_factor as ldl_factor
from .ops.lu import ldl_factor_ex as ldl_factor_ex
from .ops.lu import ldl_solve as ldl_solve
from .ops.lu import lu_factor as lu_factor
from .ops.lu import lu_factor_ex as lu_factor_ex
from .ops.lu import lu_of as lu
from .ops.lu import lu_solve_of as lu_solve
from .ops.matrix_norms import cond as cond
from .ops.matrix_norms import matrix_norm as matrix_norm
from .ops.matrix_norms import norm_of as norm
from .ops.matrix_norms import vecdot as vecdot
from .ops.products import matmul as matmul
from .ops.solving import det as det
from .ops.solving import inv as inv
from .ops.solving import matrix_exp as matrix_exp
from .ops.solving import matrix_power as matrix_power
from .ops.solving import slogdet_of as slogdet
from .ops.solving import solve as solve
from .ops.solving import solve_triangular as solve_triangular
from .ops.spread import vector_norm as vector_norm
from .ops.tensor_solving import batched_vander as vander
from .ops.tensor_solving import tensorinv as tensorinv
from .ops.tensor_solving import tensorsolve as tensorsolve

__all__ = [
    "LinAlgError",
    "cholesky",
    "cholesky_ex",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "householder_product",
    "inv",
    "inv_ex",
    "ldl_factor",
    "ldl_factor_ex",
    "ldl_solve",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_factor_ex",
    "lu_solve",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_ex",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensorinv",
    "tensorsolve",
    "vander",
    "vecdot",
    "vector_norm",
]
