"""Difficulty of the task of a run: its views, its queue and the end of its neck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Regime:
    """What makes it easy or hard for a query to be told its key from the queue.

    Attributes:
        crop: Smallest share of an image that a view shows, of 1.
        jitter: Strength of the changes of brightness, contrast and saturation; a quarter of it is
            that of the hue.
        gray: Share of the views without color.
        length: K, keys in the queue.
        output_norm: Whether a batch norm without scale and shift ends the neck.

    >>> Regime(0.4, 0.2, 0.1, 1024).words()
    'crop from 0.4, jitter 0.2, gray 0.1, K 1024'
    """

    crop: float
    jitter: float
    gray: float
    length: int
    output_norm: bool = False

    def words(self) -> str:
        """Return it in words."""
        views = f'crop from {self.crop:g}, jitter {self.jitter:g}, gray {self.gray:g}'
        end = ', batch norm at the output' if self.output_norm else ''
        return f'{views}, K {self.length}{end}'

    def options(self) -> dict[str, Any]:
        """Return the options that put a config into it; its view pipeline is crop, jitter, gray."""
        jitter = dict.fromkeys(('brightness', 'contrast', 'saturation'), self.jitter)
        found: dict[str, Any] = {
            'view_pipeline.0.scale': (self.crop, 1.0),
            **{f'view_pipeline.1.{name}': value for name, value in jitter.items()},
            'view_pipeline.1.hue': self.jitter / 4,
            'view_pipeline.2.prob': self.gray,
            'model.neck.norm': 'all' if self.output_norm else 'hidden',
            'model.head.memory.length': self.length,
        }
        if self.output_norm:
            found['model.neck.last_affine'] = False
        return found
