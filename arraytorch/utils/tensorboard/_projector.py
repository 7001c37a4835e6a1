"""The files that TensorBoard's projector shows points in space from."""

from __future__ import annotations

import math
from typing import Any

from google.protobuf import text_format
from PIL import Image
from tensorboard.compat import tf
from tensorboard.plugins.projector.projector_config_pb2 import EmbeddingInfo, ProjectorConfig

from ..._tensor import Tensor
from ._media import grid, in_bytes, png
from ._values import to_tensor


def make_folder(path: str) -> None:
    """Makes a folder, on whatever file system TensorBoard knows, or says that it was there."""
    if not tf.io.gfile.exists(path):
        tf.io.gfile.makedirs(path)
    elif tf.io.gfile.isdir(path):
        print("warning: Embedding dir exists, did you set global_step for add_embedding()?")
    else:
        raise NotADirectoryError(f"Path: `{path}` exists, but is a file. Cannot proceed.")


def write(path: str, content: str | bytes) -> None:
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)


def rows_of(points: Tensor) -> str:
    """Returns a line for each point."""
    return "".join("\t".join(map(str, row)) + "\n" for row in points.tolist())


def names_of(labels: Any, header: Any) -> str:
    """Returns a line for each label; with a header, labels have several columns."""
    if not header:
        return "\n".join(map(str, labels)) + "\n"
    if len(header) != len(labels[0]):
        raise AssertionError("len of header must be equal to the number of columns in metadata")
    return "\n".join("\t".join(map(str, row)) for row in [header, *labels]) + "\n"


def sprite(images: Any) -> bytes:
    """Returns the images of all points as one square picture."""
    tiles = grid(in_bytes(to_tensor(images)), math.ceil(len(images) ** 0.5))
    width = tiles.shape[2]
    picture = Image.new("RGB", (width, width))
    picture.paste(Image.fromarray(tiles.permute(1, 2, 0).numpy()))
    return png(picture)


def add(config: ProjectorConfig, folder: str, tag: str, step: Any, labels: Any, images: Any) -> str:
    """Adds a set of points to the projector's configuration; returns its new text."""
    info = EmbeddingInfo(
        tensor_name=f"{tag}:{str(step).zfill(5)}", tensor_path=f"{folder}/tensors.tsv"
    )
    if labels is not None:
        info.metadata_path = f"{folder}/metadata.tsv"
    if images is not None:
        info.sprite.image_path = f"{folder}/sprite.png"
        info.sprite.single_image_dim.extend([images.shape[3], images.shape[2]])
    config.embeddings.append(info)
    return text_format.MessageToString(config)
