"""Autocast, against dtypes and numbers that real PyTorch gave on the CPU."""

from __future__ import annotations

import inspect
import threading

import pytest
from fake_accelerator import FakeAccelerator, installed

import arraytorch as torch
from arraytorch import nn
from arraytorch.amp import _detours
from arraytorch.nn import functional as F

# Dtypes of results, as PyTorch's: (f)loat32, (b)float16, (h)alf, (c)omplex64, (i)nt64. The first is of
# float32 arguments in a bfloat16 region, the second of bfloat16 arguments in a bfloat16 region, the
# third of float32 arguments in a float16 region.
RESULTS = {
    "bbh": """
        x @ x
        torch.mm(x, x)
        torch.matmul(x, x)
        torch.bmm(b, b)
        torch.addmm(x, x, x)
        torch.baddbmm(b, b, b)
        torch.addbmm(x, b, b)
        torch.einsum("ij,jk->ik", x, x)
        torch.tensordot(x, x, 1)
        torch.chain_matmul(x, x, x)
        torch.linalg.multi_dot([x, x, x])
        torch.linalg.vecdot(x, x)
        torch.prelu(x, v[:1])
        F.linear(x, x)
        F.conv1d(b, b)
        F.conv2d(i, i)
        F.conv3d(i[None], i[None])
        F.conv_transpose1d(b, b)
        F.conv_transpose2d(i, i)
        F.scaled_dot_product_attention(b, b, b)
    """,
    "fbf": """
        torch.mv(x, v)
        torch.dot(v, v)
        torch.addmv(v, x, v)
        torch.outer(v, v)
        torch.inner(v, v)
        F.bilinear(x, x, b)
        F.avg_pool2d(i, 2)
        F.adaptive_avg_pool2d(i, 1)
        F.max_pool2d(i, 1)
        F.max_pool3d(i[None], 1, return_indices=True)[0]
        F.pad(b, (1, 1), mode="circular")
        F.pad(b, (1, 1))
        F.pad(i[None], (1,) * 6, mode="reflect")
        F.softmax(x, 1)
        F.log_softmax(x, 1)
        F.layer_norm(x, (3,))
        F.group_norm(i, 1)
        F.gelu(x)
        F.relu(x)
        F.interpolate(i, 5)
        torch.exp(x)
        torch.log(x.abs() + 1)
        x ** 2
        1 / x
        x.sum()
        x.mean()
        x.norm()
        torch.cumsum(x, 0)
        torch.logsumexp(x, 0)
        x.mul(x)
        torch.where(x > 0, x, x)
    """,
    "fff": """
        F.mse_loss(x, x)
        F.l1_loss(x, x)
        F.smooth_l1_loss(x, x)
        F.huber_loss(x, x)
        F.cross_entropy(x, t)
        F.nll_loss(x, t)
        F.binary_cross_entropy(x.sigmoid(), x.sigmoid())
        F.binary_cross_entropy_with_logits(x, x.sigmoid())
        F.kl_div(x, x, reduction="sum")
        F.poisson_nll_loss(x, x)
        F.soft_margin_loss(x, x)
        F.hinge_embedding_loss(x, x)
        F.cosine_embedding_loss(x, x, v.sign())
        F.margin_ranking_loss(x, x, x)
        F.triplet_margin_loss(x, x, x)
        F.multi_margin_loss(x, t)
        F.multilabel_margin_loss(x, t[None].expand(3, 3).contiguous())
        F.avg_pool3d(i[None], 1)
        F.adaptive_avg_pool3d(i[None], 1)
        F.max_pool3d(i[None], 1)
        F.pad(b, (1, 1), mode="reflect")
        F.pad(b, (1, 1), mode="replicate")
        F.grid_sample(i, torch.zeros(3, 2, 2, 2, dtype=x.dtype), align_corners=False)
        torch.prod(x)
        torch.trace(x)
        torch.quantile(x, 0.5)
        torch.nanquantile(x, 0.5)
        torch.cdist(x, x)
        torch.fft.irfft(torch.fft.rfft(x))
        torch.linalg.inv(m)
        torch.linalg.solve(m, x)
        torch.linalg.cholesky(m)
        torch.linalg.svdvals(x)
        torch.linalg.eigvalsh(m)
        torch.linalg.qr(x)[0]
        torch.inverse(m)
        torch.cat([x, f])
        torch.stack([x, f])
        torch.hstack([x, f])
        torch.index_copy(x, 0, t, f)
        x + f
    """,
    "ccc": """
        torch.polar(x, x)
        torch.view_as_complex(b[..., :2].contiguous())
        torch.stft(w, 4, window=torch.ones(4, dtype=x.dtype), return_complex=True)
        torch.fft.fft(x)
        torch.fft.rfft(x)
        torch.fft.fftn(x)
    """,
    "iii": """
        torch.linalg.matrix_rank(x)
    """,
}

