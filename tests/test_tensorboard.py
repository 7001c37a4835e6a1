"""What SummaryWriter writes, read back by TensorBoard itself.

Bytes and numbers that are written out here were obtained from real PyTorch's SummaryWriter.
"""

from __future__ import annotations

import io
import wave
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import arraytorch as torch

if find_spec("tensorboard") is None:
    pytest.skip("needs the extra `tensorboard`", allow_module_level=True)

from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.custom_scalar.layout_pb2 import Layout
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
from tensorboard.plugins.mesh.plugin_data_pb2 import MeshPluginData
from tensorboard.util.tensor_util import make_ndarray

from arraytorch.utils.tensorboard import FileWriter, RecordWriter, SummaryWriter


@pytest.fixture
def writer(tmp_path):
    with SummaryWriter(tmp_path) as writer:
        yield writer


def events(folder: Path) -> list[Event]:
    """All events in the files of a folder, oldest file first."""
    files = sorted(folder.glob("events.out.tfevents.*"))
    return [Event.FromString(raw) for file in files for raw in RawEventFileLoader(str(file)).Load()]


def values(writer: SummaryWriter) -> dict:
    """The values that were written, by their tags."""
    writer.flush()
    written = events(Path(writer.get_logdir()))
    return {value.tag: value for event in written for value in event.summary.value}


def picture(value) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(value.image.encoded_image_string)))


def test_scalars_have_steps_and_times(writer, tmp_path):
    """TensorBoard reads numbers of all kinds at their steps."""
    for step, value in enumerate([1.5, torch.tensor([[2.5]]), np.float32(0.5), 3, True]):
        writer.add_scalar("loss", value, np.int64(step), walltime=7.0 + step)
    writer.flush()
    read = EventAccumulator(str(tmp_path)).Reload().Scalars("loss")
    assert [(e.step, e.wall_time, e.value) for e in read] == [
        (0, 7.0, 1.5), (1, 8.0, 2.5), (2, 9.0, 0.5), (3, 10.0, 3.0), (4, 11.0, 1.0),
    ]  # fmt: skip


def test_scalars_can_be_tensors_of_double_precision(writer):
    """New-style scalars are tensors; double precision keeps all digits."""
    writer.add_scalar("single", 0.1, new_style=True)
    writer.add_scalar("double", 0.1, new_style=True, double_precision=True)
    read = values(writer)
    assert list(read["single"].tensor.float_val) == [pytest.approx(0.1, abs=1e-8)]
    assert list(read["double"].tensor.double_val) == [0.1]
    assert read["double"].metadata.plugin_data.plugin_name == "scalars"


def test_what_is_no_number_raises(writer):
    """Several elements, and what is neither a tensor nor an array, are refused as PyTorch does."""
    with pytest.raises(AssertionError, match="Tensor should contain one element"):
        writer.add_scalar("x", torch.ones(2))
    with pytest.raises(NotImplementedError, match="Got <class 'list'>, but numpy array or torch"):
        writer.add_scalar("x", [1.0])


def test_scalars_together_go_to_folders(writer, tmp_path):
    """Each curve of a chart is a run of its own."""
    writer.add_scalars("a/b", {"sin": 0.5, "cos": torch.tensor(0.25)}, 3)
    writer.flush()
    for name, value in (("sin", 0.5), ("cos", 0.25)):
        (event,) = EventAccumulator(str(tmp_path / f"a_b_{name}")).Reload().Scalars("a/b")
        assert (event.step, event.value) == (3, value)


def test_histogram_has_tensorboards_bins(writer, tmp_path):
    """Bins grow by tenths; those without values are left out at both ends."""
    writer.add_histogram("h", torch.tensor([-1.0, 0.5, 0.5, 2.0]), 1)
    writer.flush()
    histogram = EventAccumulator(str(tmp_path)).Reload().Histograms("h")[0].histogram_value
    assert (histogram.min, histogram.max, histogram.num) == (-1.0, 2.0, 4)
    assert (histogram.sum, histogram.sum_squares) == (2.0, 5.5)
    filled = [i for i, count in enumerate(histogram.bucket) if count]
    assert [histogram.bucket[i] for i in filled] == [1.0, 2.0, 1.0]
    assert filled[0] == 1
    assert filled[-1] == len(histogram.bucket) - 1
    for i, value in zip(filled, (-1.0, 0.5, 2.0), strict=True):
        assert histogram.bucket_limit[i - 1] <= value < histogram.bucket_limit[i]


