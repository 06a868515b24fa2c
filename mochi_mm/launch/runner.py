"""Process groups for MMEngine runners, on machines with and without a GPU."""

from __future__ import annotations

import atexit
import datetime
import os
import time
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from mmengine.config import Config
from mmengine.device import get_device

from mochi_mm.launch.check_config import check_components, check_config
from mochi_mm.launch.check_surroundings import check_devices, check_launcher
from mochi_mm.launch.config import load_config
from mochi_mm.registry import component_name


def build_runner(config: Config, launcher: str = 'none') -> Any:
    """Return the runner of a config, its process group opened where the launcher needs one.

    A config that names no ``runner_type`` gets :class:`SafeRunner`, so that what other libraries
    describe is run with safe files as well.

    Args:
        config: A whole config.
        launcher: ``none``, ``pytorch``, ``slurm`` or ``mpi``.

    Raises:
        ValueError: float16 is asked for on a CPU; the launcher did not start this process, or
            started more of them than there are GPUs.
    """
    from mochi_mm.registry import RUNNERS

    if component_name(config.get('optim_wrapper')) == 'AmpOptimWrapper' and get_device() == 'cpu':
        raise ValueError(
            'optim_wrapper.type is AmpOptimWrapper, float16 with a loss scaler, which needs an '
            'accelerator, and there is none here; leave out --amp, or on a CPU take '
            '--cfg-options optim_wrapper.type=BF16OptimWrapper.'
        )

    check_components(config)
    if not dist.is_initialized():
        check_launcher(launcher)
    check_devices(launcher, torch.cuda.device_count())
    prepare_launcher(config, launcher)
    atexit.register(let_gloo_finish)
    return RUNNERS.get(config.get('runner_type') or 'mochi_mm.SafeRunner').from_cfg(config)


def quiet_runner(path: str | Path, work_dir: Path, **options: Any) -> Any:
    """Return a runner for the config at ``path``, checked, that writes to ``work_dir``.

    It has a name of its own at each call, and logs warnings only.

    Args:
        path: A config.
        work_dir: Folder of the run.
        options: Changes of the config, by dotted key.
    """
    config = load_config(path, options)
    check_config(config)
    config.work_dir = str(work_dir)
    config.experiment_name = f'{work_dir.name}_{time.time_ns()}'
    config.log_level = 'WARNING'
    return build_runner(config)


def open_gloo(limit: datetime.timedelta | None = None) -> None:
    """Open the gloo group that torchrun's environment describes, ``limit`` for each exchange.

    torchrun keeps its store when it starts a job again, and in it the addresses of the processes
    before; a rank that is first would call one that is dead. So each start has names of its own.
    """
    store, rank, world_size = next(iter(dist.rendezvous('env://')))
    start = os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')
    store = dist.PrefixStore(f'start_{start}', store)
    dist.init_process_group('gloo', store=store, rank=rank, world_size=world_size, timeout=limit)


def let_gloo_finish(seconds: float = 0.2) -> None:
    """Give gloo's threads time to drop what they hold, before the interpreter ends.

    A thread that still holds a tensor of the last collective needs the interpreter's lock to let it
    go; asking for it in an interpreter that is being taken down aborts a process whose work was
    done (SIGABRT, "terminate called without an active exception").
    """
    if dist.is_available() and dist.is_initialized():
        time.sleep(seconds)  # releases the lock


def prepare_launcher(config: Config, launcher: str) -> None:
    """Set ``config.launcher`` and, for several CPU processes, what MMEngine does not set itself.

    MMEngine's ``pytorch`` launcher selects a CUDA device in each process. Without one, the gloo
    group is opened here and the model wrapper told not to ask for devices.

    Args:
        config: The config that the runner will be built from; changed in place.
        launcher: ``none``, ``pytorch``, ``slurm`` or ``mpi``.
    """
    config.launcher = launcher
    if launcher != 'pytorch' or torch.cuda.is_available():
        return
    if not dist.is_initialized():
        seconds = ((config.get('env_cfg') or {}).get('dist_cfg') or {}).get('timeout')
        limit = None if seconds is None else datetime.timedelta(seconds=seconds)
        open_gloo(limit)
    wrapper: dict[str, Any] = dict(
        type='MMDistributedDataParallel',
        device_ids=None,
        broadcast_buffers=False,
        find_unused_parameters=bool(config.get('find_unused_parameters', False)),
    )
    wrapper.update(config.get('model_wrapper_cfg') or {})
    config.model_wrapper_cfg = wrapper
