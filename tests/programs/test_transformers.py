"""Hugging Face's libraries and torchmetrics, unchanged, with the numbers of real PyTorch.

Tiny models with random weights from a seed. Expected are the losses of three steps of AdamW and the
sum of the norms of the first gradients, generated tokens and files, recorded from PyTorch 2.13. The
libraries come from the two files of requirements beside this one; a test is skipped without its own.
"""

from __future__ import annotations

import importlib.util
import os

import pytest

import arraytorch as torch

pytestmark = pytest.mark.filterwarnings("ignore")

TEXT = {"vocab_size": 50, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
        "intermediate_size": 64, "max_position_embeddings": 64}  # fmt: skip
GROUPED = {**TEXT, "num_key_value_heads": 2}
SEEING = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
          "intermediate_size": 64, "image_size": 16, "patch_size": 4}  # fmt: skip
BOTH_WAYS = {"vocab_size": 50, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2,
             "encoder_attention_heads": 4, "decoder_attention_heads": 4, "encoder_ffn_dim": 64,
             "decoder_ffn_dim": 64}  # fmt: skip


def drawn(draw, *args, seed):
    return draw(*args, generator=torch.Generator().manual_seed(seed))


def tokens(rows=2, length=16):
    return drawn(torch.randint, 1, 50, (rows, length), seed=7)


def text():
    return {"input_ids": tokens(), "labels": tokens()}


def padded():
    mask = torch.ones_like(tokens())
    mask[1, 10:] = 0
    return {**text(), "attention_mask": mask}


def picture(size=16):
    return drawn(torch.randn, 2, 3, size, size, seed=3)


def pictures(size=16):
    return {"pixel_values": picture(size), "labels": torch.tensor([0, 1])}


def sentences():
    return {"input_ids": tokens(), "labels": torch.tensor([0, 1])}


def captions():
    return {"input_ids": tokens(), "pixel_values": picture(), "return_loss": True}


def sound():
    speech = drawn(torch.randn, 2, 2000, seed=3)
    generator = torch.Generator().manual_seed(3)
    speech = torch.randn(2, 2000, generator=generator)
    return {"input_values": speech, "labels": torch.randint(1, 20, (2, 3), generator=generator)}


def spectra():
    return {"input_features": drawn(torch.randn, 2, 8, 20, seed=1), "labels": tokens()}


def pixels():
    labels = drawn(torch.randint, 0, 2, (2, 32, 32), seed=5)
    return {"pixel_values": picture(32), "labels": labels}


