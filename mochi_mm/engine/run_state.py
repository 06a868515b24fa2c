"""The state of a run as plain data, and back."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import Any

import mmengine
import numpy as np
import torch
from mmengine.dist import all_gather_object
from mmengine.logging import HistoryBuffer
from torch import Tensor, nn

from mochi_mm.distributed.rows import rank, world_size
from mochi_mm.engine.run_settings import describe_run
from mochi_mm.engine.validation_left import rename_former
from mochi_mm.evaluation.analysis.records import TIME
from mochi_mm.files.weights_meta import describe_weights
from mochi_mm.utils.unwrap import unwrap

# Of the run that goes on, not of the one that was saved.
_OWN_INFO = ('cfg', 'seed', 'experiment_name', 'mmengine_version', 'max_epochs', 'max_iters')


def sampler_of(loader: Any) -> Any:
    """Return the sampler of a loader, which a batch sampler may hold."""
    return getattr(loader.batch_sampler, 'sampler', loader.sampler)


def has_stepped(runner: Any) -> bool:
    """Return whether the optimizer has no accumulated gradients that it did not use yet."""
    return bool(getattr(runner.optim_wrapper, 'should_update', lambda: True)())


def collect_state(runner: Any, epoch: int, iteration: int) -> dict[str, Any]:
    """Return all that a run needs to go on: tensors on the CPU, numbers, strings.

    All ranks must call it together. On the CPU the tensors are the run's own, not copies.

    Args:
        runner: The runner.
        epoch: Number of finished epochs.
        iteration: Number of finished iterations.
    """
    model = unwrap(runner.model)
    state = {name: tensor.detach().cpu() for name, tensor in model.state_dict().items()}
    return dict(
        meta=dict(
            epoch=int(epoch),
            iter=int(iteration),
            exact=has_stepped(runner),  # accumulated gradients are not saved
            seed=int(runner.seed),
            experiment_name=runner.experiment_name,
            time=time.strftime(TIME),
            unix_time=time.time(),
            versions=dict(mmengine=mmengine.__version__, torch=str(torch.__version__)),
            cfg=_config_text(runner),
            dataset_meta=_plain(getattr(runner.train_dataloader.dataset, 'metainfo', {})),
            mochi_mm=describe_weights(model, runner.cfg),
            run=describe_run(runner),
        ),
        state_dict=state,
        rank_buffers=rank_buffers(model),
        message_hub=_hub_state(runner.message_hub),
        optimizer=_on_cpu(runner.optim_wrapper.state_dict()),
        param_schedulers=[_plain(s.state_dict()) for s in runner.param_schedulers or []],
    )


def rank_buffers(model: nn.Module) -> list[dict[str, Tensor]]:
    """Return, for each rank, the buffers that are not those of rank 0: its running statistics.

    All ranks must call it together; one process alone has none.
    """
    if world_size() == 1:
        return []
    buffers = {name: tensor.detach().cpu() for name, tensor in model.named_buffers()}
    digests = all_gather_object({name: digest(tensor) for name, tensor in buffers.items()})
    differing = [n for n in buffers if len({ranks[n] for ranks in digests}) > 1]
    mine = {name: buffers[name].clone() for name in differing if rank()}
    return all_gather_object(mine)


def digest(tensor: Tensor) -> str:
    """Return text that depends on every bit of ``tensor``."""
    flat = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
    return hashlib.blake2b(flat.numpy().data, digest_size=16).hexdigest()


def load_rank_buffers(model: nn.Module, saved: list[Mapping[str, Tensor]]) -> None:
    """Put the buffers of this rank back, where the run has as many ranks as it was saved with."""
    if len(saved) != world_size() or world_size() == 1:
        return
    buffers = dict(model.named_buffers())
    for name, value in saved[rank()].items():
        buffers[name].copy_(value)


def restore_hub(hub: Any, saved: Mapping[str, Any]) -> None:
    """Put curves and other lasting values back into a message hub."""
    scalars = {
        name: HistoryBuffer(values.numpy(), counts.numpy(), int(length))
        for name, (values, counts, length) in saved['log_scalars'].items()
    }
    info = rename_former(saved['runtime_info'])
    known = {
        name: kept
        for name, kept in rename_former(saved['resumed_keys']).items()
        if name in {*scalars, *info}
    }
    hub.load_state_dict(dict(log_scalars=scalars, runtime_info=info, resumed_keys=known))


def _config_text(runner: Any) -> str:
    """Return the config as text; formatting it takes longer than a small save, so only once."""
    text = runner.message_hub.runtime_info.get('cfg')
    return runner.cfg.pretty_text if text is None else text


def _hub_state(hub: Any) -> dict[str, Any]:
    state = hub.state_dict()
    return dict(
        log_scalars={
            name: [*(torch.from_numpy(np.array(part)) for part in buffer.data), buffer.max_length]
            for name, buffer in state['log_scalars'].items()
        },
        runtime_info=_plain({n: v for n, v in state['runtime_info'].items() if n not in _OWN_INFO}),
        resumed_keys=dict(state['resumed_keys']),
    )


def _on_cpu(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().cpu()
    if isinstance(value, Mapping):
        return {key: _on_cpu(item) for key, item in value.items()}
    return [_on_cpu(item) for item in value] if isinstance(value, (list, tuple)) else _plain(value)


def _plain(value: Any) -> Any:
    """Return ``value`` with NumPy numbers and arrays, paths and the like as plain data."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Tensor):
        return value.detach().cpu()
    return value if isinstance(value, (bool, int, float, str, type(None))) else str(value)
