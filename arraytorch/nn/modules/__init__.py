"""The modules, one file per kind of layer."""
