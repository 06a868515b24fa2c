"""kNN accuracy while pre-training runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.hooks import Hook

from mochi_mm.engine.built_loader import built_loader
from mochi_mm.engine.curves import add_to_curves
from mochi_mm.engine.epochs_counted import check_epochs_counted
from mochi_mm.engine.validated_weights import validated_weights
from mochi_mm.evaluation.class_groups import check_cuts
from mochi_mm.evaluation.knn import check_knn_settings
from mochi_mm.evaluation.knn_evaluate import check_knn_data, knn_evaluate, learned_features
from mochi_mm.evaluation.learned_similarity import SIMILARITIES
from mochi_mm.randomness.random_state import preserved_random_state
from mochi_mm.registry import HOOKS
from mochi_mm.runs.measured_figures import measuring_hook, offer_figures
from mochi_mm.utils.checks import check_choice


@HOOKS.register_module()
class KNNHook(Hook):
    """Measure the backbone by kNN every ``interval`` epochs and at the end of training.

    Training goes on as if the hook were not there: no weight, running statistic, training flag
    or random generator changes. The result is logged, kept in the message hub and sent to the
    visualizer as ``knn/top1`` and, with more than five classes, ``knn/top5``, in percent; by a
    learned similarity as ``knn_learned/...``, or under a ``name`` of its own. With MMEngine's
    EMAHook it is the average that is measured, as in a validation.

    Args:
        bank_dataloader: Labeled samples that vote, as a config or a data loader.
        query_dataloader: Labeled samples to classify.
        interval: Epochs between measurements.
        k: Number of neighbors.
        temperature: Temperature of the votes ``exp(cosine / temperature)``.
        at_start: Also measure the network before the first iteration.
        similarity: ``cosine``, or ``learned``, that of the head; see :func:`knn_evaluate`.
        cuts: On a long tail: samples of the bank above which a class has many, and below which it
            has few, such as (100, 20); top-1 of each group is then logged as well.
        name: What stands before the slash of the figures, ``knn`` or ``knn_<word>``, where a config
            has several of these hooks; None for ``knn`` or ``knn_learned``.

    Raises:
        ValueError: Unusable settings; before training starts, another hook of the same name, a loop
            that counts iterations, a k above the size of the bank, a data set without labels,
            other classes in bank and queries, or a similarity that the model does not learn.
    """

    priority = 'NORMAL'

    def __init__(
        self,
        bank_dataloader: Any,
        query_dataloader: Any,
        interval: int = 10,
        k: int = 20,
        temperature: float = 0.07,
        at_start: bool = False,
        similarity: str = 'cosine',
        cuts: Sequence[int] | None = None,
        name: str | None = None,
    ) -> None:
        check_knn_settings((k,), temperature)
        if not isinstance(interval, int) or interval < 1:
            raise ValueError(f'interval is {interval!r}; expected a number of epochs >= 1.')
        self.bank_dataloader, self.query_dataloader = bank_dataloader, query_dataloader
        self.interval, self.k, self.temperature = interval, k, temperature
        self.similarity = check_choice('similarity', similarity, SIMILARITIES)
        self.at_start, self.cuts = at_start, None if cuts is None else check_cuts(cuts)
        self.name = ('knn' if similarity == 'cosine' else 'knn_learned') if name is None else name
        if measuring_hook(f'{self.name}/') != 'KNNHook' or '/' in self.name:
            raise ValueError(
                f"name is {name!r}; expected 'knn', or a word of its own behind 'knn_', such as "
                "'knn_exchanged'."
            )
        self._measured_iter: int | None = None

    def before_train(self, runner: Any) -> None:
        """Build and check the data, so that a mistake shows now and not epochs later."""
        check_epochs_counted(runner, self)
        self._check_name(runner)
        learned_features(runner.model, self.similarity)
        with preserved_random_state():
            self.bank_dataloader = built_loader(runner, self.bank_dataloader)
            self.query_dataloader = built_loader(runner, self.query_dataloader)
        check_knn_data(self.bank_dataloader, self.query_dataloader, self.k)
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

    def _check_name(self, runner: Any) -> None:
        """Refuse two hooks whose figures have one name."""
        hooks = [hook for hook in runner.hooks if isinstance(hook, KNNHook)]
        if sum(hook.name == self.name for hook in hooks) > 1:
            raise ValueError(
                f'two KNNHooks log {self.name}/top1, so that one figure would hide the other; '
                "give one of them a name of its own, such as name='knn_exchanged'."
            )

    def _measure(self, runner: Any, epoch: int) -> None:
        with preserved_random_state(), validated_weights(runner):
            by_k = knn_evaluate(
                runner.model,
                self.bank_dataloader,
                self.query_dataloader,
                self.k,
                self.temperature,
                similarity=self.similarity,
                cuts=self.cuts,
            )
        metrics = {
            f'{self.name}/{name.partition("/")[2].removesuffix(f"_k{self.k}")}': value
            for name, value in by_k.items()
        }
        self._measured_iter = runner.iter
        runner.message_hub.update_scalars(metrics)
        offer_figures(runner, metrics, start=not runner.iter)
        text = '  '.join(f'{name}: {value:.2f}' for name, value in metrics.items())
        runner.logger.info(f'kNN after {epoch} epochs (k={self.k}):  {text}')
        add_to_curves(runner, metrics, epoch)