CASES = [
    (line.strip(), codes) for codes, text in RESULTS.items() for line in text.strip().splitlines()
]
NAMES = {
    "f": torch.float32,
    "b": torch.bfloat16,
    "h": torch.float16,
    "c": torch.complex64,
    "i": torch.int64,
}


def arguments(dtype):
    """What the expressions above are about."""
    g = torch.Generator().manual_seed(0)
    made = {
        "x": torch.rand(3, 3, generator=g) + 0.1,
        "b": torch.rand(3, 3, 3, generator=g),
        "i": torch.rand(3, 3, 4, 4, generator=g),
        "v": torch.rand(3, generator=g),
        "w": torch.rand(16, generator=g),
        "m": torch.eye(3) * 3 + 0.1,
    }
    made = {name: x.to(dtype) for name, x in made.items()}
    more = {"f": torch.rand(3, 3, generator=g), "t": torch.tensor([0, 1, 2])}
    return {"torch": torch, "F": F} | made | more


@pytest.mark.parametrize(("expression", "codes"), CASES, ids=[e for e, _ in CASES])
def test_dtypes_on_the_cpu(expression, codes):
    """Each op chooses PyTorch's precision."""
    runs = ((torch.float32, None), (torch.bfloat16, None), (torch.float32, torch.float16))
    for (dtype, region), code in zip(runs, codes, strict=True):
        with torch.autocast("cpu", dtype=region):
            assert eval(expression, arguments(dtype)).dtype is NAMES[code]


@pytest.mark.parametrize(
    ("name", "layer", "cell"),
    [("RNN", "bbh", "bbh"), ("GRU", "fbf", "fbf"), ("LSTM", "bbh", "fbf")],
)
def test_dtypes_of_recurrent_layers(name, layer, cell):
    """Layers and cells of float32 weights, as above."""
    runs = ((torch.float32, None), (torch.bfloat16, None), (torch.float32, torch.float16))
    for (dtype, region), of_layer, of_cell in zip(runs, layer, cell, strict=True):
        x = torch.ones(3, 2, 4, dtype=dtype)
        with torch.autocast("cpu", dtype=region):
            out = getattr(nn, name)(4, 5)(x)[0]
            step = getattr(nn, name + "Cell")(4, 5)(x[0])
        step = step[0] if name == "LSTM" else step
        assert (out.dtype, step.dtype) == (NAMES[of_layer], NAMES[of_cell])
    with pytest.raises(ValueError, match="does not match weight dtype"):
        nn.GRU(4, 5)(torch.ones(3, 2, 4).half())


@pytest.mark.parametrize(
    "expression",
    [e for e, codes in CASES if codes[0] in "bf" and "f]" not in e and ", f)" not in e],
)
def test_float64_is_left_alone(expression):
    """float64 is not eligible."""
    with torch.autocast("cpu"):
        assert eval(expression, arguments(torch.float64)).dtype is torch.float64


# -------------------------------------------------------------------------------------- regions


X = torch.ones(2, 2)


def test_regions_nest():
    """The innermost counts; outside of all, nothing is changed."""
    with torch.autocast("cpu", torch.float16):
        with torch.autocast("cpu", enabled=False):
            assert (X @ X).dtype is torch.float32
            with torch.autocast("cpu"):
                assert (X @ X).dtype is torch.float16  # the dtype of the enclosing region
        assert (X @ X).dtype is torch.float16
        with torch.autocast("cpu", torch.bfloat16):
            assert (X @ X).dtype is torch.bfloat16
            assert torch.get_autocast_dtype("cpu") is torch.bfloat16
        assert torch.get_autocast_dtype("cpu") is torch.float16
    assert (X @ X).dtype is torch.float32 and torch.get_autocast_dtype("cpu") is torch.bfloat16


def test_region_as_a_decorator_and_twice():
    """A region can be entered again, also within itself."""
    region = torch.autocast("cpu")

    @region
    def product(depth):
        """Says something."""
        return product(depth - 1) if depth else X @ X

    assert product(3).dtype is torch.bfloat16 and product.__doc__ == "Says something."
    assert (X @ X).dtype is torch.float32
    with region, region:
        assert (X @ X).dtype is torch.bfloat16


