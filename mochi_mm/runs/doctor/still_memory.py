"""Whether the memory of negatives is written."""

from __future__ import annotations

from mochi_mm.runs.doctor.facts import Facts
from mochi_mm.runs.doctor.finding import Finding, healthy, not_measured, wrong

CHECK = 'a memory that does not move'
_ENOUGH = 0.5
# Kinds whose rows are written in turn, or once for each image.
_QUEUES, _BANKS = ('FeatureQueue',), ('InstanceBank', 'ClusterBank')
_FIX = (
    'the negatives are rows that no encoder made, or old ones. Call head.loss or step.commit() '
    'once an iteration, on the head that holds the memory (head.compute alone writes nothing); '
    'of an own memory, check enqueue and its pointer; see model.head.memory.'
)


def still_memory(facts: Facts) -> Finding:
    """Compare the rows that changed with those that the images since then would have written.

    Between the two newest checkpoints; against the rows that a memory starts from, which its
    ``init_seed`` gives again, where there is one alone; by ``queue_fill`` of the log where there is
    none. Wrong where nothing changed, or less than half of what is expected of a queue or a bank.
    """
    length = facts.memory_length
    if not length:
        return not_measured(CHECK, 'neither config nor checkpoint has a memory in the main head')
    kind = str(facts.memory_settings.get('type', 'FeatureQueue')).rpartition('.')[2]
    evidence, stuck = [], False
    for text, changed, written in _changes(facts, kind, length):
        evidence.append(
            f'{text}: {changed:.1%} of {length} rows, expected of {kind} about {written:.1%}'
        )
        known = kind in (*_QUEUES, *_BANKS)
        stuck |= written > 0 and (changed == 0 or (known and changed < _ENOUGH * written))
    if not evidence:
        return not_measured(
            CHECK, 'neither a checkpoint with a memory nor two lines of queue_fill in the log'
        )
    if stuck:
        return wrong(CHECK, 'the memory is not written, or hardly', evidence, _FIX)
    return healthy(CHECK, 'the memory is written as the images pass', evidence)


def _changes(facts: Facts, kind: str, length: int) -> list[tuple[str, float, float]]:
    """Return what was compared, the share of rows that changed, and the share expected."""
    found = []
    if facts.memories:
        newest = facts.memories[0]
        seed = facts.memory_settings.get('init_seed', 0)
        changed = 1 - newest.share_initial(seed if type(seed) is int else 0)
        text = f'rows of {newest.source} that are not those a memory starts from'
        found.append((text, changed, _expected(facts, kind, length, newest.step)))
    for earlier in facts.memories[1:2]:
        newest = facts.memories[0]
        if earlier.features.shape == newest.features.shape and earlier.step < newest.step:
            changed = 1 - newest.share_equal(earlier.features.float())
            text = f'rows that differ between {earlier.source} and {newest.source}'
            passed = newest.step - earlier.step
            found.append((text, changed, _expected(facts, kind, length, passed)))
    steps, fill = facts.curve('queue_fill')
    if len(fill) > 1:
        # A step is logged before its keys are written.
        passed = int(steps[-1]) - 1
        text = 'queue_fill of the last line of the log (scalars.json)'
        found.append((text, float(fill[-1]), _expected(facts, kind, length, passed)))
    return found


def _expected(facts: Facts, kind: str, length: int, steps: int) -> float:
    """Return the share of rows that ``steps`` iterations write; barely anything if unknown."""
    per_step, size = facts.images_per_step, facts.images_per_epoch
    if steps < 1:
        return 0.0
    images = steps * (per_step or 1)
    if kind in _BANKS:
        images = min(images, size or 1)
    return min(1.0, images / length)
