"""The whole of the measurement on a GPU, rehearsed on a CPU once; and its packed data."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.forked import REPOSITORY, run_tool

TOOL = 'benchmarks/gpu.py'


def program(name: str) -> Any:
    """The program of that name, as a module."""
    spec = importlib.util.spec_from_file_location(name, REPOSITORY / f'tools/benchmarks/{name}.py')
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a rehearsal of all stages."""
    out = tmp_path_factory.mktemp('gpu') / 'out'
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('CUDA_VISIBLE_DEVICES', '-1')  # given back behind the rehearsal, which sets it
        code = program('gpu').main(['--tiny', '--out', str(out), '--seeds', '0'])
    logs = {path.name: path.read_text()[-800:] for path in out.glob('*.log')}
    assert code == 0, (json.loads((out / 'summary.json').read_text())['stages'], logs)
    return out


def test_every_stage_writes_what_it_found(rehearsed: Path) -> None:
    summary = json.loads((rehearsed / 'summary.json').read_text())
    assert summary['rehearsal'] is True
    jobs = {name: job for stage in summary['stages'].values() for name, job in stage.items()}
    assert {job['state'] for job in jobs.values()} == {'done'} and len(jobs) == 13
    for name in jobs:
        assert json.loads((rehearsed / f'{name}.json').read_text()), name
        assert (rehearsed / f'{name}.log').is_file()
    found = summary['figures']
    assert set(found['epoch_seconds']) == set(found['knn']) == {'mocov2', 'mochi'}
    assert set(found['share_of_peak']) == {'step_bf16', 'step_float32', 'step_compiled'}
    assert found['head_share'].keys() == {'MoCo-v2', 'MoCHi (16, 32, 8)'}


def test_the_checks_among_them_hold(rehearsed: Path) -> None:
    def read(name: str) -> Any:
        return json.loads((rehearsed / f'{name}.json').read_text())

    resumed = read('resume')['as configured']
    assert resumed['straight_and_resumed'] == resumed['straight_twice']
    assert resumed['straight_twice']['different'] == 0 < resumed['straight_twice']['compared']
    equality = read('equality_1')
    assert equality['left'] == 0
    assert [row['largest'] for row in equality['configs'].values()] == [0.0]
    assert read('kernels')['fused'] is False
    assert set(read('reading')['recipes']) == {'exact', 'fast', 'device'}
    assert read('reading')['nvjpeg'] == dict(unavailable='the device is cpu')


def test_nothing_is_written_over(rehearsed: Path) -> None:
    with pytest.raises(ValueError, match='which holds something; expected a new folder'):
        program('gpu').parse_args(['--tiny', '--out', str(rehearsed)])


@pytest.mark.parametrize(
    ('words', 'match'),
    [
        ([], '--data is missing; expected the folder of the packs train and val'),
        (['--data', 'x'], 'torch finds no CUDA device here; expected one, or --tiny'),
        (['--tiny', '--minutes', '0'], '--minutes is 0.0; expected more than 0'),
        (['--tiny', '--batch', '0'], '--batch is 0; expected at least 1'),
        (['--tiny', '--seeds', '1', '1'], '--seeds are [1, 1]; expected different numbers'),
        (['--tiny', '--stages', 'heads'], '--stages has heads; expected some of environment,'),
        (['--tiny', '--photographs', 'x'], 'x is no folder'),
    ],
)
def test_wrong_options(tmp_path: Path, words: list[str], match: str) -> None:
    done = run_tool(TOOL, '--out', tmp_path / 'out', *words)
    assert done.returncode == 2 and match in done.stderr.splitlines()[-1]
    assert not (tmp_path / 'out').exists()


def test_counts_are_listed_apart() -> None:
    steps = program('device_steps')
    values = dict(loss=dict(decimal='1'), acc_x=dict(decimal='0.5'), share_y=dict(decimal='0.25'))
    record = dict(steps=[dict(values=values)])
    assert steps.take_counts(record) == {'step 1, acc_x': '0.5', 'step 1, share_y': '0.25'}
    assert list(values) == ['loss'] and steps.take_counts(record) == {}


def test_configs_are_dealt_so_that_every_folder_comes_first() -> None:
    steps = program('device_steps')
    names = ['a/1', 'a/2', 'a/3', 'b/1', 'c/1', 'c/2']
    assert steps.one_of_each(names) == ['a/1', 'b/1', 'c/1', 'a/2', 'c/2', 'a/3']
    assert steps.part_of('2/4') == (2, 4)
    for text in ('0/4', '5/4', '4', 'a/b'):
        with pytest.raises(steps.argparse.ArgumentTypeError, match='expected'):
            steps.part_of(text)


#: In the place of Python: pip as the test has it, and packs of nothing but what was asked for.
STAND_IN = """#!/bin/bash
if [ "$2" = pip ]; then
    while [ "$1" != -d ]; do shift; done
    PIP
else
    mkdir -p "$3"
    echo "$@" > "$3/pack.json"
fi
"""
WHEELS = 'for word in "${@:3}"; do touch "$2/${word%%==*}-1-py3-none-any.whl"; done'


def bundle(folder: Path, pip: str) -> subprocess.CompletedProcess[str]:
    """Gather a bundle with stand-ins for pip and for the packer."""
    for split in ('train', 'val'):
        (folder / 'cifar' / split).mkdir(parents=True)
    python = folder / 'python'
    python.write_text(STAND_IN.replace('PIP', pip))
    python.chmod(0o755)
    command = [str(REPOSITORY / 'tools/benchmarks/gpu_bundle.sh'), folder / 'cifar', folder / 'out']
    environment = dict(os.environ, PYTHON=str(python))
    return subprocess.run(command, env=environment, text=True, capture_output=True, timeout=60)


def test_a_bundle_has_two_parts(tmp_path: Path) -> None:
    done = bundle(tmp_path, WHEELS)
    assert done.returncode == 0, done.stderr
    wheels = {path.name.split('-1-')[0] for path in (tmp_path / 'out/part_1/wheels').iterdir()}
    assert {'onedl-mmengine', 'addict', 'termcolor', 'yapf', 'platformdirs'} <= wheels
    for part, split in ((1, 'train'), (2, 'val')):
        words = (tmp_path / f'out/part_{part}/cifar10/{split}/pack.json').read_text().split()
        assert words[1] == str(tmp_path / 'cifar' / split) and words[3:] == ['--as-they-are']
    again = bundle_again(tmp_path)
    assert again.returncode == 2 and 'exists; expected a new folder' in again.stderr


def bundle_again(folder: Path) -> subprocess.CompletedProcess[str]:
    """Ask for the same bundle once more."""
    command = [str(REPOSITORY / 'tools/benchmarks/gpu_bundle.sh'), folder / 'cifar', folder / 'out']
    return subprocess.run(command, text=True, capture_output=True, timeout=60)


@pytest.mark.parametrize(
    ('pip', 'match'),
    [
        ('touch "$2/torch-2-cp311-cp311-linux_x86_64.whl"', 'is not pure Python'),
        ('truncate -s 61M "$2/large-1-py3-none-any.whl"', 'part 1 has .* bytes; expected fewer'),
    ],
)
def test_a_bundle_that_does_not_hold_is_not_there(tmp_path: Path, pip: str, match: str) -> None:
    done = bundle(tmp_path, pip)
    assert done.returncode == 2 and re.search(match, done.stderr)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['cifar', 'python']
