"""Pages of what sweeps found, computed from their records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mochi_mm.experiments.figures import Values
from mochi_mm.experiments.outputs import budget_words, section
from mochi_mm.experiments.setting import Setting
from mochi_mm.experiments.suite import Suite
from mochi_mm.experiments.suites import read_suite
from mochi_mm.files.text_file import read_json

_STAGES = (
    'evidence_stage0',
    'evidence_stage1',
    'evidence_stage2',
    'evidence_headroom',
    'evidence_controls',
    'evidence_controls_cifar10',
    'evidence_law',
)
_EVIDENCE = """# Evidence: findings

Written by `python tools/analysis/findings_pages.py` from `results/measured/evidence-plan-*.json`,
which `python tools/benchmarks/sweep.py SUITE --record results/measured` writes. Not to be edited.
What was asked, and what would be called a gain, stands in the [plan](evidence_plan.md), which is
older than the runs. `higher` and `lower` mean that the 95 % interval of the mean difference leaves
zero out; otherwise nothing shows, which is a result.
"""
_COMPARED = (
    'negatives_cifar10',
    'augmentation_cifar10',
    'unicon_supcon',
    'esupcon_cifar10',
    'long_tail_alpha',
    'long_tail_cifar10',
    'open_world_cifar10',
    'pseudo_labels_cifar10',
    'robustness_cifar10',
    'excon_cifar10',
    'backgrounds',
    'multi_crop_cifar10',
    'continued_cifar10',
)
_COMPARISONS = """# Methods side by side: findings

Written by `python tools/analysis/findings_pages.py` from `results/measured`, where
`python tools/benchmarks/sweep.py SUITE --record results/measured` writes. Not to be edited. All
settings of a table have one network, budget and machine: a quarter-width ResNet-10, a few epochs on
one CPU core. Figures so small say which way a method pulls, not what it reaches
([results](results.md)). `higher` and `lower` mean that the 95 % interval of the mean difference
leaves zero out; otherwise nothing shows, which is a result.
"""
#: Head of each page, and the suites in it, by its path.
PAGES = {
    'docs/evidence.md': (_EVIDENCE, _STAGES),
    'docs/comparisons.md': (_COMPARISONS, _COMPARED),
}


@dataclass(frozen=True)
class Recorded:
    """What was recorded of one suite.

    Attributes:
        name: Name of the suite.
        suite: The suite.
        records: The records by data set and setting, each with the figures of all its files.
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


def read_recorded(folder: Path, name: str) -> Recorded:
    """Return what a folder of records has of a suite.

    Args:
        folder: Such as ``results/measured``.
        name: Name of the suite.

    Raises:
        ValueError: A record without the figures of its seeds, or of another budget.
    """
    suite = read_suite(name)
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for setting in suite.settings:
        data = setting.data or 'generated'
        for plan in suite.records:
            path = folder / plan.file.format(data=data, setting=setting.name)
            if path.is_file():
                record = _read(path, suite, setting)
                whole = found.setdefault((data, setting.name), record)
                for seed, values in record['by_seed'].items():
                    whole['by_seed'].setdefault(seed, {}).update(values)
    return Recorded(name, suite, found)


def _read(path: Path, suite: Suite, setting: Setting) -> dict[str, Any]:
    record = read_json(path)
    if not isinstance(record, dict) or not record.get('by_seed'):
        raise ValueError(
            f'{path} has no figures of single seeds; expected a record that '
            'tools/benchmarks/sweep.py --record wrote.'
        )
    budget = budget_words(suite, sorted(map(int, record['by_seed'])), setting)
    if not str(record['pretraining']).endswith(budget):
        raise ValueError(
            f'{path} is of {record["pretraining"]!r}, the suite is of {budget!r} today; expected '
            'the budget that was measured: leave it in the suite, or measure again.'
        )
    return record


def _values(suite: Suite, record: dict[str, Any]) -> dict[int, dict[str, float]]:
    """Return the figures of each seed in the units of results; records hold them as shown."""
    factors = {figure.key: figure.factor for figure in suite.figures}
    return {
        int(seed): {key: value / factors.get(key, 1.0) for key, value in values.items()}
        for seed, values in record['by_seed'].items()
    }


def findings_page(page: str, root: Path, pictures: Path) -> str:
    """Return one of :data:`PAGES` for the records of a repository.

    Args:
        page: Path of the page.
        root: The repository.
        pictures: Folder that figures are drawn into.
    """
    head, names = PAGES[page]
    found = [read_recorded(root / 'results/measured', name) for name in names]
    return '\n'.join([head, *(line for one in found for line in _section(one, pictures))])


def _section(found: Recorded, pictures: Path) -> Iterator[str]:
    yield f'## {found.suite.title}\n'
    if not found.records:
        yield f'Not measured yet: `python tools/benchmarks/sweep.py {found.name}`.\n'
        return
    by_data = {data: found.values(data) for data in dict.fromkeys(d for d, _ in found.records)}
    for data, values in by_data.items():
        settings = [s for s in found.suite.settings if (s.data or 'generated') == data]
        seeds = sorted({*found.suite.seeds, *(seed for of in values.values() for seed in of)})
        yield f'{_budget(found.suite)}, {data}.\n'
        yield section(found.suite, settings, values, seeds)[0]
    if found.suite.more is not None:
        pictures.mkdir(parents=True, exist_ok=True)
        yield ''.join(f'- {line}\n' for line in found.suite.more(pictures, by_data))
    yield from _origin(list(found.records.values()))


def _budget(suite: Suite) -> str:
    return f'{suite.epochs} epochs over {suite.images.words()}'


def _origin(records: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield where, when and at what cost the figures were measured, and how to repeat them."""
    hours = sum(sum(record.get('cpu_seconds', {}).values()) for record in records) / 3600
    total = f' ({hours:.1f} hours of CPU time in all)' if hours else ''
    yield f'Where, and what it costs to repeat{total}:\n'
    for record in records:
        versions = ', '.join(f'{name} {value}' for name, value in record['versions'].items())
        wall, spent = (sum(record.get(name, {}).values()) for name in ('seconds', 'cpu_seconds'))
        yield (
            f'- `{record["command"]}` at {record["commit"]}, {record["date"]}: {spent} seconds of '
            f'CPU time in {wall}, load up to {record["load"]:g}; {record["hardware"]}; {versions}'
        )
    yield ''
