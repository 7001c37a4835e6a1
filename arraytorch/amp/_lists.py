"""Which ops autocast changes: PyTorch's lists, by type of device.

``lower`` ops run in the region's dtype, ``float32`` ops in float32, ``promote`` ops in the widest dtype
of their arguments; those of ``float32_unless`` leave arguments alone if they are told a dtype, ``float32_pad`` and
``float32_pool`` look at what kind of padding and of result is wanted, and ``like_first`` ops bring all
to the dtype of their first tensor. ``plain`` ops are not in PyTorch's lists and are made of listed ones here; inside them autocast is off. A name that
this release has not is passed over.
"""

_LOWER = """
    addbmm addmm baddbmm bmm mm matmul chain_matmul prelu conv_tbc
    nn.functional.linear nn.functional.scaled_dot_product_attention
    nn.functional.conv1d nn.functional.conv2d nn.functional.conv3d
    nn.functional.conv_transpose1d nn.functional.conv_transpose2d nn.functional.conv_transpose3d
    linalg.vecdot linalg.multi_dot Tensor.__matmul__ Tensor.__rmatmul__
"""

_LOSSES = """
    binary_cross_entropy_with_logits cosine_embedding_loss cross_entropy hinge_embedding_loss
    huber_loss kl_div l1_loss margin_ranking_loss mse_loss multi_margin_loss
    multilabel_margin_loss nll_loss poisson_nll_loss smooth_l1_loss soft_margin_loss
    triplet_margin_loss
"""
_TOP_LOSSES = """
    binary_cross_entropy_with_logits cosine_embedding_loss hinge_embedding_loss kl_div
    margin_ranking_loss poisson_nll_loss triplet_margin_loss
"""


def _named(text: str, prefix: str = "") -> tuple[str, ...]:
    return tuple(prefix + name for name in text.split())


_LOSS_NAMES = _named(_LOSSES, "nn.functional.") + _named(_TOP_LOSSES)

_CPU_FLOAT32 = _LOSS_NAMES + _named(
    """
    nn.functional.binary_cross_entropy nn.functional.ctc_loss ctc_loss
    nn.functional.avg_pool3d nn.functional.adaptive_avg_pool3d
    nn.functional.adaptive_max_pool3d nn.functional.adaptive_max_pool3d_with_indices
    nn.functional.fractional_max_pool2d nn.functional.fractional_max_pool2d_with_indices
    nn.functional.fractional_max_pool3d nn.functional.fractional_max_pool3d_with_indices
    nn.functional.max_unpool1d nn.functional.max_unpool2d nn.functional.max_unpool3d
    nn.functional.grid_sample grid_sampler grid_sampler_2d grid_sampler_3d
    polar prod quantile nanquantile stft cdist trace view_as_complex
    cholesky cholesky_inverse cholesky_solve inverse lu_solve orgqr ormqr pinverse geqrf lu qr svd
    triangular_solve
    linalg.cholesky linalg.cholesky_ex linalg.cond linalg.eig linalg.eigh linalg.eigvals
    linalg.eigvalsh linalg.householder_product linalg.inv linalg.inv_ex linalg.lstsq
    linalg.matrix_rank linalg.qr linalg.solve linalg.svd linalg.svdvals linalg.tensorinv
    linalg.tensorsolve
    fft.fft fft.ifft fft.fft2 fft.ifft2 fft.fftn fft.ifftn fft.rfft fft.irfft fft.rfft2
    fft.irfft2 fft.rfftn fft.irfftn fft.hfft fft.ihfft
    """
)

_DEVICE_FLOAT32 = _LOSS_NAMES + _named(
    """
    Tensor.__pow__ Tensor.__rpow__ Tensor.__rtruediv__ pow
    acos arccos asin arcsin cosh erfinv special.erfinv exp expm1 special.expm1 log log10 log1p
    special.log1p log2 reciprocal rsqrt sinh tan nn.functional.softplus
    layer_norm group_norm native_layer_norm nn.functional.layer_norm nn.functional.group_norm
    frobenius_norm nuclear_norm cosine_similarity pdist cdist dist renorm logsumexp
    special.logsumexp nn.functional.interpolate nn.functional.normalize
    norm Tensor.norm linalg.norm
    """
)

# By type of device: policy -> names.
LISTS: dict[str, dict[str, tuple[str, ...]]] = {
    "cpu": {
        "lower": _named(_LOWER) + _named("rnn_tanh rnn_relu lstm rnn_tanh_cell rnn_relu_cell"),
        "float32": _CPU_FLOAT32,
        "like_first": ("gru", "gru_cell", "lstm_cell"),
        "promote": ("stack", "cat", "index_copy"),
        "float32_pad": ("nn.functional.pad",),
        "float32_pool": ("nn.functional.max_pool3d", "max_pool3d"),
        "plain": _named(
            """
            mv addmv dot vdot inner addr outer nn.functional.bilinear bilinear block_diag
            masked.prod
            """
        ),
    },
    "cuda": {
        "lower": _named(_LOWER)
        + _named(
            """
            addmv addr mv einsum rnn_tanh rnn_relu lstm gru
            rnn_tanh_cell rnn_relu_cell lstm_cell gru_cell
            """
        ),
        "float32": _DEVICE_FLOAT32,
        "float32_unless": _named(
            """
            prod softmax log_softmax nn.functional.softmin cumprod cumsum sum Tensor.softmax
            linalg.vector_norm linalg.matrix_norm
            """
        ),
        "promote": _named(
            """
            addcdiv addcmul atan2 arctan2 nn.functional.bilinear cross linalg.cross dot vdot
            nn.functional.grid_sample grid_sampler index_put tensordot scatter_add
            stack cat index_copy
            """
        ),
        "banned": ("nn.functional.binary_cross_entropy",),
    },
}
LISTS["xpu"] = LISTS["cuda"]
