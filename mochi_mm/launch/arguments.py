"""Command line parser shared by all tools."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from mochi_mm.launch.named_configs import config_path
from mochi_mm.registry import nearest

#: Endings of pictures that tools write.
PICTURES = ('.png', '.jpg', '.jpeg', '.pdf', '.svg')


class ToolParser(argparse.ArgumentParser):
    """A parser with ``--debug``, whose mistakes are one paragraph with the nearest option.

    What begins with ``~`` is a path from a home: shells leave it alone behind ``=``.

    Args:
        description: Description of the tool, printed as it is written.
    """

    def __init__(self, description: str | None = None, **settings: Any) -> None:
        settings.setdefault('formatter_class', argparse.RawDescriptionHelpFormatter)
        super().__init__(description=description, **settings)
        self.add_argument(
            '--debug', action='store_true', help='show where in the code a mistake was found'
        )

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse as argparse does, with ``~`` at the head of a value being the home."""
        found, rest = super().parse_known_args(args, namespace)
        for name, value in vars(found).items():
            setattr(found, name, _from_home(value))
        return found, rest

    def add_config(self, name: str = 'config', **settings: Any) -> None:
        """Add a config, as a path or by the name of one of the project."""
        self.add_argument(name, type=config_path, **settings)

    def add_cfg_options(self, what: str = 'override settings, such as data_root=/data') -> None:
        """Add ``--cfg-options``, which may be given more than once."""
        self.add_argument(
            '--cfg-options',
            nargs='+',
            action='extend',
            default=[],
            metavar='KEY=VALUE',
            help=f'{what}; may come more than once',
        )

    def add_device(self) -> None:
        """Add ``--device``, which :func:`where_to_compute` completes."""
        self.add_argument(
            '--device', type=device, help='where to compute (the first CUDA device, or the CPU)'
        )

    def add_weights_options(self) -> None:
        """Add ``--checkpoint-key`` and ``--allow-other-input``, for weights that are measured."""
        self.add_argument(
            '--checkpoint-key',
            metavar='NAME',
            help='which weights of a file that holds several, such as teacher or state_dict_ema; '
            'or the beginning of their names',
        )
        self.add_argument(
            '--allow-other-input',
            action='store_true',
            help='measure weights on images with another mean, std or channel order than they were '
            'trained on',
        )

    def add_computed_page(self, root: Path) -> None:
        """Add ``--root`` and ``--check``, for tools that write pages of the documents.

        Args:
            root: The repository that the tool belongs to.
        """
        self.add_argument('--root', type=Path, default=root, help='the repository')
        self.add_argument('--check', action='store_true', help='compare only')

    def add_networks_measured(self) -> None:
        """Add ``--untrained``, ``--seed``, ``--device``, ``--out`` and ``--record``.

        For tools that take a benchmark config and a checkpoint; see :meth:`parse_measured`.
        """
        self.add_argument('--untrained', action='store_true', help='measure random weights too')
        self.add_argument('--seed', type=seed, default=0, help='of the random weights (0)')
        self.add_device()
        self.add_argument(
            '--out', type=file_to_write, help='also write the results to this JSON file'
        )
        self.add_argument(
            '--record',
            type=file_to_write,
            help='write the metrics, and where they are from, to this JSON file',
        )

    def parse_measured(self, argv: Sequence[str] | None) -> argparse.Namespace:
        """Return the command line, where its networks and files go together."""
        args = self.parse_args(argv)
        if not args.checkpoint and not args.untrained:
            self.error('give a CHECKPOINT, or --untrained to measure random weights')
        if args.out is not None and not args.out.parent.is_dir():
            self.error(f'--out: there is no folder {args.out.parent}; create it first')
        if args.record is not None and (args.untrained or not args.checkpoint):
            self.error('--record is for one checkpoint, without --untrained')
        return args

    def error(self, message: str) -> NoReturn:
        """Print ``message`` and the nearest option, without the usage, and leave with code 2."""
        if message.startswith('unrecognized arguments:'):
            known = [text for action in self._actions for text in action.option_strings]
            words = [word.split('=')[0] for word in message.split()[2:]]
            close = [near for word in words for near in nearest(word, known, 1) if word[0] == '-']
            message += f'. Nearest: {", ".join(close) or "none"}; all are listed by --help.'
            if any('=' in word for word in message.split()[2:]):
                message += ' Settings of the config stand behind --cfg-options.'
        self.exit(2, f'{self.prog}: error: {message}\n')


def _from_home(value: Any) -> Any:
    if isinstance(value, list):
        return [_from_home(item) for item in value]
    if isinstance(value, (str, Path)) and str(value).startswith('~'):
        return type(value)(os.path.expanduser(value))
    return value


def seed(text: str) -> int:
    """Return ``--seed`` as a number; the ``type`` of such an argument.

    Raises:
        ArgumentTypeError: No integer from 0 on.
    """
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f'{text!r} is no seed; expected an integer from 0 on')
    return int(text)


def device(text: str) -> str:
    """Return ``--device`` as it is, where torch may have it; the ``type`` of such an argument.

    Raises:
        ArgumentTypeError: No name of a device.
    """
    if not re.fullmatch(r'cpu|(cuda|xpu|npu|mps)(:[0-9]+)?', text):
        raise argparse.ArgumentTypeError(
            f'{text!r} is no device; expected cpu, cuda, or cuda:1 for the second one'
        )
    return text


def where_to_compute(name: str | None) -> str:
    """Return ``--device`` as given, else the first CUDA device, or the CPU where there is none."""
    import torch

    return name or ('cuda' if torch.cuda.is_available() else 'cpu')


def file_to_write(text: str) -> Path:
    """Return the path of a file that a tool is to write; the ``type`` of such an argument.

    Said when the command line is read, not when hours have passed.

    Raises:
        ArgumentTypeError: A folder stands there, or a file where a folder above it belongs; this
            user may not write there.
    """
    path = Path(text).expanduser()
    if path.is_dir() or text.endswith(('/', os.sep)):
        raise argparse.ArgumentTypeError(f'{text} is a folder; expected a file to write')
    return _below_a_folder(path)


def folder_to_write(text: str) -> Path:
    """Return the path of a folder that a tool is to write to; the ``type`` of such an argument.

    Raises:
        ArgumentTypeError: A file stands there, or where a folder above it belongs; this user may
            not write there.
    """
    path = Path(text).expanduser()
    if path.exists() and not path.is_dir():
        raise argparse.ArgumentTypeError(f'{text} is a file; expected a folder to write to')
    return _below_a_folder(path)


def _below_a_folder(path: Path) -> Path:
    above = next((p for p in path.absolute().parents if p.exists()), path)
    if not above.is_dir():
        raise argparse.ArgumentTypeError(f'{above} is a file; expected a folder for {path.name}')
    into = path if path.is_dir() else above
    if not os.access(into, os.W_OK | os.X_OK):
        raise argparse.ArgumentTypeError(
            f'{into} cannot be written to by this user; expected other rights, or another folder'
        )
    return path


def picture_to_write(text: str) -> Path:
    """Return the path of a picture that a tool is to write; the ``type`` of such an argument.

    Raises:
        ArgumentTypeError: As :func:`file_to_write`; no ending of a picture.
    """
    path = file_to_write(text)
    if path.suffix.lower() not in PICTURES:
        raise argparse.ArgumentTypeError(
            f'{text} has no ending of a picture; expected one of {", ".join(PICTURES)}'
        )
    return path
