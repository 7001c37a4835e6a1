"""Logs for TensorBoard, through the `tensorboard` package (the extra of that name)."""

from tensorboard.summary.writer.record_writer import RecordWriter

from .writer import FileWriter, SummaryWriter

__all__ = ["FileWriter", "RecordWriter", "SummaryWriter"]
