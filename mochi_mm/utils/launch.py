"""Process groups for MMEngine runners, on machines with and without a GPU."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from mmengine.config import Config


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
        dist.init_process_group('gloo')
    wrapper: dict[str, Any] = dict(
        type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False
    )
    wrapper.update(config.get('model_wrapper_cfg') or {})
    config.model_wrapper_cfg = wrapper
