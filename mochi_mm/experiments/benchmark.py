"""Timing and memory of alternatives on one machine, for the programs in ``tools/benchmarks``."""

from __future__ import annotations

import ctypes
import datetime
import gc
import json
import platform
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import torch

from mochi_mm.files.atomic_file import write_atomically

# Numbers of options, from malloc.h of the GNU C library.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3


def machine(device: str = 'cpu') -> dict[str, Any]:
    """Return the machine of a measurement: date, processor, threads, versions, GPU if used."""
    cpu = platform.processor()
    info = Path('/proc/cpuinfo')
    if info.is_file():
        names = [line for line in info.read_text().splitlines() if line.startswith('model name')]
        cpu = f'{len(names)} x {names[0].split(":", 1)[1].strip()}' if names else cpu
    found = dict(
        date=datetime.date.today().isoformat(),
        cpu=cpu,
        threads=torch.get_num_threads(),
        python=platform.python_version(),
        torch=torch.__version__,
    )
    if device.startswith('cuda'):
        found['gpu'] = torch.cuda.get_device_name(device)
    return found


def seconds(
    alternatives: Mapping[str, Callable[[], Any]],
    repeats: int,
    device: str = 'cpu',
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Return the sorted times of each alternative, after one untimed call each.

    The alternatives take turns, so that a change in the load of the machine meets all of them. On a
    machine that others use too, ``time.process_time`` as the clock counts this process alone.
    """
    times: dict[str, list[float]] = {name: [] for name in alternatives}
    for turn in range(repeats + 1):
        for name, run in alternatives.items():
            _wait(device)
            start = clock()
            run()
            _wait(device)
            if turn:
                times[name].append(clock() - start)
    return {name: sorted(values) for name, values in times.items()}


def peak_extra_bytes(run: Callable[[], Any], device: str = 'cpu') -> int:
    """Return the highest rise of memory use above that before ``run()``.

    On a GPU from torch's allocator, on a CPU from the resident pages of the process (Linux), where
    freed blocks are handed back at once from then on: measure times first.

    Raises:
        RuntimeError: On a CPU, where the operating system does not tell.
    """
    run()
    gc.collect()
    if device.startswith('cuda'):
        _wait(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        run()
        _wait(device)
        return torch.cuda.max_memory_allocated(device) - before
    if not sys.platform.startswith('linux'):
        raise RuntimeError(f'peak memory on a CPU is read from /proc, not there on {sys.platform}.')
    _return_freed_blocks()
    run()
    getattr(ctypes.CDLL(None), 'malloc_trim', lambda _: 0)(0)
    before = _resident('VmRSS')
    Path('/proc/self/clear_refs').write_text('5')
    run()
    return max(0, _resident('VmHWM') - before)


def _return_freed_blocks() -> None:
    """Let the C library hand every block of 64 KiB or more back as soon as it is freed.

    By default glibc holds on to up to 64 MiB of freed blocks, which a step does not need; what it
    holds depends on what ran before. Times after this are not those of an ordinary process.
    """
    switch = getattr(ctypes.CDLL(None), 'mallopt', None)
    if switch is not None:
        switch(_TRIM_THRESHOLD, 0)
        switch(_MMAP_THRESHOLD, 2**16)


def _resident(field: str) -> int:
    for line in Path('/proc/self/status').read_text().splitlines():
        if line.startswith(f'{field}:'):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f'no {field} in /proc/self/status')


def _wait(device: str) -> None:
    if device.startswith('cuda'):
        torch.cuda.synchronize(device)


def summary(times: list[float]) -> dict[str, float]:
    """Return the fastest and the median of sorted ``times``."""
    return dict(fastest=times[0], median=median(times))


def write_json(path: str | Path | None, result: Mapping[str, Any]) -> None:
    """Write ``result`` to ``path`` in one step, making its folder; None writes nothing."""
    if path is not None:
        text = json.dumps(result, indent=2) + '\n'
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda file: file.write(text.encode()))
