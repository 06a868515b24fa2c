"""Errors of the system and of other libraries whose cause and cure are known."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from types import TracebackType

_CONFIG = 'with --cfg-options, or in the config'
# What a wrong setting brings about where a component is built, and MMEngine's functions that build.
_OF_SETTINGS = (TypeError, ValueError, AttributeError, AssertionError, KeyError)
_BUILDS = re.compile(r'__init__$|from_cfg$|build_|setup_env$|set_randomness$|_init_model_weights$')
_SPACE = (errno.ENOSPC, errno.EDQUOT)

# What the message says, and what is to be done about it.
_BY_MESSAGE: tuple[tuple[str, str], ...] = (
    (
        r'shared memory|Bus error|/torch_\d+|shm_open|unable to (?:write|mmap|resize)',
        'the shared memory of this machine (/dev/shm) does not hold the batches of the loader '
        'workers. Expected more of it (docker run --shm-size=8g; df -h /dev/shm shows what is '
        f'there), or fewer workers and smaller batches: train_dataloader.num_workers=0 {_CONFIG}.',
    ),
    (
        r'address already in use|EADDRINUSE|errno: 98',
        'the port that the processes meet at is taken, mostly by another run. Expected a free one: '
        'PORT=29501 before tools/dist_train.sh, or torchrun --standalone.',
    ),
    (
        r'CUDA out of memory|not enough memory|alloc_cpu',
        'the memory does not hold a step of this size. Expected a smaller '
        f'train_dataloader.batch_size {_CONFIG} (the learning rate belongs to it), or --amp.',
    ),
    (
        r'environment variable (?:RANK|WORLD_SIZE|MASTER_ADDR|MASTER_PORT|LOCAL_RANK) expected',
        '--launcher pytorch needs the environment that torchrun sets. Expected torchrun '
        '--nproc_per_node=N tools/train.py CONFIG --launcher pytorch, or no --launcher.',
    ),
    (
        r'invalid device ordinal|no CUDA GPUs are available|no NVIDIA driver',
        'there are fewer GPUs than processes ask for. Expected --nproc_per_node of torchrun to be '
        'at most what nvidia-smi lists (and CUDA_VISIBLE_DEVICES allows).',
    ),
    (
        r'Too many open files',
        'the system lets this process open too few files. Expected a higher limit (ulimit -n '
        f'65536 before the command), or fewer workers: num_workers of the data loaders {_CONFIG}.',
    ),
)


def cure_of(error: BaseException) -> str | None:
    """Return one paragraph with cause and cure, None where they are not known.

    Args:
        error: Raised by Python, the system or another library.
    """
    if isinstance(error, OSError) and error.errno is not None and error.filename is not None:
        return _of_file(error)
    text = ' '.join(str(error).split())
    if isinstance(error, (RuntimeError, OSError, ValueError)):
        for pattern, cure in _BY_MESSAGE:
            if re.search(pattern, text, re.IGNORECASE):
                return f'{text[:200]}: {cure}'
    return _of_component(error) or _of_setting(error)


def _of_file(error: OSError) -> str:
    where, reason = error.filename2 or error.filename, error.strerror  # the second: what it becomes
    if error.errno in _SPACE:
        fix = 'the disk is full; make room, or take another folder with --work-dir'
    elif isinstance(error, PermissionError) or error.errno == errno.EROFS:
        fix = (
            'this user may not read or write there; expected other rights, or another folder '
            '(--work-dir for what a run writes)'
        )
    elif isinstance(error, (NotADirectoryError, FileExistsError)):
        fix = 'a file stands where a folder belongs; move it, or take another folder (--work-dir)'
    elif isinstance(error, IsADirectoryError):
        fix = 'a folder stands where a file belongs; give the path of the file'
    else:
        fix = 'check the path and its spelling'
    return f'{where}: {reason}; {fix}.'


def _of_component(error: BaseException) -> str | None:
    """Return which component of the config could not be called with its arguments."""
    frame = innermost(error)
    if not isinstance(error, TypeError) or frame is None:
        return None
    code, names = frame.tb_frame.f_code, frame.tb_frame.f_locals
    built: Callable[..., object] | None = names.get('obj_cls')
    if code.co_name != 'build_from_cfg' or built is None:
        return None
    return (
        f'{getattr(built, "__name__", built)} cannot be built from the config: {error}. Expected '
        'the arguments of its constructor, by name.'
    )


def _of_setting(error: BaseException) -> str | None:
    """Return what could not be made of a setting while MMEngine built what a config names."""
    if not isinstance(error, _OF_SETTINGS):
        return None
    built = None
    frame = error.__traceback__
    while frame is not None:
        code, names = frame.tb_frame.f_code, frame.tb_frame.f_locals
        file = code.co_filename.replace('\\', '/')
        if file.endswith('mmengine/registry/build_functions.py') and 'obj_cls' in names:
            built = getattr(names['obj_cls'], '__name__', None)
        elif file.endswith('mmengine/runner/runner.py') and _BUILDS.match(code.co_name):
            built = f"MMEngine's {code.co_name.strip('_')}"
        frame = frame.tb_next
    if built is None:
        return None
    text = ' '.join(str(error).split())[:500]
    return (
        f'{built} could not be made of the config: {text} ({type(error).__name__}). Expected '
        'settings of the kind and range that it takes; --debug shows where it was found.'
    )


def innermost(error: BaseException) -> TracebackType | None:
    """Return the frame in which ``error`` was raised."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return frame
