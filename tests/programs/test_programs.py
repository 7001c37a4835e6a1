"""Libraries that nobody wrote for arraytorch, unchanged, with the losses of real PyTorch.

Each trains for three steps from a seed, no weights copied. Expected are the three losses and the sum
of the norms of the first gradients, recorded from PyTorch 2.13. The libraries come from
``pip install --no-deps -r tests/programs/requirements.txt``; a test is skipped without its own.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import random
import sys
import types

import pytest

import arraytorch as torch
from arraytorch import nn

F = nn.functional
pytestmark = pytest.mark.filterwarnings("ignore")

# What the libraries import for other parts than those that run here.
ABSENT = ("torchvision", "torchvision.transforms", "torchvision.utils", "torchvision.models",
          "accelerate", "PIL", "PIL.Image")  # fmt: skip
# Packages whose own __init__ imports all of their modules, also those that need more.
LARGE = ("vit_pytorch", "x_transformers", "denoising_diffusion_pytorch")


class StandIn(types.ModuleType):
    """A module that has every name, as a class that does nothing."""

    def __init__(self, name):
        super().__init__(name)
        self.__path__ = []
        self.__spec__ = importlib.machinery.ModuleSpec(name, None)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


@pytest.fixture
def load(monkeypatch):
    """Imports a name from a module of a library, which finds arraytorch as torch."""

    def found(module, *names):
        package = module.partition(".")[0]
        spec = importlib.util.find_spec(package)
        if spec is None:
            pytest.skip(f"{package} is not installed: tests/programs/requirements.txt")
        if package in LARGE and package not in sys.modules:
            bare = types.ModuleType(package)
            bare.__path__ = list(spec.submodule_search_locations)
            bare.__spec__ = spec
            monkeypatch.setitem(sys.modules, package, bare)
        try:
            loaded = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] in ("torch", "arraytorch"):
                raise
            pytest.skip(f"{package} needs {error.name}: tests/programs/requirements.txt")
        values = [getattr(loaded, name) for name in names]
        return values[0] if len(values) == 1 else values

    before = set(sys.modules)
    for name in ABSENT:
        if importlib.util.find_spec(name.partition(".")[0]) is None or name in sys.modules:
            monkeypatch.setitem(sys.modules, name, sys.modules.get(name, StandIn(name)))
    with torch.as_torch():
        yield found
    for name in set(sys.modules) - before:  # they hold the stand-ins
        if name.partition(".")[0] in LARGE:
            del sys.modules[name]


def train(model, loss_of, optimizer=None):
    """Returns the losses of three steps, and the sum of the norms of the first gradients."""
    optimizer = optimizer or torch.optim.Adam(model.parameters(), lr=1e-3)
    losses, norms = [], 0.0
    for step in range(3):
        loss = loss_of()
        optimizer.zero_grad()
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            grads = [p.grad for p in model.parameters() if p.grad is not None]
            norms = sum(g.double().norm().item() for g in grads)
        optimizer.step()
    return losses, norms


def check(result, losses, norms):
    assert result[0] == pytest.approx(losses, rel=5e-4, abs=2e-6)
    assert result[1] == pytest.approx(norms, rel=5e-3)


# ------------------------------------------------------------------------------------- images

SMALL = {"image_size": 32, "num_classes": 10, "dim": 32, "depth": 2, "heads": 2, "mlp_dim": 64}
PATCH = {**SMALL, "patch_size": 8}
STAGES = {f"s{i}_{k}": v for i in (1, 2, 3, 4) for k, v in
          {"emb_dim": 8, "patch_size": 2 if i < 4 else 1, "local_patch_size": 4, "global_k": 4,
           "depth": 1}.items()}  # fmt: skip

VISION = [  # module, class, options, size of images, losses, norms
    ("simple_vit", "SimpleViT", PATCH, 32, [0.123709, 0.047623, 0.022504], 4.191),
    ("deepvit", "DeepViT", PATCH, 32, [0.515129, 0.16096, 0.082331], 20.8465),
    ("cait", "CaiT", {**PATCH, "cls_depth": 1}, 32, [0.143771, 0.116632, 0.092858], 2.5281),
    ("t2t", "T2TViT", {**SMALL, "depth": 1, "t2t_layers": ((7, 4), (3, 2))}, 32,
     [0.246433, 0.173936, 0.11361], 4.0889),
    ("cct", "CCT", {"img_size": 32, "embedding_dim": 32, "n_conv_layers": 1, "kernel_size": 7,
                    "stride": 2, "padding": 3, "pooling_kernel_size": 3, "pooling_stride": 2,
                    "pooling_padding": 1, "num_layers": 2, "num_heads": 2, "mlp_ratio": 2.0,
                    "num_classes": 10, "positional_embedding": "learnable"}, 32,
     [0.001011, 0.000443, 0.000146], 0.0691),
    ("pit", "PiT", {**PATCH, "depth": (1, 1)}, 32, [0.232768, 0.043209, 0.022443], 10.9133),
    ("levit", "LeViT", {"image_size": 64, "num_classes": 10, "stages": 2, "dim": (16, 32),
                        "depth": 1, "heads": (2, 2), "mlp_mult": 2}, 64,
     [0.018146, 0.014816, 0.011911], 0.439),
    ("cvt", "CvT", {"num_classes": 10, "s1_emb_dim": 8, "s2_emb_dim": 16, "s3_emb_dim": 16,
                    **{f"s{i}_{k}": 1 for i in (1, 2, 3) for k in ("depth", "heads")}}, 32,
     [0.18885, 0.093112, 0.065212], 11.5649),
    ("twins_svt", "TwinsSVT", {"num_classes": 10, **STAGES}, 32,
     [0.213739, 0.43741, 0.238281], 43.931),
    ("cross_vit", "CrossViT",
     {"image_size": 32, "num_classes": 10, "depth": 1, "sm_dim": 16, "lg_dim": 32,
      "sm_patch_size": 8, "lg_patch_size": 16, "sm_enc_heads": 2, "sm_enc_mlp_dim": 32,
      "lg_enc_heads": 2, "lg_enc_mlp_dim": 32, "cross_attn_heads": 2}, 32,
     [0.728223, 0.330023, 0.193686], 25.3092),
    ("max_vit", "MaxViT", {"num_classes": 10, "dim_conv_stem": 8, "dim": 8, "dim_head": 8,
                           "depth": (1, 1), "window_size": 7}, 56,
     [0.297613, 0.155249, 0.086157], 19.356),
    ("mobile_vit", "MobileViT", {"image_size": (64, 64), "dims": [16, 24, 32], "num_classes": 10,
                                 "channels": [8, 8, *[16] * 8, 24]}, 64,
     [0.026788, 0.051615, 0.015879], 22.455),
    ("nest", "NesT", {"image_size": 32, "patch_size": 4, "dim": 16, "heads": 2,
                      "num_hierarchies": 2, "block_repeats": (1, 1), "num_classes": 10}, 32,
     [0.095045, 0.03324, 0.009752], 5.445),
    ("sep_vit", "SepViT", {"num_classes": 10, "dim": 8, "dim_head": 8, "heads": (1, 2),
                           "depth": (1, 1), "window_size": 7}, 56,
     [0.222994, 0.147586, 0.107346], 10.0246),
    ("rvt", "RvT", PATCH, 32, [0.450624, 0.321256, 0.216833], 7.9207),
]  # fmt: skip


@pytest.mark.parametrize(("module", "name", "options", "size", "losses", "norms"), VISION)
def test_vision_transformers(load, module, name, options, size, losses, norms):
    kind = load(f"vit_pytorch.{module}", name)
    torch.manual_seed(0)
    model = kind(**options)
    x = torch.randn(2, 3, size, size)
    check(train(model, lambda: model(x).pow(2).mean()), losses, norms)


def test_a_classifier_with_dropout(load):
    kind = load("vit_pytorch.vit", "ViT")
    torch.manual_seed(0)
    model = kind(**PATCH, dropout=0.1, emb_dropout=0.1)
    x, y = torch.randn(2, 3, 32, 32), torch.randint(0, 10, (2,))
    check(train(model, lambda: F.cross_entropy(model(x), y)), [2.194885, 1.72715, 1.654411], 20.121)


@pytest.mark.parametrize(
    ("module", "unet", "diffusion", "options", "shape", "losses", "norms"),
    [
        ("denoising_diffusion_pytorch", "Unet", "GaussianDiffusion",
         ({"flash_attn": False}, {"image_size": 16}), (2, 3, 16, 16),
         [0.926337, 0.240295, 0.503233], 26.4859),
        ("denoising_diffusion_pytorch_1d", "Unet1D", "GaussianDiffusion1D",
         ({"channels": 4}, {"seq_length": 16, "objective": "pred_v"}), (2, 4, 16),
         [0.545587, 0.688766, 0.407157], 20.8862),
    ],
)  # fmt: skip
def test_diffusion(load, module, unet, diffusion, options, shape, losses, norms):
    """The noise and the times are drawn as PyTorch draws them."""
    unet, diffusion = load(f"denoising_diffusion_pytorch.{module}", unet, diffusion)
    torch.manual_seed(0)
    model = diffusion(unet(dim=16, dim_mults=(1, 2), **options[0]), timesteps=20, **options[1])
    x = torch.rand(*shape)
    check(train(model, lambda: model(x)), losses, norms)


# -------------------------------------------------------------------------------------- text


@pytest.mark.parametrize(
    ("options", "losses", "norms"),
    [
        ({}, [4.158662, 3.833908, 3.563668], 8.9116),
        ({"rotary_pos_emb": True, "use_rmsnorm": True, "ff_glu": True},
         [4.262463, 3.923502, 3.632926], 8.8763),
        ({"alibi_pos_bias": True, "attn_flash": True}, [4.162343, 3.839264, 3.569095], 8.862),
        ({"rel_pos_bias": True, "attn_qk_norm": True}, [4.181393, 3.806557, 3.47897], 9.7536),
    ],
)  # fmt: skip
def test_language_models(load, options, losses, norms):
    wrapper, decoder = load("x_transformers.x_transformers", "TransformerWrapper", "Decoder")
    autoregressive = load("x_transformers.autoregressive_wrapper", "AutoregressiveWrapper")
    torch.manual_seed(0)
    layers = decoder(dim=32, depth=2, heads=2, **options)
    model = autoregressive(wrapper(num_tokens=50, max_seq_len=32, attn_layers=layers))
    x = torch.randint(0, 50, (2, 17))
    check(train(model, lambda: model(x)), losses, norms)


def test_an_encoder_with_dropout_and_a_mask(load):
    wrapper, encoder = load("x_transformers.x_transformers", "TransformerWrapper", "Encoder")
    torch.manual_seed(0)
    layers = encoder(dim=32, depth=2, heads=2, attn_dropout=0.1, ff_dropout=0.1)
    model = wrapper(num_tokens=50, max_seq_len=32, attn_layers=layers)
    x, mask = torch.randint(0, 50, (2, 17)), torch.rand(2, 17) > 0.3
    result = train(model, lambda: model(x, mask=mask).pow(2).mean())
    check(result, [0.339822, 0.270889, 0.231007], 2.2134)


def test_a_masked_model_with_weights_by_vmap(load):
    wrapper, encoder = load("x_transformers.x_transformers", "TransformerWrapper", "Encoder")
    masked = load("x_transformers.nonautoregressive_wrapper", "NonAutoregressiveWrapper")
    torch.manual_seed(0)
    random.seed(0)
    layers = encoder(dim=32, depth=2, heads=2)
    model = masked(wrapper(num_tokens=50, max_seq_len=16, attn_layers=layers), mask_id=49)
    x = torch.randint(0, 49, (2, 16))
    check(train(model, lambda: model(x).loss), [-748.125977, -9.629448, -9.576341], 2075.7947)


def test_gradients_of_each_sample(load):
    wrapper, decoder = load("x_transformers.x_transformers", "TransformerWrapper", "Decoder")
    torch.manual_seed(0)
    layers = decoder(dim=32, depth=2, heads=2, rotary_pos_emb=True)
    net = wrapper(num_tokens=50, max_seq_len=16, attn_layers=layers)
    x = torch.randint(0, 50, (3, 17))
    parameters = {name: p.detach() for name, p in net.named_parameters()}

    def loss(p, s):
        return F.cross_entropy(torch.func.functional_call(net, p, (s[None, :-1],))[0], s[1:])

    each = torch.vmap(torch.func.grad(loss), (None, 0))(parameters, x)
    squares = sum(g.double().pow(2).flatten(1).sum(1) for g in each.values())
    assert squares.sqrt().tolist() == pytest.approx([3.87124, 3.93339, 4.05635], rel=1e-4)


def test_rotary_embeddings(load):
    rotary, apply = load("rotary_embedding_torch", "RotaryEmbedding", "apply_rotary_emb")
    torch.manual_seed(0)
    embedding, layer = rotary(dim=16, use_xpos=True), nn.Linear(16, 16)
    x = torch.randn(1, 4, 10, 16)

    def loss():
        q, k = embedding.rotate_queries_and_keys(layer(x), layer(x))
        return (q * k).mean()

    check(train(layer, loss), [0.379401, 0.374275, 0.369203], 0.4529)
    torch.manual_seed(0)
    embedding = rotary(dim=16, freqs_for="pixel", max_freq=256)
    layer, y = nn.Linear(32, 32), torch.randn(1, 8, 8, 32)
    axial = lambda: (apply(embedding.get_axial_freqs(8, 8), layer(y)) ** 3).mean()
    check(train(layer, axial), [0.023839, 0.017185, 0.010571], 0.3101)


# ------------------------------------------------------------------------------------- others


@pytest.mark.parametrize(
    ("method", "solve", "losses", "norms"),
    [
        ("euler", "odeint", [0.96361, 0.954974, 0.946439], 3.3671),
        ("rk4", "odeint", [0.956251, 0.947563, 0.939001], 3.4097),
        ("dopri5", "odeint", [0.956252, 0.947563, 0.939001], 3.4097),
        ("dopri5", "odeint_adjoint", [0.956252, 0.947563, 0.939001], 3.4097),
        ("implicit_adams", "odeint", [0.956243, 0.947551, 0.938985], 3.4108),
    ],
)
def test_differential_equations(load, method, solve, losses, norms):
    solve = load("torchdiffeq", solve)

    class Field(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2))

        def forward(self, t, y):
            return self.net(y**3)

    torch.manual_seed(0)
    field, start, times = Field(), torch.tensor([[2.0, 0.0]]), torch.linspace(0, 2, 6)
    result = train(field, lambda: solve(field, start, times, method=method).abs().mean())
    check(result, losses, norms)


def test_einops_and_its_layers(load):
    einsum, pack, reduce, repeat = load("einops", "einsum", "pack", "reduce", "repeat")
    rearranging, reducing, mixing = load("einops.layers.torch", "Rearrange", "Reduce", "EinMix")
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3),
        rearranging("b (g c) h w -> b g c (h w)", g=2),
        reducing("b g c s -> b g c", "mean"),
        mixing("b g c -> b o", weight_shape="g c o", bias_shape="o", g=2, c=4, o=5),
    )
    x = torch.randn(2, 3, 6, 6)

    def loss():
        y = model(x)
        products = einsum(y, y, "b i, b j -> i j")
        packed, _ = pack([y, y[:, :2]], "b *")
        total = products.abs().sum() + repeat(packed, "b c -> b c r", r=2).mean()
        return total + reduce(y, "b c -> c", "max").sum()

    check(train(model, loss), [3.027423, 2.835577, 2.65045], 32.3354)


def test_an_optimizer_of_somebody_else(load):
    lion = load("lion_pytorch", "Lion")
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    x = torch.randn(16, 4)
    optimizer = lion(model.parameters(), lr=1e-2, weight_decay=1e-2)
    result = train(model, lambda: (model(x) - x.sum(1, keepdim=True)).pow(2).mean(), optimizer)
    check(result, [4.441463, 4.291134, 4.147836], 5.3401)
