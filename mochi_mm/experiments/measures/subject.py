"""A network that measures look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from mochi_mm.engine.runners import SafeRunner
from mochi_mm.evaluation.features import extract_features
from mochi_mm.evaluation.finite_scores import finite_scores
from mochi_mm.models.algorithms import BaseAlgorithm
from mochi_mm.models.evaluating import evaluating


@dataclass
class Subject:
    """A network before the first or after the last step of a run, and what it was made from.

    Attributes:
        model: The algorithm.
        config: Config of the run.
        folder: Work dir of the run, with its logs.
        epochs: Number of epochs that it was trained for; 0 for an untrained network.
        data_root: Folder that holds the data sets.
    """

    model: BaseAlgorithm
    config: Any
    folder: Path
    epochs: int
    data_root: Path
    _loaders: dict[str, DataLoader] = field(default_factory=dict)
    _features: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict)

    @property
    def device(self) -> torch.device:
        """Return the device of the network."""
        return next(self.model.parameters()).device

    def loader(self, name: str) -> DataLoader:
        """Return a loader of the config; it is built once.

        Args:
            name: Such as ``bank_dataloader``: the images trained on, not augmented.

        Raises:
            KeyError: The config has none of that name.
        """
        if name not in self._loaders:
            if not self.config.get(name):
                raise KeyError(f'the config {self.config.filename} has no {name} to measure with.')
            self._loaders[name] = self.build(self.config[name])
        return self._loaders[name]

    def features(self, name: str) -> tuple[Tensor, Tensor]:
        """Return pooled features (M, C) and labels (M,) of a loader's images, on the CPU.

        They are computed once. Raises ``ValueError`` for a sample without a label.
        """
        if name not in self._features:
            self._features[name] = self.extract(self.loader(name))
        return self._features[name]

    def predicted(self, name: str) -> tuple[Tensor, Tensor]:
        """Return the class (M,) that the network's own classifier gives, and labels, on the CPU.

        The whole network runs, whatever place the classifier taps.

        Args:
            name: Loader of the images.

        Raises:
            ValueError: A score is not finite.
        """
        guesses, labels = [], []
        with evaluating(self.model), torch.no_grad():
            for batch in self.loader(name):
                data = self.model.data_preprocessor(batch, False)
                (record,) = self.model(**data, mode='predict')
                guesses.append(finite_scores(record['scores']).argmax(1).cpu())
                labels.append(record['gt_label'].cpu())
        return torch.cat(guesses), torch.cat(labels)

    def build(self, config: Any) -> DataLoader:
        """Return the loader that a part of a config describes."""
        return SafeRunner.build_dataloader(config, seed=0)

    def extract(self, loader: DataLoader) -> tuple[Tensor, Tensor]:
        """Return pooled features (M, C) and labels (M,) of any labeled images."""
        return extract_features(self.model, loader, require_labels=True)