@pytest.mark.parametrize(("bins", "count"), [([0, 2.5, 5, 9], 3), (4, 4), ("sturges", 5)])
def test_histogram_takes_numpys_bins(writer, bins, count):
    """Edges, numbers and rules give NumPy's counts, an empty bucket before them."""
    x = torch.arange(10)
    writer.add_histogram("h", x, bins=bins)
    expected, edges = np.histogram(x.numpy(), bins)
    histogram = values(writer)["h"].histo
    assert list(histogram.bucket) == [0, *expected]
    assert list(histogram.bucket_limit) == edges.tolist()
    assert len(expected) == count


def test_histogram_can_have_fewer_bins(writer):
    """With a largest number, neighbours are counted together."""
    writer.add_histogram("h", torch.arange(10), bins=list(range(11)), max_bins=4)
    histogram = values(writer)["h"].histo
    assert list(histogram.bucket) == [0, 2, 2, 2, 2, 2]
    assert list(histogram.bucket_limit) == [0, 2, 4, 6, 8, 10]


def test_histograms_of_nothing_raise(writer):
    """No values, none in the bins, and lists of unequal length are refused."""
    with pytest.raises(ValueError, match="The input has no element"):
        writer.add_histogram("h", torch.ones(0))
    with pytest.raises(ValueError, match="The histogram is empty"):
        writer.add_histogram("h", torch.ones(2), bins=[5, 6])
    with pytest.raises(ValueError, match=r"len\(bucket_limits\) != len\(bucket_counts\)"):
        writer.add_histogram_raw("h", 0, 1, 1, 1, 1, [1, 2], [1])


def test_images_come_in_all_orders(writer):
    """Floats count from 0 to 1, bytes as they are; grey images get three channels."""
    x = torch.tensor([[[0.0, 0.5, 1.5]], [[1.0, 0.25, -1.0]], [[0.1, 0.2, 0.3]]])
    expected = [[[0, 255, 25], [127, 63, 51], [255, 0, 76]]]
    writer.add_image("chw", x)
    writer.add_image("whc", x.permute(2, 1, 0), dataformats="WHC")
    writer.add_image("bytes", torch.tensor(expected, dtype=torch.uint8), dataformats="HWC")
    writer.add_image("hw", x[0], dataformats="HW")
    read = values(writer)
    for name in ("chw", "whc", "bytes"):
        assert picture(read[name]).tolist() == expected
    assert picture(read["hw"]).tolist() == [[[0] * 3, [127] * 3, [255] * 3]]
    assert (read["chw"].image.height, read["chw"].image.width) == (1, 3)


def test_images_in_wrong_orders_raise(writer):
    """A letter used twice, or one too many, is refused."""
    with pytest.raises(AssertionError, match="same dimension shorthand twice"):
        writer.add_image("x", torch.ones(3, 2, 2), dataformats="CHH")
    with pytest.raises(AssertionError, match="size of input tensor and input format are different"):
        writer.add_image("x", torch.ones(2, 2))


def test_several_images_are_a_grid(writer):
    """Eight are in a row; what is left of the last row is black."""
    x = torch.arange(1, 11, dtype=torch.uint8).reshape(10, 1, 1, 1).expand(10, 1, 2, 1)
    writer.add_images("grid", x)
    grid = picture(values(writer)["grid"])
    assert grid.shape == (4, 8, 3)
    assert grid[0, :, 0].tolist() == list(range(1, 9))
    assert grid[3, :, 1].tolist() == [9, 10, 0, 0, 0, 0, 0, 0]


def test_boxes_are_drawn(writer):
    """A box is a red line, its label below; an image can be made smaller."""
    boxes = torch.tensor([[5.0, 5.0, 30.0, 35.0]])
    writer.add_image_with_boxes("box", torch.zeros(3, 40, 60), boxes, labels="cat")
    writer.add_image_with_boxes("half", torch.zeros(3, 40, 60), boxes, rescale=0.5)
    read = values(writer)
    pixels = picture(read["box"])
    assert pixels[5, 15].tolist() == pixels[15, 5].tolist() == [255, 0, 0]
    assert pixels[15, 15].tolist() == [0, 0, 0]
    assert picture(read["half"]).shape == (20, 30, 3)


