"""Writing the page of the report."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from mochi_mm.files.atomic_file import write_atomically
from mochi_mm.runs.plain_config import differences
from mochi_mm.runs.run import Run, read_runs
from mochi_mm.utils.progress import progress_bar
from mochi_mm.version import __version__
from mochi_mm.visualization.report.charts import color_of, png_uri
from mochi_mm.visualization.report.sections import (
    analysis_charts,
    probability_charts,
    spectrum_charts,
    summary,
    training_charts,
)

_TEMPLATE = Path(__file__).with_name('page.html')
_KINDS = {
    'neighbors': 'Nearest neighbors',
    'neighbours': 'Nearest neighbors',  # analyses of 0.1
    'negatives': 'A query, its hard negatives and its synthetic ones (t-SNE)',
}


def write_report(work_dirs: Sequence[str | Path], out: str | Path) -> Path:
    """Write one HTML page about several runs; it needs no other file and no network.

    Args:
        work_dirs: Work dirs of training runs.
        out: The page; replaced in one step when all of it is there.

    Returns:
        ``out``.

    Raises:
        FileNotFoundError: A work dir that does not exist or has no logs.
        ValueError: Logs, configs or analyses that cannot be read; a work dir named twice; a name
            of the page that does not end in ``.html``.
    """
    out = Path(out)
    if out.suffix != '.html':
        raise ValueError(f'out is {out}; expected the name of a page, ending in .html.')
    page = render(read_runs(work_dirs))  # in analyses and logs there may be any text
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, lambda file: file.write(page.encode(errors='backslashreplace')))
    return out


def render(runs: Sequence[Run]) -> str:
    """Return the page about ``runs``; every text that comes from them is escaped."""
    by_epoch = all(run.log.per_epoch or not run.log.lines for run in runs)
    steps = {
        'Training': lambda: training_charts(runs, by_epoch),
        'Features': lambda: analysis_charts(runs, by_epoch),
        'Matching probabilities of the hardest negatives': lambda: probability_charts(runs),
        'Spectrum of the features': lambda: spectrum_charts(runs),
    }
    groups = []
    for title, charts in progress_bar(list(steps.items()), 'charts', len(steps)):
        groups.append((title, charts()))
    heads, rows = summary(runs)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters['breakable'] = breakable
    template = environment.from_string(_TEMPLATE.read_text(encoding='utf-8'))
    return template.render(
        runs=runs,
        colors=[color_of(number) for number in range(len(runs))],
        heads=heads,
        rows=rows,
        groups=[(title, charts) for title, charts in groups if charts],
        pictures=_pictures(runs),
        differing=differences([run.config for run in runs]),
        analyzed=_analyzed(runs),
        environment=_environment(runs),
        version=__version__,
        written=datetime.now(timezone.utc).strftime('%Y-%m-%d %H:%M UTC'),
    )


def breakable(name: str) -> Markup:
    """Return a name that a browser may break behind its separators, and not inside its words."""
    parts = re.split(r'(?<=[/_.,=-])(?=[^\s/_.,=-])', name)
    return Markup('<wbr>').join(parts)


def _pictures(runs: Sequence[Run]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return title, then caption and image of each run, for each kind of picture."""
    kinds = dict.fromkeys(kind for run in runs for kind, _, _ in run.pictures)
    return [
        (
            _KINDS.get(kind, kind),
            [
                (f'{run.name}, {source}', png_uri(content))
                for run in runs
                for found, source, content in run.pictures
                if found == kind
            ],
        )
        for kind in kinds
    ]


def _analyzed(runs: Sequence[Run]) -> list[tuple[str, list[str], bool]]:
    """Return the settings of the analyses: name, values of each run, and whether they differ.

    Measures are comparable between runs only where these are equal. A checkpoint that lies in
    another folder than the run is named.
    """
    found: list[dict[str, dict[str, None]]] = []
    for run in runs:
        values: dict[str, dict[str, None]] = {}
        for record, _ in run.analyses:
            facts = {**record.get('settings', {}), **record.get('counts', {})}
            checkpoint = Path(str(record.get('checkpoint', '')))
            if len(checkpoint.parts) > 1 and checkpoint.parent.name != run.work_dir.resolve().name:
                facts['checkpoint of another run'] = checkpoint
            for name, value in facts.items():
                values.setdefault(name, {})[str(value)] = None
        found.append(values)
    table = []
    for name in dict.fromkeys(name for values in found for name in values):
        row = [', '.join(values.get(name, {})) or '-' for values in found]
        here = {text for text, run in zip(row, runs, strict=True) if run.analyses}
        table.append((name, row, len(here) > 1 or name == 'checkpoint of another run'))
    return table


def _environment(runs: Sequence[Run]) -> list[tuple[str, list[str], bool]]:
    """Return name, value of each run, and whether the values differ."""
    names = dict.fromkeys(name for run in runs for name in run.environment)
    table: list[tuple[str, list[Any], bool]] = []
    for name in names:
        values = [run.environment.get(name, '-') for run in runs]
        table.append((name, values, len(set(values)) > 1))
    return table
