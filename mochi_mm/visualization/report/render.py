"""The text of the page, in which nothing that comes from a run is markup or program."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from mochi_mm.runs.ending import SAD
from mochi_mm.runs.plain_config import differences
from mochi_mm.runs.run import Run
from mochi_mm.version import __version__
from mochi_mm.visualization.report.bars import bars_of
from mochi_mm.visualization.report.chart import Chart
from mochi_mm.visualization.report.sections import (
    analysis_charts,
    probability_charts,
    spectrum_charts,
    training_charts,
)
from mochi_mm.visualization.report.tables import analysis_table, environment_table, summary
from mochi_mm.visualization.run_colors import color_of, mark_of

_PAGE = Path(__file__).with_name('page')
_KINDS = {
    'neighbors': 'Nearest neighbors',
    'neighbours': 'Nearest neighbors',  # analyses of 0.1
    'negatives': 'A query, its hard negatives and its synthetic ones (t-SNE)',
}


def render(runs: Sequence[Run]) -> str:
    """Return the page about ``runs``; every text that comes from them is escaped.

    A policy in the head of the page lets a browser run the two programs of this project alone,
    known by their digests, and load nothing from anywhere.

    Args:
        runs: At least one.
    """
    by_epoch = all(run.log.per_epoch or not run.log.lines for run in runs)
    groups = [
        ('Training', training_charts(runs, by_epoch)),
        ('Features', analysis_charts(runs, by_epoch)),
        ('Matching probabilities of the hardest negatives', probability_charts(runs)),
        ('Spectrum of the features', spectrum_charts(runs)),
    ]
    groups = [(title, charts) for title, charts in groups if charts]
    heads, rows = summary(runs)
    programs = [_program('chart.umd.min.js'), _program('page.js')]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters['breakable'] = breakable
    environment.filters['bars'] = bars_of
    template = environment.from_string(_text('page.html'))
    return template.render(
        runs=runs,
        marks=[mark_of(number).text for number in range(len(runs))],
        colors=[(color_of(number), color_of(number, dark=True)) for number in range(len(runs))],
        sad=SAD,
        heads=heads,
        rows=rows,
        groups=groups,
        pictures=_pictures(runs),
        differing=[(*row, False) for row in differences([run.config for run in runs])],
        analyzed=analysis_table(runs),
        environment=environment_table(runs),
        data=_data(runs, [chart for _, charts in groups for chart in charts]),
        style=Markup(_text('page.css')),
        programs=[Markup(program) for program in programs],
        digests=[_digest(program) for program in programs],
        version=__version__,
        written=datetime.now(timezone.utc).strftime('%Y-%m-%d %H:%M UTC'),
    )


def breakable(name: str) -> Markup:
    """Return a name that a browser may break behind its separators, and not inside its words."""
    parts = re.split(r'(?<=[/_.,=-])(?=[^\s/_.,=-])', name)
    return Markup('<wbr>').join(parts)


def png_uri(content: bytes) -> str:
    """Return a PNG as a data URI."""
    return 'data:image/png;base64,' + base64.b64encode(content).decode()


def _data(runs: Sequence[Run], charts: Sequence[Chart]) -> dict[str, Any]:
    """Return what the program of the page draws; charts in the order of the page."""
    marks = [mark_of(number) for number in range(len(runs))]
    return dict(
        runs=[
            dict(
                name=run.name,
                style=mark.style,
                rotation=mark.rotation,
                dotted=mark != marks[0],
                sad=run.ending.state in SAD,
            )
            for run, mark in zip(runs, marks, strict=True)
        ],
        charts=[chart.data() for chart in charts],
    )


def _text(name: str) -> str:
    return (_PAGE / name).read_text(encoding='utf-8')


def _program(name: str) -> str:
    """Return a program of the page, without the name of a map that is not there."""
    return re.sub(r'\n//# sourceMappingURL=.*', '', _text(name))


def _digest(program: str) -> str:
    return base64.b64encode(hashlib.sha256(program.encode()).digest()).decode()


def _pictures(runs: Sequence[Run]) -> list[tuple[str, list[tuple[int, str, str]]]]:
    """Return title, then run, caption and image of each run, for each kind of picture."""
    kinds = dict.fromkeys(kind for run in runs for kind, _, _ in run.pictures)
    return [
        (
            _KINDS.get(kind, kind),
            [
                (number, f'{run.name}, {source}', png_uri(content))
                for number, run in enumerate(runs)
                for found, source, content in run.pictures
                if found == kind
            ],
        )
        for kind in kinds
    ]