def test_ops_get_their_code_back():
    """While no region is open, ops are what they were: they pay nothing."""
    before = torch.matmul.__code__, F.conv2d.__code__
    with torch.autocast("cpu"):
        assert torch.matmul.__code__ is not before[0]
        with pytest.raises(KeyError), torch.autocast("cpu"):
            raise KeyError
        assert torch.matmul.__code__ is not before[0]
    assert (torch.matmul.__code__, F.conv2d.__code__) == before
    assert not any(_detours._regions.values())


def test_ops_look_the_same_meanwhile():
    """Signature, name and errors of a listed op."""
    with torch.autocast("cpu"):
        assert list(inspect.signature(torch.matmul).parameters) == ["input", "other", "out"]
        assert torch.matmul.__name__ == "matmul"
        with pytest.raises(TypeError, match="must be Tensor, not int"):
            torch.matmul(X, 3)


def test_out_and_in_place_forms_are_left_alone():
    """They keep their dtypes and their precision."""
    third = torch.full((2, 2), 1.001)
    with torch.autocast("cpu"):
        assert torch.mm(third, X, out=torch.empty(2, 2)).dtype is torch.float32
        mine = torch.zeros(2, 2).addmm_(third, X)
    assert torch.equal(mine, third @ X)  # bfloat16 would have made it 2


def test_threads_have_regions_of_their_own():
    """A thread beside a region computes as ever, and the other way round."""
    seen = []
    with torch.autocast("cpu"):
        beside = threading.Thread(target=lambda: seen.append((X @ X).dtype))
        beside.start(), beside.join()
    assert seen == [torch.float32] and not torch.is_autocast_enabled("cpu")


def test_switches():
    """The functions behind the regions."""
    assert not torch.is_autocast_enabled() and not torch.is_autocast_enabled("cpu")
    torch.set_autocast_enabled("cpu", True)
    try:
        assert torch.is_autocast_enabled("cpu") and (X @ X).dtype is torch.bfloat16
        torch.set_autocast_dtype("cpu", torch.float16)
        assert (X @ X).dtype is torch.float16
    finally:
        torch.set_autocast_dtype("cpu", torch.bfloat16)
        torch.set_autocast_enabled("cpu", False)
    assert (X @ X).dtype is torch.float32
    torch.set_autocast_enabled(True)
    assert torch.is_autocast_enabled() and torch.is_autocast_enabled("cuda")
    torch.set_autocast_enabled(False)
    assert torch.autocast_increment_nesting() == 1 and torch.autocast_decrement_nesting() == 0
    for name, args in (
        ("is_autocast_cpu_enabled", ()), ("get_autocast_cpu_dtype", ()),
        ("get_autocast_gpu_dtype", ()), ("set_autocast_cpu_enabled", (False,)),
        ("set_autocast_cpu_dtype", (torch.bfloat16,)), ("set_autocast_gpu_dtype", (torch.float16,)),
    ):  # fmt: skip
        with pytest.warns(DeprecationWarning, match=f"torch.{name}.* is deprecated"):
            getattr(torch, name)(*args)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: torch.autocast(3), ValueError, "Expected `device_type` of type `str`"),
        (lambda: torch.autocast("foo"), RuntimeError, "device string: foo"),
        (lambda: torch.autocast("meta"), RuntimeError, "unsupported scalarType"),
        (
            lambda: torch.autocast("meta", torch.float16),
            RuntimeError,
            "unsupported autocast device",
        ),
        (
            lambda: torch.is_autocast_enabled("meta"),
            RuntimeError,
            "unknown device type for autocast",
        ),
        (lambda: torch.amp.custom_fwd(device_type=3), ValueError, "of type `str`"),
        (lambda: torch.amp.custom_bwd(device_type=3), ValueError, "of type `str`"),
    ],
)
def test_refusals(make, error, message):
    """PyTorch's classes and words."""
    with pytest.raises(error, match=message):
        make()


def test_regions_that_cannot_be_are_off():
    """With a warning, as in PyTorch."""
    with pytest.warns(UserWarning, match="In CPU autocast, but the target dtype is not supported"):
        region = torch.autocast("cpu", torch.float32)
    with region:
        assert not torch.is_autocast_enabled("cpu") and (X @ X).dtype is torch.float32


# ------------------------------------------------------------------------------------- gradients


