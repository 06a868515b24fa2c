"""What a sweep writes: table and sentences, JSON, curves, report pages, records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mochi_mm.experiments.benchmark import write_json
from mochi_mm.experiments.figures import (
    FIGURES,
    Figure,
    mean_and_spread,
    table,
    values_of,
)
from mochi_mm.experiments.findings import findings
from mochi_mm.experiments.result_record import command_line, result_record, write_record
from mochi_mm.experiments.suites import SUITES, Setting
from mochi_mm.experiments.sweep import Run, Sweep
from mochi_mm.files.atomic_file import write_atomically

_NOTES = """
Mean ± sample standard deviation over seeds. Measured on the validation images; the training images
of the sweep vote in the kNN (k = 20), and the fast linear probe is fitted to them. Alignment and
uniformity are those of the pooled features, lower is tighter and more even. Contrastive accuracy is
the share of queries whose key is nearer than every negative of the memory; an oracle leaves out
those of the query's class there too, so its contrastive accuracy does not compare.
"""
_PROTOCOLS = {
    'weighted kNN, k=20, temperature 0.07': ('knn/top1_k20',),
    'fast linear probe (L-BFGS on cached features)': ('fast_linear/top1',),
    'features and contrastive task': tuple(
        key for key in FIGURES if key not in ('knn/top1_k20', 'fast_linear/top1')
    ),
}


def budget_words(sweep: Sweep, seeds: Sequence[int]) -> str:
    """Return the budget in words."""
    images = sweep.images_per_class
    many = 'all images' if images is None else f'{images} images of each class'
    return f'{sweep.epochs} epochs over {many}, seeds {", ".join(map(str, seeds))}'


def write_tables(
    sweep: Sweep, runs: Sequence[Run], seeds: Sequence[int], failed: Mapping[str, int]
) -> str:
    """Write table.md and results.json with what is finished; return the table.

    Args:
        sweep: The sweep.
        runs: All that belong to it.
        seeds: All that belong to it.
        failed: Exit code of each run that failed, by name.
    """
    text = f'# Evidence: {sweep.suite}\n\nBudget: {budget_words(sweep, seeds)}.\n'
    content: dict[str, Any] = dict(budget=sweep.budget, seeds=list(seeds), data={})
    for data in SUITES[sweep.suite].data:
        of_data = [run for run in runs if run.data == data]
        results = {run.name: run.result() for run in of_data}
        done = [result for result in results.values() if result is not None]
        values, settings = values_of(done), _settings_of(of_data)
        sentences = findings(settings, values)
        text += f'\n## {data}\n\n{table(settings, values, seeds)}{_NOTES}\n'
        text += ''.join(f'- {line}\n' for line in sentences)
        open_runs = [name for name, result in results.items() if result is None]
        text += ''.join(f'- **{_state(name, failed)}**: {name}\n' for name in open_runs)
        content['data'][data] = dict(
            summary={s.name: _summary(values.get(s.name, {})) for s in settings},
            findings=sentences,
            runs=done,
            not_finished={name: failed.get(name) for name in open_runs},
        )
    write_atomically(sweep.out / 'table.md', lambda file: file.write(text.encode()))
    write_json(sweep.out / 'results.json', content)
    return text


def _state(name: str, failed: Mapping[str, int]) -> str:
    return f'failed with exit code {failed[name]}' if name in failed else 'not finished'


def _settings_of(runs: Sequence[Run]) -> list[Setting]:
    return list({run.setting.name: run.setting for run in runs}.values())


def _summary(seeds: Mapping[int, Mapping[str, float]]) -> dict[str, Any]:
    """Return mean, spread and count of every value, those without a column as well."""
    keys = dict.fromkeys(key for values in seeds.values() for key in values)
    found = {}
    for key in keys:
        column = [values[key] for values in seeds.values() if key in values]
        mean, spread = mean_and_spread(column)
        found[key] = dict(mean=mean, spread=None if len(column) < 2 else spread, n=len(column))
    return found


def write_pictures(sweep: Sweep, runs: Sequence[Run]) -> list[Path]:
    """Write the curves of each data set, and a report page for each of its seeds."""
    from mochi_mm.runs.run import read_run
    from mochi_mm.visualization.evidence_curves import draw_evidence
    from mochi_mm.visualization.report import write_report

    written = []
    trained = [r for r in runs if r.setting.role != 'untrained' and r.result_path.is_file()]
    for data in dict.fromkeys(run.data for run in trained):
        of_data = [run for run in trained if run.data == data]
        by_title = {
            setting.title: [read_run(run.folder) for run in of_data if run.setting == setting]
            for setting in _settings_of(of_data)
        }
        path = sweep.out / f'curves_{data}.png'
        seeds = sorted({run.seed for run in of_data})
        draw_evidence(path, by_title, f'{data}: {budget_words(sweep, seeds)}; mean and range')
        written.append(path)
        for seed in seeds:
            folders = [run.folder for run in of_data if run.seed == seed]
            written.append(write_report(folders, sweep.out / f'report_{data}_seed_{seed}.html'))
    return written


def write_records(
    folder: Path, sweep: Sweep, runs: Sequence[Run], seeds: Sequence[int]
) -> list[Path]:
    """Write the means and spreads as records that docs/results.md is made from.

    Args:
        folder: Where to; ``results/measured`` for the page.
        sweep: The sweep.
        runs: All that belong to it.
        seeds: All that belong to it.

    Raises:
        ValueError: Fewer than three seeds, a run that is not finished, or runs of several commits
            or machines: a mean over them would hide that.
    """
    results = [(run, run.result()) for run in runs]
    open_runs = [run.name for run, result in results if result is None]
    if len(seeds) < 3 or open_runs:
        raise ValueError(
            f'--record: seeds {list(seeds)}, not finished: {", ".join(open_runs) or "none"}; '
            'expected at least three seeds of which every run is finished.'
        )
    origins = {
        (commit, result['hardware'], str(result['versions']))
        for _, result in results
        if result is not None
        for commit in result.get('commits', [result['commit']])  # an earlier version kept one
    }
    if len(origins) != 1:
        raise ValueError(
            f'--record: the runs come from {len(origins)} commits or machines: {sorted(origins)}; '
            'expected one. Give a new --out, and run all of them on one.'
        )
    written = []
    for data in SUITES[sweep.suite].data:
        for setting in _settings_of([run for run in runs if run.data == data]):
            of_setting = [
                r for run, r in results if r and (run.data, run.setting) == (data, setting)
            ]
            written += _records_of(folder, sweep, data, setting, of_setting, seeds)
    return written


def _records_of(
    folder: Path,
    sweep: Sweep,
    data: str,
    setting: Setting,
    results: Sequence[Mapping[str, Any]],
    seeds: Sequence[int],
) -> list[Path]:
    written = []
    who = f'{data}, {setting.title}; {budget_words(sweep, seeds)}'
    for number, (protocol, keys) in enumerate(_PROTOCOLS.items()):
        metrics: dict[str, float] = {}
        for figure in (FIGURES[key] for key in keys):
            found = [r['values'][figure.key] for r in results if figure.key in r['values']]
            metrics.update(_named(figure, found))
        record = result_record(
            f'{protocol}, mean of {len(seeds)} seeds', setting.config, metrics, who, command_line()
        )
        record.update({name: results[0][name] for name in ('commit', 'hardware', 'versions')})
        record['date'] = max(result['date'] for result in results)
        kind = ('knn', 'fast-linear', 'features')[number]
        path = folder / f'evidence-{sweep.suite}-{data}-{setting.name}-{kind}.json'
        write_record(path, record)
        written.append(path)
    return written


def _named(figure: Figure, found: Sequence[float]) -> dict[str, float]:
    if not found:
        return {}
    mean, spread = mean_and_spread(found)
    return {figure.key: mean * figure.factor, f'{figure.key} (spread)': spread * figure.factor}
