"""Whether queries are pushed from older keys of their own image."""

from __future__ import annotations

from mochi_mm.runs.doctor.facts import Facts
from mochi_mm.runs.doctor.finding import Finding, healthy, not_measured, wrong

CHECK = 'own keys among the negatives'
_MOST = 0.5
_BANKS = ('InstanceBank', 'ClusterBank')


def own_keys(facts: Facts) -> Finding:
    """Compute the share of queries that meet an older key of their own image in the memory.

    In a queue of K keys, an image of N that come in a new order each pass finds one of its last
    pass with probability r^2 / 2 for r = K / N up to 1, 1 - (2 - r)^2 / 2 up to 2, and 1 beyond;
    in a bank with a row for each image, always from the second pass on. Wrong from one half on
    (K >= N) where ``mask_own_keys`` is not set.
    """
    length = facts.memory_length
    if not length:
        return not_measured(CHECK, 'neither config nor checkpoint has a memory in the main head')
    if facts.setting('model', 'head', 'mask_own_keys') is True:
        return healthy(CHECK, 'they are masked', ['model.head.mask_own_keys=True (config)'])
    if not facts.setting('model'):
        return not_measured(CHECK, 'the run left no config that says whether they are masked')
    size = facts.images_per_epoch
    if not size:
        reason = 'neither log nor config says how many images an epoch has'
        return not_measured(CHECK, reason)
    kind = str(facts.memory_settings.get('type', '')).rpartition('.')[2]
    share = 1.0 if kind in _BANKS else share_meeting(length / size)
    where = 'data set' if facts.observed is not None else 'iterations per epoch and batch size'
    evidence = [f'{kind or "memory"} of {length} rows, {size} images ({where})']
    evidence += [
        f'{state.source}: its rows are of {known} different images'
        for state in facts.memories[:1]
        if (known := len(state.indices[state.indices >= 0].unique()))
    ]
    sentence = f'{share:.1%} of the queries meet an older key of their own image as a negative'
    if share >= _MOST:
        return wrong(
            CHECK,
            sentence,
            evidence,
            'set model.head.mask_own_keys=True, or make model.head.memory.length shorter than the '
            'data set.',
        )
    return healthy(CHECK, sentence, evidence)


def share_meeting(ratio: float) -> float:
    """Return the share of queries that meet an older key of their image in a queue.

    Args:
        ratio: Keys in the queue by images of an epoch.

    >>> share_meeting(0.5), share_meeting(1.0), share_meeting(2.5)
    (0.125, 0.5, 1.0)
    """
    return ratio**2 / 2 if ratio <= 1 else 1 - max(0.0, 2 - ratio) ** 2 / 2
