"""The sample table, special functions: one line per op. See `sample.sample` for what a row says."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from sample import FLOAT, INT, REAL, binary, case, sample, unary
from scipy import special

import arraytorch as torch

I_FLOAT, I_REAL = INT + FLOAT, INT + REAL


def of_one(name, ref, low=-2, high=2, dtypes=I_FLOAT, **options):
    """A function of one tensor in torch.special."""
    options = {"dtypes": dtypes, "result": "float", "op": getattr(torch.special, name)} | options
    return unary(f"special.{name}", ref, low, high, **options)


def of_two(name, ref, low=-2, high=2, dtypes=FLOAT, **options):
    """A function of two tensors in torch.special."""
    options = {"dtypes": dtypes, "result": "float", "op": getattr(torch.special, name)} | options
    return binary(f"special.{name}", ref, low, high, **options)


flat = partial(of_one, grad=False)


def polynomial(name, ref, low=-1.5, high=1.5):
    """A family of polynomials, also of degrees so high that another formula takes over."""
    degrees = np.array([0, 1, 2, 5])
    return sample(f"special.{name}", ref, case((3, 4), degrees), case((2, 4), degrees + 8),
                  case((2, 3), args=(3,)), low=low, high=high, grad=False, rtol=3e-5,
                  op=getattr(torch.special, name))  # fmt: skip


def _third(n, x):
    """Chebyshev's of the third kind by those of the second: V[n] = U[n] - U[n - 1]."""
    before = np.where(n > 0, special.eval_chebyu(np.maximum(n - 1, 0), x), 0)
    return special.eval_chebyu(n, x) - before


def _by(evaluate, shift=False):
    return lambda x, n: evaluate(n, 2 * x - 1 if shift else x)


def _fourth(n, x):
    return (-1.0) ** n * _third(n, -x)


SAMPLES = [
    of_one("entr", special.entr, 0.1, 3),
    of_one("erfcx", special.erfcx, -1, 3),
    of_one("ndtr", special.ndtr, dtypes=I_REAL),
    of_one("ndtri", special.ndtri, 0.05, 0.95, dtypes=FLOAT),
    of_one("log_ndtr", special.log_ndtr, -9, 2),
    unary("i0", special.i0, -4, 4, dtypes=I_REAL, result="float"),
    of_one("i0e", special.i0e, 0.1, 4, dtypes=I_REAL),
    of_one("i1", special.i1, 0.1, 4, dtypes=I_REAL),
    of_one("i1e", special.i1e, 0.1, 4, dtypes=I_REAL),
    flat("airy_ai", lambda x: special.airy(x)[0], -9, 3),
    flat("bessel_j0", special.j0, -9, 9),
    flat("bessel_j1", special.j1, -9, 9),
    flat("bessel_y0", special.y0, 0.3, 9),
    flat("bessel_y1", special.y1, 0.3, 9),
    flat("modified_bessel_i0", special.i0, -9, 9),
    flat("modified_bessel_i1", special.i1, -9, 9),
    flat("modified_bessel_k0", special.k0, 0.3, 9),
    flat("modified_bessel_k1", special.k1, 0.3, 9),
    flat("scaled_modified_bessel_k0", special.k0e, 0.3, 9),
    flat("scaled_modified_bessel_k1", special.k1e, 0.3, 9),
    flat("spherical_bessel_j0", lambda x: np.sinc(x / np.pi), -9, 9),
    of_two("xlog1py", special.xlog1py, -0.5, 2, dtypes=I_REAL),
    of_two("zeta", special.zeta, 1.5, 4, grad=False),
    sample("special.zeta", lambda q: special.zeta(2.5, q), case((2, 3)), low=0.5, high=4,
           op=lambda q: torch.special.zeta(2.5, q)),
    binary("igamma", special.gammainc, 0.5, 3, dtypes=REAL, grad=False),
    binary("igammac", special.gammaincc, 0.5, 3, dtypes=REAL, grad=False),
    sample("special.gammainc", lambda x: special.gammainc(1.5, x), case((2, 3)), low=0.5, high=3,
           op=lambda x: torch.special.gammainc(torch.tensor(1.5).to(x), x)),
    sample("special.gammaincc", lambda x: special.gammaincc(1.5, x), case((2, 3)), low=0.5, high=3,
           op=lambda x: torch.special.gammaincc(torch.tensor(1.5).to(x), x)),
    sample("polygamma", lambda x, n: special.polygamma(n, x), case((2, 3), args=(0,)),
           case((2, 3), args=(1,)), case((), args=(3,)), low=0.5, high=4, dtypes=I_FLOAT[1:],
           result="float", rtol=1e-4, op=lambda x, n: torch.polygamma(n, x)),
    sample("mvlgamma", lambda x, p: special.multigammaln(x, 1) if p == 1 else (
           math.log(math.pi) * p * (p - 1) / 4 + sum(special.gammaln(x - k / 2) for k in range(p))),
           case((2, 3), args=(1,)), case((2, 3), args=(3,)), low=1.5, high=6, rtol=1e-4),
    polynomial("chebyshev_polynomial_t", _by(special.eval_chebyt)),
    polynomial("chebyshev_polynomial_u", _by(special.eval_chebyu)),
    polynomial("chebyshev_polynomial_v", _by(_third)),
    polynomial("chebyshev_polynomial_w", _by(_fourth)),
    polynomial("shifted_chebyshev_polynomial_t", _by(special.eval_chebyt, True), -0.2, 1.2),
    polynomial("shifted_chebyshev_polynomial_u", _by(special.eval_chebyu, True), -0.2, 1.2),
    polynomial("shifted_chebyshev_polynomial_v", _by(_third, True), -0.2, 1.2),
    polynomial("shifted_chebyshev_polynomial_w", _by(_fourth, True), -0.2, 1.2),
    polynomial("hermite_polynomial_h", _by(special.eval_hermite)),
    polynomial("hermite_polynomial_he", _by(special.eval_hermitenorm)),
    polynomial("laguerre_polynomial_l", _by(special.eval_laguerre), 0, 4),
    polynomial("legendre_polynomial_p", _by(special.eval_legendre)),
]  # fmt: skip
