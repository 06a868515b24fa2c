"""One run of a sweep: train or go on, then measure the network at the end."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

import torch

from mochi_mm.evaluation.analysis.load_model import load_for_analysis
from mochi_mm.experiments.benchmark import write_json
from mochi_mm.experiments.figures import BEFORE, TRAINING
from mochi_mm.experiments.measures import Measure, Subject
from mochi_mm.experiments.result_record import commit, result_record
from mochi_mm.experiments.run_config import run_config
from mochi_mm.experiments.sweep import Run
from mochi_mm.files.text_file import read_json
from mochi_mm.launch.fresh_model import fresh_model


def train(config: Any) -> None:
    """Train to the end, from the newest checkpoint where there is one."""
    from mochi_mm.launch.runner import build_runner

    build_runner(config).train()


def untrained(config: Any, run: Run) -> Subject:
    """Return the network of a run as it is before the first step."""
    from mmengine.registry import init_default_scope

    init_default_scope('mochi_mm')
    model = fresh_model(config.model, run.seed)
    model = model.to('cuda' if torch.cuda.is_available() else 'cpu')
    return Subject(model, config, run.folder, 0, run.sweep.data_root)


def trained(config: Any, run: Run) -> Subject:
    """Return the network of a run as its last checkpoint has it."""
    subject = untrained(config, run)
    print(load_for_analysis(subject.model, run.weights_path)[0])
    subject.epochs = run.epochs
    return subject


def measured(measures: Sequence[Measure], subject: Subject) -> dict[str, float]:
    """Return the figures of all measures.

    Raises:
        ValueError: Two measures give figures of one name.
    """
    values: dict[str, float] = {}
    for measure in measures:
        found = measure(subject)
        if twice := sorted(found.keys() & values.keys()):
            raise ValueError(f'{measure} gives {twice[0]}, which another measure of the suite has.')
        values.update(found)
    return values


def note_commit(run: Run, resumed: bool) -> list[str]:
    """Keep the commit that a start has the code of; return those of all starts of the run.

    Args:
        run: Run that starts.
        resumed: Whether it goes on from a checkpoint. Who wrote that is unknown where an earlier
            version did not keep it.
    """
    before: list[str] = []
    if resumed:
        kept = run.commits_path.is_file()
        before = read_json(run.commits_path)['commits'] if kept else ['unknown']
    commits = [*before, commit()]
    run.folder.mkdir(parents=True, exist_ok=True)
    write_json(run.commits_path, dict(commits=commits))
    return commits


def run_one(run: Run) -> dict[str, Any]:
    """Do what is not done yet of one run, write its result, and return it.

    Raises:
        Whatever training or measuring raises; no result is written then.
    """
    start, began, load = time.process_time(), time.time(), [os.getloadavg()[0]]
    config, suite = run_config(run), run.sweep.suite
    resumed = bool(config.resume)
    commits = note_commit(run, resumed)  # now: later the tree may be another one
    values: dict[str, float] = {}
    if suite.before:
        before = measured(suite.before, untrained(config, run))
        values.update({f'{name}{BEFORE}': value for name, value in before.items()})
    if run.setting.trained:
        training = time.process_time()
        train(config)
        if not resumed:
            values[TRAINING] = time.process_time() - training
        subject = trained(config, run)
    else:
        subject = untrained(config, run)
    values.update(measured(suite.measures, subject))
    origin = result_record(suite.title, run.setting.config, {}, run.setting.name)
    result = dict(
        data=run.data,
        setting=run.setting.name,
        seed=run.seed,
        budget=run.sweep.budget,
        values=values,
        cpu_seconds=round(time.process_time() - start),
        wall_seconds=round(time.time() - began),
        load=[round(number, 2) for number in (*load, os.getloadavg()[0])],
        resumed=resumed,
        commit=', '.join(dict.fromkeys(commits)),
        commits=commits,
        **{name: origin[name] for name in ('config', 'hardware', 'versions', 'date')},
    )
    write_json(run.result_path, result)
    return result
