"""Output of a sweep while it runs: tables and sentences, JSON, curves, report pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mochi_mm.experiments.benchmark import write_json
from mochi_mm.experiments.comparison import comparison_table, comparisons
from mochi_mm.experiments.figures import Values, mean_and_spread, table, values_of
from mochi_mm.experiments.findings import findings
from mochi_mm.experiments.setting import Setting
from mochi_mm.experiments.suite import Suite
from mochi_mm.experiments.sweep import Run, Sweep
from mochi_mm.files.atomic_file import write_atomically


def budget_words(suite: Suite, seeds: Sequence[int], setting: Setting | None = None) -> str:
    """Return the budget of a suite, or of one of its settings, in words."""
    epochs = suite.epochs if setting is None else suite.epochs_of(setting)
    many = f'seeds {", ".join(map(str, seeds))}' if len(seeds) > 1 else f'seed {seeds[0]}'
    return f'{epochs} epochs over {suite.images.words()}, {many}'


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
    suite = sweep.suite
    text = f'# {suite.title}\n\nBudget: {budget_words(suite, seeds)}.\n'
    content: dict[str, Any] = dict(budget=sweep.budget, seeds=list(seeds), data={})
    by_data: dict[str, Values] = {}
    for data in dict.fromkeys(run.data for run in runs):
        of_data = [run for run in runs if run.data == data]
        results = {run.name: run.result() for run in of_data}
        done = [result for result in results.values() if result is not None]
        settings = settings_of(of_data)
        by_data[data] = values_of(done)
        shown, found = section(suite, settings, by_data[data], seeds)
        open_runs = [name for name, result in results.items() if result is None]
        text += f'\n## {data}\n\n{shown}'
        text += ''.join(f'- **{_state(name, failed)}**: {name}\n' for name in open_runs)
        content['data'][data] = dict(
            summary={s.name: _summary(by_data[data].get(s.name, {})) for s in settings},
            **found,
            runs=done,
            not_finished={name: failed.get(name) for name in open_runs},
        )
    if suite.more is not None:
        content['more'] = suite.more(sweep.out, by_data)
        text += '\n' + ''.join(f'- {line}\n' for line in content['more'])
    write_atomically(sweep.out / 'table.md', lambda file: file.write(text.encode()))
    write_json(sweep.out / 'results.json', content)
    return text


def section(
    suite: Suite, settings: Sequence[Setting], values: Values, seeds: Sequence[int]
) -> tuple[str, dict[str, list[Any]]]:
    """Return the text about one data set, and its sentences and differences as data.

    Args:
        suite: Says what is shown.
        settings: Settings of the data set.
        values: Values of the finished runs.
        seeds: Seeds that were asked for.
    """
    text = f'{table(settings, suite.figures, values, seeds)}{suite.notes}\n'
    compared = comparisons([suite.figure(key) for key in suite.compared], settings, values)
    if compared:
        text += f'Seed by seed:\n\n{comparison_table(compared)}\n'
    sentences = [comparison.sentence() for comparison in compared]
    sentences += findings(suite.claims, suite.figures, settings, values)
    text += ''.join(f'- {line}\n' for line in sentences)
    differences = [
        dict(
            setting=c.setting.name,
            against=c.other.name,
            key=c.figure.key,
            primary=c.primary,
            by_seed=c.differences,
            interval=c.interval,
            verdict=c.verdict,
        )
        for c in compared
    ]
    return text, dict(findings=sentences, differences=differences)


def _state(name: str, failed: Mapping[str, int]) -> str:
    return f'failed with exit code {failed[name]}' if name in failed else 'not finished'


def settings_of(runs: Sequence[Run]) -> list[Setting]:
    """Return the settings of some runs of one data set, each once."""
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
    """Write the curves of each data set, and a report page for each of its seeds.

    A suite without panels has neither.
    """
    from mochi_mm.runs.run import read_run
    from mochi_mm.visualization.report import write_report
    from mochi_mm.visualization.sweep_curves import draw_curves

    suite, written = sweep.suite, list[Path]()
    done = [run for run in runs if run.setting.trained and run.result_path.is_file()]
    # Of a run that was kept without its log the figures are all that is left.
    trained = [run for run in done if any(run.folder.glob('*/vis_data/scalars.json'))]
    for data in dict.fromkeys(run.data for run in trained if suite.panels):
        of_data = [run for run in trained if run.data == data]
        by_title = {
            setting.title: [read_run(run.folder) for run in of_data if run.setting == setting]
            for setting in settings_of(of_data)
        }
        path = sweep.out / f'curves_{data}.png'
        seeds = sorted({run.seed for run in of_data})
        title = f'{data}: {budget_words(suite, seeds)}; mean and range'
        draw_curves(path, by_title, title, suite.panels)
        written.append(path)
        for seed in seeds:
            folders = [run.folder for run in of_data if run.seed == seed]
            written.append(write_report(folders, sweep.out / f'report_{data}_seed_{seed}.html'))
    return written
