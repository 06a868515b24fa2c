"""The figures of a sweep as records that docs/results.md is made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mochi_mm.experiments.figures import mean_and_spread
from mochi_mm.experiments.outputs import budget_words
from mochi_mm.experiments.result_record import result_record, write_record
from mochi_mm.experiments.setting import Setting
from mochi_mm.experiments.suite import RecordPlan, Suite
from mochi_mm.experiments.sweep import Run, Sweep

#: The runs of each setting of a data set, each with its result.
Finished = dict[tuple[str, str], list[dict[str, Any]]]


def write_records(
    folder: Path, sweep: Sweep, runs: Sequence[Run], seeds: Sequence[int], command: str
) -> list[Path]:
    """Write means, spreads and the figures of each seed, of every setting that is finished.

    Args:
        folder: Target folder; ``results/measured`` for the page.
        sweep: The sweep.
        runs: All that belong to it.
        seeds: All that belong to it.
        command: Repeats the sweep; the setting is added to it.

    Raises:
        ValueError: Fewer seeds than the suite wants, or runs of a setting and of what it is
            compared with that come from several commits or machines: a mean or a difference over
            them would hide that.
    """
    check_seeds(sweep, seeds)
    finished = _finished(runs)
    settings = {(run.data, run.setting.name): run.setting for run in runs}
    for place in finished:
        _check_origin(place, settings[place], finished)
    written = []
    for (data, name), results in finished.items():
        setting = settings[data, name]
        for plan in sweep.suite.records:
            path = folder / plan.file.format(data=data, setting=name)
            write_record(path, _record(sweep.suite, plan, setting, results, command))
            written.append(path)
    return written


def check_seeds(sweep: Sweep, seeds: Sequence[int]) -> None:
    """Refuse to make records of fewer seeds than the suite wants, with ``ValueError``."""
    if len(seeds) < sweep.suite.record_seeds:
        raise ValueError(
            f'--record: seeds {list(seeds)}; expected at least {sweep.suite.record_seeds} for a '
            f'record of {sweep.name}.'
        )


def other_origins(runs: Sequence[Run]) -> str:
    """Return what is wrong with finished runs that come from elsewhere than those still to be done.

    Args:
        runs: All that belong to a sweep.

    Returns:
        A sentence with the first of them and how to go on; '' where nothing is wrong, and where
        nothing is left to be done.
    """
    results = [run.result() for run in runs]
    if None not in results:
        return ''
    now = result_record('', '', {}, '')
    here = tuple(str(now[name]) for name in ('commit', 'hardware', 'versions'))
    for run, result in zip(runs, results, strict=True):
        if result is None:
            continue
        for made in result['commits']:
            there = (str(made), str(result['hardware']), str(result['versions']))
            if there != here:
                return (
                    f'{run.name} was made at {" on ".join(there)}, and what is left would be made '
                    f'at {" on ".join(here)}. Go on at that commit, on that kind of machine, or '
                    'give a new --out and do all of them anew.'
                )
    return ''


def _record(
    suite: Suite,
    plan: RecordPlan,
    setting: Setting,
    results: Sequence[Mapping[str, Any]],
    command: str,
) -> dict[str, Any]:
    """Return one record: the mean and, over several seeds, the spread of each value of a plan.

    Of each seed it has every figure of the suite as well, which pages of findings compare.
    """
    keys = dict.fromkeys([*plan.keys, *(figure.key for figure in suite.figures)])
    by_seed = {result['seed']: _shown(suite, keys, result['values']) for result in results}
    metrics: dict[str, float] = {}
    for key in plan.keys:
        found = [values[key] for values in by_seed.values() if key in values]
        if found:
            metrics[key], spread = mean_and_spread(found)
            metrics.update({f'{key} (spread)': spread} if len(found) > 1 else {})
    many = f', mean of {len(results)} seeds' if len(results) > 1 else ''
    data = f'{setting.data}, ' if setting.data else ''
    record = result_record(
        f'{plan.protocol}{many}',
        setting.config,
        metrics,
        f'{data}{setting.title}; {budget_words(suite, list(by_seed), setting)}',
        f'{command} --settings {setting.name}',
    )
    record.update({name: results[0][name] for name in ('commit', 'hardware', 'versions')})
    record['date'] = max(result['date'] for result in results)
    record['by_seed'] = {str(seed): values for seed, values in by_seed.items()}
    record['seconds'] = {str(result['seed']): result['wall_seconds'] for result in results}
    spent = {str(r['seed']): r['cpu_seconds'] for r in results if 'cpu_seconds' in r}
    record.update({'cpu_seconds': spent} if spent else {})
    record['load'] = max(max(result['load']) for result in results)
    return record


def _shown(suite: Suite, keys: Iterable[str], values: Mapping[str, float]) -> dict[str, float]:
    """Return some values in the units in which figures are shown."""
    factors = {figure.key: figure.factor for figure in suite.figures}
    found = {key: values[key] * factors.get(key, 1.0) for key in keys if key in values}
    return {key: round(value, 4) for key, value in found.items()}


def _finished(runs: Sequence[Run]) -> Finished:
    """Return the results of every setting of which no run is missing."""
    found: dict[tuple[str, str], list[dict[str, Any] | None]] = {}
    for run in runs:
        found.setdefault((run.data, run.setting.name), []).append(run.result())
    return {
        place: [result for result in results if result is not None]
        for place, results in found.items()
        if None not in results
    }


def _check_origin(place: tuple[str, str], setting: Setting, finished: Finished) -> None:
    other = finished.get((place[0], setting.against), [])
    origins = {
        (commit, result['hardware'], str(result['versions']))
        for result in (*finished[place], *other)
        for commit in result['commits']
    }
    if len(origins) != 1:
        raise ValueError(
            f'--record: the runs of {" ".join(place)} and of what it is compared with come from '
            f'{len(origins)} commits or machines: {sorted(origins)}; expected one. Give a new '
            '--out, and run all of them on one.'
        )
