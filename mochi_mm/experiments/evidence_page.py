"""The page of findings of the evidence plan, computed from records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mochi_mm.experiments.figures import Values
from mochi_mm.experiments.outputs import section
from mochi_mm.experiments.suite import Suite
from mochi_mm.experiments.suites import read_suite
from mochi_mm.files.text_file import read_json

PAGE = 'docs/evidence.md'
STAGES = (
    'evidence_stage0',
    'evidence_stage1',
    'evidence_stage2',
    'evidence_controls',
    'evidence_controls_cifar10',
    'evidence_law',
)
HEAD = """# Evidence: findings

Written by `python tools/analysis/evidence_page.py` from `results/measured/evidence-plan-*.json`,
which `python tools/benchmarks/sweep.py SUITE --record results/measured` writes. Not to be edited.
What was asked, and what would be called a gain, stands in the [plan](evidence_plan.md), which is
older than the runs. `higher` and `lower` mean that the 95 % interval of the mean difference leaves
zero out; otherwise nothing shows, which is a result.
"""


@dataclass(frozen=True)
class Stage:
    """What was recorded of one suite.

    Attributes:
        name: Name of the suite.
        suite: The suite.
        records: The records by data set and setting.
    """

    name: str
    suite: Suite
    records: dict[tuple[str, str], dict[str, Any]]

    def values(self, data: str) -> Values:
        """Return the values of one data set by setting and seed, in the units of results."""
        return {
            setting: _values(self.suite, record)
            for (of, setting), record in self.records.items()
            if of == data
        }


def read_stage(folder: Path, name: str) -> Stage:
    """Return what a folder of records has of a suite.

    Args:
        folder: Such as ``results/measured``.
        name: Name of the suite.

    Raises:
        ValueError: A record without the figures of its seeds.
    """
    suite = read_suite(name)
    found = {}
    for setting in suite.settings:
        data = setting.data or 'generated'
        for plan in suite.records:
            path = folder / plan.file.format(data=data, setting=setting.name)
            if path.is_file():
                record = read_json(path)
                if not isinstance(record, dict) or not record.get('by_seed'):
                    raise ValueError(
                        f'{path} has no figures of single seeds; expected a record that '
                        'tools/benchmarks/sweep.py --record wrote.'
                    )
                found[data, setting.name] = record
    return Stage(name, suite, found)


def _values(suite: Suite, record: dict[str, Any]) -> dict[int, dict[str, float]]:
    """Return the figures of each seed in the units of results; records hold them as shown."""
    factors = {figure.key: figure.factor for figure in suite.figures}
    return {
        int(seed): {key: value / factors.get(key, 1.0) for key, value in values.items()}
        for seed, values in record['by_seed'].items()
    }


def evidence_page(root: Path, pictures: Path) -> str:
    """Return the page for the records of a repository.

    Args:
        root: The repository.
        pictures: Folder that figures are drawn into.
    """
    stages = [read_stage(root / 'results/measured', name) for name in STAGES]
    return '\n'.join([HEAD, *(line for stage in stages for line in _stage(stage, pictures))])


def _stage(stage: Stage, pictures: Path) -> Iterator[str]:
    yield f'## {stage.suite.title}\n'
    if not stage.records:
        yield f'Not measured yet: `python tools/benchmarks/sweep.py {stage.name}`.\n'
        return
    by_data = {data: stage.values(data) for data in dict.fromkeys(d for d, _ in stage.records)}
    for data, values in by_data.items():
        settings = [s for s in stage.suite.settings if (s.data or 'generated') == data]
        seeds = sorted({*stage.suite.seeds, *(seed for of in values.values() for seed in of)})
        yield f'{_budget(stage.suite)}, {data}.\n'
        yield section(stage.suite, settings, values, seeds)[0]
    if stage.suite.more is not None:
        pictures.mkdir(parents=True, exist_ok=True)
        yield ''.join(f'- {line}\n' for line in stage.suite.more(pictures, by_data))
    yield from _origin(list(stage.records.values()))


def _budget(suite: Suite) -> str:
    return f'{suite.epochs} epochs over {suite.images.words()}'


def _origin(records: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield where, when and at what cost the figures were measured, and how to repeat them."""
    yield 'Where, and what it costs to repeat:\n'
    for record in records:
        versions = ', '.join(f'{name} {value}' for name, value in record['versions'].items())
        wall, spent = (sum(record.get(name, {}).values()) for name in ('seconds', 'cpu_seconds'))
        yield (
            f'- `{record["command"]}` at {record["commit"]}, {record["date"]}: {spent} seconds of '
            f'CPU time in {wall}, load up to {record["load"]:g}; {record["hardware"]}; {versions}'
        )
    yield ''
