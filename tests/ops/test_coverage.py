"""No public op is without a row in the sample table, unless a reason is given here."""

from __future__ import annotations

from samples import SAMPLES

import arraytorch as torch
from arraytorch import ops
from arraytorch.nn import functional

# By reason: why there is no row.
REASONS = {
    "makes tensors from numbers: test_tensor": """arange as_tensor asarray empty empty_like eye
        from_numpy frombuffer full full_like linspace logspace ones ones_like scalar_tensor tensor
        zeros zeros_like tril_indices triu_indices empty_permuted empty_strided""",
    "maps a file: test_storage": "from_file",
    "starts from random vectors: test_lobpcg": "lobpcg",
    "makes tensors from numbers: test_spectra": "fftfreq rfftfreq",
    "draws numbers: test_random": """bernoulli binomial multinomial normal poisson rand rand_like
        randint randint_like randn randn_like randperm dropout dropout1d dropout2d dropout3d
        alpha_dropout feature_alpha_dropout gumbel_softmax""",
    "are of sparse tensors: test_sparse": "sparse_coo_tensor hspmm hsmm smm sspaddmm saddmm",
    "tells a fact about tensors and gives no tensor": """allclose equal is_tensor broadcast_shapes
        result_type is_complex is_floating_point is_nonzero is_signed numel typename get_device
        is_conj is_inference is_neg is_same_size""",
    "counts or searches: the shape of its result depends on values, and it has no gradient": """
        argwhere bincount bucketize histc mode nonzero searchsorted unique unique_consecutive
        one_hot isin nonzero_static histogram histogramdd unravel_index""",
    "is a pool with return_indices=True, which has a row": """max_pool1d_with_indices
        max_pool2d_with_indices max_pool3d_with_indices adaptive_max_pool1d_with_indices
        adaptive_max_pool2d_with_indices adaptive_max_pool3d_with_indices
        fractional_max_pool2d_with_indices fractional_max_pool3d_with_indices""",
    "multiplies what has no gradients, or names how: test_linear_loss": """scaled_mm ScalingType
        SwizzleType""",
    "is a deprecated name of interpolate": "upsample upsample_bilinear upsample_nearest",
    "gives the tensor itself: test_op_details": "resolve_conj resolve_neg",
    "returns copies of what another op views: test_op_details": """split_copy split_with_sizes_copy
        unbind_copy unsafe_chunk unsafe_split unsafe_split_with_sizes""",
    "draws numbers, or tells how they move: test_implicit_gradients": """_dirichlet_grad
        _sample_dirichlet _standard_gamma _standard_gamma_grad""",
    "turns sorted indices into places and back: test_older_programs": """
        _convert_indices_from_coo_to_csr _convert_indices_from_csr_to_coo""",
    "works in place: test_op_details": "resize_as_ as_strided_ zero_",
    "is the in-place form of an activation that has a row": """celu_ elu_ hardtanh_ leaky_relu_
        relu_ rrelu_ selu_ threshold_""",
}
EXEMPT = {name for names in REASONS.values() for name in names.split()}
EXEMPT |= {n for n in ops.LATE if n.startswith("_foreach_")}  # on lists: test_foreach
ROWS = {s.name for s in SAMPLES}
SAMPLED = [s.op for s in SAMPLES]
EXEMPT |= {n for n in ops.LATE if n.startswith("_foreach_")}  # on lists: test_foreach


def uncovered(names, module):
    """Names that neither have a row, nor are another name of an op that has, nor are exempt."""
    return [
        n
        for n in names
        if n not in ROWS
        and n not in EXEMPT
        and not (n.endswith("_") and n[:-1] in dir(module))  # compared with the op without it
        and callable(getattr(module, n))
        and not any(getattr(module, n) is op for op in SAMPLED)
    ]


def test_every_op_has_a_row():
    """A new op in the main namespace needs a line in the table."""
    assert not uncovered([*ops.__all__, *ops.LATE], torch)


def test_every_function_of_nn_has_a_row():
    """So does a new one in nn.functional."""
    assert not uncovered([n for n in dir(functional) if not n.startswith("_")], functional)


def test_every_function_of_special_fft_and_masked_has_a_row():
    """And one in torch.special, torch.fft and torch.masked."""
    assert not uncovered(torch.special.__all__, torch.special)
    assert not uncovered(torch.fft.__all__, torch.fft)
    assert not uncovered(torch.masked.__all__, torch.masked)


def test_no_exemption_is_outdated():
    """What has a row by now is not exempt too."""
    assert not ROWS & EXEMPT
