"""The network that a command line names."""

from __future__ import annotations

from argparse import Namespace

from mmengine.runner import set_random_seed

from mochi_mm.evaluation.encoder import Encoder
from mochi_mm.launch.get_encoder import get_encoder, is_weight_file
from mochi_mm.launch.measured_config import load_measured
from mochi_mm.launch.named_configs import find_config, is_name


def named_encoder(args: Namespace) -> Encoder:
    """Return the network that a tool's command line names.

    Args:
        args: Command line with ``model``, ``checkpoint``, ``size``, ``cfg_options`` and the
            options of weights; ``untrained`` and ``seed`` where a tool takes random weights.

    Raises:
        ValueError: Weights without a config beside another file of weights, a config without
            weights, or see :func:`~mochi_mm.launch.get_encoder.get_encoder`.
        KeyError: No config of that name.
        FileNotFoundError: No such config or file.
    """
    untrained = getattr(args, 'untrained', False)
    if is_weight_file(args.model):
        unused = {'--checkpoint': args.checkpoint, '--untrained': untrained}
        unused |= {'--cfg-options': args.cfg_options, '--allow-other-input': args.allow_other_input}
        given = [name for name, value in unused.items() if value]
        if given:
            raise ValueError(
                f'{given[0]} goes with a config, and {args.model} is a file of weights, which '
                'records its network and its images. Leave the option out, or give a config.'
            )
        return get_encoder(weights=args.model, size=args.size, checkpoint_key=args.checkpoint_key)
    if not args.checkpoint and not untrained:
        raise ValueError(
            f'{args.model} is a config and says nothing of weights; expected --checkpoint FILE'
            f'{", or --untrained for random ones" if hasattr(args, "untrained") else ""}.'
        )
    args.config = str(find_config(args.model)) if is_name(args.model) else args.model
    config = load_measured(args)
    set_random_seed(getattr(args, 'seed', 0))
    return get_encoder(
        config, args.checkpoint, args.size, args.checkpoint_key, args.allow_other_input
    )
