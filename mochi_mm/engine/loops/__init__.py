"""Loops of training."""

from mochi_mm.engine.loops.epoch_based_train_loop import EpochBasedTrainLoop

__all__ = ['EpochBasedTrainLoop']
