"""Where PyTorch keeps what a DataLoader is made of, of which programs import `collate`."""

from . import collate as collate
