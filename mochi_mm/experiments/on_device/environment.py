"""What a machine is: versions, device, and the rates that bound everything else."""

from __future__ import annotations

import importlib.util
import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from mochi_mm.experiments.benchmark import machine, seconds, summary, write_json
from mochi_mm.experiments.result_record import commit
from mochi_mm.models.kernels.pair_mixing import triton_works

PACKAGES = ('torch', 'torchvision', 'numpy', 'opencv-python-headless', 'onedl-mmengine', 'triton')


def environment(device: str, size: int, out: Path) -> None:
    """Write versions, the device, and its measured peaks.

    ``peak_flops`` is the rate of a bfloat16 product of two random matrices (size, size), forward
    alone, the fastest of five; ``bytes_per_second`` that of a copy of as many numbers as four such
    matrices have, read and written bytes together.
    """
    one, other = torch.randn(2, size, size, device=device, dtype=torch.bfloat16)
    source = torch.randn(4 * size, size, device=device)
    target = torch.empty_like(source)
    runs = dict(product=lambda: one @ other, copy=lambda: target.copy_(source))
    times = seconds(runs, repeats=5, device=device)
    found: dict[str, Any] = dict(
        machine=machine(device),
        commit=commit(),
        cores=len(os.sched_getaffinity(0)),
        packages={name: _version(name) for name in PACKAGES},
        triton=device.startswith('cuda') and triton_works(torch.device(device)),
        missing={name: importlib.util.find_spec(name) is None for name in ('mmcv', 'mmdet')},
        times={name: summary(values) for name, values in times.items()},
        peak_flops=2 * size**3 / times['product'][0],
        bytes_per_second=2 * source.numel() * source.element_size() / times['copy'][0],
    )
    if device.startswith('cuda'):
        about = torch.cuda.get_device_properties(device)
        found['gpu'] = dict(
            name=about.name,
            memory=about.total_memory,
            capability=list(torch.cuda.get_device_capability(device)),
            cuda=torch.version.cuda,
            cudnn=torch.backends.cudnn.version(),
        )
    write_json(out, found)


def _version(name: str) -> str | None:
    """Return the installed version of a package, None where there is none of that name."""
    try:
        return version(name)
    except ModuleNotFoundError:
        return None
