"""A measured figure with all that is needed to judge and repeat it."""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from mochi_mm.files.atomic_file import write_atomically
from mochi_mm.registry import component_name
from mochi_mm.runs.start_facts import commit

ROOT = Path(__file__).resolve().parents[2]
FIELDS = (
    'protocol',
    'config',
    'pretraining',
    'metrics',
    'command',
    'commit',
    'hardware',
    'versions',
    'date',
)


def result_record(
    protocol: str,
    config: str,
    metrics: Mapping[str, float],
    pretraining: str,
    command: str | None = None,
) -> dict[str, Any]:
    """Return the record of a measurement that was just made.

    Args:
        protocol: Protocol in words, such as 'weighted kNN, k=20'.
        config: Config of the benchmark; where it lies in the repository, it is recorded from there
            on.
        metrics: Percent by name.
        pretraining: Config or method that the weights come from.
        command: Instead of this process's command line.
    """
    return dict(
        protocol=protocol,
        config=_in_repository(config),
        pretraining=pretraining,
        metrics={name: round(float(value), 4) for name, value in metrics.items()},
        command=command or command_line(),
        commit=commit(),
        hardware=hardware(),
        versions=dict(python=platform.python_version(), torch=str(torch.__version__)),
        date=datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
    )


def protocol_of(config: Any) -> str:
    """Return in words how a benchmark config measures."""
    test = config.get('test_cfg') or {}
    kind = component_name(test)
    if kind == 'KNNLoop':
        return f'weighted kNN, temperature {test.get("temperature", 0.07):g}'
    if kind == 'SVMLoop':
        what = f'low-shot, {test.get("samples", 5)} samples' if test.get('shots') else 'whole set'
        return f'linear SVM, {what}, AP {test.get("method", "11points")}'
    loader = config.get('train_dataloader') or {}
    labels = labels_of((loader.get('dataset') or {}).get('include'))
    probe = (config.get('model') or {}).get('freeze_backbone')
    kind = 'linear probe' if probe else 'fine-tuning'
    return ', '.join([kind, *labels, f'{config.train_cfg.max_epochs} epochs'])


def labels_of(include: str | Path | None) -> list[str]:
    """Return in words which labels a list of images leaves: none for all.

    The share is read off the list's name, which is told as well.

    Args:
        include: Argument ``include`` of a data set, such as 'data/cifar10/train_1percent.txt'.
    """
    if include is None:
        return []
    name = Path(include).name
    share = re.search(r'(\d+(?:\.\d+)?) ?percent', name)
    return [f'{share[1]} % of the labels ({name})' if share else f'labels of {name}']


def record_checkpoint(
    path: str | Path, protocol: str, config: str, metrics: Mapping[str, float], checkpoint: str
) -> None:
    """Write the record of what was just measured of a checkpoint, which its work dir names.

    Args:
        path: The record.
        protocol: As in :func:`result_record`.
        config: Likewise.
        metrics: Likewise.
        checkpoint: The file that was measured.
    """
    source = Path(checkpoint)
    pretraining = source.parent.name or source.name
    write_record(path, result_record(protocol, config, metrics, pretraining))


def write_record(path: str | Path, record: Mapping[str, Any]) -> None:
    """Write a record to a JSON file, in one step."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record, indent=2) + '\n'
    write_atomically(path, lambda file: file.write(text.encode()))


def command_line() -> str:
    """Return the command of this process, its tool and paths in the repository as from there."""
    return shlex.join(['python', *map(_in_repository, sys.argv)])


def _in_repository(word: str) -> str:
    """Return the path of a file in the repository from its root on, any other word as it is."""
    path = Path(word).absolute()
    inside = word and ROOT in path.parents and path.exists()
    return Path(os.path.relpath(path, ROOT)).as_posix() if inside else word


def hardware() -> str:
    """Return the device that torch would compute on, and how many of it."""
    if torch.cuda.is_available():
        return f'{torch.cuda.device_count()} x {torch.cuda.get_device_name(0)}'
    return f'CPU, {_processor()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads'


def _processor() -> str:
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')]
    return names[0] if names else platform.machine()
