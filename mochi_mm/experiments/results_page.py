"""The page of results, from what tools and metafiles wrote down."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from mochi_mm.experiments.result_record import FIELDS, protocol_of
from mochi_mm.files.text_file import read_json
from mochi_mm.launch.config import load_config

FAST_PROBE = 'fast linear probe (L-BFGS on cached features)'
TAGS = ('verified', 'verified-2nd', 'recalled')
PAGE = 'docs/results.md'
HEAD = """# Results

Written by `python tools/analysis/results_table.py` from `results/measured/*.json`, which the tools
write with command, commit, hardware and date, from `configs/*/metafile.yml`, from
`configs/benchmarks`, and from `results/public.yml`. Not to be edited. Accuracies in percent; one
run each unless it says otherwise. A command is that of its commit; what `evidence.py` and
`family.py` did are suites of `tools/benchmarks/sweep.py` today. How each protocol works:
[evaluation.md](evaluation.md).
"""


def read_records(folder: Path) -> list[dict[str, Any]]:
    """Return the records in ``folder``, sorted by protocol, config and pre-training.

    Raises:
        ValueError: A file lacks a field, so that nobody could judge its figure.
    """
    records = []
    for path in sorted(folder.glob('*.json')):
        record = read_json(path)
        if not isinstance(record, dict):
            raise ValueError(
                f'{path} is no record; expected a file that a tool wrote with --record.'
            )
        missing = [field for field in FIELDS if not record.get(field)]
        if missing:
            raise ValueError(
                f'{path} lacks {", ".join(missing)}; expected a file that a tool wrote with '
                '--record.'
            )
        if str(record['commit']).endswith('-dirty') or record['commit'] == 'unknown':
            raise ValueError(
                f'{path} was measured at commit {record["commit"]}: nobody can run that code '
                'again. Commit first, then measure.'
            )
        records.append(record)
    return sorted(records, key=lambda r: (r['protocol'], r['config'], r['pretraining']))


def read_public(path: Path) -> list[dict[str, Any]]:
    """Return the figures of others, checked for their tags.

    Raises:
        ValueError: A row without a tag, or with an unknown one.
    """
    groups = yaml.safe_load(path.read_text(encoding='utf-8'))['public']
    for group in groups:
        for row in group['rows']:
            if row.get('tag') not in TAGS or not row.get('source'):
                raise ValueError(f'{path}: {row} needs a source and a tag of {", ".join(TAGS)}.')
    return list(groups)


def read_models(root: Path) -> list[dict[str, Any]]:
    """Return every model of every metafile."""
    found = []
    for path in sorted((root / 'configs').glob('*/metafile.yml')):
        found += yaml.safe_load(path.read_text(encoding='utf-8'))['Models']
    return found


def read_benchmarks(root: Path) -> list[tuple[str, str]]:
    """Return protocol and path of every benchmark config, sorted; a kNN config has two protocols.

    The fast linear probe takes its data from a kNN config.
    """
    found = []
    for path in sorted((root / 'configs/benchmarks').glob('*/*.py')):
        protocol, name = protocol_of(load_config(path)), path.relative_to(root).as_posix()
        found.append((protocol, name))
        if protocol.startswith('weighted kNN'):
            found.append((FAST_PROBE, name))
    return sorted(found)


def results_page(root: Path) -> str:
    """Return the page for the repository at ``root``."""
    records = read_records(root / 'results/measured')
    public, models = read_public(root / 'results/public.yml'), read_models(root)
    benchmarks = _benchmarks(records, read_benchmarks(root))
    configs = _unmeasured(records, models)
    return '\n'.join([HEAD, *_measured(records), *benchmarks, *configs, *_public(public)])


def _measured(records: list[dict[str, Any]]) -> Iterable[str]:
    yield '## Measured with this code\n'
    if not records:
        yield 'Nothing yet.\n'
        return
    yield from _table(
        ('protocol', 'benchmark', 'pre-training', 'result', 'command', 'commit', 'date'),
        (
            (
                record['protocol'],
                f'[{Path(record["config"]).stem}](../{record["config"]})',
                record['pretraining'],
                '<br>'.join(f'{n} **{_shown(n, v)}**' for n, v in _summary(record['metrics'])),
                f'`{record["command"]}`',
                record['commit'],
                record['date'],
            )
            for record in records
        ),
    )
    yield 'Where:\n'
    for place in sorted({_place(record) for record in records}):
        yield f'- {place}'
    yield ''


def _summary(metrics: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return accuracies and means, where there are any: not what each class has."""
    means = [(name, v) for name, v in metrics.items() if 'top' in name or 'mAP' in name]
    return means or list(metrics.items())


def _shown(name: str, value: float) -> str:
    return f'{value:.2f}' if 'top' in name or 'mAP' in name else f'{value:.4g}'


def _place(record: Mapping[str, Any]) -> str:
    versions = ', '.join(f'{name} {value}' for name, value in record['versions'].items())
    return f'{record["commit"]}, {record["date"]}: {record["hardware"]}; {versions}'


def _benchmarks(records: list[dict[str, Any]], benchmarks: list[tuple[str, str]]) -> Iterable[str]:
    measured = {(_kind(record['protocol']), record['config']) for record in records}
    yield '## Benchmark configs\n'
    yield from _table(
        ('protocol', 'config', 'on this page'),
        (
            (
                protocol,
                f'[{Path(config).stem}](../{config})',
                'measured' if (_kind(protocol), config) in measured else 'not yet measured',
            )
            for protocol, config in benchmarks
        ),
    )
    yield 'kNN and the online probe as hooks while pre-training runs have no config of their own.\n'


def _kind(protocol: str) -> str:
    """Return the protocol without its settings."""
    return re.split('[,(]', protocol)[0].strip()


def _unmeasured(records: list[dict[str, Any]], models: list[dict[str, Any]]) -> Iterable[str]:
    measured = {record['pretraining'] for record in records}
    yield '## Pre-training configs\n'
    yield from _table(
        ('config', 'data', 'epochs', 'batch', 'on this page'),
        (
            (
                f'[{model["Name"]}](../{model["Config"]})',
                str(model['Metadata']['Training Data']),
                str(model['Metadata']['Epochs']),
                str(model['Metadata']['Batch Size']),
                'measured' if model['Name'] in measured else 'not yet',
            )
            for model in models
        ),
    )


def _public(groups: list[dict[str, Any]]) -> Iterable[str]:
    yield '## Figures of others\n'
    yield 'Read in the place that is named; settings may differ from those of the configs here.\n'
    yield from _group_tables(groups, recalled=False)
    yield '## Remembered figures\n'
    yield (
        'The text of the MoCHi paper was not at hand. These are **remembered and were not checked '
        'against it**: targets to compare with, not citations.\n'
    )
    yield from _group_tables(groups, recalled=True)


def _group_tables(groups: list[dict[str, Any]], recalled: bool) -> Iterable[str]:
    for group in groups:
        rows = [row for row in group['rows'] if (row['tag'] == 'recalled') == recalled]
        if not rows:
            continue
        yield f'### {group["protocol"]}{" (remembered)" if recalled else ""}\n'
        value = 'remembered, unchecked' if recalled else 'value'
        yield from _table(
            ('method', 'pre-training', value, 'source', 'tag'),
            (
                (row['method'], row['pretraining'], str(row['value']), row['source'], row['tag'])
                for row in rows
            ),
        )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterable[str]:
    yield f'| {" | ".join(head)} |'
    yield '|' + '---|' * len(head)
    for row in rows:
        yield f'| {" | ".join(cell.replace("|", "/") for cell in row)} |'
    yield ''
