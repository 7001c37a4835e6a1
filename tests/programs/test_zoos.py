"""Zoos of models and trainers written for PyTorch, unchanged, with the numbers of real PyTorch.

Models with random weights from a seed: torchvision, with its detectors and transforms, timm, diffusers,
segmentation_models_pytorch, vector-quantize-pytorch and Lightning's Trainer. Expected are norms of outputs,
losses, and sums of norms of gradients, recorded from PyTorch 2.13. The libraries come from the two files of
requirements beside this one; a test is skipped without its own.
"""

from __future__ import annotations

import importlib
import importlib.util
import os

import pytest

import arraytorch as torch

pytestmark = pytest.mark.filterwarnings("ignore")
nn, F = torch.nn, torch.nn.functional


@pytest.fixture
def library(monkeypatch):
    """Imports a module of a library, which finds arraytorch as torch."""
    monkeypatch.setitem(os.environ, "HF_HUB_OFFLINE", "1")

    def found(module):
        package = module.partition(".")[0]
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed: tests/programs/requirements.txt")
        return importlib.import_module(module)

    with torch.as_torch():
        yield found


def norm(x):
    return x.detach().double().norm().item()


def gradients(model):
    return sum(norm(p.grad) for p in model.parameters() if p.grad is not None)


def drawn(draw, *args, seed=3):
    return draw(*args, generator=torch.Generator().manual_seed(seed))


def check(found, expected):
    *values, gradient = found
    assert values == pytest.approx(expected[:-1], rel=5e-4, abs=1e-6)
    assert gradient == pytest.approx(expected[-1], rel=5e-3)


def measured(model, x):
    """The norm of the result, the mean of its squares, and the gradients of that."""
    out = model(x)
    outs = list(out.values()) if isinstance(out, dict) else [out]
    loss = sum(o.pow(2).mean() for o in outs)
    loss.backward()
    return norm(outs[0]), loss.item(), gradients(model)


def trained(model, loss_of, steps=3):
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    losses = []
    for step in range(steps):
        loss = loss_of()
        optimizer.zero_grad()
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            first = gradients(model)
        optimizer.step()
    return *losses, first


# ------------------------------------------------------------------------------------- torchvision

SMALL_SWIN = {"patch_size": [4, 4], "embed_dim": 12, "depths": [2, 2], "num_heads": [2, 4],
              "window_size": [4, 4], "num_classes": 5}  # fmt: skip
SMALL_VIT = {"image_size": 32, "patch_size": 8, "num_layers": 2, "num_heads": 2, "hidden_dim": 16,
             "mlp_dim": 32, "num_classes": 5}  # fmt: skip
SMALL_MAXVIT = {"input_size": (64, 64), "stem_channels": 8, "block_channels": [8, 16],
                "block_layers": [1, 1], "head_dim": 4, "stochastic_depth_prob": 0.2,
                "partition_size": 4, "num_classes": 5}  # fmt: skip
VISION = [  # module, name, options, size of images, training, expected
    ("resnet", "resnet18", {"num_classes": 5}, 64, True, [0.9567335, 0.09153391, 66.38533]),
    ("squeezenet", "squeezenet1_1", {"num_classes": 5}, 64, False, [0.397801, 0.01582457, 8.897774]),
    ("mobilenetv2", "mobilenet_v2", {"num_classes": 5}, 64, True, [0.4819575, 0.0232283, 307.9555]),
    ("mobilenetv3", "mobilenet_v3_small", {"num_classes": 5}, 64, True, [0.01620418, 2.625754e-05, 0.04592182]),
    ("efficientnet", "efficientnet_b0", {"num_classes": 5}, 64, True, [10.37334, 10.76062, 66732.28]),
    ("shufflenetv2", "shufflenet_v2_x0_5", {"num_classes": 5}, 64, True, [0.8585177, 0.07370526, 273.0052]),
    ("mnasnet", "mnasnet0_5", {"num_classes": 5}, 64, False, [4.11965e-07, 1.697152e-14, 2.64736e-06]),
    ("regnet", "regnet_y_400mf", {"num_classes": 5}, 64, False, [0.02613968, 6.832828e-05, 0.04551319]),
    ("vision_transformer", "VisionTransformer", SMALL_VIT, 32, True, [0.0, 0.0, 0.0]),
    ("swin_transformer", "SwinTransformer", SMALL_SWIN, 32, False, [0.05651604, 0.0003194063, 0.09222408]),
    ("maxvit", "MaxVit", SMALL_MAXVIT, 64, True, [0.01677542, 2.814147e-05, 0.1518086]),
    ("segmentation", "lraspp_mobilenet_v3_large",
     {"num_classes": 3, "weights_backbone": None}, 64, False, [17.04928, 0.01182771, 0.4322834]),
]  # fmt: skip


