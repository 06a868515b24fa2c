"""A user's mistake is one paragraph and exit code 2; a fault of the program keeps its traceback."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from mmengine.registry import Registry
from torch.utils.data import DataLoader, Dataset

from mochi_mm.datasets.read_image import read_image
from mochi_mm.engine.parameter_names import check_custom_keys
from mochi_mm.launch.arguments import ToolParser
from mochi_mm.launch.check_surroundings import (
    check_checkpoint,
    check_devices,
    check_launcher,
    check_start,
    check_work_dir,
)
from mochi_mm.launch.config import load_config, parse_options
from mochi_mm.launch.mistakes import mistake_of
from mochi_mm.launch.tool import Stopped, run_tool
from mochi_mm.registry import check_arguments
from mochi_mm.structures.plan import Plan
from tests.toy_runner import REPOSITORY


def caught(call: Callable[[], object]) -> BaseException:
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError('nothing was raised')


class Images(Dataset):
    """A data set that fails in the worker."""

    def __init__(self, fault: str) -> None:
        self.fault = fault

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> int:
        if self.fault == 'own':
            parse_options(['no value'])
        if self.fault == 'image':
            read_image('none.png')
        return [0][1]


def test_what_this_project_raises_is_a_mistake() -> None:
    error = caught(lambda: parse_options(['a']))
    assert str(mistake_of(error)).startswith("--cfg-options got 'a'; expected KEY=VALUE")
    error = caught(lambda: load_config('no.py', {}))
    assert 'no config at no.py' in str(mistake_of(error))
    assert '\n' not in str(mistake_of(error))


def test_also_where_another_library_was_on_the_way() -> None:
    def outer() -> None:
        try:
            check_arguments(Plan, dict(frist=1))
        except ValueError as inner:
            raise TypeError('of another library') from inner

    assert "'frist'; did you mean 'first'" in str(mistake_of(caught(outer)))


def test_faults_of_the_program_are_none() -> None:
    for call in (
        lambda: check_arguments(Plan, 3),  # Python fails inside the project
        lambda: [][0],
        lambda: torch.zeros(2) @ torch.zeros(3),
        lambda: int('x'),
        lambda: (_ for _ in ()).throw(ValueError('of a test')),
    ):
        assert mistake_of(caught(call)) is None, call


def test_what_a_loader_worker_raised() -> None:
    error = caught(lambda: list(DataLoader(Images('own'), num_workers=1)))
    assert str(mistake_of(error)).startswith("--cfg-options got 'no value'; expected")
    error = caught(lambda: list(DataLoader(Images('image'), num_workers=1)))
    assert str(mistake_of(error)).startswith("cannot read image 'none.png': FileNotFoundError")
    assert mistake_of(caught(lambda: list(DataLoader(Images('x'), num_workers=1)))) is None


def test_what_a_component_cannot_be_called_with() -> None:
    class Needs:
        def __init__(self, size: int) -> None:
            self.size = size

    registry = Registry('test')
    registry.register_module(module=Needs)
    error = caught(lambda: registry.build(dict(type='Needs')))
    assert 'Needs cannot be built from the config: ' in str(mistake_of(error))
    assert "'size'" in str(mistake_of(error))


@pytest.mark.parametrize(
    ('error', 'cure'),
    [
        (RuntimeError('DataLoader worker (pid 3) is killed by signal: Bus error.'), '--shm-size'),
        (RuntimeError('unable to write to file </torch_12_3>: No space (28)'), '/dev/shm'),
        (RuntimeError('unable to open shared memory object </x> in read-write mode'), '/dev/shm'),
        (RuntimeError('The server socket has failed: errno: 98 - Address already in use'), 'PORT'),
        (ValueError('environment variable RANK expected, but not set'), 'torchrun'),
        (RuntimeError('CUDA error: invalid device ordinal'), 'fewer GPUs than processes'),
        (RuntimeError('CUDA out of memory. Tried to allocate 2 GiB'), 'batch_size'),
        (OSError(errno.EMFILE, 'Too many open files'), 'ulimit'),
        (
            PermissionError(errno.EACCES, 'Permission denied', '/x'),
            '/x: Permission denied; this user',
        ),
        (
            OSError(errno.EROFS, 'Read-only file system', '/x'),
            '/x: Read-only file system; this user',
        ),
        (OSError(errno.ENOSPC, 'No space left', '/x'), '/x: No space left; the disk is full'),
        (NotADirectoryError(errno.ENOTDIR, 'Not a directory', '/x/y'), 'a file stands where'),
        (IsADirectoryError(errno.EISDIR, 'Is a directory', '/x'), 'a folder stands where'),
        (FileNotFoundError(errno.ENOENT, 'No such file', '/x'), 'check the path'),
        (
            IsADirectoryError(errno.EISDIR, 'Is a directory', '/x/.y.partial', None, '/x/y'),
            '/x/y: Is a directory',
        ),
        (RuntimeError('shapes cannot be multiplied'), None),
    ],
)
def test_foreign_errors_get_their_cure(error: Exception, cure: str | None) -> None:
    text = mistake_of(error)
    assert text is None if cure is None else cure in str(text)


def test_a_tool_ends_with_the_paragraph(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tool() -> None:
        print('working')
        parse_options(['a'])

    monkeypatch.setattr(sys, 'argv', ['tool'])
    with pytest.raises(Stopped, match='expected KEY=VALUE') as ended:
        run_tool(tool)
    assert ended.value.code == 2
    shown = capsys.readouterr()
    assert shown.out == 'working\n' and shown.err.count('\n') == 1
    assert shown.err.startswith("error: --cfg-options got 'a'")
    monkeypatch.setenv('RANK', '3')
    with pytest.raises(Stopped):
        run_tool(tool)
    assert capsys.readouterr().err.startswith('error: rank 3: ')
    monkeypatch.setattr(sys, 'argv', ['tool', '--debug'])
    with pytest.raises(ValueError, match='expected KEY=VALUE'):
        run_tool(tool)
    monkeypatch.setattr(sys, 'argv', ['tool'])
    with pytest.raises(IndexError):
        run_tool(lambda: [][0])


def test_the_parser_collects_options_and_names_near_ones(capsys: pytest.CaptureFixture) -> None:
    parser = ToolParser('A tool.', prog='tool')
    parser.add_cfg_options()
    parser.add_argument('--work-dir')
    words = ['--cfg-options', 'a=1', 'c=3', '--work-dir', 'x', '--cfg-options', 'b=2']
    assert parser.parse_args(words).cfg_options == ['a=1', 'c=3', 'b=2']
    assert parser.parse_args([]).cfg_options == [] and parser.parse_args(['--debug']).debug
    for words, said in ((['--work_dir', 'x'], 'Nearest: --work-dir'), (['a=1'], 'behind --cfg-')):
        with pytest.raises(SystemExit) as ended:
            parser.parse_args(words)
        shown = capsys.readouterr().err
        assert ended.value.code == 2 and said in shown and shown.count('\n') == 1


def test_launchers_that_nothing_has_started(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR', 'MASTER_PORT', 'SLURM_PROCID'):
        monkeypatch.delenv(name, raising=False)
    check_launcher('none')
    with pytest.raises(ValueError, match='--launcher pytorch: RANK, WORLD_SIZE.*torchrun'):
        check_launcher('pytorch')
    with pytest.raises(ValueError, match='--launcher slurm: SLURM_PROCID'):
        check_launcher('slurm')
    monkeypatch.setenv('LOCAL_RANK', '2')
    monkeypatch.setenv('LOCAL_WORLD_SIZE', '4')
    with pytest.raises(ValueError, match='4 processes were started.*torch sees 2 GPUs'):
        check_devices('pytorch', 2)
    check_devices('pytorch', 4)
    check_devices('pytorch', 0)


def test_files_that_a_run_needs(tmp_path: Path) -> None:
    for name in ('epoch_1.pth', 'epoch_2.pth', 'file'):
        (tmp_path / name).touch()
    check_checkpoint(tmp_path / 'epoch_1.pth')
    for path, said in (
        (tmp_path, 'which is a folder; in'),
        (tmp_path / 'epoch_3.pth', 'there are'),
    ):
        with pytest.raises(FileNotFoundError, match=f'no checkpoint at .*{said}') as found:
            check_checkpoint(path)
        assert 'epoch_2.pth' in str(found.value)
    with pytest.raises(FileExistsError, match='is a file; expected another --work-dir'):
        check_work_dir(tmp_path / 'file/run')
    check_work_dir(tmp_path / 'new/run')
    assert not (tmp_path / 'new').exists()
    probe = dict(work_dir=str(tmp_path), custom_hooks=[dict(type='PretrainedHook')])
    with pytest.raises(ValueError, match='`pretrained` is empty'):
        check_start(dict(probe, pretrained=''))
    with pytest.raises(FileNotFoundError, match='no checkpoint for pretrained at /no/such'):
        check_start(dict(probe, pretrained='/no/such'))
    check_start(dict(probe, pretrained='none'))
    check_start(dict(probe, pretrained=''), resumes=True)


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write everywhere')
def test_a_work_dir_without_rights(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match='no right to write in'):
        check_work_dir(tmp_path / 'run')


def test_custom_keys_of_no_parameter() -> None:
    names = ['backbone.conv1.weight', 'head.fc.weight']
    check_custom_keys(['head', 'backbone.conv1', 'fc.weight'], names)
    with pytest.raises(ValueError, match="has 'haed', which is part of no.*Nearest: head"):
        check_custom_keys(['head', 'haed'], names)


def test_every_tool_shows_mistakes_so() -> None:
    """But two, which have to run where this package cannot be imported, or is an older one."""
    without = {
        path.name
        for path in (REPOSITORY / 'tools').rglob('*.py')
        if 'run_tool(' not in path.read_text(encoding='utf-8')
    }
    assert without == {'check_env.py', 'reference_steps.py'}
