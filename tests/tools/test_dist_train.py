"""What tools/dist_train.sh tells torchrun, which is a stand-in here."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.toy_runner import REPOSITORY

TAKEN = ('SLURM_JOB_ID', 'MOCHI_MM_JOB', 'MASTER_ADDR', 'PORT', 'NNODES', 'NODE_RANK')


def words(folder: Path, **environment: str) -> list[str]:
    """Return what torchrun is called with."""
    program = folder / 'torchrun'
    program.write_text('#!/bin/bash\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    variables = {name: value for name, value in os.environ.items() if name not in TAKEN}
    variables.update(environment, PATH=f'{folder}:{os.environ["PATH"]}')
    command = ['bash', str(REPOSITORY / 'tools/dist_train.sh'), 'a config.py', '2', '--amp']
    done = subprocess.run(command, env=variables, text=True, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def name_of_job(folder: Path, **environment: str) -> str:
    given = words(folder, **environment)
    return next(w for w in given if w.startswith('--rdzv-id=')).removeprefix('--rdzv-id=')


def test_the_command_line(tmp_path: Path) -> None:
    given = words(tmp_path, MAX_RESTARTS='3')
    assert {'--nnodes=1', '--nproc_per_node=2', '--max-restarts=3'} < set(given)
    assert '--master_addr=127.0.0.1' in given and '--master_port=29500' in given
    assert given[-4:] == ['a config.py', '--launcher', 'pytorch', '--amp']


def test_jobs_have_names_of_their_own(tmp_path: Path) -> None:
    first, second = name_of_job(tmp_path), name_of_job(tmp_path)
    assert first and second and first != second
    assert name_of_job(tmp_path, SLURM_JOB_ID='42') == '42'
    assert name_of_job(tmp_path, SLURM_JOB_ID='42', MOCHI_MM_JOB='mine') == 'mine'


def test_all_nodes_give_the_same_name(tmp_path: Path) -> None:
    nodes = dict(NNODES='2', MASTER_ADDR='node0', PORT='1234')
    names = {name_of_job(tmp_path, NODE_RANK=rank, **nodes) for rank in '01'}
    assert names == {'node0:1234'}
    assert name_of_job(tmp_path, MOCHI_MM_JOB='mine', **nodes) == 'mine'