def test_gradients_have_the_dtypes_of_the_weights():
    """Backward outside of the region; the numbers are those of bfloat16 arithmetic."""
    w = torch.tensor([[1.0, 2.0], [3.0, 4.001]], requires_grad=True)
    with torch.autocast("cpu"):
        y = F.linear(torch.tensor([[1.0, 2.0]]), w)
        loss = F.mse_loss(y, torch.zeros(1, 2))
    loss.backward()
    assert loss.dtype is torch.float32 and w.grad.dtype is torch.float32
    assert w.grad.tolist() == [[5.0, 10.0], [11.0, 22.0]]


def test_weights_are_cast_once_per_region():
    """Not views, not results, not float64, not once they have been written."""
    w = torch.ones(2, 2, requires_grad=True)

    def parent(y):
        return y.grad_fn.next_functions[1][0]

    with torch.autocast("cpu"):
        first, second = (parent(torch.mm(X, w)) for _ in range(2))
        assert first is second
        with torch.no_grad():
            w.mul_(2)
        assert parent(torch.mm(X, w)) is not second and torch.mm(X, w)[0, 0] == 4
        w.data = torch.zeros(2, 2)
        assert torch.mm(X, w)[0, 0] == 0
        torch.clear_autocast_cache()
        assert parent(torch.mm(X, w)) is not first
        v = w * 1
        assert parent(torch.mm(X, v)) is not parent(torch.mm(X, v))
    with torch.autocast("cpu", cache_enabled=False):
        assert not torch.is_autocast_cache_enabled()
        assert parent(torch.mm(X, w)) is not parent(torch.mm(X, w))
    assert torch.is_autocast_cache_enabled()
    with torch.autocast("cpu"):
        assert parent(torch.mm(X, w)) is not first


def test_casts_under_no_grad_do_not_cut_later_gradients():
    """A weight first used under no_grad still gets its gradient in the same region."""
    w = torch.ones(2, 2, requires_grad=True)
    with torch.autocast("cpu"):
        with torch.no_grad():
            X @ w
        (X @ w).sum().backward()
        (X @ w).sum().backward()  # and again, through the same cast
    assert w.grad.tolist() == [[4.0, 4.0], [4.0, 4.0]]


def test_higher_derivatives():
    """create_graph works through casts."""
    w = torch.full((1, 1), 3.0, requires_grad=True)
    with torch.autocast("cpu"):
        y = torch.mm(torch.mm(w, w), w)
    (g,) = torch.autograd.grad(y.sum(), w, create_graph=True)
    (h,) = torch.autograd.grad(g.sum(), w)
    assert g.item() == 27 and h.item() == 18


class Product(torch.autograd.Function):
    """Notes what forward and backward were called with."""

    seen: list = []

    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu")
    def forward(ctx, x):
        ctx.save_for_backward(x)
        Product.seen.append(("forward", torch.is_autocast_enabled("cpu")))
        return x @ x

    @staticmethod
    @torch.amp.custom_bwd(device_type="cpu")
    def backward(ctx, g):
        enabled = torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")
        Product.seen.append(("backward", *enabled))
        return (g @ g).to(torch.float32)


class Cast(Product):
    """Wants float32."""

    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.float32)
    def forward(ctx, x, more):
        Product.seen.append(
            ("forward", torch.is_autocast_enabled("cpu"), x.dtype, [m.dtype for m in more])
        )
        return x @ x

    @staticmethod
    @torch.amp.custom_bwd(device_type="cpu")
    def backward(ctx, g):
        Product.seen.append(("backward", torch.is_autocast_enabled("cpu"), g.dtype))
        return g, None


def test_functions_of_the_users_own():
    """backward runs as forward did; inputs are cast if that is asked for."""
    Product.seen.clear()
    x = torch.ones(2, 2, requires_grad=True)
    with torch.autocast("cpu", torch.float16):
        y = Product.apply(x)
    y.sum().backward()
    assert y.dtype is torch.float16
    Product.apply(x).sum().backward()
    half = torch.ones(2, 2, dtype=torch.bfloat16, requires_grad=True)
    more = [
        torch.ones(1, dtype=torch.float16),
        torch.ones(1, dtype=torch.float64),
        torch.ones(1).int(),
    ]
    with torch.autocast("cpu"):
        y = Cast.apply(half, more)
    assert y.dtype is torch.float32
    y.sum().backward()
    Cast.apply(half, more)
    assert Product.seen == [
        ("forward", True),
        ("backward", True, torch.float16),
        ("forward", False),
        ("backward", False, torch.bfloat16),
        ("forward", False, torch.float32, [torch.float32, torch.float64, torch.int32]),
        ("backward", False, torch.float32),
        ("forward", False, torch.bfloat16, [torch.float16, torch.float64, torch.int32]),
    ]


