"""Measuring representations: features of a data set, kNN, accuracy."""

from mochi_mm.evaluation.calibration_error import CalibrationError
from mochi_mm.evaluation.features import extract_features
from mochi_mm.evaluation.group_accuracy import GroupAccuracy
from mochi_mm.evaluation.knn_evaluate import knn_evaluate
from mochi_mm.evaluation.knn_loop import KNNLoop
from mochi_mm.evaluation.open_world_accuracy import OpenWorldAccuracy
from mochi_mm.evaluation.retrieval import retrieval_evaluate
from mochi_mm.evaluation.svm_loop import SVMLoop
from mochi_mm.evaluation.top_k_accuracy import TopKAccuracy

__all__ = [
    'CalibrationError',
    'GroupAccuracy',
    'KNNLoop',
    'OpenWorldAccuracy',
    'SVMLoop',
    'TopKAccuracy',
    'extract_features',
    'knn_evaluate',
    'retrieval_evaluate',
]
