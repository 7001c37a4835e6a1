"""Summaries of the settings of a run, and of what they led to."""

from __future__ import annotations

from typing import Any

from google.protobuf.struct_pb2 import ListValue, Value
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams.api_pb2 import (
    DataType,
    Experiment,
    HParamInfo,
    MetricInfo,
    MetricName,
    Status,
)
from tensorboard.plugins.hparams.metadata import (
    EXPERIMENT_TAG,
    PLUGIN_DATA_VERSION,
    PLUGIN_NAME,
    SESSION_END_INFO_TAG,
    SESSION_START_INFO_TAG,
)
from tensorboard.plugins.hparams.plugin_data_pb2 import (
    HParamsPluginData,
    SessionEndInfo,
    SessionStartInfo,
)

from ..._tensor import Tensor
from ._numbers import metadata


def hparams(settings: dict, metrics: dict, discrete: dict | None) -> list[Summary]:
    """Returns what describes the experiment, the start of a run and its end."""
    discrete = {} if discrete is None else discrete
    check_domains(settings, discrete)
    start, infos = SessionStartInfo(), []
    for name, value in settings.items():
        if value is None:
            continue
        if isinstance(value, Tensor):
            value = value.item()
        start.hparams[name].CopyFrom(setting(value))
        kind = "DATA_TYPE_STRING" if isinstance(value, str) else "DATA_TYPE_FLOAT64"
        domain = ListValue(values=map(setting, discrete[name])) if name in discrete else None
        infos.append(HParamInfo(name=name, type=DataType.Value(kind), domain_discrete=domain))
    names = [MetricInfo(name=MetricName(tag=tag)) for tag in metrics]
    experiment = Experiment(hparam_infos=infos, metric_infos=names)
    end = SessionEndInfo(status=Status.Value("STATUS_SUCCESS"))
    return [
        summary(EXPERIMENT_TAG, experiment=experiment),
        summary(SESSION_START_INFO_TAG, session_start_info=start),
        summary(SESSION_END_INFO_TAG, session_end_info=end),
    ]


def check_domains(settings: dict, discrete: Any) -> None:
    if not isinstance(discrete, dict):
        raise TypeError("parameter: hparam_domain_discrete should be a dictionary, nothing logged.")
    for name, values in discrete.items():
        if (
            name not in settings
            or not isinstance(values, list)
            or not all(isinstance(value, type(settings[name])) for value in values)
        ):
            raise TypeError(
                f"parameter: hparam_domain_discrete[{name}] should be a list of same type as "
                f"hparam_dict[{name}]."
            )


def setting(value: Any) -> Value:
    if isinstance(value, str):
        return Value(string_value=value)
    if isinstance(value, (int, float)):  # a bool, too, is shown as 0 or 1
        return Value(number_value=value)
    raise ValueError("value should be one of int, float, str, bool, or torch.Tensor")


def summary(tag: str, **content: Any) -> Summary:
    data = HParamsPluginData(version=PLUGIN_DATA_VERSION, **content)
    shown = metadata(PLUGIN_NAME, data.SerializeToString())
    return Summary(value=[Summary.Value(tag=tag, metadata=shown)])