# --------------------------------------------------------------------------------- other devices


def test_lists_of_other_devices():
    """float16 products, float32 functions, one ban; tensors on the CPU are left alone."""
    with installed("cuda"), torch.autocast("cuda"):
        assert torch.is_autocast_enabled() and torch.is_autocast_enabled("cuda")
        x = torch.ones(2, 2, device="cuda")
        h = x.half()
        assert (x @ x).dtype is torch.float16 and torch.mv(x, x[0]).dtype is torch.float16
        assert torch.exp(h).dtype is torch.float32 and h.log().dtype is torch.float32
        assert (h**2).dtype is torch.float32 and (1 / h).dtype is torch.float32
        assert h.softmax(0).dtype is torch.float32 and h.sum().dtype is torch.float32
        assert h.sum(dtype=torch.float16).dtype is torch.float16
        assert (
            torch.cat([x, h]).dtype is torch.float32
            and F.layer_norm(h, (2,)).dtype is torch.float32
        )
        assert (h + h).dtype is torch.float16 and torch.relu(h).dtype is torch.float16
        assert h.clone().exp_().dtype is torch.float16
        with pytest.raises(RuntimeError, match="unsafe to autocast"):
            F.binary_cross_entropy(h, h)
        assert (X @ X).dtype is torch.float32
        with torch.autocast("cpu"):
            assert (X @ X).dtype is torch.bfloat16 and (x @ x).dtype is torch.float16
    with installed("xpu"), torch.autocast("xpu", torch.bfloat16):
        x = torch.ones(2, 2, device="xpu")
        assert (x @ x).dtype is torch.bfloat16 and x.bfloat16().exp().dtype is torch.float32
    assert torch.exp(X.half()).dtype is torch.float16


def test_regions_in_a_dtype_that_the_device_has_not(monkeypatch):
    """A library without bfloat16: PyTorch's words."""
    with installed("xpu") as fake:

        def zeros(shape, dtype):
            raise ValueError("what is that?")

        monkeypatch.setattr(fake, "zeros", zeros)
        monkeypatch.setattr(
            fake, "facts", lambda i: FakeAccelerator.facts(fake, i)._replace(major=0)
        )
        assert not torch.xpu.is_bf16_supported()
        with pytest.raises(RuntimeError, match="Current XPU Device does not support bfloat16"):
            torch.autocast("xpu", torch.bfloat16)


def test_without_the_device_regions_are_off(monkeypatch):
    """A warning, and nothing happens."""
    monkeypatch.setenv("USE_CUDA", "0")
    monkeypatch.setenv("USE_ROCM", "0")
    with pytest.warns(UserWarning, match="CUDA is not available"):
        region = torch.autocast("cuda")
    with region:
        assert not torch.is_autocast_enabled()
    with pytest.warns(UserWarning, match="GradScaler is enabled, but CUDA is not available"):
        assert not torch.GradScaler().is_enabled()
    assert torch.cuda.amp.amp_definitely_not_available()
    for make in (
        lambda: torch.cuda.amp.autocast(enabled=False),
        lambda: torch.cuda.amp.GradScaler(enabled=False),
        lambda: torch.cuda.amp.custom_fwd(lambda ctx: None),
        lambda: torch.cuda.amp.custom_bwd(lambda ctx: None),
    ):
        with pytest.warns(FutureWarning, match="is deprecated. Please use `torch.amp"):
            make()


# -------------------------------------------------------------------------------------- training


def bars():
    """Noisy pictures of 8 by 8, with a bar in the row that is their label."""
    g = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 8, (256,), generator=g)
    pictures = torch.rand(256, 1, 8, 8, generator=g) * 0.5
    for n, label in enumerate(labels.tolist()):
        pictures[n, 0, label] += 1
    return pictures, labels


def test_a_network_trains_under_autocast():
    """Convolutions and products in bfloat16, weights and losses in float32; it learns."""
    torch.manual_seed(0)
    pictures, labels = bars()
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(128, 8),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(12):
        optimizer.zero_grad()
        with torch.autocast("cpu"):
            scores = model(pictures)
            loss = F.cross_entropy(scores, labels)
        assert scores.dtype is torch.bfloat16 and loss.dtype is torch.float32
        loss.backward()
        optimizer.step()
    assert {p.grad.dtype for p in model.parameters()} == {torch.float32}
    right = (scores.argmax(1) == labels).float().mean().item()
    assert right > 0.95 and loss.item() < 0.5
