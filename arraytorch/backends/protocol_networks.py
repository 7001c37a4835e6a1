"""The part of the protocol about what neural networks do, in one call each, for its speed."""

from __future__ import annotations

from typing import Any, Protocol

from .convolution import Convolution
from .ctc import Alignments
from .pooling import Divisor
from .resampling import Taps

Array = Any
Shape = tuple[int, ...]
Needs = tuple[bool, bool, bool]  # which of three gradients are wanted


class Networks(Protocol):
    """Convolutions, pools, normalisations, attention, losses and recurrent layers."""

    # Cross-correlates x (N, C, ...) with w (O, C / groups, ...): (N, O, ...).
    def conv(self, x: Array, w: Array, c: Convolution, bias: Array = None) -> Array: ...
    # The input (N, C, ...) that g (N, O, ...) pulls back to through w (O, C / groups, ...).
    def conv_input(self, g: Array, w: Array, c: Convolution, bias: Array = None) -> Array: ...
    # The weight (O, C / groups, ...) that g (N, O, ...) pulls back to through x (N, C, ...).
    def conv_weight(self, x: Array, g: Array, c: Convolution) -> Array: ...
    # x with ``value`` added before and after each dimension, or cropped.
    def constant_pad(self, x: Array, pairs: tuple[tuple[int, int], ...], value: Array) -> Array: ...
    # x with elements before and after each dimension, and what g pulls back to through that.
    def mirrored(self, x: Array, pairs: tuple[tuple[int, int], ...], mode: str) -> Array: ...
    def unmirrored(self, g: Array, pairs: tuple[tuple[int, int], ...], mode: str) -> Array: ...
    # The p-norms of the differences of each row of x and each row of y.
    def distances(self, x: Array, y: Array, p: float) -> Array: ...
    # The sum of the rows of x that each row of index names.
    def bags(self, x: Array, index: Array) -> Array: ...
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
    # Minus the element of each row at its label, times that class's weight; or the mean or sum.
    def nll_loss(
        self, x: Array, target: Array, weight: Array | None, ignore: int, reduction: str
    ) -> Array: ...
    # Its gradient, of this shape.
    def nll_loss_backward(
        self,
        g: Array,
        shape: Shape,
        target: Array,
        weight: Array | None,
        ignore: int,
        reduction: str,
    ) -> Array: ...
    def cross_entropy_backward(
        self, g: Array, x: Array, target: Array, ignore: int, mean: bool, p: Array, kept: Any
    ) -> Array: ...
    # x * slope + shift, where these have size 1 in all dimensions but one.
    def scaled(self, x: Array, slope: Array, shift: Array) -> Array: ...
    # x standardised over dims, times weight, plus bias; with the mean and 1/deviation.
    def norm_affine(
        self, x: Array, dims: Shape, weight: Array, bias: Array, eps: float
    ) -> tuple[Array, Array, Array]: ...
    # Each channel of x standardised by a known mean and variance, times weight, plus bias.
    def norm_known(
        self,
        x: Array,
        mean: Array,
        variance: Array,
        weight: Array | None,
        bias: Array | None,
        eps: float,
    ) -> Array: ...
    # The gradients of `norm_affine` for x, weight and bias.
    def norm_affine_backward(
        self, g: Array, x: Array, dims: Shape, weight: Array, mean: Array, rstd: Array, needs: Needs
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
