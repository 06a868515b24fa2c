"""One checkpoint, everything that is measured of it, as numbers and arrays."""

from mochi_mm.evaluation.analysis.analyze import Analysis, analyze
from mochi_mm.evaluation.analysis.load_model import load_for_analysis, position_of
from mochi_mm.evaluation.analysis.records import read_analysis, write_analysis
from mochi_mm.evaluation.analysis.settings import MEASURES, AnalysisSettings
from mochi_mm.evaluation.analysis.view_batches import view_batches

__all__ = [
    'MEASURES',
    'Analysis',
    'AnalysisSettings',
    'analyze',
    'load_for_analysis',
    'position_of',
    'read_analysis',
    'view_batches',
    'write_analysis',
]
