"""Measures of a network at the end of a run: functions that return named figures."""

from mochi_mm.experiments.measures.analysis import Analysis
from mochi_mm.experiments.measures.classified import Classified
from mochi_mm.experiments.measures.explained import Explained
from mochi_mm.experiments.measures.fast_linear import FastLinear
from mochi_mm.experiments.measures.few_shot import FewShot
from mochi_mm.experiments.measures.guarded import Guarded
from mochi_mm.experiments.measures.knn import KNN
from mochi_mm.experiments.measures.linear_transfer import LinearTransfer
from mochi_mm.experiments.measures.logged import Logged
from mochi_mm.experiments.measures.measure import Measure
from mochi_mm.experiments.measures.open_world import OpenWorldMeasure
from mochi_mm.experiments.measures.robust import Robust
from mochi_mm.experiments.measures.subject import Subject
from mochi_mm.experiments.measures.tail_accuracy import TailAccuracy

__all__ = [
    'KNN',
    'Analysis',
    'Classified',
    'Explained',
    'FastLinear',
    'FewShot',
    'Guarded',
    'LinearTransfer',
    'Logged',
    'Measure',
    'OpenWorldMeasure',
    'Robust',
    'Subject',
    'TailAccuracy',
]
