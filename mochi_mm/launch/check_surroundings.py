"""Checks before a run is built: files, folders that can be written, processes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mochi_mm.launch.known_settings import reads_pretrained

# What the launchers of MMEngine read from the environment, and who sets it.
_LAUNCHED_BY = {
    'pytorch': (
        ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR', 'MASTER_PORT'),
        'torchrun --nproc_per_node=N tools/train.py CONFIG --launcher pytorch, or '
        'tools/dist_train.sh CONFIG N',
    ),
    'slurm': (('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_NODELIST'), 'tools/slurm_train.sh'),
    'mpi': (('OMPI_COMM_WORLD_LOCAL_RANK',), 'mpirun -np N python tools/train.py CONFIG'),
}


def check_launcher(launcher: str) -> None:
    """Raise where nothing has started the processes that ``launcher`` would join.

    Args:
        launcher: ``none``, ``pytorch``, ``slurm`` or ``mpi``.

    Raises:
        ValueError: Names what is missing and what starts such processes.
    """
    names, command = _LAUNCHED_BY.get(launcher, ((), ''))
    missing = [name for name in names if name not in os.environ]
    if missing:
        raise ValueError(
            f'--launcher {launcher}: {", ".join(missing)} {"is" if len(missing) == 1 else "are"} '
            f'not set in the environment, so no other process can be found. Expected {command}; '
            'one process needs no --launcher.'
        )


def check_devices(launcher: str, devices: int) -> None:
    """Raise where this process would have no GPU of its own.

    Args:
        launcher: As for :func:`check_launcher`.
        devices: GPUs that torch sees; with none, processes compute on the CPU.

    Raises:
        ValueError: Names both numbers.
    """
    here = int(os.environ.get('LOCAL_RANK', '0'))
    if launcher == 'pytorch' and devices and here >= devices:
        processes = os.environ.get('LOCAL_WORLD_SIZE', f'at least {here + 1}')
        raise ValueError(
            f'{processes} processes were started on this machine and torch sees {devices} GPUs; '
            'expected as many processes as GPUs: --nproc_per_node of torchrun, '
            'CUDA_VISIBLE_DEVICES.'
        )


def check_checkpoint(path: str | Path, what: str = 'checkpoint') -> None:
    """Raise where there is no file at ``path``; addresses of a network are not looked at.

    Args:
        path: Path as given on the command line or in the config.
        what: Kind of the file, for the message.

    Raises:
        FileNotFoundError: Names the files of a folder, or those beside it, that could be meant.
    """
    file = Path(path).expanduser()
    if '://' in str(path) or file.is_file():
        return
    folder = file if file.is_dir() else file.parent
    near = sorted(folder.glob('*.pth'), key=lambda f: f.stat().st_mtime) if folder.is_dir() else []
    there = f'; in {folder} there are {", ".join(f.name for f in near[-3:])}' if near else ''
    raise FileNotFoundError(
        f'no {what} at {path}{", which is a folder" if file.is_dir() else ""}{there}. Expected a '
        'file such as work_dirs/NAME/epoch_200.pth.'
    )


def check_work_dir(path: str | Path) -> None:
    """Raise where no folder can be made, or nothing written.

    Args:
        path: Folder of the run's logs and checkpoints.

    Raises:
        PermissionError: This user may not write there.
        FileExistsError: A file stands in the way.
    """
    folder = Path(path).absolute()
    there = next(p for p in (folder, *folder.parents) if p.exists())
    if not there.is_dir():
        raise FileExistsError(
            f'the work dir {path} cannot be made, {there} is a file; expected another --work-dir.'
        )
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(
            f'the work dir {path} cannot be written: this user has no right to write in {there}; '
            'expected another --work-dir.'
        )


def check_start(config: Mapping[str, Any], resumes: bool = False) -> None:
    """Raise where a run would look for weights that are not there.

    Args:
        config: A whole config, to be trained.
        resumes: Whether it goes on from a checkpoint of its own.

    Raises:
        ValueError: The run starts from a checkpoint and none is named, or a choice among the
            weights of one is, and no checkpoint.
        FileNotFoundError: The one that it names is not there.
    """
    check_work_dir(config['work_dir'])
    _check_choice(config)
    path = config.get('pretrained')
    if reads_pretrained(config) and not resumes:
        if not path:
            raise ValueError(
                'this config starts from pre-trained weights but `pretrained` is empty; expected '
                '--cfg-options pretrained=CHECKPOINT (or pretrained=none for random weights).'
            )
        if path != 'none':
            check_checkpoint(path, 'checkpoint for pretrained')


def _check_choice(config: Mapping[str, Any]) -> None:
    """Refuse settings that choose among the weights of a file, where no file is read for them."""
    named = config.get('load_from')
    if config.get('load_partial') is not None:
        from mochi_mm.files.load_whole import partial_names

        partial_names(config['load_partial'])
        if not named:
            raise ValueError(
                f'load_partial is {config["load_partial"]!r}, and no load_from names the file that '
                'the parts would come from; expected load_from=CHECKPOINT beside it.'
            )
    pretrained = config.get('pretrained') if reads_pretrained(config) else None
    if config.get('checkpoint_key') is not None and not named and pretrained in (None, '', 'none'):
        raise ValueError(
            f'checkpoint_key is {config["checkpoint_key"]!r}, and neither load_from nor pretrained '
            'names a file to take it from; expected one of them beside it.'
        )
