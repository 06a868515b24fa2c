"""The config of a tool that measures a checkpoint."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable

from mmengine.config import Config

from mochi_mm.launch.check_surroundings import check_checkpoint
from mochi_mm.launch.config import load_config
from mochi_mm.launch.known_settings import OF_TOOLS, PRETRAINED
from mochi_mm.launch.options import parse_options

#: Settings that choose weights where a run is trained; here the command line names the file.
CHOOSE_WEIGHTS = (
    'checkpoint_key',
    'load_from',
    'load_partial',
    PRETRAINED,
    'restarted',
    'resume',
    'resume_allow',
    'start_from',
)


def load_measured(args: Namespace, of_tools: tuple[str, ...] = OF_TOOLS) -> Config:
    """Return the config that a command line names, for measuring the checkpoint that it names.

    What the config itself says about the weights that a training starts from is taken out.

    Args:
        args: Command line with ``config``, ``cfg_options`` and ``checkpoint``, which may be None.
            A tool without ``--work-dir`` has no use for that setting, one without
            ``--checkpoint-key`` takes the weights that a file has in front.
        of_tools: See :func:`mochi_mm.launch.config.load_config`.

    Raises:
        ValueError: An option that chooses weights, or says where a run writes, which would change
            nothing; see also :func:`~mochi_mm.launch.config.load_config`.
        FileNotFoundError: No such config or checkpoint.
    """
    options = parse_options(args.cfg_options)
    _refuse(args, options)
    config = load_config(args.config, options, of_tools)
    if args.checkpoint:
        check_checkpoint(args.checkpoint)
    for name in CHOOSE_WEIGHTS:
        config.pop(name, None)
    return config


def _refuse(args: Namespace, options: Iterable[str]) -> None:
    for key in options:
        name = key.split('.')[0]
        if name in CHOOSE_WEIGHTS:
            which = ' (and --checkpoint-key NAME)' if hasattr(args, 'checkpoint_key') else ''
            raise ValueError(
                f'--cfg-options {key} is not read here: the weights that are measured are those '
                f'of CHECKPOINT on the command line{which}. Leave the option out.'
            )
        if name == 'work_dir' and not hasattr(args, 'work_dir'):
            raise ValueError(
                f'--cfg-options {key} is not read here: this tool keeps no run. Leave it out; what '
                'it writes, and where, is in its --help.'
            )