def test_figures_are_images(writer):
    """A figure is drawn as large as it says, and closed unless told otherwise."""
    pytest.importorskip("matplotlib", reason="draws the figures").use("agg")
    from matplotlib import pyplot

    first, second = (pyplot.figure(figsize=(2, 1), dpi=50, facecolor=c) for c in ("red", "blue"))
    writer.add_figure("both", [first, second], close=False)
    assert pyplot.get_fignums()
    writer.add_figure("one", first)
    writer.add_figure("two", second)
    assert not pyplot.get_fignums()
    read = values(writer)
    assert picture(read["one"]).shape == (50, 100, 3)
    assert picture(read["both"])[25, [50, 150]].tolist() == [[255, 0, 0], [0, 0, 255]]


def test_videos_are_moving_pictures(writer):
    """Frames follow each other; a batch is a grid filled up to a power of 2."""
    x = torch.zeros(3, 4, 3, 2, 2)
    for time in range(4):
        x[:, time, 0] = 0.2 * time
    x[1, 2] = 1
    writer.add_video("v", x, fps=5)
    shown = values(writer)["v"].image
    assert (shown.height, shown.width, shown.colorspace) == (2, 8, 3)
    with Image.open(io.BytesIO(shown.encoded_image_string)) as film:
        assert (film.n_frames, film.info["duration"], film.size) == (4, 200, (8, 2))
        film.seek(2)
        lit = np.array(film.convert("L")) > 128
    assert lit.tolist() == [[False, False, True, True, False, False, False, False]] * 2


def test_sounds_are_waves(writer, capsys):
    """Samples have 16 bits; louder ones are clipped, and a word is said."""
    writer.add_audio("a", torch.tensor([[0.0, 0.5, -1.0]]), sample_rate=8000)
    assert not capsys.readouterr().out
    writer.add_audio("loud", torch.tensor([0.0, 4.0]))
    assert "audio amplitude out of range" in capsys.readouterr().out
    read = values(writer)
    with wave.open(io.BytesIO(read["a"].audio.encoded_audio_string)) as sound:
        assert (sound.getframerate(), sound.getnchannels()) == (8000, 1)
        samples = np.frombuffer(sound.readframes(9), "<i2")
    assert samples.tolist() == [0, 16383, -32767]
    assert read["loud"].audio.length_frames == 2
    with pytest.raises(AssertionError, match="input tensor should be 1 dimensional"):
        writer.add_audio("x", torch.zeros(2, 2))


def test_text_is_text(writer):
    """Words are kept as they are."""
    writer.add_text("words", "über *alles*")
    value = values(writer)["words/text_summary"]
    assert value.tensor.string_val[0].decode() == "über *alles*"
    assert value.metadata.plugin_data.plugin_name == "text"


def test_curves_count_what_reaches_each_threshold(writer):
    """Rows are true and false positives and negatives, precision and recall."""
    labels, scores = torch.tensor([0, 1, 1, 0]), torch.tensor([0.1, 0.4, 0.9, 0.6])
    writer.add_pr_curve("pr", labels, scores, num_thresholds=3)
    writer.add_pr_curve("many", labels, scores.numpy(), num_thresholds=500, weights=np.ones(4))
    rows = [[2, 1, 0], [2, 1, 0], [0, 1, 2], [0, 1, 2], [0.5, 0.5, 0], [1, 0.5, 0]]
    writer.add_pr_curve_raw("raw", *rows, num_thresholds=3)
    read = values(writer)
    np.testing.assert_allclose(make_ndarray(read["pr"].tensor), rows)
    np.testing.assert_allclose(make_ndarray(read["raw"].tensor), rows)
    assert make_ndarray(read["many"].tensor).shape == (6, 127)
    # Of real PyTorch's: {1: version 0 left out, 2: num_thresholds}.
    assert read["pr"].metadata.plugin_data.content == b"\x10\x03"


def test_charts_are_laid_out(writer):
    """Categories hold charts of many lines and of a line between bounds."""
    layout = {"A": {"x": ["Multiline", ["a", "b"]], "y": ["Margin", ["m", "l", "u"]]}}
    writer.add_custom_scalars(layout)
    value = values(writer)["custom_scalars__config__"]
    (category,) = Layout.FromString(value.tensor.string_val[0]).category
    lines, margin = category.chart
    assert (category.title, lines.title, list(lines.multiline.tag)) == ("A", "x", ["a", "b"])
    assert margin.margin.series[0].lower == "l"
    with pytest.raises(AssertionError, match="Expected 3 tags, got 2"):
        writer.add_custom_scalars_marginchart(["a", "b"])
    writer.add_custom_scalars_marginchart(["a", "b", "c"], "category", "title")
    writer.add_custom_scalars_multilinechart(["a", "b"])