@pytest.mark.parametrize(("module", "name", "options", "size", "training", "expected"), VISION)
def test_torchvision_s_models(library, module, name, options, size, training, expected):
    """Training mode draws dropout and stochastic depth, and normalises by the batch."""
    kind = getattr(library(f"torchvision.models.{module}"), name)
    torch.manual_seed(0)
    model = kind(**options).train(training)
    check(measured(model, drawn(torch.randn, 2, 3, size, size)), expected)


DETECTORS = [
    (
        "fasterrcnn_mobilenet_v3_large_320_fpn",
        {"min_size": 64, "max_size": 96},
        [0.1891481, 1.119615, 0.6914977, 0.01792917, 44.02146],
    ),
    (
        "fcos_resnet50_fpn",
        {"min_size": 64, "max_size": 96},
        [0.7586131, 0.9996792, 1.132053, 593.4368],
    ),
]


@pytest.mark.parametrize(("name", "options", "expected"), DETECTORS)
def test_torchvision_s_detectors(library, name, options, expected):
    """Their operations on boxes are compiled in torchvision, and written here on tensors."""
    kind = getattr(library("torchvision.models.detection"), name)
    torch.manual_seed(0)
    model = kind(weights=None, weights_backbone=None, num_classes=3, **options)
    images = [drawn(torch.rand, 3, 64, 80), drawn(torch.rand, 3, 72, 64)]
    targets = [{"boxes": torch.tensor([[5.0, 6, 40, 50], [20, 20, 60, 60]]),
                "labels": torch.tensor([1, 2])},
               {"boxes": torch.tensor([[1.0, 2, 30, 44]]), "labels": torch.tensor([1])}]  # fmt: skip
    losses = model(images, targets)
    sum(losses.values()).backward()
    check([*(losses[key].item() for key in sorted(losses)), gradients(model)], expected)


def test_parts_of_torchvision_s_models(library):
    """Extracting features traces the model with torch.fx, by the names of its nodes."""
    extraction = library("torchvision.models.feature_extraction")
    torch.manual_seed(0)
    model = library("torchvision.models").resnet18(num_classes=4).eval()
    names, _ = extraction.get_graph_node_names(model)
    assert names[:4] == ["x", "conv1", "bn1", "relu"] and "layer3.0.add" in names
    parts = {"layer1": "first", "layer3.0.add": "sum", "fc": "last"}
    out = extraction.create_feature_extractor(model, parts)(drawn(torch.randn, 2, 3, 64, 64))
    check([*map(norm, out.values()), norm(out["last"])], FEATURES)


FEATURES = [267.8062, 161.0227, 1.241587, 1.241587]

TRANSFORMS = [
    ("RandomResizedCrop", (24,), {}, [5561.353, 42.94838, 23.79075, 5561.353]),
    (
        "RandomAffine",
        (20, (0.1, 0.1), (0.8, 1.2), 10),
        {},
        [11378.84, 65.34001, 44.53089, 11378.84],
    ),
    ("RandomPerspective", (), {"p": 1.0}, [7248.233, 54.68332, 31.44837, 7248.233]),
    ("ColorJitter", (0.4, 0.4, 0.4, 0.1), {}, [12623.68, 66.22688, 44.81071, 12623.68]),
    ("RandomZoomOut", (), {"p": 1.0}, [11449.92, 118.33, 44.81071, 11449.92]),
    ("Resize", ((20, 30),), {}, [5553.73, 36.47259, 24.41311, 5553.73]),
]


