"""``torch.hub``: local folders, kept repositories, files at addresses, and who is trusted."""

from __future__ import annotations

import hashlib
import zipfile

import pytest

import arraytorch as torch
from arraytorch import hub

CONF = '''
import arraytorch as torch
from beside import WIDTH

dependencies = ["arraytorch"]

def linear(width=WIDTH, bias=True):
    """A linear layer."""
    return torch.nn.Linear(width, 2, bias=bias)

def _hidden():
    pass
'''


@pytest.fixture(autouse=True)
def _hub_folder(tmp_path, monkeypatch):
    """Keeps everything in a folder of the test."""
    monkeypatch.setattr(hub, "_chosen_dir", str(tmp_path / "hub"))


@pytest.fixture
def repo(tmp_path):
    """A folder with a hubconf.py and a module beside it."""
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "hubconf.py").write_text(CONF)
    (folder / "beside.py").write_text("WIDTH = 3")
    return folder


@pytest.fixture
def kept(repo, tmp_path):
    """The same, as a repository that was fetched before."""
    folder = tmp_path / "hub" / "someone_models_main"
    folder.parent.mkdir()
    repo.rename(folder)
    return folder


def test_local_folders(repo):
    """Functions of hubconf.py get the arguments, and may import what lies beside it."""
    model = hub.load(str(repo), "linear", 5, source="local", bias=False)
    assert model.weight.shape == (2, 5) and model.bias is None
    assert hub.load(str(repo), "linear", source="local").weight.shape == (2, 3)


def test_kept_repositories(kept, capsys):
    """A repository that is there is not fetched again; it still has to be trusted."""
    assert hub.load("someone/models", "linear", trust_repo=True).weight.shape == (2, 3)
    assert f"Using cache found in {kept}" in capsys.readouterr().err
    assert hub.list("someone/models:main", verbose=False) == ["linear"]
    assert hub.help("someone/models", "linear") == "A linear layer."


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ("n", Exception, "Untrusted repository"),
        ("", Exception, "Untrusted"),
        ("?", ValueError, "Unrec"),
    ],
)
@pytest.mark.parametrize("trust", ["check", None, False])
def test_nothing_runs_unasked(kept, monkeypatch, answer, error, words, trust):
    """Code of others runs only after a yes."""
    (kept / "hubconf.py").write_text("raise AssertionError('it ran')")
    monkeypatch.setattr("builtins.input", lambda prompt: answer)
    with pytest.raises(error, match=words):
        hub.load("someone/models", "linear", trust_repo=trust)


def test_a_yes_is_remembered(kept, monkeypatch):
    """Until it is said that nothing said before counts."""
    asked = []
    monkeypatch.setattr("builtins.input", lambda prompt: asked.append(prompt) or "y")
    for trust in ("check", "check", False):
        hub.load("someone/models", "linear", trust_repo=trust)
    assert len(asked) == 2 and "someone_models does not belong" in asked[0]


def test_fetching(repo, tmp_path, monkeypatch):
    """A repository comes as an archive with one folder, and replaces what was there."""
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in repo.iterdir():
            packed.write(file, f"someone-models-1234/{file.name}")
    monkeypatch.setattr(hub, "_address", lambda *_: archive.as_uri())
    for force in (False, True):
        model = hub.load("someone/models:v1/x", "linear", trust_repo=True, force_reload=force)
        assert model.weight.shape == (2, 3)
    assert (tmp_path / "hub" / "someone_models_v1_x" / "hubconf.py").exists()


@pytest.mark.parametrize(
    ("model", "error", "words"),
    [
        (3, ValueError, "Invalid input: model should be a string of function name"),
        ("other", RuntimeError, "Cannot find callable other in hubconf"),
    ],
)
def test_errors(repo, model, error, words):
    """PyTorch's classes and words."""
    with pytest.raises(error, match=words):
        hub.load(str(repo), model, source="local")
    with pytest.raises(
        ValueError, match='Unknown source: "web". Allowed values: "github" | "local".'
    ):
        hub.load(str(repo), "linear", source="web")


def test_missing_dependencies(repo):
    """What the code needs is looked for before it runs."""
    (repo / "hubconf.py").write_text(
        CONF.replace('["arraytorch"]', '["arraytorch", "no_such_module"]')
    )
    with pytest.raises(RuntimeError, match="Missing dependencies: no_such_module"):
        hub.load(str(repo), "linear", source="local")


def test_weights(tmp_path):
    """Weights are fetched once, and refused if they are not what their name says."""
    file = tmp_path / "weights.pth"
    torch.save({"w": torch.arange(3)}, file)
    found = hub.load_state_dict_from_url(file.as_uri(), progress=False)
    file.unlink()
    again = hub.load_state_dict_from_url(file.as_uri())
    assert found["w"].tolist() == again["w"].tolist() == [0, 1, 2]
    assert (tmp_path / "hub" / "checkpoints" / "weights.pth").exists()


def test_hashes(tmp_path, capsys):
    """The beginning of the hash decides, and nothing is left of what is refused."""
    file, place = tmp_path / "data", tmp_path / "copy"
    file.write_bytes(b"data")
    digest = hashlib.sha256(b"data").hexdigest()
    hub.download_url_to_file(file.as_uri(), str(place), digest[:8])
    assert place.read_bytes() == b"data" and "100%" in capsys.readouterr().err
    before = set(tmp_path.iterdir())
    with pytest.raises(RuntimeError, match='invalid hash value .expected "00", got "'):
        hub.download_url_to_file(file.as_uri(), str(tmp_path / "other"), "00", progress=False)
    assert set(tmp_path.iterdir()) == before


def test_folders(monkeypatch):
    """Where things are kept follows the environment, until it is set."""
    monkeypatch.setattr(hub, "_chosen_dir", None)
    monkeypatch.setenv("TORCH_HOME", "/somewhere")
    assert hub.get_dir() == "/somewhere/hub"
    monkeypatch.delenv("TORCH_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert hub.get_dir() == "/cache/torch/hub"
