"""Pseudo-labels of the training images, made by clustering while training runs."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dist import broadcast, get_comm_device
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import IterBasedTrainLoop
from torch import Tensor

from mochi_mm.datasets.facts import facts_of
from mochi_mm.distributed.agreement import any_rank
from mochi_mm.distributed.rows import rank, world_size
from mochi_mm.engine.acceptance_schedule import AcceptanceSchedule
from mochi_mm.engine.curves import add_to_curves
from mochi_mm.engine.label_data import check_label_data, check_label_loader
from mochi_mm.engine.label_takers import check_takers
from mochi_mm.evaluation.features import extract_features
from mochi_mm.evaluation.k_means import check_backend, k_means
from mochi_mm.evaluation.measures.pseudo_labels import changed_share, pair_precision_recall
from mochi_mm.models.functional.clusters import nearest_centroids
from mochi_mm.models.functional.unit_rows import unit_rows
from mochi_mm.randomness import StepKey
from mochi_mm.randomness.random_state import preserved_random_state
from mochi_mm.registry import HOOKS
from mochi_mm.structures.clustering import Clustering
from mochi_mm.structures.features import TAPS
from mochi_mm.structures.protocols import TakesClusters
from mochi_mm.utils.checks import check_choice, check_integer, check_temperature
from mochi_mm.utils.unwrap import unwrap


@HOOKS.register_module()
class PseudoLabelHook(Hook):
    """Embed all training images, cluster them, and hand labels to the parts that take them.

    At the start of every ``interval``-th epoch from ``start_epoch`` on. The ranks share the images,
    and the granularities; every rank ends with the same labels, which lie in the model and so in
    its checkpoints. Draws are keyed by the iteration, so a run that was killed at any time goes on
    as if it had not been. Training goes on otherwise as if the hook were not there.

    Logged for each granularity k: share of images whose label is accepted, share that changed
    cluster, empty clusters, share of images in the largest one, and, over all pairs of images of
    labeled data, precision and recall of "same label" for "same class". Neither classes nor these
    figures reach the objective.

    Args:
        label_dataloader: The training images, one view each and without augmentation, as a config
            or a data loader.
        interval: Epochs between clusterings; None for one alone.
        start_epoch: See :class:`AcceptanceSchedule`.
        end_epoch: Likewise.
        shares: Likewise; None takes (0.0, 1.0). Only labels with a confidence have shares; the
            clusters of InterCLR are all in use.
        encoder: Encoder that embeds: ``target`` (averaged, where there is one) or ``online``.
        tap: Features that are clustered, as in a head.
        temperature: Of the confidence of a label.
        backend: Library: ``sklearn`` or ``faiss``.
        batch_size: Images of a step of MiniBatchKMeans.

    Raises:
        ValueError: Unusable settings; before the first iteration: no part that takes clusters,
            images that are not those of the training, a pipeline that augments, a schedule that
            never accepts, or labels of other data.
    """

    priority = 'NORMAL'

    def __init__(
        self,
        label_dataloader: Any,
        interval: int | None = 1,
        start_epoch: int = 1,
        end_epoch: int | None = None,
        shares: Sequence[float] | None = None,
        encoder: str = 'target',
        tap: str = 'neck',
        temperature: float = 0.1,
        backend: str = 'sklearn',
        batch_size: int = 4096,
    ) -> None:
        if interval is not None:
            check_integer('PseudoLabelHook interval', interval, 1)
        self.schedule = AcceptanceSchedule(
            start_epoch, end_epoch, (0.0, 1.0) if shares is None else shares
        )
        self.grades = shares is not None or end_epoch is not None
        self.temperature = check_temperature(temperature)
        self.backend = check_backend(backend)
        self.batch_size = check_integer('PseudoLabelHook batch_size', batch_size, 4096)
        self.label_dataloader, self.interval = label_dataloader, interval
        self.encoder, self.tap = encoder, check_choice('PseudoLabelHook tap', tap, TAPS)

    def before_train(self, runner: Any) -> None:
        """Build the data and check everything, so that a mistake shows now and not epochs later."""
        with preserved_random_state():
            if isinstance(self.label_dataloader, Mapping):
                self.label_dataloader = runner.build_dataloader(
                    self.label_dataloader, seed=runner.seed
                )
        train = runner.train_dataloader.dataset
        check_label_loader(self.label_dataloader)
        check_label_data(self.label_dataloader.dataset, train)
        model = unwrap(runner.model)
        model.encoder(self.encoder)
        self.takers = [m for m in model.modules() if isinstance(m, TakesClusters)]
        if not self.takers:
            raise ValueError(
                'PseudoLabelHook found no part of the model that takes clusters; expected one, '
                'such as the pseudo_labels of a PseudoLabelHead: choose that head, or remove the '
                'hook.'
            )
        if self.grades and not any(taker.graded for taker in self.takers):
            raise ValueError(
                'PseudoLabelHook has shares or an end_epoch, and no part of the model that takes '
                'clusters accepts a share of them (InterCLR uses all); leave both out.'
            )
        facts = facts_of(train)
        begin = self.schedule.start_epoch
        check_takers(model, self.takers, self.tap, begin, facts.num_images)
        self.classes = None
        if bool(facts.labeled.any()):
            labels = np.asarray(train.labels)[: facts.num_images]
            self.classes = torch.from_numpy(labels.astype(np.int64))
        self.schedule.check(self._time(runner)[1], facts.num_images)

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Cluster, and accept labels, at the start of an epoch."""
        if runner.iter % len(runner.train_dataloader):
            return
        epoch, max_epochs = self._time(runner)
        since = epoch - self.schedule.start_epoch
        if since < 0:
            return
        figures: dict[str, float] = {}
        if since == 0 or (self.interval is not None and since % self.interval == 0):
            figures = self.cluster(runner)
        for taker in self.takers:
            taker.accept(self.schedule.share(epoch, max_epochs))
        self._report(runner, epoch, {**figures, **self._rightness()})

    def cluster(self, runner: Any) -> dict[str, float]:
        """Replace the clusters of every part, on all ranks together.

        Returns:
            Shares and counts by granularity, and seconds that it took.

        Raises:
            FloatingPointError: An embedding is not finite.
        """
        model, started = unwrap(runner.model), time.perf_counter()

        def embed(inputs: Sequence[Tensor]) -> Tensor:
            features = model.embed(model.in_layout(inputs)[0], self.encoder)
            rows: Tensor = features.at(self.tap)
            return rows

        total = len(self.label_dataloader.dataset)
        print_log(f'pseudo-labels: embedding {total} images', logger='current')
        with preserved_random_state():
            features, _ = extract_features(model, self.label_dataloader, encode=embed)
        if not bool(features.isfinite().all()):
            raise FloatingPointError(
                'embeddings of the training images are not finite, so they cannot be clustered; '
                'the training has diverged: lower the learning rate.'
            )
        rows, embedded = unit_rows(features), time.perf_counter()
        figures: dict[str, float] = {}
        for number, taker in enumerate(self.takers):
            key = StepKey(runner.seed, runner.iter)
            found = self._found(rows, taker.num_clusters, key, number)
            for k, before, now in zip(taker.num_clusters, taker.clusters(), found, strict=True):
                figures.update(_figures(k, before.cpu(), now.labels))
            taker.set_clusters(rows, found)
        figures['time_embedding'] = embedded - started
        figures['time_clustering'] = time.perf_counter() - embedded
        return figures

    def _found(
        self, rows: Tensor, num_clusters: Sequence[int], key: StepKey, taker: int
    ) -> list[Clustering]:
        """Return a clustering for each granularity, each made by one rank, the same on all."""
        shared: list[Clustering | None] = []
        problem: Exception | None = None
        for number, k in enumerate(num_clusters):
            made = None
            if number % world_size() == rank():
                seed = key.number(f'clusters {taker} {number}', per_rank=False)
                began = time.perf_counter()
                try:
                    made = self._clustering(rows, k, seed)
                    spent = f'{time.perf_counter() - began:.1f} s'
                    words = f'{k} clusters ({number + 1} of {len(num_clusters)}) in {spent}'
                    print_log(f'pseudo-labels: {words}', logger='current')
                except (ArithmeticError, MemoryError, RuntimeError, ValueError) as error:
                    # Raised below, on all ranks: the others would wait for this one.
                    problem = error
            shared.append(made)
        if any_rank(problem is not None):
            raise problem or RuntimeError('another rank could not cluster; its log says why')
        return [
            _from_rank(made, rows, k, number % world_size())
            for number, (made, k) in enumerate(zip(shared, num_clusters, strict=True))
        ]

    def _clustering(self, rows: Tensor, k: int, seed: int) -> Clustering:
        centroids = k_means(rows, k, seed, self.backend, self.batch_size)
        return Clustering(*nearest_centroids(rows, centroids, self.temperature), centroids)

    def _rightness(self) -> dict[str, float]:
        """Return accepted shares, and how right the accepted labels are."""
        figures: dict[str, float] = {}
        for taker in self.takers:
            for k, labels in zip(taker.num_clusters, taker.accepted(), strict=True):
                held = labels.cpu()
                figures[f'accepted_k{k}'] = float((held >= 0).double().mean())
                if self.classes is not None:
                    precision, recall = pair_precision_recall(held, self.classes)
                    figures.update({f'precision_k{k}': precision, f'recall_k{k}': recall})
        return figures

    def _report(self, runner: Any, epoch: int, figures: Mapping[str, float]) -> None:
        """Log figures by granularity, and the mean over them under the plain name."""
        finite = {name: value for name, value in figures.items() if math.isfinite(value)}
        by_name: dict[str, list[float]] = {}
        for name, value in finite.items():
            by_name.setdefault(name.partition('_k')[0], []).append(value)
        means = {name: sum(values) / len(values) for name, values in by_name.items()}
        scalars = {f'pseudo/{name}': value for name, value in {**finite, **means}.items()}
        runner.message_hub.update_scalars(scalars)
        text = '  '.join(f'{name}: {value:.4g}' for name, value in finite.items())
        runner.logger.info(f'pseudo-labels at the start of epoch {epoch + 1}:  {text}')
        most = {k: v for k, v in finite.items() if k.startswith('largest') and v > 0.5}
        for name, value in most.items():
            runner.logger.log(
                logging.WARNING,
                f'one cluster ({name}) holds {100 * value:.0f} % of all images and says little of '
                'them',
            )
        add_to_curves(runner, scalars, epoch)

    @staticmethod
    def _time(runner: Any) -> tuple[int, int]:
        length = len(runner.train_dataloader)
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            return runner.iter // length, math.ceil(runner.max_iters / length)
        return runner.iter // length, runner.max_epochs


def _figures(k: int, before: Tensor, now: Tensor) -> dict[str, float]:
    """Return shares and counts of one granularity."""
    sizes = torch.bincount(now, minlength=k)
    return {
        f'changed_k{k}': changed_share(before, now),
        f'empty_k{k}': float((sizes == 0).sum()),
        f'largest_k{k}': float(sizes.max()) / len(now),
    }


def _from_rank(made: Clustering | None, rows: Tensor, k: int, source: int) -> Clustering:
    """Return what the rank ``source`` has made, on every rank."""
    if made is None:
        labels, confidence = torch.zeros(len(rows), dtype=torch.int64), torch.zeros(len(rows))
        made = Clustering(labels, confidence, torch.zeros(k, rows.shape[1]))
    if world_size() == 1:
        return made
    parts = [part.to(get_comm_device()) for part in (made.labels, made.confidence, made.centroids)]
    for part in parts:
        broadcast(part, source)
    return Clustering(*(part.cpu() for part in parts))