@pytest.mark.parametrize(("name", "args", "options", "expected"), TRANSFORMS)
def test_torchvision_s_transforms(library, name, args, options, expected):
    """Of an image, boxes and masks at once, which are tensors of classes of their own."""
    v2, kinds = library("torchvision.transforms.v2"), library("torchvision.tv_tensors")
    image = kinds.Image(drawn(torch.randint, 0, 256, (3, 40, 50)).to(torch.uint8))
    boxes = kinds.BoundingBoxes(torch.tensor([[5.0, 6, 20, 30], [10, 10, 40, 35]]), format="XYXY",
                                canvas_size=(40, 50))  # fmt: skip
    mask = kinds.Mask(drawn(torch.rand, 2, 40, 50) > 0.5)
    torch.manual_seed(1)
    out = getattr(v2, name)(*args, **options)({"image": image, "boxes": boxes, "mask": mask})
    assert type(out["image"]) is kinds.Image and type(out["boxes"]) is kinds.BoundingBoxes
    assert type(image + 1) is torch.Tensor and type(image.clone()) is kinds.Image
    plain = [norm(out[key].as_subclass(torch.Tensor)) for key in ("image", "boxes", "mask")]
    check([*plain, plain[0]], expected)


# -------------------------------------------------------------------------------------------- timm

