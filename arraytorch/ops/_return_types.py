"""The named tuples that ops of several results return, printed as PyTorch prints them."""

from __future__ import annotations

from operator import itemgetter
from typing import Any


class ReturnType(tuple[Any, ...]):
    """A tuple of an op's results, which are also attributes; made from one iterable."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    def __new__(cls, values: Any) -> Any:
        made = tuple.__new__(cls, values)
        if len(made) != len(cls._fields):
            raise TypeError(
                f"torch.return_types.{cls.__name__}() takes a {len(cls._fields)}-sequence "
                f"({len(made)}-sequence given)"
            )
        return made

    def __repr__(self) -> str:
        parts = ",\n".join(f"{n}={v!r}" for n, v in zip(self._fields, self, strict=True))
        return f"torch.return_types.{type(self).__name__}(\n{parts})"

    def __reduce__(self) -> Any:
        return type(self), (tuple(self),)


def _declared(name: str, *fields: str) -> Any:
    properties: dict[str, Any] = {f: property(itemgetter(i)) for i, f in enumerate(fields)}
    return type(name, (ReturnType,), {"__slots__": (), "_fields": fields, **properties})


_VALUES = ("values", "indices")
max, min = _declared("max", *_VALUES), _declared("min", *_VALUES)
median, nanmedian = _declared("median", *_VALUES), _declared("nanmedian", *_VALUES)
mode, kthvalue = _declared("mode", *_VALUES), _declared("kthvalue", *_VALUES)
sort, topk = _declared("sort", *_VALUES), _declared("topk", *_VALUES)
cummax, cummin = _declared("cummax", *_VALUES), _declared("cummin", *_VALUES)
frexp = _declared("frexp", "mantissa", "exponent")
histogram = _declared("histogram", "hist", "bin_edges")
histogramdd = _declared("histogramdd", "hist", "bin_edges")
aminmax = _declared("aminmax", "min", "max")
qr, linalg_qr = _declared("qr", "Q", "R"), _declared("linalg_qr", "Q", "R")
svd, linalg_svd = _declared("svd", "U", "S", "V"), _declared("linalg_svd", "U", "S", "Vh")
slogdet = _declared("slogdet", "sign", "logabsdet")
linalg_slogdet = _declared("linalg_slogdet", "sign", "logabsdet")
triangular_solve = _declared("triangular_solve", "solution", "cloned_coefficient")
linalg_eigh = _declared("linalg_eigh", "eigenvalues", "eigenvectors")
linalg_eig = _declared("linalg_eig", "eigenvalues", "eigenvectors")
linalg_lstsq = _declared("linalg_lstsq", "solution", "residuals", "rank", "singular_values")
linalg_inv_ex = _declared("linalg_inv_ex", "inverse", "info")
linalg_cholesky_ex = _declared("linalg_cholesky_ex", "L", "info")
linalg_solve_ex = _declared("linalg_solve_ex", "result", "info")
lu_unpack, linalg_lu = _declared("lu_unpack", "P", "L", "U"), _declared("linalg_lu", "P", "L", "U")
_lu_with_info = _declared("_lu_with_info", "LU", "pivots", "info")
linalg_lu_factor = _declared("linalg_lu_factor", "LU", "pivots")
linalg_lu_factor_ex = _declared("linalg_lu_factor_ex", "LU", "pivots", "info")
linalg_ldl_factor = _declared("linalg_ldl_factor", "LD", "pivots")
linalg_ldl_factor_ex = _declared("linalg_ldl_factor_ex", "LD", "pivots", "info")
geqrf = _declared("geqrf", "a", "tau")
