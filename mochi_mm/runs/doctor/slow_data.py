"""Whether the run waits for its images."""

from __future__ import annotations

import numpy as np

from mochi_mm.runs.doctor.facts import Facts
from mochi_mm.runs.doctor.finding import Finding, healthy, not_measured, wrong

CHECK = 'data time above step time'


def slow_data(facts: Facts) -> Finding:
    """Compare the time that an iteration waits for its batch with the rest of it.

    MMEngine's ``time`` holds ``data_time``. Medians over the log without its first line, in which
    workers start. Wrong where the wait is longer than the rest.
    """
    waits, times = facts.curve('data_time')[1], facts.curve('time')[1]
    if not len(waits) or len(waits) != len(times):
        return not_measured(CHECK, 'the log has no data_time beside time')
    first = 1 if len(waits) > 1 else 0
    wait, whole = float(np.median(waits[first:])), float(np.median(times[first:]))
    workers = facts.setting('train_dataloader', 'num_workers')
    evidence = [
        f'data_time {wait:.3f} s of time {whole:.3f} s an iteration, medians of '
        f'{len(waits) - first} lines of the log (scalars.json)',
        f'train_dataloader.num_workers={workers} (config)',
    ]
    if wait > whole - wait:
        return wrong(
            CHECK,
            f'{wait / max(whole, 1e-12):.0%} of the time goes by waiting for images',
            evidence,
            'raise train_dataloader.num_workers to the cores that are free, take FastMultiView (or '
            'DeviceMultiView on a GPU) for MultiView, pack the folder (tools/dataset/pack.py), or '
            'hold a small one in memory (InMemory).',
        )
    return healthy(CHECK, f'{wait / max(whole, 1e-12):.0%} of the time is spent waiting', evidence)
