"""Analyses of the network and its hard negatives while pre-training runs."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from torch.utils.data import DataLoader

from mochi_mm.distributed.rows import rank
from mochi_mm.engine.curves import add_to_curves
from mochi_mm.engine.epochs_counted import check_epochs_counted
from mochi_mm.engine.validated_weights import validated_weights
from mochi_mm.evaluation.analysis import AnalysisSettings, analyze, view_batches, write_analysis
from mochi_mm.evaluation.analysis.records import TIME
from mochi_mm.randomness.random_state import preserved_random_state
from mochi_mm.registry import HOOKS
from mochi_mm.runs.measured_figures import offer_figures


@HOOKS.register_module()
class AnalysisHook(Hook):
    """Measure alignment, uniformity, rank and the hard negatives every ``interval`` epochs.

    Also at the end of training. Writes ``<work_dir>/analysis/epoch_<N>.json`` and ``.npz``, which
    ``tools/analysis/report.py`` draws, and sends the numbers to the visualizer as ``analysis/...``.
    Training goes on as if the hook were not there. ``tools/analysis/analyze.py`` measures the same
    of a checkpoint.

    Args:
        dataloader: Samples for features, as a config or a data loader: one view, labeled where
            the alignment of classes is wanted.
        interval: Epochs between measurements.
        at_start: Also measure before the first iteration.
        pictures: Also draw nearest neighbors and maps of hard negatives (some seconds each time).
        measures: Names of measures; None takes all that are possible (:class:`AnalysisSettings`).
        layers: ``backbone``, ``neck`` or both; None takes both.
        alpha: Exponent of the alignment.
        t: Factor in the exponent of the uniformity.
        num_hard: N, the hardest negatives that are looked at; None for the usual number.
        num_queries: Images of the training set, in its training views, that meet the memory.
        seed: Random seed of their views and of the mixers' draws.
        lidar_images: Images that LiDAR takes as classes, where it is among ``measures``.
        lidar_views: Views of each of them.
        lidar_delta: Added to the covariance within them.

    Raises:
        ValueError: Unusable settings; before training starts, a loop that counts iterations; when
            measuring, a measure asked for that is not possible.
    """

    priority = 'NORMAL'

    def __init__(
        self,
        dataloader: Any,
        interval: int = 10,
        at_start: bool = False,
        pictures: bool = False,
        measures: Sequence[str] | None = None,
        layers: Sequence[str] | None = None,
        alpha: float = 2.0,
        t: float = 2.0,
        num_hard: int | None = None,
        num_queries: int = 1024,
        seed: int = 0,
        lidar_images: int = 512,
        lidar_views: int = 8,
        lidar_delta: float = 1e-4,
    ) -> None:
        if not isinstance(interval, int) or interval < 1:
            raise ValueError(f'interval is {interval!r}; expected a number of epochs >= 1.')
        self.settings = AnalysisSettings(
            measures,
            layers,
            float(alpha),
            float(t),
            num_hard,
            num_queries,
            seed,
            lidar_images,
            lidar_views,
            float(lidar_delta),
        )
        self.dataloader, self.interval, self.at_start = dataloader, interval, at_start
        self.pictures = pictures
        self._measured_iter: int | None = None
        self._told: set[str] = set()

    def before_train(self, runner: Any) -> None:
        """Build the data, so that a mistake shows now and not epochs later."""
        check_epochs_counted(runner, self)
        with preserved_random_state():
            if isinstance(self.dataloader, dict):
                self.dataloader = runner.build_dataloader(self.dataloader, seed=runner.seed)
            self.views = self._views(runner.train_dataloader)
        if self.at_start and runner.iter == 0:
            self._measure(runner, runner.epoch)

    def after_train_epoch(self, runner: Any) -> None:
        """Measure after every ``interval``-th epoch."""
        if self.every_n_epochs(runner, self.interval):
            self._measure(runner, runner.epoch + 1)

    def after_train(self, runner: Any) -> None:
        """Measure the final network, unless its last epoch was measured already."""
        if self._measured_iter != runner.iter:
            self._measure(runner, runner.epoch)

    def _views(self, train: DataLoader) -> DataLoader:
        size = train.batch_size or 64
        settings = self.settings
        return view_batches(
            train.dataset, settings.num_queries, settings.seed, size, train.num_workers
        )

    def _measure(self, runner: Any, epoch: int) -> None:
        pictures: dict[str, bytes] = {}
        with validated_weights(runner):
            found = analyze(runner.model, self.dataloader, self.views, self.settings)
            if self.pictures and rank() == 0:
                pictures = self._draw(runner, found)
        self._measured_iter = runner.iter
        if rank() == 0:
            folder = Path(runner.work_dir) / 'analysis'
            when = dict(saved=time.strftime(TIME), saved_at=time.time())
            record = found.record(epoch=epoch, iter=runner.iter, **when)
            try:
                write_analysis(folder, f'epoch_{epoch}', record, found.arrays, pictures)
            except OSError as error:
                runner.logger.warning(
                    f'analysis epoch_{epoch} could not be written: {error}; training goes on'
                )
        finite = {
            f'analysis/{name}': value
            for name, value in found.scalars.items()
            if math.isfinite(value)
        }
        runner.message_hub.update_scalars(finite)
        named = {f'analysis/{name}': value for name, value in found.scalars.items()}
        offer_figures(runner, named, start=not runner.iter)
        for name, why in found.missing.items():
            if name not in self._told:
                runner.logger.info(f'analysis: no {name}: {why}')
        self._told.update(found.missing)
        text = '  '.join(f'{name[9:]}: {value:.4g}' for name, value in finite.items())
        runner.logger.info(f'analysis after {epoch} epochs:  {text}')
        add_to_curves(runner, finite, epoch)

    def _draw(self, runner: Any, found: Any) -> dict[str, bytes]:
        from mochi_mm.visualization.analysis_pictures import draw_pictures

        return draw_pictures(runner.model, self.dataloader, self.views, found, self.settings.seed)[
            0
        ]
