"""Whether the views of an image differ."""

from __future__ import annotations

from mochi_mm.runs.doctor.facts import Facts
from mochi_mm.runs.doctor.finding import Finding, healthy, not_measured, wrong

CHECK = 'identical views'
_MOST = 0.1


def identical_views(facts: Facts) -> Finding:
    """Compare the views of training images pixel by pixel, as the network is given them.

    Two views are the same picture where they differ by less than 0.01 standard deviations of a
    channel on average. Wrong where more than a tenth of the pairs are.
    """
    seen = facts.observed
    if seen is None or seen.identical is None:
        reason = facts.unobserved if seen is None else seen.missing['identical']
        return not_measured(CHECK, reason + _hint(facts))
    evidence = [
        f'{seen.identical:.1%} of the pairs of views of {seen.images} images are the same picture '
        '(train_dataloader of the config)'
    ]
    if seen.identical > _MOST:
        return wrong(
            CHECK,
            'query and key are the same picture, so the task is solved by comparing pixels',
            evidence,
            'train_dataloader.dataset.pipeline: give MultiView transforms that draw, such as '
            'RandomResizedCrop, ColorJitter and RandomFlip; see '
            'tools/analysis/browse_dataset.py.',
        )
    return healthy(CHECK, 'the views of an image differ', evidence)


def _hint(facts: Facts) -> str:
    """Return what the log suggests: nearly equal embeddings from the first line on."""
    _, similar = facts.curve('sim_positive')
    if len(similar) and similar.min() > 0.99:
        return (
            f'. The log suggests it: sim_positive is never below {similar.min():.3f}, which '
            'collapse explains as well'
        )
    return ''
