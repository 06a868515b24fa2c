"""Testing by kNN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.evaluator import Evaluator
from mmengine.runner import BaseLoop

from mochi_mm.evaluation.class_groups import check_cuts
from mochi_mm.evaluation.knn import check_knn_settings
from mochi_mm.evaluation.knn_evaluate import as_tuple, check_knn_data, knn_evaluate
from mochi_mm.registry import LOOPS


@LOOPS.register_module()
class KNNLoop(BaseLoop):
    """Test loop that classifies the test set by its nearest neighbors in a labeled bank.

    In a config, with ``test_dataloader`` for the queries and ``test_evaluator = []``::

        test_cfg = dict(type='KNNLoop', bank_dataloader=..., k=[10, 20, 100, 200])

    Args:
        runner: The runner.
        dataloader: Queries; the runner passes its ``test_dataloader``.
        evaluator: Must be empty: the loop computes its metrics itself.
        bank_dataloader: Samples that vote, as a config or a data loader.
        k: One number of neighbors, or several that share one search.
        temperature: Temperature of the votes ``exp(cosine / temperature)``.
        cuts: On a long tail: samples of the bank above which a class has many, and below which it
            has few, such as (100, 20); top-1 is then reported of each group as well.

    Raises:
        ValueError: An evaluator, unusable settings, k above the size of the bank, missing labels,
            other classes in bank and queries.
    """

    def __init__(
        self,
        runner: Any,
        dataloader: Any,
        evaluator: Any,
        bank_dataloader: Any,
        k: int | Sequence[int] = (10, 20, 100, 200),
        temperature: float = 0.07,
        cuts: Sequence[int] | None = None,
    ) -> None:
        if evaluator.metrics if isinstance(evaluator, Evaluator) else evaluator:
            raise ValueError(
                f'test_evaluator is {evaluator!r}, but KNNLoop computes its metrics itself; set '
                'test_evaluator = [].'
            )
        self.k, self.temperature = as_tuple(k), temperature
        check_knn_settings(self.k, temperature)
        self.cuts = None if cuts is None else check_cuts(cuts)
        super().__init__(runner, bank_dataloader)
        self.bank_dataloader = self.dataloader
        super().__init__(runner, dataloader)
        check_knn_data(self.bank_dataloader, self.dataloader, self.k)
        self.evaluator = Evaluator([])

    def run(self) -> dict[str, float]:
        """Return and log ``knn/top1_k{k}`` and ``knn/top5_k{k}`` in percent, and of groups."""
        self.runner.call_hook('before_test')
        self.runner.call_hook('before_test_epoch')
        metrics = knn_evaluate(
            self.runner.model,
            self.bank_dataloader,
            self.dataloader,
            self.k,
            self.temperature,
            cuts=self.cuts,
        )
        self.runner.call_hook('after_test_epoch', metrics=metrics)
        self.runner.call_hook('after_test')
        return metrics
