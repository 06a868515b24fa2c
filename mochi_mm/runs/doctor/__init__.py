"""What is wrong or healthy about a run, in words, each with its evidence."""

from mochi_mm.runs.doctor.diagnose import CHECKS, diagnose
from mochi_mm.runs.doctor.facts import Facts
from mochi_mm.runs.doctor.finding import HEALTHY, NOT_MEASURED, WRONG, Finding
from mochi_mm.runs.doctor.memory_state import MemoryState, read_memories
from mochi_mm.runs.doctor.observations import Observations
from mochi_mm.runs.doctor.observe import observe

__all__ = [
    'CHECKS',
    'HEALTHY',
    'NOT_MEASURED',
    'WRONG',
    'Facts',
    'Finding',
    'MemoryState',
    'Observations',
    'diagnose',
    'observe',
    'read_memories',
]
