"""``torch.hub``: models that a folder or a repository on GitHub offers in its ``hubconf.py``.

That file is code, and it runs. So that nothing runs unasked, a repository is fetched and run only if
``trust_repo=True`` says so, if the user says so when asked, or if that was said before.
"""

from __future__ import annotations

import builtins
import hashlib
import os
import re
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlparse
from urllib.request import Request, urlopen

from .serialization import load as _load

__all__ = [
    "download_url_to_file",
    "get_dir",
    "help",
    "list",
    "load",
    "load_state_dict_from_url",
    "set_dir",
]

_CHUNK = 1 << 17
HASH_REGEX = re.compile(r"-([a-f0-9]*)\.")
_chosen_dir: str | None = None


def get_dir() -> str:
    """Returns where repositories and weights are kept: below ``TORCH_HOME``, unless `set_dir` did.

    Without that variable it is ``$XDG_CACHE_HOME/torch``, or ``~/.cache/torch``.
    """
    return os.path.join(_get_torch_home(), "hub") if _chosen_dir is None else _chosen_dir


def _get_torch_home() -> str:
    cache = os.getenv("XDG_CACHE_HOME", "~/.cache")
    return os.path.expanduser(os.getenv("TORCH_HOME", os.path.join(cache, "torch")))


def set_dir(d: str | os.PathLike[str]) -> None:
    """Sets the folder in which repositories and weights are kept.

    >>> torch.hub.set_dir("/tmp/models")
    >>> torch.hub.get_dir()
    '/tmp/models'
    """
    global _chosen_dir
    _chosen_dir = os.path.expanduser(d)


def list(
    github: str,
    force_reload: bool = False,
    skip_validation: bool = False,
    trust_repo: Any = "check",
    verbose: bool = True,
) -> builtins.list[str]:
    """Returns the names of what a repository, "owner/name[:branch]", offers."""
    folder = _fetched(github, force_reload, trust_repo, verbose)
    with _offer(folder) as conf:
        return [n for n in dir(conf) if callable(getattr(conf, n)) and not n.startswith("_")]


def help(
    github: str,
    model: str,
    force_reload: bool = False,
    skip_validation: bool = False,
    trust_repo: Any = "check",
) -> str | None:
    """Returns the docstring of what a repository offers under a name."""
    folder = _fetched(github, force_reload, trust_repo, True)
    with _offer(folder) as conf:
        return _entry(conf, model).__doc__


def load(
    repo_or_dir: str,
    model: str,
    *args: Any,
    source: str = "github",
    trust_repo: Any = "check",
    force_reload: bool = False,
    verbose: bool = True,
    skip_validation: bool = False,
    **kwargs: Any,
) -> Any:
    """Returns what a function of a repository's ``hubconf.py`` makes of the other arguments.

    ``source="local"`` takes a folder, "github" (the default) a repository "owner/name[:branch]", which
    is fetched once. Raises RuntimeError if there is no such function, or if it needs modules that are
    not installed.
    """
    source = source.lower()
    if source not in ("github", "local"):
        raise ValueError(f'Unknown source: "{source}". Allowed values: "github" | "local".')
    local = source == "local"
    folder = repo_or_dir if local else _fetched(repo_or_dir, force_reload, trust_repo, verbose)
    with _offer(folder) as conf:
        return _entry(conf, model)(*args, **kwargs)


def load_state_dict_from_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = False,
) -> dict[str, Any]:
    """Returns what is saved at an address, which is fetched once into ``checkpoints``.

    With ``check_hash`` the file's name has to hold the beginning of its SHA-256, as in
    ``resnet18-f37072fd.pth``. Nothing in the file is executed, whatever ``weights_only``.
    """
    folder = os.path.join(get_dir(), "checkpoints") if model_dir is None else model_dir
    os.makedirs(folder, exist_ok=True)
    name = file_name or os.path.basename(urlparse(url).path)
    place = os.path.join(folder, name)
    if not os.path.exists(place):
        sys.stderr.write(f'Downloading: "{url}" to {place}\n')
        found = HASH_REGEX.search(name) if check_hash else None
        download_url_to_file(url, place, found.group(1) if found else None, progress=progress)
    return _load(place, map_location=map_location, weights_only=weights_only)


