"""The von Mises distribution."""

from __future__ import annotations

import math

from .._dtypes import bool as Bool
from .._dtypes import float64
from .._tensor import Tensor
from ..autograd.modes import no_grad
from ..ops import empty, rand, where, zeros
from ..special import i0e, i1e
from . import constraints
from .distribution import Distribution
from .utils import ONCE, Shape, broadcast_all, lazy_property


class VonMises(Distribution):
    """Angles about ``loc``, in radians: on the circle what the normal distribution is on the line.

    >>> d = torch.distributions.VonMises(torch.tensor(0.0), torch.tensor(1.0))
    >>> d.log_prob(torch.tensor(0.0)).exp()
    tensor(0.3417)
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    has_rsample = False

    def __init__(
        self, loc: Tensor, concentration: Tensor, validate_args: bool | None = None
    ) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        k = self.concentration
        log_bessel = i0e(k).log() + k
        return k * (value - self.loc).cos() - math.log(2 * math.pi) - log_bessel

    @lazy_property
    def _loc(self) -> Tensor:
        return self.loc.to(float64)

    @lazy_property
    def _concentration(self) -> Tensor:
        return self.concentration.to(float64)

    @lazy_property
    def _proposal_r(self) -> Tensor:
        """The parameter of the wrapped Cauchy distribution that proposes; in double precision."""
        k = self._concentration
        tau = 1 + (1 + 4 * k**2).sqrt()
        rho = (tau - (2 * tau).sqrt()) / (2 * k)
        return where(k < 1e-5, 1 / k + k, (1 + rho**2) / (2 * rho))  # the former by Taylor

    def sample(self, sample_shape: Shape = ONCE) -> Tensor:
        """Returns draws by rejection: D. J. Best and N. I. Fisher, 1979."""
        shape = self._extended_shape(sample_shape)
        with no_grad():
            k, r = self._concentration, self._proposal_r
            x = empty(shape, dtype=float64, device=self.loc.device)
            done = zeros(shape, dtype=Bool, device=self.loc.device)
            while not done.all():
                u1, u2, u3 = rand((3, *shape), dtype=float64, device=self.loc.device).unbind()
                z = (math.pi * u1).cos()
                f = (1 + r * z) / (r + z)
                c = k * (r - f)
                accept = (c * (2 - c) - u2 > 0) | ((c / u2).log() + 1 - c >= 0)
                x = where(accept, (u3 - 0.5).sign() * f.acos(), x)
                done = done | accept
            angle = (x + math.pi + self._loc) % (2 * math.pi) - math.pi
            return angle.to(self.loc.dtype)

    @property
    def mean(self) -> Tensor:
        """The direction of the mean."""
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @lazy_property
    def variance(self) -> Tensor:  # type: ignore[override]
        """1 minus the length of the mean vector."""
        return 1 - i1e(self.concentration) / i0e(self.concentration)
