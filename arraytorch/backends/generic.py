"""The kernels once, over any NumPy-like namespace; a vendor's backend overrides what it does better."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from .._device import device
from .._dtypes import complex128, float64
from .activation import ActivationKernels
from .arrays import ArrayKernels
from .attention import AttentionKernels
from .convolution import ConvolutionKernels
from .ctc import CtcKernels
from .dtypes import numpy_dtype
from .host_drawn import HostDrawnGenerator
from .implicit_gradients import ImplicitGradientKernels
from .linalg import LinalgKernels
from .normalization import NormalizationKernels
from .optimizers import OptimizerKernels
from .philox import CounterKernels, PhiloxGenerator
from .pointwise import PointwiseKernels
from .pooling import PoolingKernels
from .recurrence import RecurrenceKernels
from .reduction import ReductionKernels
from .resampling import ResamplingKernels
from .scattering import ScatterKernels
from .sorting import SortingKernels
from .special import SpecialKernels
from .spectral import SpectralKernels


class ArrayModuleBackend(
    ActivationKernels,
    AttentionKernels,
    ConvolutionKernels,
    CounterKernels,
    CtcKernels,
    ImplicitGradientKernels,
    PoolingKernels,
    NormalizationKernels,
    PointwiseKernels,
    RecurrenceKernels,
    ReductionKernels,
    ResamplingKernels,
    ScatterKernels,
    SortingKernels,
    SpecialKernels,
    SpectralKernels,
    LinalgKernels,
    ArrayKernels,
    OptimizerKernels,
):
    """A backend over an array module ``xp`` with NumPy's names."""

    level = 0  # devices; interpreters stand above
    # What is computed in where a result's own type would be too narrow.
    double = numpy_dtype(float64)
    complex_double = numpy_dtype(complex128)
    device_type: str
    array_types: tuple[type, ...]
    deterministic = False  # whether results have to be the same in each run, to the last bit
    algorithm = "mt19937"  # what makes random numbers unless another is asked for

    def __init__(self, xp: Any) -> None:
        super().__init__(xp)

    def device_of(self, x: Any) -> device:
        """The device that an array lies on."""
        raise NotImplementedError

    def device_count(self) -> int:
        """How many devices of this type there are."""
        return 1

    def describe(self) -> str:
        """What computes here, in words."""
        return f"{self.xp.__name__} {self.xp.__version__}"

    def supports(self, dtype: Any) -> bool:
        """Whether the device has arrays of a type."""
        return True

    def from_host(self, x: Any, index: int | None = None) -> Any:
        """A copy of a NumPy array on this device, or the array itself where it is the host's."""
        return self.xp.asarray(x)

    def to_host(self, x: Any) -> Any:
        """The elements as a NumPy array, the same memory where that is the host's."""
        raise NotImplementedError

    def from_dlpack(self, source: Any) -> Any:
        """An array over the memory of another library's, which lies on a device of this type."""
        return self.xp.from_dlpack(source)

    def new_generator(self, index: int | None = None, algorithm: str | None = None) -> Any:
        """A stream of random numbers of its own, for a device of this type."""
        name = algorithm or self.algorithm
        if name == "philox":
            return PhiloxGenerator(self, index)
        if name == "mt19937":
            return self._mersenne(index)
        raise ValueError(f"no such algorithm of random numbers: '{name}' (mt19937, philox)")

    def _mersenne(self, index: int | None) -> Any:
        """PyTorch's stream for the CPU."""
        return HostDrawnGenerator(self, index)

    @cached_property
    def generator(self) -> Any:
        """The stream that is used where none is given."""
        return self.new_generator()

    def generator_of(self, x: Any) -> Any:
        """The stream that is used to fill an array, where none is given."""
        return self.generator

    def start_generator(self, seed: int, algorithm: str | None) -> None:
        """Starts them from a seed, by an algorithm, None for the device's own."""
        self.generator = self.new_generator(None, algorithm)
        self.generator.reseed(seed)

    def reseed(self, seed: int) -> None:
        """Starts the streams that are used where none is given from a seed."""
        self.generator.reseed(seed)

    def data_ptr(self, x: Any) -> int:
        """The address of the first element, 0 where a library tells none."""
        return 0

    def synchronize(self) -> None:
        """Waits until all kernels have run."""

    def report(self) -> None:
        """Raises what a device has found wrong by now, called when the host has waited for it."""
