"""The sweep tool around its runs: exit status, going on, seeds that stay, records."""

from __future__ import annotations

import importlib.util
import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

from mochi_mm.experiments import outputs
from mochi_mm.experiments.result_record import result_record
from mochi_mm.experiments.suites import suite_names
from tests.experiments.toy import finish, write_images
from tests.toy_runner import REPOSITORY


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> Any:
    path = REPOSITORY / 'tools/benchmarks/sweep.py'
    spec = importlib.util.spec_from_file_location('sweep_tool', path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.signal, 'signal', lambda *args: None)
    monkeypatch.setattr(outputs, 'write_pictures', lambda sweep, runs: [])
    return module


@pytest.fixture
def started(tool: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Runs are not trained: a process ends with 3 for those of ``failing``, others get a result."""
    names: list[str] = []

    def command(args: Any, run: Any) -> list[str]:
        names.append(f'{run.setting.name} {run.seed}')
        if run.seed in failing:
            return [sys.executable, '-c', 'import sys; sys.exit(3)']
        finish(run, lambda key: 10.0 + run.seed, **{**here(), **tool.origin})
        return [sys.executable, '-c', '']

    def here() -> dict[str, Any]:
        made = result_record('', '', {}, '')
        return dict({k: made[k] for k in ('hardware', 'versions')}, commits=[made['commit']])

    tool.origin = {}
    failing: set[int] = set()
    monkeypatch.setattr(tool, 'command', command)
    tool.failing = failing
    return names


def test_a_failure_is_named_and_the_next_call_goes_on(
    tool: Any, started: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_images(tmp_path / 'data')
    words = ['evidence_cpu', '--data-root', str(tmp_path / 'data'), '--out', str(tmp_path / 'out')]
    words += ['--epochs', '2', '--images-per-class', '20', '--settings', 'mocov2', '--jobs', '3']
    words += ['--record', str(tmp_path / 'records')]
    tool.failing.add(1)
    assert tool.main(words) == 1
    told = capsys.readouterr()
    assert 'not finished: cifar10 mocov2 seed 1' in told.err
    assert '**failed with exit code 3**: cifar10 mocov2 seed 1' in told.out
    assert '| MoCo-v2 | 2 of 3, **missing: 1** | 11.0 ± 1.4 |' in told.out
    assert started == ['mocov2 0', 'mocov2 1', 'mocov2 2']
    assert not (tmp_path / 'records').exists()

    tool.failing.clear()
    # Fewer seeds than before: those that were started belong to the sweep.
    assert tool.main([*words, '--seeds', '0']) == 0
    assert started[3:] == ['mocov2 1']
    assert '| MoCo-v2 | 3 of 3 | 11.0 ± 1.0 |' in (tmp_path / 'out/table.md').read_text()
    records = sorted((tmp_path / 'records').iterdir())
    assert len(records) == 3
    assert json.loads(records[0].read_text())['command'] == (
        'python tools/benchmarks/sweep.py evidence_cpu --epochs 2 --images-per-class 20 '
        '--seeds 0 1 2 --settings mocov2'
    )
    with pytest.raises(ValueError, match='was made with'):
        tool.main([*words, '--epochs', '3'])
    elsewhere = write_images(tmp_path / 'moved')
    with pytest.raises(ValueError, match=r'data_root.*asks for.*moved'):
        tool.main([*words, '--data-root', str(elsewhere)])


def test_runs_from_elsewhere_are_told_before_hours_pass(
    tool: Any, started: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_images(tmp_path / 'data')
    words = ['evidence_cpu', '--data-root', str(tmp_path / 'data'), '--out', str(tmp_path / 'out')]
    words += ['--epochs', '2', '--images-per-class', '20', '--settings', 'mocov2']
    tool.origin = dict(commits=['a' * 12])
    tool.failing.update((1, 2))
    assert tool.main(words) == 1
    assert 'No record' not in capsys.readouterr().out
    tool.failing.remove(1)
    with pytest.raises(
        ValueError, match='--record: cifar10 mocov2 seed 0 was made at aaaaaaaaaaaa'
    ):
        tool.main([*words, '--record', str(tmp_path / 'records')])
    assert len(started) == 3
    assert tool.main(words) == 1
    assert 'No record of these runs could be made: cifar10 mocov2' in capsys.readouterr().out
    assert len(started) == 5


def test_the_command_of_a_run_names_it(tool: Any, tmp_path: Path) -> None:
    write_images(tmp_path, train=3, val=1)
    out = tmp_path / 'out'
    words = ['evidence_cpu', '--data-root', str(tmp_path), '--out', str(out)]
    args = tool.parse_args([*words, '--images-per-class', '2'])
    sweep = tool.make_sweep(args)
    assert (sweep.suite.epochs, sweep.suite.images.per_class) == (10, 2)
    run = sweep.runs([], [7])[3]
    assert tool.command(args, run)[2:] == [
        *('evidence_cpu', '--images-per-class', '2'),
        *('--alone', 'cifar10 mochi-256-256-0 seed 7'),
        *('--data-root', str(tmp_path), '--out', str(out)),
    ]


def test_too_few_seeds_for_a_record_are_said_at_once(
    tool: Any, started: list[str], tmp_path: Path
) -> None:
    write_images(tmp_path)
    words = ['evidence_cpu', '--data-root', str(tmp_path), '--out', str(tmp_path / 'out')]
    words += ['--images-per-class', '20', '--record', str(tmp_path / 'records')]
    with pytest.raises(ValueError, match=r'--record: seeds \[0, 1\]; expected at least 3'):
        tool.main([*words, '--seeds', '0', '1'])
    assert started == []


def test_list(tool: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.main(['--list']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(suite_names())


def test_bad_input(tool: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = ['--out', str(tmp_path / 'out')]
    with pytest.raises(ValueError, match="no setting 'nonsense' in evidence_cpu: untrained, moco"):
        tool.main(['evidence_cpu', '--settings', 'nonsense', *out])
    with pytest.raises(KeyError, match="no suite 'evidence'"):
        tool.main(['evidence', *out])
    assert not (tmp_path / 'out').exists()
    for words in (['--seeds', '1', '1'], ['--epochs', '0'], ['--seeds', '-1']):
        with pytest.raises(SystemExit):
            tool.parse_args(['evidence_cpu', *words])
    with pytest.raises(SystemExit):
        tool.parse_args([])
    import torch

    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(ValueError, match='--device is cuda'):
        tool.environment('cuda', 1)
    assert tool.environment('cpu', 2)['OMP_NUM_THREADS'] == '2'


@pytest.mark.slow
def test_the_family_trains_measures_and_goes_on(tool: Any, tmp_path: Path) -> None:
    """Two methods for one epoch, one of which cannot work."""
    out = tmp_path / 'out'
    write_images(tmp_path, train=26, val=13)
    words = ['family_cifar10', '--data-root', str(tmp_path), '--out', str(out), '--epochs', '1']
    words += ['--images-per-class', '26', '--queries-per-class', '13', '--settings', 'supcon']
    assert tool.main([*words, '--record', str(tmp_path / 'records')]) == 0
    result = json.loads((out / 'cifar10/supcon/seed_0/result.json').read_text())
    values = result['values']
    assert set(values) == {'knn/top1_k20', 'knn/top1_k20 (untrained)', 'training/cpu_seconds'}
    # A class is a gray: whatever the network, its neighbors are of its class.
    assert values['knn/top1_k20'] > 50 and result['config'].startswith('configs/supcon/')
    assert '| supcon | 1 of 1 |' in (out / 'table.md').read_text()
    record = json.loads((tmp_path / 'records/family-cifar10-supcon.json').read_text())
    assert record['metrics'] == {
        name: round(values[name], 4) for name in ('knn/top1_k20', 'knn/top1_k20 (untrained)')
    }
    assert record['commit'] == result['commit']
    assert record['command'].endswith(
        ' --epochs 1 --images-per-class 26 --queries-per-class 13 --seeds 0 --settings supcon'
    )

    (out / 'cifar10/supcon/seed_0/output.log').unlink()
    assert tool.main(words) == 0
    assert not (out / 'cifar10/supcon/seed_0/output.log').exists(), 'trained again'


@pytest.mark.slow
def test_what_a_run_says_is_in_its_log(tool: Any, tmp_path: Path) -> None:
    """The images are gone when it starts: it fails, and the reason is kept."""
    out = tmp_path / 'out'
    write_images(tmp_path, train=26, val=13)
    words = ['family_cifar10', '--data-root', str(tmp_path), '--out', str(out)]
    words += ['--images-per-class', '26', '--queries-per-class', '13', '--settings', 'supcon']
    tool.make_sweep(tool.parse_args(words)).prepare()
    (out / 'lists/cifar10/query.txt').unlink()
    assert tool.main(words) == 1
    assert '**failed with exit code 2**: cifar10 supcon seed 0' in (out / 'table.md').read_text()
    assert 'no list ' in (out / 'cifar10/supcon/seed_0/output.log').read_text()


def test_a_mistake_is_one_paragraph(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(sys, 'argv', ['sweep.py', 'family_cifr10'])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(REPOSITORY / 'tools/benchmarks/sweep.py'), run_name='__main__')
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("error: no suite 'family_cifr10'; there are")
