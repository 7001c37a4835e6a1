"""Summaries of what is seen and heard: images, figures, videos, sounds and meshes."""

from __future__ import annotations

import io
import json
import math
import wave
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.plugins.mesh import metadata
from tensorboard.plugins.mesh.plugin_data_pb2 import MeshPluginData

from ... import _dtypes
from ..._tensor import Tensor
from ...ops.creation import as_tensor, frombuffer, zeros
from ...ops.joining import cat, stack
from ._numbers import shape_of
from ._values import to_tensor


def image(
    tag: str, pixels: Any, dataformats: str, boxes: Any = None, labels: Any = None, rescale: Any = 1
) -> Summary:
    x = in_bytes(in_hwc(to_tensor(pixels), dataformats))
    height, width, channels = x.shape
    picture = Image.fromarray(x.numpy())
    if boxes is not None:
        draw_boxes(picture, to_tensor(boxes).tolist(), labels)
    if rescale != 1:
        size = int(width * rescale), int(height * rescale)
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    shown = Summary.Image(
        height=height, width=width, colorspace=channels, encoded_image_string=png(picture)
    )
    return Summary(value=[Summary.Value(tag=tag, image=shown)])


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, format="PNG")
    return file.getvalue()


def in_bytes(x: Tensor) -> Tensor:
    """Returns pixels from 0 to 255: floats count from 0 to 1, and bytes as they are."""
    scale = 1 if x.dtype == _dtypes.uint8 else 255
    return (x.to(_dtypes.float32) * scale).clamp(0, 255).to(_dtypes.uint8)


def in_hwc(x: Tensor, dataformats: str) -> Tensor:
    """Returns an image as height, width and at least three channels; several, as a grid."""
    if len(set(dataformats)) != len(dataformats):
        raise AssertionError(
            f"You can not use the same dimension shorthand twice. input_format: {dataformats}"
        )
    if x.ndim != len(dataformats):
        raise AssertionError(
            "size of input tensor and input format are different. "
            f"tensor shape: {tuple(x.shape)}, input_format: {dataformats}"
        )
    names = {2: "HW", 3: "HWC", 4: "NCHW"}[len(dataformats)]
    x = x.permute([dataformats.upper().index(name) for name in names])
    if names == "NCHW":
        return grid(x).permute(1, 2, 0)
    if names == "HW":
        x = x.unsqueeze(2)
    return x.expand(-1, -1, 3) if x.shape[2] == 1 else x


def grid(images: Tensor, columns: int = 8) -> Tensor:
    """Returns images beside and below each other, as one of channels, height and width."""
    if images.shape[1] == 1:
        images = images.expand(-1, 3, -1, -1)
    if images.shape[1] != 3:
        raise AssertionError("Input should be a 4D numpy array with 3 channels")
    count, channels, height, width = images.shape
    columns = min(count, columns)
    rows = math.ceil(count / columns)
    images = cat([images, zeros(rows * columns - count, *images.shape[1:], dtype=images.dtype)])
    cells = images.reshape(rows, columns, channels, height, width).permute(2, 0, 3, 1, 4)
    return cells.reshape(channels, rows * height, columns * width)


def draw_boxes(picture: Image.Image, boxes: list[list[float]], labels: Any) -> None:
    """Draws boxes of left, top, right and bottom in red, and below in each its label."""
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default()
    for i, (left, top, right, bottom) in enumerate(boxes):
        corners = [(left, top), (left, bottom), (right, bottom), (right, top), (left, top)]
        draw.line(corners, width=2, fill="Red")
        if labels is not None and labels[i]:
            x0, y0, x1, y1 = font.getbbox(labels[i])
            wide, high = x1 - x0, y1 - y0
            margin = math.ceil(0.05 * high)
            area = [(left, bottom - high - 2 * margin), (left + wide, bottom)]
            draw.rectangle(area, fill="Red")
            draw.text((left + margin, bottom - high - margin), labels[i], "black", font)


def figure_pixels(figures: Any, close: bool) -> Tensor:
    """Returns a figure of matplotlib, or a list of them, as images with the channels first."""
    from matplotlib import pyplot
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    if isinstance(figures, list):
        return stack([figure_pixels(figure, close) for figure in figures])
    canvas = FigureCanvasAgg(figures)
    canvas.draw()
    width, height = canvas.get_width_height()
    pixels = frombuffer(bytearray(canvas.buffer_rgba()), dtype=_dtypes.uint8)
    if close:
        pyplot.close(figures)
    return pixels.view(height, width, 4)[:, :, :3].permute(2, 0, 1)


def video(tag: str, frames: Any, fps: float) -> Summary:
    """Returns videos of shape (batch, time, channels, height, width), in a grid, as one GIF."""
    x = in_bytes(tiled(to_tensor(frames)))
    _, height, width, channels = x.shape
    if channels == 1:
        x = x.squeeze(3)
    first, *others = [Image.fromarray(frame.numpy()) for frame in x]
    file = io.BytesIO()
    first.save(file, "GIF", save_all=True, append_images=others, duration=round(1000 / fps), loop=0)
    shown = Summary.Image(
        height=height, width=width, colorspace=channels, encoded_image_string=file.getvalue()
    )
    return Summary(value=[Summary.Value(tag=tag, image=shown)])


def tiled(x: Tensor) -> Tensor:
    """Returns a batch of videos as one, of shape (time, height, width, channels).

    The batch is filled up with black to a power of 2.
    """
    count, time, channels, height, width = x.shape
    rows = 2 ** ((count.bit_length() - 1) // 2)
    full = 1 << (count - 1).bit_length()
    x = cat([x, zeros(full - count, *x.shape[1:], dtype=x.dtype)])
    x = x.reshape(rows, full // rows, time, channels, height, width).permute(2, 0, 4, 1, 5, 3)
    return x.reshape(time, rows * height, full // rows * width, channels)


def audio(tag: str, sound: Any, sample_rate: int) -> Summary:
    x = to_tensor(sound).squeeze()
    if x.abs().max() > 1:
        print("warning: audio amplitude out of range, auto clipped.")
        x = x.clamp(-1, 1)
    if x.ndim != 1:
        raise AssertionError("input tensor should be 1 dimensional.")
    samples = (x * 32767).to(_dtypes.int16).numpy().astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(sample_rate)
        out.writeframes(samples.tobytes())
    heard = Summary.Audio(
        sample_rate=sample_rate,
        num_channels=1,
        length_frames=len(samples),
        encoded_audio_string=file.getvalue(),
        content_type="audio/wav",
    )
    return Summary(value=[Summary.Value(tag=tag, audio=heard)])


def mesh(tag: str, vertices: Any, colors: Any, faces: Any, config: dict | None) -> Summary:
    """Returns points in space, and the triangles between them, as a value for each."""
    parts = {
        MeshPluginData.VERTEX: vertices,
        MeshPluginData.FACE: faces,
        MeshPluginData.COLOR: colors,
    }
    parts = {kind: as_tensor(x) for kind, x in parts.items() if x is not None}
    components = metadata.get_components_bitmask(list(parts))
    values = []
    for kind, x in parts.items():
        shown = metadata.create_summary_metadata(
            tag,
            None,
            kind,
            components,
            list(x.shape),
            None,
            json_config="{}" if config is None else json.dumps(config, sort_keys=True),
        )
        proto = TensorProto(
            dtype="DT_FLOAT", float_val=x.reshape(-1).tolist(), tensor_shape=shape_of(*x.shape)
        )
        name = metadata.get_instance_name(tag, kind)
        values.append(Summary.Value(tag=name, tensor=proto, metadata=shown))
    return Summary(value=values)