MODELS = {  # name: (class, configuration, options, batch, losses, norms)
    "gpt2": ("GPT2LMHeadModel", "GPT2Config",
             {"vocab_size": 50, "n_positions": 64, "n_embd": 32, "n_layer": 2, "n_head": 4},
             padded, [3.916863, 3.57656, 3.431975], 7.95782),
    "bert": ("BertForMaskedLM", "BertConfig", TEXT, padded,
             [3.903489, 3.483178, 3.155426], 4.29535),
    "llama": ("LlamaForCausalLM", "LlamaConfig", GROUPED, padded,
              [3.950215, 3.638916, 3.463615], 3.68055),
    "mistral": ("MistralForCausalLM", "MistralConfig", {**GROUPED, "sliding_window": 6}, padded,
                [3.955178, 3.590965, 3.355895], 3.82009),
    "qwen2": ("Qwen2ForCausalLM", "Qwen2Config", GROUPED, padded,
              [3.937108, 3.618742, 3.433841], 4.03186),
    "mixtral": ("MixtralForCausalLM", "MixtralConfig", {**GROUPED, "num_local_experts": 4}, text,
                [3.874737, 3.558647, 3.353558], 3.64994),
    "gemma2": ("Gemma2ForCausalLM", "Gemma2Config",
               {**GROUPED, "head_dim": 8, "sliding_window": 6}, text,
               [3.911433, 3.782243, 3.458035], 10.27976),
    "gpt_neox": ("GPTNeoXForCausalLM", "GPTNeoXConfig", TEXT, text,
                 [3.907398, 3.549627, 3.269786], 8.87629),
    "distilbert": ("DistilBertForSequenceClassification", "DistilBertConfig",
                   {"vocab_size": 50, "dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64,
                    "max_position_embeddings": 64}, sentences,
                   [0.69555, 0.690783, 0.655503], 1.01234),
    "albert": ("AlbertForMaskedLM", "AlbertConfig", {**TEXT, "embedding_size": 16}, text,
               [3.913402, 3.66767, 3.513626], 4.92877),
    "deberta": ("DebertaV2ForMaskedLM", "DebertaV2Config",
                {**TEXT, "relative_attention": True, "pos_att_type": ["p2c", "c2p"],
                 "position_buckets": 8}, padded, [3.916905, 3.510641, 3.208979], 7.80083),
    "phi": ("PhiForCausalLM", "PhiConfig",
            TEXT,
            padded, [3.902862, 3.591707, 3.279566], 11.28876),
    "qwen3": ("Qwen3ForCausalLM", "Qwen3Config",
              {**GROUPED, "head_dim": 8},
              padded, [3.956506, 3.63449, 3.42414], 4.975),
    "olmo2": ("Olmo2ForCausalLM", "Olmo2Config",
              GROUPED,
              text, [3.955412, 3.699699, 3.402522], 7.5287),
    "bloom": ("BloomForCausalLM", "BloomConfig",
              {"vocab_size": 50, "hidden_size": 32, "n_layer": 2, "n_head": 4},
              padded, [3.95478, 3.608953, 3.29763], 1.81322),
    "deepseek": ("DeepseekV3ForCausalLM", "DeepseekV3Config",
                 {**GROUPED, "moe_intermediate_size": 16, "n_routed_experts": 4, "num_experts_per_tok": 2,
                  "n_group": 2, "topk_group": 1, "first_k_dense_replace": 1, "q_lora_rank": 8,
                  "kv_lora_rank": 8, "qk_rope_head_dim": 4, "qk_nope_head_dim": 4, "v_head_dim": 8},
                 text, [3.921605, 3.527977, 3.23752], 3.77335),
    "longformer": ("LongformerForMaskedLM", "LongformerConfig",
                   {**TEXT, "max_position_embeddings": 80, "attention_window": 8, "pad_token_id": 1},
                   text, [3.981473, 3.519058, 3.206789], 5.13462),
    "xlnet": ("XLNetLMHeadModel", "XLNetConfig",
              {"vocab_size": 50, "d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 64},
              text, [3.382106, 3.105346, 2.830466], 1.96498),
    "fnet": ("FNetForMaskedLM", "FNetConfig",
             {k: v for k, v in TEXT.items() if k != "num_attention_heads"},
             text, [3.903761, 3.559103, 3.265834], 6.43191),
    "t5": ("T5ForConditionalGeneration", "T5Config",
           {"vocab_size": 50, "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2,
            "num_heads": 4, "decoder_start_token_id": 0, "pad_token_id": 0}, text,
           [4.618765, 3.844815, 3.504204], 14.15655),
    "bart": ("BartForConditionalGeneration", "BartConfig",
             {**BOTH_WAYS, "max_position_embeddings": 64}, text,
             [3.91998, 3.540393, 3.246519], 2.67333),
    "vit": ("ViTForImageClassification", "ViTConfig", SEEING, pictures,
            [0.699615, 0.685899, 0.74359], 2.378),
    "dinov2": ("Dinov2ForImageClassification", "Dinov2Config",
               {k: v for k, v in SEEING.items() if k != "intermediate_size"}, pictures,
               [0.6941, 0.735086, 0.391249], 6.33754),
    "swin": ("SwinForImageClassification", "SwinConfig",
             {"image_size": 16, "patch_size": 2, "embed_dim": 8, "depths": [2, 2],
              "num_heads": [2, 2], "window_size": 4}, pictures,
             [0.698043, 0.661009, 0.570808], 1.8987),
    "resnet": ("ResNetForImageClassification", "ResNetConfig",
               {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1],
                "layer_type": "basic"}, lambda: pictures(32),
               [0.749288, 0.43568, 0.289149], 5.26464),
    "segformer": ("SegformerForSemanticSegmentation", "SegformerConfig",
                  {"hidden_sizes": [8, 16], "depths": [1, 1], "num_encoder_blocks": 2,
                   "sr_ratios": [2, 1], "num_attention_heads": [1, 2], "patch_sizes": [7, 3],
                   "strides": [4, 2], "mlp_ratios": [2, 2], "decoder_hidden_size": 16}, pixels,
                  [0.692597, 0.690088, 0.685362], 0.15524),
    "wav2vec2": ("Wav2Vec2ForCTC", "Wav2Vec2Config",
                 {"vocab_size": 20, "hidden_size": 32, "num_hidden_layers": 2,
                  "num_attention_heads": 4, "intermediate_size": 64, "conv_dim": (16, 16, 16),
                  "conv_stride": (5, 4, 2), "conv_kernel": (10, 4, 2),
                  "num_feat_extract_layers": 3, "num_conv_pos_embeddings": 16,
                  "num_conv_pos_embedding_groups": 4, "mask_time_prob": 0.0}, sound,
                 [264.73291, 235.473358, 192.893829], 285.92975),
    "whisper": ("WhisperForConditionalGeneration", "WhisperConfig",
                {**BOTH_WAYS, "num_mel_bins": 8, "max_source_positions": 10,
                 "max_target_positions": 32, "pad_token_id": 0, "bos_token_id": 1,
                 "eos_token_id": 2, "decoder_start_token_id": 1}, spectra,
                [3.91846, 3.646654, 3.388815], 9.98402),
    "mamba": ("MambaForCausalLM", "MambaConfig",
              {"vocab_size": 50, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 8}, text,
              [4.414126, 3.427981, 2.661377], 4.28276),
}  # fmt: skip


