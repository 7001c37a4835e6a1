"""What a backend is: the kernels that ops and derivatives call, and their contracts.

Kernels take canonical arguments: arrays of one dtype on one device, dims as non-negative ints, every
default filled in. They return new arrays, or views where their comment says so, and write to no
argument but a ``target``. `ArrayModuleBackend` in generic.py has all of them over a namespace with
NumPy's names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from .._device import device
from .convolution import Convolution
from .ctc import Alignments
from .optimizers import Flat
from .pooling import Divisor
from .resampling import Taps

Array = Any
Shape = tuple[int, ...]


class DeviceKernels(Protocol):
    """Where arrays are, and the way in and out."""

    # The name of the device, as in torch.device("cuda:0").
    device_type: str
    # The classes of its arrays.
    array_types: tuple[type, ...]
    # 0 for devices; of mixed arguments, the backend of the highest level takes the call.
    level: int
    # Whether an index out of range raises; if not, the ops look themselves.
    checks_bounds: bool

    # The device that an array lies on.
    def device_of(self, x: Array) -> device: ...
    # How many devices of this type there are.
    def device_count(self) -> int: ...
    # What computes here, in words.
    def describe(self) -> str: ...
    # A copy of a NumPy array on this device, or the array itself where it is the host's.
    def from_host(self, x: Array, index: int | None = None) -> Array: ...
    # The elements as a NumPy array, the same memory where that is the host's.
    def to_host(self, x: Array) -> Array: ...
    # A stream of random numbers of its own.
    def new_generator(self) -> Any: ...
    # Waits until all kernels have run.
    def synchronize(self) -> None: ...


class Arrays(Protocol):
    """Making, moving, rearranging and indexing arrays."""

    # An array with whatever the memory held.
    def empty(self, shape: Shape, dtype: Any, index: int | None = None) -> Array: ...
    # An array of zeros.
    def zeros(self, shape: Shape, dtype: Any, index: int | None = None) -> Array: ...
    # An array of one value.
    def full(self, shape: Shape, value: Array, dtype: Any, index: int | None = None) -> Array: ...
    # An unset array of x's shape, laid out like x where x has no gaps.
    def empty_like(self, x: Array, dtype: Any) -> Array: ...
    # Zeros of x's shape and dtype, laid out in C order.
    def zeros_like(self, x: Array) -> Array: ...
    # Ones of x's shape and dtype, laid out in C order.
    def ones_like(self, x: Array) -> Array: ...
    # start, start + step, ... before end; each element computed by itself, so no drift.
    def arange(
        self, start: Any, end: Any, step: Any, dtype: Any, index: int | None = None
    ) -> Array: ...
    # n values from start on, step apart; each computed by itself, so no drift.
    def ramp(
        self, start: Any, step: Any, n: int, dtype: Any, index: int | None = None
    ) -> Array: ...
    # ``steps`` values from start to end, each half counted from its own end as in PyTorch.
    def linspace(
        self, start: Any, end: Any, steps: int, dtype: Any, index: int | None = None
    ) -> Array: ...
    # The identity matrix, n by m.
    def eye(self, n: int, m: int, dtype: Any, index: int | None = None) -> Array: ...
    # A copy in C order.
    def copy(self, x: Array) -> Array: ...
    # An array from what a kernel returned: some libraries turn 0-d results into scalars.
    def asarray(self, x: Array) -> Array: ...
    # x as another type, itself if it is of that type; a complex one loses its imaginary part.
    def cast(self, x: Array, dtype: Any) -> Array: ...
    # Copies value, broadcast and cast, into the memory of target.
    def write(self, target: Array, value: Array) -> None: ...
    # x if nobody else can hold its memory, else a copy; a backend that cannot tell copies.
    def owned(self, x: Array) -> Array: ...
    # x + y, into x's memory where nobody else can see that.
    def accumulate(self, x: Array, y: Array) -> Array: ...
    # Adds x to the memory of target.
    def add_into(self, target: Array, x: Array) -> None: ...
    # Whether y, made from x by one call, is a view of the same memory.
    def shares(self, x: Array, y: Array) -> bool: ...
    # x in another shape: a view where that is possible, else a copy.
    def reshape(self, x: Array, shape: Shape) -> Array: ...
    # x repeated without copying along dimensions of size 1 and new leading ones.
    def expand(self, x: Array, shape: Shape) -> Array: ...
    # A view with two dimensions swapped.
    def transpose(self, x: Array, i: int, j: int) -> Array: ...
    # A view with the dimensions in another order.
    def permute(self, x: Array, dims: Shape) -> Array: ...
    # x itself if it lies in C order, else a copy.
    def contiguous(self, x: Array) -> Array: ...
    # Whether x lies in C order without gaps.
    def is_contiguous(self, x: Array) -> bool: ...
    # A view with the order along some dimensions reversed.
    def flip(self, x: Array, dims: Shape) -> Array: ...
    # The arrays one behind the other.
    def cat(self, arrays: list[Any], dim: int) -> Array: ...
    # The arrays along a new dimension.
    def stack(self, arrays: list[Any], dim: int) -> Array: ...
    # x tiled; ``repeats`` has an entry for each dimension, new leading ones first.
    def repeat_tile(self, x: Array, repeats: Shape) -> Array: ...
    # 0, 1 ... each repeated as often as its number in the vector ``repeats`` tells.
    def repeat(self, repeats: Any) -> Array: ...
    # How many bytes apart neighbours along each dimension lie.
    def strides_of(self, x: Array) -> Shape: ...
    # A view of x's memory, strides and offset counted in elements; ValueError outside it.
    def as_strided(self, x: Array, size: Shape, stride: Shape, offset: int) -> Array: ...
    # where a view with these strides lies in memory, as indices on x's device.
    def strided_places(self, x: Array, size: Shape, stride: Shape, offset: int) -> Array: ...
    # Integers of the host as an int64 array on x's device.
    def host_index(self, x: Array, values: Array, shape: Shape) -> Array: ...
    # A writable view of diagonals, in a new last dimension.
    def diagonal(self, x: Array, offset: int, dim1: int, dim2: int) -> Array: ...
    # Zeros of ``shape`` with g on its diagonals: the derivative of diagonal.
    def undiagonal(self, g: Array, shape: Shape, offset: int, dim1: int, dim2: int) -> Array: ...
    # How many elements after the start of its memory x begins.
    def storage_offset(self, x: Array) -> int: ...
    # Elements moved along dims, those that fall off coming in at the other end.
    def roll(self, x: Array, shifts: Shape, dims: Shape) -> Array: ...
    # The lower triangles of matrices, the rest zero.
    def tril(self, x: Array, diagonal: int) -> Array: ...
    # The upper triangles of matrices, the rest zero.
    def triu(self, x: Array, diagonal: int) -> Array: ...
    # x[index], always as an array.
    def getitem(self, x: Array, index: tuple[Any, ...]) -> Array: ...
    # x[index] = value.
    def setitem(self, x: Array, index: tuple[Any, ...], value: Array) -> None: ...
    # A copy of x with value written at index.
    def assigned(self, x: Array, value: Array, index: tuple[Any, ...]) -> Array: ...
    # Zeros of ``shape`` with g added at index: the derivative of getitem.
    def unindex(self, g: Array, index: tuple[Any, ...], shape: Shape) -> Array: ...
    # The slices of x along dim that a 1-d index array names.
    def take(self, x: Array, index: Array, dim: int) -> Array: ...
    # For each place of index, the element of x there, with index's value along dim.
    def gather(self, x: Array, dim: int, index: Array) -> Array: ...
    # The indices of the nonzero elements, an array per dimension.
    def nonzero(self, x: Array) -> tuple[Array, ...]: ...
    # Value where mask is true, x elsewhere, in x's dtype.
    def masked_fill(self, x: Array, mask: Array, value: Array) -> Array: ...
    # The matrix product of arrays of one or more dimensions; 16-bit floats go by float32.
    def matmul(self, x: Array, y: Array) -> Array: ...
    # The orthonormal factor of x = Q R where R has no negative number on its diagonal.
    def orthonormal(self, x: Array) -> Array: ...
    # x @ weight.T + bias.
    def linear(self, x: Array, weight: Array, bias: Array) -> Array: ...
    # The gradient of `linear` for x: g @ conj(weight).
    def linear_input(self, g: Array, weight: Array) -> Array: ...
    # The gradient of `linear` for its weight: the products of g's and x's rows, summed.
    def linear_weight(self, g: Array, x: Array) -> Array: ...
    # The different elements, sorted.
    def unique_values(self, x: Array) -> Array: ...
    # Zeros of ``rows`` rows with each slice of g added to the row that index names.
    def embedding_backward(
        self, g: Array, index: Array, rows: int, padding: int, scale: bool
    ) -> Array: ...
    # The rows that index names, weighted as embedding_backward weights them.
    def embedding_gather(self, x: Array, index: Array, padding: int, scale: bool) -> Array: ...


class Elementwise(Protocol):
    """Elementwise functions; arguments broadcast and have one dtype, or are Python numbers."""

    # Of one array.
    neg: Callable[..., Array]
    square: Callable[..., Array]
    sqrt: Callable[..., Array]
    abs: Callable[..., Array]
    positive: Callable[..., Array]
    floor: Callable[..., Array]
    ceil: Callable[..., Array]
    trunc: Callable[..., Array]
    round: Callable[..., Array]
    exp: Callable[..., Array]
    exp2: Callable[..., Array]
    expm1: Callable[..., Array]
    log: Callable[..., Array]
    log2: Callable[..., Array]
    log10: Callable[..., Array]
    log1p: Callable[..., Array]
    sin: Callable[..., Array]
    cos: Callable[..., Array]
    tan: Callable[..., Array]
    asin: Callable[..., Array]
    acos: Callable[..., Array]
    atan: Callable[..., Array]
    sinh: Callable[..., Array]
    cosh: Callable[..., Array]
    tanh: Callable[..., Array]
    asinh: Callable[..., Array]
    acosh: Callable[..., Array]
    atanh: Callable[..., Array]
    logical_not: Callable[..., Array]
    bitwise_not: Callable[..., Array]
    isnan: Callable[..., Array]
    isinf: Callable[..., Array]
    isfinite: Callable[..., Array]
    signbit: Callable[..., Array]
    # Of two arrays, or an array and a number.
    add: Callable[..., Array]
    sub: Callable[..., Array]
    mul: Callable[..., Array]
    div: Callable[..., Array]
    floor_divide: Callable[..., Array]
    remainder: Callable[..., Array]
    fmod: Callable[..., Array]
    pow: Callable[..., Array]
    atan2: Callable[..., Array]
    hypot: Callable[..., Array]
    copysign: Callable[..., Array]
    logaddexp2: Callable[..., Array]
    maximum: Callable[..., Array]
    minimum: Callable[..., Array]
    fmax: Callable[..., Array]
    fmin: Callable[..., Array]
    eq: Callable[..., Array]
    ne: Callable[..., Array]
    lt: Callable[..., Array]
    le: Callable[..., Array]
    gt: Callable[..., Array]
    ge: Callable[..., Array]
    logical_and: Callable[..., Array]
    logical_or: Callable[..., Array]
    logical_xor: Callable[..., Array]
    bitwise_and: Callable[..., Array]
    bitwise_or: Callable[..., Array]
    bitwise_xor: Callable[..., Array]
    bitwise_left_shift: Callable[..., Array]
    bitwise_right_shift: Callable[..., Array]
    nextafter: Callable[..., Array]
    heaviside: Callable[..., Array]
    gcd: Callable[..., Array]
    lcm: Callable[..., Array]
    # where(condition, x, y).
    where: Callable[..., Array]

    # -1, 0 or 1; of bools themselves.
    def sign(self, x: Array) -> Array: ...
    # x ** y of integers; a negative power, which `pow` refuses, gives 0 unless x is 1 or -1.
    def integer_pow(self, x: Array, y: Array) -> Array: ...
    # 1 / x, also for integers, where NumPy's own would stay an integer.
    def reciprocal(self, x: Array) -> Array: ...
    # x / y rounded to zero; exact for integers, whose quotient a float may not hold.
    def trunc_divide(self, x: Array, y: Array) -> Array: ...
    # 1 / sqrt(x).
    def rsqrt(self, x: Array) -> Array: ...
    # 1 / (1 + exp(-x)); exp may overflow to infinity, which gives the right 0.
    def sigmoid(self, x: Array) -> Array: ...
    # max(x, 0), with NaN kept.
    def relu(self, x: Array) -> Array: ...
    # log(exp(x) + exp(y)), from the number with the larger real part on.
    def logaddexp(self, x: Array, y: Array) -> Array: ...
    # The complex conjugate, of a Python number too; a real array comes back as it is.
    def conj(self, x: Array) -> Array: ...
    # The real part, as a view of a complex array.
    def real(self, x: Array) -> Array: ...
    # The imaginary part of a complex array, as a view.
    def imag(self, x: Array) -> Array: ...
    # Real + i imag, keeping infinities and signed zeros apart.
    def complex(self, real: Any, imag: Any) -> Array: ...
    # A complex array as a view of reals, with a last dimension of size 2.
    def real_pairs(self, x: Array) -> Array: ...
    # The argument of a complex number; pi for negative reals.
    def angle(self, x: Array) -> Array: ...
    # min(max(x, low), high), where either bound may be None; NaN in x or a bound stays.
    def clamp(self, x: Array, low: Any, high: Any) -> Array: ...
    # 1 where x > 0, else 0, in x's own type: the slope of relu, which is 0 at 0.
    def step(self, x: Array) -> Array: ...
    # The largest finite number of a floating-point type.
    def largest(self, dtype: Any) -> float: ...
    # x / |x|, and 0 for 0.
    def sgn(self, x: Array) -> Array: ...
    # The error function.
    def erf(self, x: Array) -> Array: ...
    # 1 - erf(x).
    def erfc(self, x: Array) -> Array: ...
    # The inverse of erf.
    def erfinv(self, x: Array) -> Array: ...
    # The logarithm of the absolute value of the gamma function.
    def lgamma(self, x: Array) -> Array: ...
    # The derivative of lgamma; -inf at 0 and NaN at negative integers, as in PyTorch.
    def digamma(self, x: Array) -> Array: ...
    # The nth derivative of digamma.
    def polygamma(self, n: int, x: Array) -> Array: ...


class Reductions(Protocol):
    """Reductions and scans; ``dims`` are sorted, ``()`` reduces nothing."""

    # The sum; 16-bit floats are summed in float32.
    def sum(self, x: Array, dims: Shape, keepdim: bool) -> Array: ...
    # The product.
    def prod(self, x: Array, dims: Shape, keepdim: bool) -> Array: ...
    # The mean; NaN over nothing.
    def mean(self, x: Array, dims: Shape, keepdim: bool) -> Array: ...
    # The variance, divided by max(n - correction, 0), in x's real type; two passes.
    def var(self, x: Array, dims: Shape, correction: float, keepdim: bool) -> Array: ...
    # The largest element, NaN if there is one.
    def amax(self, x: Array, dims: Shape, keepdim: bool) -> Array: ...
    # The smallest element, NaN if there is one.
    def amin(self, x: Array, dims: Shape, keepdim: bool) -> Array: ...
    # Whether all elements are nonzero.
    def all(self, x: Array, dims: Shape, keepdim: bool) -> Array: ...
    # Whether some element is nonzero.
    def any(self, x: Array, dims: Shape, keepdim: bool) -> Array: ...
    # The number of nonzero elements, as int64.
    def count_nonzero(self, x: Array, dims: Shape) -> Array: ...
    # The index of the first largest element, or of the first NaN.
    def argmax(self, x: Array, dim: int | None, keepdim: bool) -> Array: ...
    # The index of the first smallest element, or of the first NaN.
    def argmin(self, x: Array, dim: int | None, keepdim: bool) -> Array: ...
    # Sums of the elements so far.
    def cumsum(self, x: Array, dim: int) -> Array: ...
    # Products of the elements so far.
    def cumprod(self, x: Array, dim: int) -> Array: ...
    # The largest element so far and the last place where it stood; NaN is largest.
    def cummax(self, x: Array, dim: int) -> tuple[Array, Array]: ...
    # The smallest element so far and the last place where it stood; NaN is smallest.
    def cummin(self, x: Array, dim: int) -> tuple[Array, Array]: ...
    # log(cumsum(exp(x))), without overflow.
    def logcumsumexp(self, x: Array, dim: int) -> Array: ...
    # log(sum(exp(x))), shifted by the maximum so that nothing overflows.
    def logsumexp(self, x: Array, dims: Shape, keepdim: bool) -> Array: ...
    # The p-norm in x's real type: (sum |x|^p)^(1/p), and its limits for p = 0 and infinity.
    def vector_norm(self, x: Array, p: float, dims: Shape, keepdim: bool) -> Array: ...


class Scatters(Protocol):
    """Writing to places that an index names."""

    # The smallest and the largest element as Python numbers; None if there is none to see.
    def bounds(self, x: Array) -> tuple[Array, Array] | None: ...
    # Zeros of ``shape`` with g added where gather would read: the derivative of gather.
    def ungather(self, g: Array, dim: int, index: Array, shape: Shape) -> Array: ...
    # A copy of x with src written at the places that gather would read.
    def scatter(self, x: Array, dim: int, index: Array, src: Array) -> Array: ...
    # A copy of x with src added at the places that gather would read.
    def scatter_add(self, x: Array, dim: int, index: Array, src: Array) -> Array: ...
    # A copy of x in which each place that index names holds the prod, amax or amin of its sources,
    # and of x there if ``include_self``.
    def scatter_reduce(
        self, x: Array, dim: int, index: Array, src: Array, reduce: str, include_self: bool
    ) -> Array: ...
    # Adds value to target at index, once for each time that a place occurs in it.
    def add_at(self, target: Array, index: tuple[Any, ...], value: Array) -> None: ...
    # target[index] = function(target[index], value), with repeated places done in turn.
    def combine_at(
        self, target: Array, index: tuple[Any, ...], value: Array, function: Any
    ) -> None: ...


class Sorting(Protocol):
    """Order and counts; NaN is larger than everything."""

    # The indices that sort x along dim, equal elements in their order.
    def argsort(self, x: Array, dim: int, descending: bool) -> Array: ...
    # The indices of the k largest or smallest elements along dim, in order.
    def topk(self, x: Array, k: int, dim: int, largest: bool) -> Array: ...
    # where the most frequent element along dim, the smallest of several, stands last.
    def mode(self, x: Array, dim: int) -> Array: ...
    # where in sorted order the lower median stands: with NaN at the end, or left out.
    def rank_of_median(self, x: Array, dim: int, ignore_nan: bool) -> Array: ...
    # where in each sorted row of ``ordered`` the values of the same row belong.
    def searchsorted(self, ordered: Array, values: Array, right: bool) -> Array: ...
    # The sorted distinct elements of a vector, each one's index among them, and the counts.
    def unique(self, x: Array) -> tuple[Array, Array, Array]: ...
    # The first slice of each run of equal ones along dimension 0, run numbers, and lengths.
    def unique_consecutive(self, x: Array) -> tuple[Array, Array, Array]: ...
    # The indices that sort the rows of a matrix, by the first column, then the second .
    def order_of_rows(self, x: Array) -> Array: ...
    # How often each number up to length occurs, or the sums of their weights.
    def bincount(self, x: Array, weights: Array, length: int) -> Array: ...
    # The counts, or weights, of elements in bins between edges, the last closed.
    def histogram(self, x: Array, edges: Array, weights: Array) -> Array: ...


class Linalg(Protocol):
    """Matrices in the last two dimensions."""

    # The determinants.
    def det(self, x: Array) -> Array: ...
    # The signs and the logarithms of the moduli of the determinants.
    def slogdet(self, x: Array) -> tuple[Array, Array]: ...
    # The inverses.
    def inv(self, x: Array) -> Array: ...
    # The solutions z of x z = y, where y is made of matrices.
    def solve(self, x: Array, y: Array) -> Array: ...
    # The solutions z of x z = y, where only one triangle of x counts.
    def solve_triangular(self, x: Array, y: Array, upper: bool, unitriangular: bool) -> Array: ...
    # The solutions z of x z = y, where the factor is a Cholesky factor of x.
    def cholesky_solve(self, y: Array, factor: Array, upper: bool) -> Array: ...
    # The lower triangular L with x = L L^H; only the lower triangle of x is read.
    def cholesky(self, x: Array) -> Array: ...
    # The orthonormal and the triangular factor, square and padded if ``complete``.
    def qr(self, x: Array, complete: bool) -> tuple[Array, Array]: ...
    # U, the singular values in descending order, and V^H.
    def svd(self, x: Array, full: bool) -> tuple[Array, Array, Array]: ...
    # Ascending eigenvalues and eigenvectors of Hermitian matrices, one triangle of which counts.
    def eigh(self, x: Array, upper: bool) -> tuple[Array, Array]: ...
    # Complex eigenvalues and eigenvectors.
    def eig(self, x: Array) -> tuple[Array, Array]: ...
    # Whether an element is 0, as far as that can be known.
    def any_zero(self, x: Array) -> bool: ...


class Networks(Protocol):
    """What neural networks do, in one call each, for its speed."""

    # x times the normal distribution function, exact or by a tanh (Hendrycks & Gimpel 2016).
    def gelu(self, x: Array, approximate: str) -> Array: ...
    # g times the slope of gelu.
    def gelu_backward(self, g: Array, x: Array, approximate: str) -> Array: ...
    # log(1 + exp(beta x)) / beta, and x itself where beta x exceeds the threshold.
    def softplus(self, x: Array, beta: float, threshold: float) -> Array: ...
    # log(sigmoid(x)) = min(x, 0) - log(1 + exp(-|x|)).
    def logsigmoid(self, x: Array) -> Array: ...
    # Cross-correlates x (N, C, ...) with w (O, C / groups, ...): (N, O, ...).
    def conv(self, x: Array, w: Array, c: Convolution, bias: Array = None) -> Array: ...
    # The input (N, C, ...) that g (N, O, ...) pulls back to through w (O, C / groups, ...).
    def conv_input(self, g: Array, w: Array, c: Convolution, bias: Array = None) -> Array: ...
    # The weight (O, C / groups, ...) that g (N, O, ...) pulls back to through x (N, C, ...).
    def conv_weight(self, x: Array, g: Array, c: Convolution) -> Array: ...
    # x with ``value`` added before and after each dimension, or cropped.
    def constant_pad(self, x: Array, pairs: tuple[tuple[int, int], ...], value: Array) -> Array: ...
    # The largest element of each window.
    def max_pool(self, x: Array, c: Convolution) -> Array: ...
    # The maxima, and where in its window each is: the first in C order, but the last NaN.
    def max_pool_arg(self, x: Array, c: Convolution) -> tuple[Array, Array]: ...
    # where in the flattened input the maxima are, as int64.
    def max_pool_indices(self, arg: Array, c: Convolution) -> Array: ...
    # Zeros of the input's shape with g added where the maxima were.
    def max_pool_input(self, g: Array, arg: Array, c: Convolution) -> Array: ...
    # The elements of x at the places where the maxima of another input were.
    def max_pool_gather(self, x: Array, arg: Array, c: Convolution) -> Array: ...
    # Zeros with g added at indices into the flattened spatial dimensions.
    def max_pool_scatter(self, g: Array, indices: Any, spatial: Shape) -> Array: ...
    # Zeros with the elements of x written at indices into the flattened spatial dimensions.
    def max_unpool(self, x: Array, indices: Any, spatial: Shape) -> Array: ...
    # The elements of x at indices into its flattened spatial dimensions.
    def max_pool_pick(self, x: Array, indices: Any) -> Array: ...
    # The sum of each window divided by ``divisor``; 16-bit floats are summed in float32.
    def avg_pool(self, x: Array, c: Convolution, divisor: Divisor) -> Array: ...
    # The input that g pulls back to through `avg_pool`.
    def avg_pool_input(self, g: Array, c: Convolution, divisor: Divisor) -> Array: ...
    # The means of ``out`` windows as equal as possible along each spatial dimension.
    def adaptive_avg_pool(self, x: Array, out: Shape) -> Array: ...
    # The input of extent ``spatial`` that g pulls back to through `adaptive_avg_pool`.
    def adaptive_avg_pool_input(self, g: Array, spatial: Shape) -> Array: ...
    # The maxima of ``out`` windows along each dimension, and where they are in the flat input.
    def adaptive_max_pool(self, x: Array, out: Shape) -> tuple[Array, Array]: ...
    # The windows of (N, C, ...) as (N, C * elements of the window, windows).
    def im2col(self, x: Array, c: Convolution) -> Array: ...
    # The input that `im2col` would spread, with what met in one place added up.
    def col2im(self, cols: Any, c: Convolution) -> Array: ...
    # exp(x) over its sum, shifted by the maximum so that nothing overflows.
    def softmax(self, x: Array, dim: int) -> Array: ...
    # out * (g - sum(g * out)).
    def softmax_backward(self, g: Array, out: Array, dim: int) -> Array: ...
    # x minus the logarithm of the sum of exp(x).
    def log_softmax(self, x: Array, dim: int) -> Array: ...
    # g - exp(out) * sum(g).
    def log_softmax_backward(self, g: Array, out: Array, dim: int) -> Array: ...
    # The loss of rows of logits against class indices, its softmax, and the rows that count.
    def cross_entropy(
        self, x: Array, target: Array, ignore: int, mean: bool
    ) -> tuple[Array, Array, Array]: ...
    # (softmax - one at the target) times g, in the rows that count.
    def cross_entropy_backward(
        self, g: Array, x: Array, target: Array, ignore: int, mean: bool, p: Array, kept: Any
    ) -> Array: ...
    # x standardised over dims, times weight, plus bias; with the mean and 1/deviation.
    def norm_affine(
        self, x: Array, dims: Shape, weight: Array, bias: Array, eps: float
    ) -> tuple[Array, Array, Array]: ...
    # The gradients of `norm_affine` for x, weight and bias.
    def norm_affine_backward(
        self,
        g: Array,
        x: Array,
        dims: Shape,
        weight: Array,
        mean: Array,
        rstd: Array,
        needs: tuple[bool, bool, bool],
    ) -> tuple[Array, Array, Array]: ...
    # The distance from 1 to the next larger number of x's type, at least that of float32.
    def eps(self, x: Array) -> float: ...

    # x with dim resampled: each result a weighted sum of its taps.
    def resample(self, x: Array, dim: int, taps: Taps) -> Array: ...
    # softmax(q k^T scale + mask) v, and the softmax, which is kept for gradients only if ``saving``.
    def attention(
        self,
        q: Array,
        k: Array,
        v: Array,
        mask: Array | None,
        causal: bool,
        scale: float,
        dropped: Array | None,
        saving: bool,
    ) -> tuple[Array, Any]: ...
    # Minus log-likelihoods (N,) of x (T, N, C), and what `ctc_backward` wants of them.
    def ctc_loss(self, x: Array, a: Alignments) -> tuple[Array, Array]: ...
    def ctc_backward(
        self, g: Array, x: Array, a: Alignments, loss: Array, reached: Array
    ) -> Array: ...


class Optimizers(Protocol):
    """Steps of optimizers over many parameters, in place."""

    # Lays tensors out, with zeros for each named quantity; a tensor above a block is alone.
    def flats(
        self, shapes: Sequence[Shape], dtype: Any, names: Sequence[str]
    ) -> list[tuple[list[int], Flat]]: ...
    # A step of stochastic gradient descent; ``first`` starts the momentum buffers.
    def sgd_step(
        self,
        flat: Flat,
        params: list[Any],
        grads: list[Any],
        lr: float,
        momentum: float,
        dampening: float,
        weight_decay: float,
        nesterov: bool,
        maximize: bool,
        first: bool,
    ) -> None: ...
    # Step number ``step`` (from 1) of Adam or, with ``decoupled`` weight decay, of AdamW.
    def adam_step(
        self,
        flat: Flat,
        params: list[Any],
        grads: list[Any],
        step: float,
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
        weight_decay: float,
        amsgrad: bool,
        decoupled: bool,
        maximize: bool,
    ) -> None: ...


class Backend(
    DeviceKernels,
    Arrays,
    Elementwise,
    Reductions,
    Scatters,
    Sorting,
    Linalg,
    Networks,
    Optimizers,
    Protocol,
):
    """Whatever can execute ops: the kernels of all topics."""