def test_meshes_have_parts(writer):
    """Points, triangles and colours are values of their own."""
    points = torch.arange(12.0).reshape(1, 4, 3)
    faces = torch.tensor([[[0, 1, 2]]])
    writer.add_mesh("m", points, faces=faces, config_dict={"b": 1, "a": 2})
    read = values(writer)
    assert set(read) == {"m_VERTEX", "m_FACE"}
    assert make_ndarray(read["m_VERTEX"].tensor).tolist() == points.tolist()
    data = MeshPluginData.FromString(read["m_FACE"].metadata.plugin_data.content)
    assert (data.json_config, list(data.shape)) == ('{"a": 2, "b": 1}', [1, 1, 3])


@pytest.mark.parametrize(
    "dtype",
    ["float16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool",
     "complex64", "complex128"],
)  # fmt: skip
def test_tensors_are_read_back(writer, dtype):
    """TensorBoard's own reader returns the same elements."""
    x = torch.tensor([[0, 1, 1], [1, 0, 1]]).to(getattr(torch, dtype))
    writer.add_tensor("x", x)
    read = make_ndarray(values(writer)["x"].tensor)
    assert (read.dtype.name, read.tolist()) == (dtype, x.tolist())


def test_tensors_of_other_types_raise(writer):
    """What has no field in the protocol buffer is refused."""
    with pytest.raises(ValueError, match="x has unsupported tensor dtype torch.uint16"):
        writer.add_tensor("x", torch.ones(2).to(torch.uint16))