@pytest.fixture
def library(monkeypatch):
    if importlib.util.find_spec("transformers") is None:
        pytest.skip("transformers is not installed: requirements-with-dependencies.txt")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with torch.as_torch():
        import transformers

        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        yield transformers


def build(library, name):
    kind, configuration, options = MODELS[name][:3]
    torch.manual_seed(0)
    return getattr(library, kind)(getattr(library, configuration)(**options))


def clip(library):
    config = library.CLIPConfig(
        text_config={**TEXT, "eos_token_id": 49}, vision_config=SEEING, projection_dim=16
    )
    torch.manual_seed(0)
    return library.CLIPModel(config)


def train(model, batch):
    """Returns the losses of three steps, and the sum of the norms of the first gradients."""
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for step in range(3):
        torch.manual_seed(step + 1)  # of dropout
        loss = model(**batch).loss
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            norms = sum(p.grad.norm().item() for p in model.parameters() if p.grad is not None)
        optimizer.step()
        losses.append(loss.item())
    return losses, norms


@pytest.mark.parametrize("name", MODELS)
def test_training(library, name):
    batch, losses, norms = MODELS[name][3:]
    found = train(build(library, name), batch())
    assert found[0] == pytest.approx(losses, rel=5e-4)
    assert found[1] == pytest.approx(norms, rel=5e-3)


def test_clip(library):
    losses, norms = train(clip(library), captions())
    assert losses == pytest.approx([1.381074, 1.874219, 0.858971], rel=5e-4)
    assert norms == pytest.approx(134.02028, rel=5e-3)


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("gpt2", {"do_sample": False},
         [[26, 26, 26, 26, 26, 26, 26, 26], [42, 42, 42, 42, 42, 35, 35, 35]]),
        ("llama", {"do_sample": False},
         [[2, 0, 0, 0, 0, 0, 0, 0], [40, 8, 22, 12, 47, 37, 45, 45]]),
        ("gpt2", {"num_beams": 3, "do_sample": False},
         [[26, 4, 4, 4, 4, 4, 4, 4], [35, 35, 35, 35, 35, 35, 35, 35]]),
        ("bart", {"num_beams": 2, "do_sample": False},
         [[15, 15, 15, 15, 12, 12, 2], [15, 15, 15, 15, 12, 12, 2]]),
        ("gpt2", {"do_sample": True, "top_k": 10, "temperature": 0.8},
         [[26, 4, 13, 9, 39, 9, 21, 25], [29, 6, 44, 42, 29, 43, 6, 34]]),
        ("llama", {"do_sample": True, "top_p": 0.9},
         [[29, 22, 18, 42, 49, 25, 49, 35], [32, 14, 48, 45, 34, 7, 19, 39]]),
        ("llama", {"do_sample": False, "cache_implementation": "static"},
         [[2, 0, 0, 0, 0, 0, 0, 0], [40, 8, 22, 12, 47, 37, 45, 45]]),
    ],
)  # fmt: skip
def test_generation(library, name, options, expected):
    """The same tokens, drawn ones included."""
    model = build(library, name).eval()
    given = tokens(length=6)
    out = model.generate(
        input_ids=given, attention_mask=torch.ones_like(given), max_new_tokens=8, pad_token_id=0,
        **options,
    )  # fmt: skip
    assert out[:, -len(expected[0]) :].tolist() == expected


