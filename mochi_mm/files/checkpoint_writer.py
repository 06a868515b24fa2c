"""Writer of checkpoints: the same steps in the same order, whoever asks for one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from mochi_mm.files.backbone_file import backbone_path, write_backbone
from mochi_mm.files.checkpoint_folder import (
    is_regular,
    metric_of,
    remove_checkpoint,
    saved_in,
    write_checkpoint,
)
from mochi_mm.files.plain_data import as_data
from mochi_mm.files.trained_weights import is_finite

_PARTS = ('meta', 'state_dict')


class CheckpointWriter:
    """Write the checkpoints of one folder.

    Args:
        folder: A work dir.
        max_keep: Number of ``epoch_*`` and ``iter_*`` to keep, the newest; -1 keeps all. Of those
            kept for a metric (``best_*``), one.
        with_backbone: Write the backbone alone beside each as well; of the ordinary ones only the
            newest keeps it.
        say: Called with the level of a log line and its text.
    """

    def __init__(
        self,
        folder: str | Path,
        max_keep: int = -1,
        with_backbone: bool = True,
        say: Callable[[int, str], Any] = logging.log,
    ) -> None:
        self.folder, self.max_keep = Path(folder), max_keep
        self.with_backbone, self.say = with_backbone, say

    def write(self, name: str, content: Mapping[str, Any]) -> Path:
        """Write ``name`` and return its path.

        In this order: the content is checked, a file is written beside the target, synced, read
        back and renamed; its backbone follows; older ones go last. What cannot be written of the
        backbone and what cannot be deleted is logged: the checkpoint itself is safe by then.

        Args:
            name: Name of the file.
            content: Result of :func:`mochi_mm.engine.run_state.collect_state`, with what others
                added to it or changed in it.

        Raises:
            ValueError: It holds something that could not be read again, or no weights.
            FloatingPointError: A weight or statistic is not finite.
            OSError: The disk does not take it; what was there before still is.
        """
        content = as_data(content, 'the checkpoint')
        lacking = [part for part in _PARTS if not isinstance(content.get(part), Mapping)]
        if lacking:
            raise ValueError(f'the checkpoint {name} has no {", ".join(lacking)} to write.')
        check_finite(all_weights(content))
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        sha256 = write_checkpoint(path, content)
        self.say(logging.INFO, f'checkpoint {path} saved')
        if self.with_backbone:
            self._write_backbone(path, content, sha256)
        self._drop_older(path)
        return path

    def _write_backbone(self, path: Path, content: Mapping[str, Any], sha256: str) -> None:
        try:
            written = write_backbone(path, content, sha256)
        except OSError as error:
            self.say(
                logging.WARNING,
                f'the backbone of {path} could not be saved beside it: {error}. The checkpoint is '
                'whole; tools/converters/export.py takes the backbone out of it.',
            )
            return
        regular = [entry.path for entry in saved_in(self.folder)]
        for older in regular if written and path in regular else ():  # the best keeps its own
            if older != path:
                try:
                    backbone_path(older).unlink(missing_ok=True)
                except OSError as error:
                    self.say(logging.WARNING, f'an older backbone stays: {error}')

    def _drop_older(self, path: Path) -> None:
        others = [entry.path for entry in saved_in(self.folder, best=True) if entry.path != path]
        metric = metric_of(path)
        if metric is not None:
            surplus = [other for other in others if metric_of(other) == metric]
        elif is_regular(path) and self.max_keep > 0:
            regular = [other for other in others if is_regular(other)]
            surplus = regular[: max(0, len(regular) - self.max_keep + 1)]
        else:
            surplus = []
        for older in surplus:
            try:
                remove_checkpoint(older)
            except OSError as error:
                self.say(
                    logging.WARNING, f'{older} could not be deleted: {error}; training goes on'
                )


def all_weights(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the weights of a checkpoint by name, with those that hooks keep beside them.

    Those are under names that end in ``state_dict``, such as MMEngine's ``ema_state_dict``.
    """
    found = dict(content['state_dict'])
    for part, tensors in content.items():
        if part != 'state_dict' and str(part).endswith('state_dict'):
            found.update({f'{part}.{name}': value for name, value in tensors.items()})
    return found


def check_finite(tensors: Mapping[str, Any]) -> None:
    """Raise ``FloatingPointError`` naming the tensors that hold NaN or infinity."""
    bad = [n for n, value in tensors.items() if isinstance(value, Tensor) and not is_finite(value)]
    if bad:
        raise FloatingPointError(
            f'{len(bad)} of {len(tensors)} tensors of the model are not finite, first {bad[0]}; '
            'nothing was saved, and the earlier checkpoints are untouched. Resume from the newest '
            'with a lower learning rate, or find the sample that causes it.'
        )