TIMM = [
    ("vit_tiny_patch16_224", {"img_size": 32, "depth": 2}, 32, [0.8759759, 0.1534668, 45.03006]),
    ("convnext_atto", {}, 64, [0.6729856, 0.09058192, 29.43928]),
    ("mobilenetv4_conv_small", {}, 64, [55.04598, 606.0121, 182039.9]),
    ("ghostnet_050", {}, 64, [0.03736345, 0.0002792054, 0.04713366]),
    ("edgenext_xx_small", {}, 64, [0.1840074, 0.006771743, 5.568904]),
    ("mobilevit_xxs", {}, 64, [0.05632933, 0.0006345987, 0.3990168]),
    ("nf_resnet26", {}, 64, [0.1433014, 0.004107057, 0.9467087]),
    ("starnet_s1", {}, 64, [0.1178563, 0.002778023, 0.4270345]),
    ("eva02_tiny_patch14_224", {"img_size": 28, "depth": 2}, 28, [0.0008146621, 1.327349e-07, 0.00484926]),
    ("mambaout_femto", {}, 64, [2.526066, 1.276202, 340.4788]),
    ("swinv2_tiny_window8_256", {"img_size": 64, "depths": (1, 1), "embed_dim": 24,
                                 "num_heads": (2, 2), "window_size": 4}, 64, [0.04646877, 0.0004318694, 0.09913903]),
    ("resmlp_12_224", {"img_size": 32}, 32, [0.0, 0.0, 0.0]),
    ("pvt_v2_b0", {}, 64, [0.5320227, 0.05660964, 11.29265]),
    ("resnest14d", {}, 64, [0.03495828, 0.0002444162, 0.1419621]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options", "size", "expected"), TIMM)
def test_timm_s_models(library, name, options, size, expected):
    """Architectures by name, without weights."""
    timm = library("timm")
    torch.manual_seed(0)
    model = timm.create_model(name, pretrained=False, num_classes=5, **options).eval()
    check(measured(model, drawn(torch.randn, 1, 3, size, size)), expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lamb", [1.378103, 1.256526, 1.145083, 76.89876, 23.90689]),
        ("adan", [1.378103, 0.4047435, 0.355372, 76.87839, 1.047588]),
        ("cadamw", [1.378103, 0.4047759, 0.3669935, 76.90402, 1.619475]),
    ],
)
def test_timm_s_optimizers(library, name, expected):
    """Three steps of each, with an average of the weights."""
    timm, optim = library("timm"), library("timm.optim")
    torch.manual_seed(0)
    model = timm.create_model("vit_tiny_patch16_224", img_size=32, depth=1, num_classes=4)
    average = library("timm.utils").ModelEmaV3(model, 0.9)
    x, y = drawn(torch.randn, 4, 3, 32, 32), torch.arange(4)
    optimizer, losses = optim.create_optimizer_v2(model, name, lr=1e-3, weight_decay=0.05), []
    for _ in range(3):
        loss = library("timm.loss").LabelSmoothingCrossEntropy()(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average.update(model)
        losses.append(loss.item())
    weights = sum(norm(p) for p in average.module.parameters())
    check([*losses, weights, gradients(model)], expected)


# --------------------------------------------------------------------------------------- diffusers


def small_unet(diffusers):
    return diffusers.UNet2DModel(
        sample_size=16, in_channels=3, out_channels=3, layers_per_block=1, norm_num_groups=8,
        block_out_channels=(16, 32), down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
    )  # fmt: skip


def test_a_diffusion_model_learns_and_draws(library):
    """Training on noise, then sampling by two schedulers' pipelines."""
    diffusers = library("diffusers")
    torch.manual_seed(0)
    model, scheduler = small_unet(diffusers), diffusers.DDPMScheduler(num_train_timesteps=50)
    x, noise, t = (
        drawn(torch.randn, 2, 3, 16, 16),
        drawn(torch.randn, 2, 3, 16, 16, seed=4),
        [3, 40],
    )
    t = torch.tensor(t)
    noisy = scheduler.add_noise(x, noise, t)
    check(trained(model, lambda: F.mse_loss(model(noisy, t).sample, noise)), DIFFUSION)
    drawings = []
    for name, options in (("DDPM", {}), ("DDIM", {"eta": 0.5})):
        kind, steps = getattr(diffusers, f"{name}Scheduler"), {"num_inference_steps": 4}
        pipeline = getattr(diffusers, f"{name}Pipeline")(model, kind(num_train_timesteps=50))
        pipeline.set_progress_bar_config(disable=True)
        seed = torch.Generator().manual_seed(0)
        images = pipeline(1, generator=seed, output_type="np", **steps, **options).images
        drawings.append(norm(torch.as_tensor(images)))
    check([*drawings, drawings[0]], DRAWINGS)


DIFFUSION = [1.105391, 0.9860834, 0.9131289, 9.192318]
DRAWINGS = [17.83204, 17.66509, 17.83204]


def test_parts_of_latent_diffusion(library):
    """A U-Net that looks at text, and an autoencoder that draws its latents."""
    diffusers = library("diffusers")
    torch.manual_seed(0)
    unet = diffusers.UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, layers_per_block=1, norm_num_groups=8,
        block_out_channels=(16, 32), cross_attention_dim=12, attention_head_dim=4,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    )  # fmt: skip
    x, text, t = drawn(torch.randn, 2, 4, 8, 8), drawn(torch.randn, 2, 5, 12), torch.tensor([3, 7])
    check(trained(unet, lambda: unet(x, t, text).sample.pow(2).mean()), CONDITIONAL)
    torch.manual_seed(0)
    coder = diffusers.AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(8, 16), norm_num_groups=4, latent_channels=2,
    )  # fmt: skip
    images = drawn(torch.rand, 2, 3, 16, 16)

    def loss():
        latents = coder.encode(images).latent_dist
        restored = coder.decode(latents.sample(torch.Generator().manual_seed(5))).sample
        return F.mse_loss(restored, images) + latents.kl().mean() * 1e-3

    check(trained(coder, loss), AUTOENCODER)


CONDITIONAL = [0.09625522, 0.04271632, 0.0258621, 5.19672]
AUTOENCODER = [0.4373632, 0.3224999, 0.2741265, 12.67067]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("EulerAncestralDiscreteScheduler", [174.9201, 174.9201]), ("DPMSolverMultistepScheduler", [138.4021, 138.4021]),
     ("UniPCMultistepScheduler", [130.213, 130.213]), ("FlowMatchEulerDiscreteScheduler", [2.997483, 2.997483])],
)  # fmt: skip
def test_schedulers_of_diffusion(library, name, expected):
    """Six steps of a model that predicts a third of its input."""
    scheduler = getattr(library("diffusers"), name)()
    scheduler.set_timesteps(6)
    x = torch.linspace(-1, 1, 48).view(1, 3, 4, 4) * getattr(scheduler, "init_noise_sigma", 1.0)
    torch.manual_seed(1)
    for t in scheduler.timesteps:
        scaled = getattr(scheduler, "scale_model_input", lambda x, t: x)(x, t)
        x = scheduler.step(scaled * 0.3, t, x).prev_sample
    check([norm(x)] * 2, expected)