@pytest.mark.parametrize("name", ["gpt2", "bert", "llama"])
def test_save_and_load(library, name, tmp_path):
    model = build(library, name).eval()
    batch = {k: v for k, v in padded().items() if k != "labels"}
    model.save_pretrained(tmp_path)
    assert "model.safetensors" in os.listdir(tmp_path)
    again = type(model).from_pretrained(tmp_path).eval()
    logits = model(**batch).logits
    assert torch.equal(again(**batch).logits, logits)
    norm = {"gpt2": 4.9723, "bert": 4.9714, "llama": 4.6028}[name]
    assert logits.norm().item() == pytest.approx(norm, rel=5e-4)
    half = type(model).from_pretrained(tmp_path, dtype=torch.bfloat16)
    assert half.dtype is torch.bfloat16


@pytest.mark.parametrize(
    ("name", "expected"),
    [("llama", [0.19167, -0.17349, -0.04586]), ("mistral", [0.22502, -0.14332, -0.06578])],
)
def test_attention_in_three_ways(library, name, expected):
    model = build(library, name).eval()
    batch = {k: v for k, v in padded().items() if k != "labels"}
    for way in ("sdpa", "flex_attention", "eager"):
        model.set_attn_implementation(way)
        logits = model(**batch).logits[0, -1, :3]
        assert logits.tolist() == pytest.approx(expected, abs=2e-5)


def test_gradient_checkpointing(library):
    model = build(library, "llama").train()
    model.gradient_checkpointing_enable()
    loss = model(**padded()).loss
    loss.backward()
    assert loss.item() == pytest.approx(3.95022, rel=1e-5)
    norms = sum(p.grad.norm().item() for p in model.parameters())
    assert norms == pytest.approx(3.6806, rel=1e-4)


def test_safetensors(library, tmp_path):
    from safetensors import safe_open
    from safetensors.torch import load, load_model, save, save_file, save_model

    given = {
        "a": torch.arange(6.0).reshape(2, 3),
        "b": torch.ones(3, dtype=torch.bfloat16),
        "c": torch.tensor([1, 2]),
        "d": torch.tensor(True),
        "e": torch.zeros(0, 3, dtype=torch.float16),
        "f": torch.ones(3).to(torch.float8_e4m3fn),
    }
    for name, value in load(save(given)).items():
        assert value.dtype is given[name].dtype and value.shape == given[name].shape
        assert torch.equal(value.float(), given[name].float())
    save_file(given, tmp_path / "x.safetensors", metadata={"by": "me"})
    with safe_open(tmp_path / "x.safetensors", "pt") as file:
        assert sorted(file.keys()) == sorted(given) and file.metadata() == {"by": "me"}
        assert file.get_slice("a")[:, 1:].tolist() == [[1, 2], [4, 5]]
    layer = torch.nn.Linear(2, 2)
    twice = torch.nn.Sequential(layer, layer)
    save_model(twice, str(tmp_path / "m.safetensors"))
    assert load_model(twice, tmp_path / "m.safetensors") == (set(), [])
    with pytest.raises(RuntimeError, match="Some tensors share memory"):
        save({"a": given["a"], "b": given["a"][0]})
    with pytest.raises(ValueError, match="non contiguous"):
        save({"a": given["a"].T})


class Sequences(torch.utils.data.Dataset):
    def __len__(self):
        return 16

    def __getitem__(self, i):
        row = drawn(torch.randint, 1, 50, (8,), seed=i)
        return {"input_ids": row, "labels": row.clone()}