class Net(torch.nn.Module):
    """A folder in a folder, a frozen layer, and operations outside of any."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU())
        self.out = torch.nn.Linear(4, 2).requires_grad_(False)

    def forward(self, x):
        return self.out(self.inner(x) + 1).chunk(2, 1)[0]


def test_graphs_show_modules_and_operations(writer, tmp_path):
    """Operations are in the folders of their modules, and know what they come from."""
    net = Net()
    net.out.eval()
    writer.add_graph(net, torch.ones(5, 3))
    writer.flush()
    nodes = {node.name: node for node in EventAccumulator(str(tmp_path)).Reload().Graph().node}
    inner = "Net/Sequential[inner]"
    assert {name: list(node.input) for name, node in nodes.items() if node.input} == {
        f"{inner}/Linear[0]/Addmm": [
            "input/x", f"{inner}/Linear[0]/weight", f"{inner}/Linear[0]/bias",
        ],
        f"{inner}/ReLU[1]/Relu": [f"{inner}/Linear[0]/Addmm"],
        "Net/Add": [f"{inner}/ReLU[1]/Relu"],
        "Net/Linear[out]/Addmm": ["Net/Add", "Net/Linear[out]/weight", "Net/Linear[out]/bias"],
        "Net/Split": ["Net/Linear[out]/Addmm"],
        "Net/Split_1": ["Net/Linear[out]/Addmm"],
        "output/output.1": ["Net/Split"],
    }  # fmt: skip
    shape = nodes["Net/Add"].attr["_output_shapes"].list.shape[0]
    assert [dim.size for dim in shape.dim] == [5, 4]
    assert (net.training, net.out.training, net.out.weight.requires_grad) == (True, False, False)
    assert (net.inner[0].training, net(torch.ones(1, 3))._node is not None) == (True, True)


def test_graphs_of_failing_models_leave_nothing_behind(writer, capsys):
    """Hooks and modes are as before, also where the model raises; verbose prints."""
    net = Net()
    with pytest.raises(RuntimeError):
        writer.add_graph(net, torch.ones(5, 7))
    assert net.training
    assert not net.out.weight.requires_grad
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())
    writer.add_graph(net, [torch.ones(5, 3)], verbose=True)
    assert 'name: "Net/Linear[out]/Addmm"' in capsys.readouterr().out


def test_points_have_names_and_pictures(writer, tmp_path):
    """The projector finds coordinates, labels and a square sprite."""
    images = torch.ones(5, 1, 2, 4)
    writer.add_embedding(torch.eye(5)[:, :2], list("abcde"), images, global_step=3, tag="a/b")
    writer.add_embedding(np.ones((2, 1)), [["x", 1], ["y", 2]], metadata_header=["n", "v"])
    folder = tmp_path / "00003" / "a%2fb"
    assert (folder / "tensors.tsv").read_text().splitlines()[:2] == ["1.0\t0.0", "0.0\t1.0"]
    assert (folder / "metadata.tsv").read_text() == "a\nb\nc\nd\ne\n"
    with Image.open(folder / "sprite.png") as sprite:
        assert sprite.size == (12, 12)
    table = (tmp_path / "00000" / "default" / "metadata.tsv").read_text()
    assert table == "n\tv\nx\t1\ny\t2\n"
    config = (tmp_path / "projector_config.pbtxt").read_text()
    assert 'tensor_name: "a/b:00003"' in config
    assert 'sprite {\n    image_path: "00003/a%2fb/sprite.png"' in config
    assert config.count("embeddings {") == 2
    with pytest.raises(AssertionError, match="#labels should equal with #data points"):
        writer.add_embedding(torch.ones(2, 2), ["a"], tag="wrong")
    with pytest.raises(AssertionError, match="mat should be 2D"):
        writer.add_embedding(torch.ones(2), tag="flat")


def test_settings_go_with_what_they_led_to(writer, tmp_path):
    """A run has its settings, the values they may have, and its metrics."""
    settings = {"lr": 0.5, "net": "cnn", "big": True, "none": None, "t": torch.tensor([2])}
    writer.add_hparams(settings, {"acc": torch.tensor(0.75)}, {"lr": [0.5, 1.0]}, "run", 4)
    read = {v.tag: v for event in events(tmp_path / "run") for v in event.summary.value}
    assert read["acc"].simple_value == 0.75

    def content(tag: str) -> HParamsPluginData:
        return HParamsPluginData.FromString(read[tag].metadata.plugin_data.content)

    start = content("_hparams_/session_start_info").session_start_info.hparams
    assert {name: start[name].WhichOneof("kind") for name in start} == {
        "lr": "number_value", "net": "string_value", "big": "number_value", "t": "number_value",
    }  # fmt: skip
    experiment = content("_hparams_/experiment").experiment
    assert [v.number_value for v in experiment.hparam_infos[0].domain_discrete.values] == [0.5, 1.0]
    assert experiment.metric_infos[0].name.tag == "acc"
    assert content("_hparams_/session_end_info").session_end_info.status == 1


def test_wrong_settings_raise(writer):
    """What is no dictionary, of another type than its values, or no setting is refused."""
    with pytest.raises(TypeError, match="hparam_dict and metric_dict should be dictionary"):
        writer.add_hparams([], {})
    with pytest.raises(TypeError, match=r"hparam_domain_discrete\[lr\] should be a list of same"):
        writer.add_hparams({"lr": 0.1}, {}, {"lr": ["a"]})
    with pytest.raises(ValueError, match="value should be one of int, float, str, bool, or torch"):
        writer.add_hparams({"x": [1]}, {})


def test_a_restart_hides_later_steps(tmp_path):
    """`purge_step` is written first, once, for TensorBoard to forget what came after."""
    with SummaryWriter(tmp_path, purge_step=5, filename_suffix=".end") as writer:
        writer.add_scalar("x", 1, 5)
    first, second = events(tmp_path)[1:3]
    assert (first.step, first.file_version) == (5, "brain.Event:2")
    assert (second.step, second.session_log.status) == (5, 1)
    assert [path.suffix for path in tmp_path.iterdir()] == [".end"]
    writer.close()
    writer.add_scalar("x", 2, 6)
    writer.close()
    assert len(list(tmp_path.iterdir())) == 2
    assert [e.step for e in EventAccumulator(str(tmp_path)).Reload().Scalars("x")] == [5, 6]


def test_a_folder_is_named_by_itself(tmp_path, monkeypatch):
    """Without a name the folder is one of `runs`, with the comment at its end."""
    monkeypatch.chdir(tmp_path)
    with SummaryWriter(comment="_lr1") as writer:
        assert str(writer.get_logdir()).endswith("_lr1")
    assert [path.name for path in Path("runs").iterdir()] == [Path(writer.log_dir).name]


def test_file_writer_opens_again(tmp_path):
    """Events go to another file after `reopen`."""
    writer = FileWriter(tmp_path)
    assert writer.get_logdir() == str(tmp_path)
    writer.add_event(Event(file_version="mine"), step=2, walltime=1.0)
    writer.close()
    writer.reopen()
    writer.reopen()
    writer.add_event(Event(file_version="again"))
    writer.close()
    assert len(list(tmp_path.iterdir())) == 2
    assert {"mine", "again"} <= {event.file_version for event in events(tmp_path)}
    assert RecordWriter.__module__.startswith("tensorboard.")


def test_programs_find_it_under_pytorchs_name():
    """The alias resolves `torch.utils.tensorboard`."""
    with torch.as_torch():
        from torch.utils.tensorboard import SummaryWriter as Aliased
    assert Aliased is SummaryWriter
