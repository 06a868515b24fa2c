"""Hooks of the training loop."""

from mochi_mm.engine.hooks.analysis_hook import AnalysisHook
from mochi_mm.engine.hooks.checkpoint_hook import CheckpointHook
from mochi_mm.engine.hooks.cluster_upkeep_hook import ClusterUpkeepHook
from mochi_mm.engine.hooks.data_fault_hook import DataFaultHook
from mochi_mm.engine.hooks.ema_update_hook import EMAUpdateHook
from mochi_mm.engine.hooks.hold_images_hook import HoldImagesHook
from mochi_mm.engine.hooks.keyed_random_hook import KeyedRandomHook
from mochi_mm.engine.hooks.knn_hook import KNNHook
from mochi_mm.engine.hooks.non_finite_hook import NonFiniteHook
from mochi_mm.engine.hooks.online_probe_hook import OnlineProbeHook
from mochi_mm.engine.hooks.preemption_hook import PreemptionHook
from mochi_mm.engine.hooks.pretrained_hook import PretrainedHook
from mochi_mm.engine.hooks.pseudo_label_hook import PseudoLabelHook
from mochi_mm.engine.hooks.rank_check_hook import RankCheckHook
from mochi_mm.engine.hooks.representation_guard_hook import RepresentationGuardHook
from mochi_mm.engine.hooks.run_check_hook import RunCheckHook
from mochi_mm.engine.hooks.set_epoch_hook import SetEpochHook

__all__ = [
    'AnalysisHook',
    'CheckpointHook',
    'ClusterUpkeepHook',
    'DataFaultHook',
    'EMAUpdateHook',
    'HoldImagesHook',
    'KNNHook',
    'KeyedRandomHook',
    'NonFiniteHook',
    'OnlineProbeHook',
    'PreemptionHook',
    'PretrainedHook',
    'PseudoLabelHook',
    'RankCheckHook',
    'RepresentationGuardHook',
    'RunCheckHook',
    'SetEpochHook',
]