def needs(name):
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed: requirements.txt")


def test_trainer(library, tmp_path):
    """Losses and norms at each of five steps, the loss on other data, and a checkpoint."""
    needs("accelerate")
    library.set_seed(0)
    model = build(library, "gpt2")
    options = library.TrainingArguments(
        output_dir=str(tmp_path), per_device_train_batch_size=4, max_steps=5, logging_steps=1,
        report_to=[], use_cpu=True, learning_rate=1e-2, disable_tqdm=True, save_steps=5,
        eval_strategy="steps", eval_steps=5,
    )  # fmt: skip
    trainer = library.Trainer(model, options, train_dataset=Sequences(), eval_dataset=Sequences())
    trainer.train()
    history = {
        name: [entry[name] for entry in trainer.state.log_history if name in entry]
        for name in ("loss", "grad_norm", "eval_loss")
    }
    assert history["loss"] == pytest.approx([3.4456, 3.4499, 3.4257, 3.3951, 3.2765], rel=5e-4)
    assert history["grad_norm"] == pytest.approx([2.0194, 1.4263, 1.1704, 1.1625, 1.1239], rel=5e-3)
    assert history["eval_loss"] == pytest.approx([3.2884], rel=5e-4)
    saved = set(os.listdir(tmp_path / "checkpoint-5"))
    assert {"model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth"} <= saved


def test_accelerate(library, tmp_path):
    needs("accelerate")
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=True)
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    data = [(torch.ones(3) * i, torch.ones(1)) for i in range(8)]
    loader = torch.utils.data.DataLoader(data, batch_size=2, shuffle=True)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    model, optimizer, loader, schedule = accelerator.prepare(model, optimizer, loader, schedule)
    losses = []
    for x, y in loader:
        with accelerator.accumulate(model):
            loss = ((model(x) - y) ** 2).mean()
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
        losses.append(loss.item())
    assert losses == pytest.approx([2.88586, 2.00327, 1.8103, 1.77321], rel=5e-4)
    accelerator.save_state(str(tmp_path))
    accelerator.load_state(str(tmp_path))
    assert accelerator.unwrap_model(model) is model


def test_lora(library, tmp_path):
    needs("peft")
    from peft import LoraConfig, get_peft_model

    options = {k: v for k, v in TEXT.items() if k != "max_position_embeddings"}
    torch.manual_seed(0)
    model = library.LlamaForCausalLM(library.LlamaConfig(**options))
    config = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], lora_alpha=8)
    model = get_peft_model(model, config)
    batch = torch.randint(1, 50, (2, 8))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-1)
    losses = []
    for _ in range(3):
        loss = model(input_ids=batch, labels=batch).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses == pytest.approx([3.89358, 3.78884, 3.84512], rel=5e-4)
    model.save_pretrained(tmp_path)
    assert (tmp_path / "adapter_model.safetensors").exists()
    logits = model.merge_and_unload()(input_ids=batch).logits
    assert logits.norm().item() == pytest.approx(3.5805, rel=5e-3)


def test_metrics(library):
    needs("torchmetrics")
    import torchmetrics

    generator = torch.Generator().manual_seed(0)
    p = torch.randn(20, 4, generator=generator).softmax(-1)
    y = torch.randint(0, 4, (20,), generator=generator)
    expected = {"Accuracy": 0.45, "F1Score": 0.45, "AUROC": 0.53911, "ConfusionMatrix": 1.25,
                "AveragePrecision": 0.39423, "Precision": 0.45, "CohenKappa": 0.2517}  # fmt: skip
    for name, value in expected.items():
        metric = getattr(torchmetrics, name)(task="multiclass", num_classes=4)
        metric.update(p, y)
        assert metric.compute().float().mean().item() == pytest.approx(value, abs=2e-5), name
    expected = {"MeanSquaredError": 0.09402, "R2Score": -0.74642, "PearsonCorrCoef": -0.13601,
                "SpearmanCorrCoef": -0.06767}  # fmt: skip
    for name, value in expected.items():
        metric = getattr(torchmetrics, name)()
        metric(p[:, 0], p[:, 1])
        assert metric.compute().item() == pytest.approx(value, abs=2e-5), name
