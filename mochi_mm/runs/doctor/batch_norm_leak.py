"""Whether queries know their keys by the batch that both were normalized in."""

from __future__ import annotations

from mochi_mm.runs.doctor.facts import Facts
from mochi_mm.runs.doctor.finding import Finding, healthy, not_measured, wrong

CHECK = 'batch-norm leak'
_POINTS = 0.1
_DEVIATIONS = 3.0


def batch_norm_leak(facts: Facts) -> Finding:
    """Compare contrastive accuracy with keys normalized as in training and in other batches.

    A query is right where its own key is nearer than every row of the memory, which holds keys of
    other batches. Queries and keys are made in training mode: once as the run makes them, batch
    shuffle included, and once with key batches that are dealt anew, so that a key shares its
    batch with as few images of its query's batch as the number of batches allows. Whatever the
    network knows of an image it knows in both; what it loses is what the statistics told. Wrong
    where it loses more than 10 points or half of what it found, and 3 standard deviations of the
    queries that changed.
    """
    seen = facts.observed
    if seen is None or seen.leak is None:
        return not_measured(CHECK, facts.unobserved if seen is None else seen.missing['leak'])
    leak = seen.leak
    evidence = [
        f'{leak.together:.1%} of {leak.queries} queries find their key when it is normalized as in '
        f'training, {leak.apart:.1%} when it is normalized among other images ({seen.source})',
        f'{leak.only_together} queries lost, {leak.only_apart} won: {leak.deviations:.1f} standard '
        'deviations',
    ]
    lost = leak.together - leak.apart
    if lost > min(_POINTS, leak.together / 2) and leak.deviations > _DEVIATIONS:
        return wrong(
            CHECK,
            'queries know their keys by batch statistics that both share',
            evidence,
            "set model.batch_shuffle='auto' (split_bn on one device, shuffle on several), a larger "
            'train_dataloader.batch_size, or norms without batch statistics.',
        )
    return healthy(CHECK, 'batch statistics tell the queries little or nothing', evidence)
