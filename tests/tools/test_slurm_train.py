"""The Slurm script starts a preempted run again; srun and scontrol are stand-ins here."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.toy_runner import REPOSITORY


def start(folder: Path, codes: list[int], **environment: str) -> tuple[int, list[str]]:
    """Run the script with an srun that ends with ``codes`` in turn; return its code and calls."""
    bin_folder = folder / 'bin'
    bin_folder.mkdir()
    (folder / 'codes').write_text('\n'.join(map(str, codes)) + '\n')
    (bin_folder / 'srun').write_text(
        f'#!/bin/bash\necho "srun ${{SLURM_RESTART_COUNT:-0}} $*" >> {folder}/calls\n'
        f'code=$(head -n 1 {folder}/codes); sed -i 1d {folder}/codes; exit $code\n'
    )
    (bin_folder / 'scontrol').write_text(f'#!/bin/bash\necho "scontrol $*" >> {folder}/calls\n')
    for program in bin_folder.iterdir():
        program.chmod(0o755)
    variables = {k: v for k, v in os.environ.items() if not k.startswith('SLURM')}
    variables.update(environment, PATH=f'{bin_folder}:{os.environ["PATH"]}')
    script = str(REPOSITORY / 'tools/slurm_train.sh')
    words = ['bash', script, 'part', 'job', 'config.py', 'dir', '--amp']
    code = subprocess.run(words, env=variables, timeout=60).returncode
    return code, (folder / 'calls').read_text().splitlines()


def test_outside_of_a_job_srun_is_called_again(tmp_path: Path) -> None:
    code, calls = start(tmp_path, [75, 75, 0])
    assert code == 0
    assert [call.split()[:2] for call in calls] == [['srun', str(i)] for i in range(3)]
    assert all('--signal=USR1@120' in call and call.endswith('slurm --amp') for call in calls)


def test_inside_a_job_it_is_requeued(tmp_path: Path) -> None:
    code, calls = start(tmp_path, [75], SLURM_JOB_ID='42')
    assert code == 0
    assert [call.split()[0] for call in calls] == ['srun', 'scontrol']
    assert calls[1] == 'scontrol requeue 42'


@pytest.mark.parametrize('ends', [0, 1, 137])
def test_other_codes_are_passed_on(tmp_path: Path, ends: int) -> None:
    code, calls = start(tmp_path, [ends])
    assert code == ends and len(calls) == 1
