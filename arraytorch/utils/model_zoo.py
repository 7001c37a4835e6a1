"""Weights at addresses, under the names of old: see `torch.hub`."""

from ..hub import download_url_to_file
from ..hub import load_state_dict_from_url as load_url

__all__ = ["download_url_to_file", "load_url"]
