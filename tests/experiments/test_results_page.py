"""The page of results: up to date, every figure with its origin, remembered ones apart."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml

from mochi_mm.experiments.result_record import FIELDS, commit, protocol_of, result_record
from mochi_mm.experiments.results_page import read_public, read_records, results_page
from tests.toy_runner import REPOSITORY

RECORD: dict[str, Any] = dict(
    protocol='weighted kNN, k=20',
    config='configs/benchmarks/knn/a.py',
    pretraining='mocov2_toy',
    metrics={'knn/top1_k20': 33.333},
    command='python tools/test.py a.py b.pth --record x.json',
    commit='0123456789ab',
    hardware='CPU, some, 2 cores',
    versions=dict(torch='2.11'),
    date='2026-01-02',
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small repository: one record, one metafile, figures of others."""
    for folder in ('results/measured', 'configs/toy', 'docs'):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / 'results/measured/a.json').write_text(json.dumps(RECORD))
    metadata = {'Training Data': 'CIFAR-10', 'Epochs': 6, 'Batch Size': 256}
    models = [
        dict(Name=name, Config=f'configs/toy/{name}.py', Metadata=metadata)
        for name in ('mocov2_toy', 'mochi_toy')
    ]
    (tmp_path / 'configs/toy/metafile.yml').write_text(yaml.safe_dump(dict(Models=models)))
    for name, text in dict(
        knn_a="test_cfg = dict(type='KNNLoop')",
        linear_b='model = dict(freeze_backbone=True)\ntrain_cfg = dict(max_epochs=3)',
    ).items():
        path = tmp_path / 'configs/benchmarks' / f'{name.replace("_", "/")}.py'
        path.parent.mkdir(parents=True)
        path.write_text(f'{text}\n')
    rows = [
        dict(method='M', pretraining='p', value=67.5, source='their README', tag='verified'),
        dict(method='N', pretraining='p', value=79.0, source='their paper', tag='recalled'),
    ]
    groups = dict(public=[dict(protocol='linear probe', rows=rows)])
    (tmp_path / 'results/public.yml').write_text(yaml.safe_dump(groups))
    return tmp_path


def test_the_page_of_this_repository_is_up_to_date() -> None:
    """Otherwise: python tools/analysis/results_table.py"""
    assert (REPOSITORY / 'docs/results.md').read_text() == results_page(REPOSITORY)


def test_figures_measured_here_name_configs_that_exist() -> None:
    for record in read_records(REPOSITORY / 'results/measured'):
        assert (REPOSITORY / record['config']).is_file(), record
        assert re.fullmatch('[0-9a-f]{7,40}', record['commit']), record


def test_what_stands_where(root: Path) -> None:
    page = results_page(root)
    measured, benchmarks, configs, others, remembered = re.split(r'^## .*$', page, flags=re.M)[1:]
    assert 'knn/top1_k20 **33.33**' in measured and '0123456789ab' in measured
    assert RECORD['command'] in measured and '2026-01-02' in measured
    assert '[mocov2_toy](../configs/toy/mocov2_toy.py) | CIFAR-10 | 6 | 256 | measured' in configs
    assert '[mochi_toy](../configs/toy/mochi_toy.py) | CIFAR-10 | 6 | 256 | not yet' in configs
    knn = '[a](../configs/benchmarks/knn/a.py)'
    assert f'weighted kNN, temperature 0.07 | {knn} | measured' in benchmarks
    assert f'fast linear probe (L-BFGS on cached features) | {knn} | not yet measured' in benchmarks
    probe = '[b](../configs/benchmarks/linear/b.py) | not yet measured'
    assert f'linear probe, 3 epochs | {probe}' in benchmarks
    assert '67.5' in others and '79.0' not in others
    assert '79.0' in remembered and '67.5' not in remembered
    assert 'were not checked against it' in ' '.join(remembered.split()).replace('**', '')


def test_every_benchmark_config_has_a_row() -> None:
    page = (REPOSITORY / 'docs/results.md').read_text()
    listed = re.split(r'^## .*$', page, flags=re.M)[2]
    for path in (REPOSITORY / 'configs/benchmarks').glob('*/*.py'):
        assert f'/{path.name}) | ' in listed, path


def test_check_and_write(root: Path, capsys: Any) -> None:
    tool = runpy.run_path(str(REPOSITORY / 'tools/analysis/results_table.py'))['main']
    assert tool(['--root', str(root), '--check']) == 1
    assert 'is not up to date' in capsys.readouterr().out
    assert not (root / 'docs/results.md').exists()
    assert tool(['--root', str(root)]) == 0 == tool(['--root', str(root), '--check'])
    page = root / 'docs/results.md'
    page.write_text(page.read_text().replace('33.33', '93.33'))
    assert tool(['--root', str(root), '--check']) == 1


@pytest.mark.parametrize('field', FIELDS)
def test_a_figure_without_an_origin_is_refused(root: Path, field: str) -> None:
    (root / 'results/measured/b.json').write_text(
        json.dumps({k: v for k, v in RECORD.items() if k != field})
    )
    with pytest.raises(ValueError, match=f'b.json lacks {field}'):
        results_page(root)


@pytest.mark.parametrize('state', ['0123456789ab-dirty', 'unknown'])
def test_figures_of_uncommitted_code_are_refused(root: Path, state: str) -> None:
    (root / 'results/measured/a.json').write_text(json.dumps({**RECORD, 'commit': state}))
    with pytest.raises(ValueError, match='nobody can run that code again'):
        results_page(root)


@pytest.mark.parametrize('change', [dict(tag='sure'), dict(tag=None), dict(source='')])
def test_figures_of_others_need_a_tag_and_a_source(tmp_path: Path, change: Any) -> None:
    row = dict(method='M', pretraining='', value=1, source='s', tag='verified')
    path = tmp_path / 'public.yml'
    path.write_text(yaml.safe_dump(dict(public=[dict(protocol='p', rows=[{**row, **change}])])))
    with pytest.raises(ValueError, match='needs a source and a tag of verified'):
        read_public(path)


def test_a_record_says_what_was_run() -> None:
    record = result_record('p', 'c.py', {'m': 12.34567}, 'w', command='python x.py')
    assert tuple(record) == FIELDS
    assert record['metrics'] == {'m': 12.3457} and record['command'] == 'python x.py'
    assert record['commit'] == commit() and re.fullmatch(r'\d{4}-\d\d-\d\d', record['date'])
    assert 'threads' in record['hardware'] or ' x ' in record['hardware']


@pytest.mark.parametrize(
    ('path', 'protocol'),
    [
        ('knn/knn_resnet50_in1k', 'weighted kNN, temperature 0.07'),
        ('svm/svm_resnet50_voc07', 'linear SVM, whole set, AP 11points'),
        ('svm/lowshot_resnet50_voc07', 'linear SVM, low-shot, 5 samples, AP 11points'),
        ('linear/linear_resnet50_4xb32-step-60e_in100', 'linear probe, 60 epochs'),
        (
            'semi_supervised/semi-1p_resnet50_8xb32-step-20e_in1k',
            'fine-tuning, 1 % of the labels (train_1percent.txt), 20 epochs',
        ),
        (
            'semi_supervised/semi-10p_resnet50_8xb32-step-20e_in1k',
            'fine-tuning, 10 % of the labels (train_10percent.txt), 20 epochs',
        ),
    ],
)
def test_every_figure_names_its_protocol(path: str, protocol: str) -> None:
    from mochi_mm.launch.config import load_config

    assert protocol_of(load_config(REPOSITORY / f'configs/benchmarks/{path}.py')) == protocol
