"""Sphinx's settings: `pip install -e '.[docs]' && sphinx-build docs docs/_build`."""

project = "arraytorch"
author = "arraytorch contributors"
extensions = ["myst_parser"]
myst_heading_anchors = 3
html_theme = "furo"
exclude_patterns = ["_build"]
# The pages also read as plain files in the repository, and link to some that are not pages here.
suppress_warnings = ["myst.xref_missing"]