# ------------------------------------------------------------------------------------------ others


@pytest.mark.parametrize(
    ("name", "encoder", "expected"),
    [("Unet", "resnet18", [111.613, 0.8431926, 51.04801]), ("FPN", "mobilenet_v2", [200.0113, 1.135805, 11541160.0]),
     ("Segformer", "mit_b0", [85.98895, 0.7541347, 11.26215])],
)  # fmt: skip
def test_segmentation_models(library, name, encoder, expected):
    """Encoders of two zoos, and the losses that go with them."""
    smp = library("segmentation_models_pytorch")
    torch.manual_seed(0)
    model = getattr(smp, name)(encoder, encoder_weights=None, classes=2).eval()
    x, y = drawn(torch.randn, 2, 3, 64, 64), (drawn(torch.rand, 2, 2, 64, 64) > 0.5).float()
    out = model(x)
    loss = smp.losses.DiceLoss("multilabel")(out, y) + smp.losses.FocalLoss("multilabel")(out, y)
    loss.backward()
    check([norm(out), loss.item(), gradients(model)], expected)


def test_vector_quantization(library):
    """Codebooks that follow averages, start from k-means, are residual, or finite."""
    vq = library("vector_quantize_pytorch")
    x = torch.linspace(-2, 2, 2 * 10 * 16).view(2, 10, 16).sin()
    found = []
    for kind, options in (
        ("VectorQuantize", {"dim": 16, "codebook_size": 8, "decay": 0.8}),
        ("VectorQuantize", {"dim": 16, "codebook_size": 8, "kmeans_init": True, "kmeans_iters": 3}),
        ("ResidualVQ", {"dim": 16, "codebook_size": 8, "num_quantizers": 3}),
        ("FSQ", {"dim": 16, "levels": [8, 5, 5]}),
    ):
        torch.manual_seed(0)
        out = getattr(vq, kind)(**options)(x)
        found += [norm(out[0]), norm(out[1].float())]
    check([*found, found[0]], QUANTIZED)


QUANTIZED = [
    2.283758,
    13.41641,
    13.72927,
    19.54482,
    3.482785,
    24.20744,
    7.368044,
    495.0535,
    2.283758,
]


def test_lightning_s_trainer(library, tmp_path):
    """Three epochs with gradient accumulation and clipping, validation, a summary and checkpoints."""
    lightning = library("pytorch_lightning")

    class Classifier(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.save_hyperparameters()
            layers = nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 2)
            self.net, self.losses = nn.Sequential(*layers), []

        def training_step(self, batch, index):
            loss = F.cross_entropy(self.net(batch[0]), batch[1])
            self.log("train", loss, on_epoch=True)
            self.losses.append(loss.item())
            return loss

        def validation_step(self, batch, index):
            self.log("valid", F.cross_entropy(self.net(batch[0]), batch[1]))

        def configure_optimizers(self):
            optimizer = torch.optim.AdamW(self.parameters(), 1e-2)
            return [optimizer], [torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 3)]

    lightning.seed_everything(0, verbose=False)
    x = torch.randn(64, 8)
    data = torch.utils.data.TensorDataset(x, (x.sum(1) > 0).long())
    loaders = [torch.utils.data.DataLoader(data, 16, shuffle=s) for s in (True, False)]
    model = Classifier()
    trainer = lightning.Trainer(
        max_epochs=3, accelerator="cpu", logger=False, default_root_dir=tmp_path,
        enable_progress_bar=False, gradient_clip_val=0.5, accumulate_grad_batches=2,
    )  # fmt: skip
    trainer.fit(model, *loaders)
    path = trainer.checkpoint_callback.best_model_path
    again = Classifier.load_from_checkpoint(path, weights_only=False)
    weights = sum(norm(p) for p in again.parameters())
    valid = trainer.callback_metrics["valid"].item()
    check([*model.losses[-6:], valid, weights], TRAINED)


TRAINED = [0.5921547, 0.6745372, 0.6112081, 0.5906198, 0.6031559, 0.7075076, 0.616276, 4.284665]