def download_url_to_file(
    url: str, dst: str, hash_prefix: str | None = None, progress: bool = True
) -> None:
    """Fetches a file, which is there afterwards as a whole or not at all.

    Raises RuntimeError if its SHA-256 does not begin with ``hash_prefix``.
    """
    dst = os.path.expanduser(dst)
    digest, done = hashlib.sha256(), 0
    with (
        urlopen(Request(url, headers={"User-Agent": "torch.hub"})) as answer,
        tempfile.NamedTemporaryFile(dir=os.path.dirname(dst) or ".", delete=False) as part,
    ):
        size = int(answer.headers.get("Content-Length") or 0)
        try:
            while chunk := answer.read(_CHUNK):
                part.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                if progress and size:
                    sys.stderr.write(f"\r{done / size:4.0%} of {size / 2**20:.1f} MB")
            if progress and size:
                sys.stderr.write("\n")
            part.close()
            found = digest.hexdigest()
            if hash_prefix is not None and not found.startswith(hash_prefix):
                raise RuntimeError(f'invalid hash value (expected "{hash_prefix}", got "{found}")')
            shutil.move(part.name, dst)
        finally:
            Path(part.name).unlink(missing_ok=True)


# ----------------------------------------------------------------------------- hubconf.py


@contextmanager
def _offer(folder: str) -> Iterator[Any]:
    """Runs the ``hubconf.py`` of a folder, which may import what lies beside it."""
    path = os.path.join(folder, "hubconf.py")
    spec = spec_from_file_location("hubconf", path)
    assert spec is not None and spec.loader is not None
    conf = module_from_spec(spec)
    sys.path.insert(0, str(folder))
    try:
        spec.loader.exec_module(conf)
        yield conf
    finally:
        sys.path.remove(str(folder))


def _entry(conf: Any, model: Any) -> Callable[..., Any]:
    if not isinstance(model, str):
        raise ValueError("Invalid input: model should be a string of function name")
    missing = [n for n in getattr(conf, "dependencies", None) or () if not _installed(n)]
    if missing:
        raise RuntimeError(f"Missing dependencies: {', '.join(missing)}")
    entry = getattr(conf, model, None)
    if entry is None or not callable(entry):
        raise RuntimeError(f"Cannot find callable {model} in hubconf")
    return entry


def _installed(module: str) -> bool:
    return module in sys.modules or find_spec(module) is not None


# ----------------------------------------------------------------------------- repositories


def _fetched(github: str, force_reload: bool, trust_repo: Any, verbose: bool) -> str:
    """Returns the folder of a repository, which is fetched unless it is there."""
    owner, name, ref = _parsed(github)
    hub = get_dir()
    os.makedirs(hub, exist_ok=True)
    folder = os.path.join(hub, f"{owner}_{name}_{ref}".replace("/", "_"))
    _check_trust(f"{owner}_{name}", trust_repo)
    if os.path.exists(folder) and not force_reload:
        if verbose:
            sys.stderr.write(f"Using cache found in {folder}\n")
        return folder
    url = _address(owner, name, ref)
    sys.stderr.write(f'Downloading: "{url}" to {folder}.zip\n')
    archive = folder + ".zip"
    download_url_to_file(url, archive, progress=False)
    with zipfile.ZipFile(archive) as packed, tempfile.TemporaryDirectory(dir=hub) as unpacked:
        packed.extractall(unpacked)
        (top,) = os.listdir(unpacked)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.move(os.path.join(unpacked, top), folder)
    os.remove(archive)
    return folder


def _address(owner: str, name: str, ref: str) -> str:
    return f"https://github.com/{owner}/{name}/zipball/{ref}"


def _parsed(github: str) -> tuple[str, str, str]:
    """Returns owner, name and branch; the branch is ``main``, else ``master``, unless given."""
    repo, _, ref = github.partition(":")
    owner, _, name = repo.partition("/")
    if ref:
        return owner, name, ref
    for known in ("main", "master"):
        if os.path.exists(os.path.join(get_dir(), f"{owner}_{name}_{known}")):
            return owner, name, known
    try:
        with urlopen(f"https://github.com/{owner}/{name}/tree/main/"):
            return owner, name, "main"
    except HTTPError as error:
        if error.code == 404:
            return owner, name, "master"
        raise
    except URLError:
        raise RuntimeError(
            "It looks like there is no internet connection and the repo could not be found in the "
            f"cache ({get_dir()})"
        ) from None


def _check_trust(repo: str, trust_repo: Any) -> None:
    """Lets a trusted repository pass, asks about another one, and remembers the answer.

    Unlike PyTorch's, no owner is trusted beforehand, and neither is what lies in the folder.
    """
    listed = Path(get_dir(), "trusted_list")
    trusted = listed.read_text("utf-8").split() if listed.exists() else []
    if trust_repo is not True and (repo not in trusted or trust_repo is False):
        answer = input(
            f"The repository {repo} does not belong to the list of trusted repositories and as such "
            "cannot be downloaded. Do you trust this repository and wish to add it to the trusted "
            "list of repositories (y/N)?"
        )
        if answer.lower() in ("", "n", "no"):
            raise Exception("Untrusted repository.")
        if answer.lower() not in ("y", "yes"):
            raise ValueError(f"Unrecognized response {answer}.")
    if repo not in trusted:
        with listed.open("a", encoding="utf-8") as file:
            file.write(repo + "\n")
