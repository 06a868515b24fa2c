"""Whether the loss is stuck where a network that tells nothing apart has it."""

from __future__ import annotations

from mochi_mm.runs.doctor.facts import Facts, late
from mochi_mm.runs.doctor.finding import Finding, healthy, not_measured, wrong

CHECK = 'loss at its chance level'
_FIRST = 50  # iterations; before that every loss is near chance
_MARGIN = 0.02


def loss_at_chance(facts: Facts) -> Finding:
    """Compare the contrastive loss with its chance level, both as logged, in the last quarter.

    The chance level is the loss at equal similarities, log(1 + K) for a query with one key and K
    negatives. Wrong where the mean loss is less than 2 % below it.
    """
    _, losses = facts.curve('loss_contrast')
    _, chances = facts.curve('chance_level')
    if not len(losses) or not len(chances):
        return not_measured(CHECK, 'the log has no loss_contrast with a chance_level beside it')
    if facts.last_step < _FIRST:
        reason = f'the run is {facts.last_step} iterations old; every loss begins near chance'
        return not_measured(CHECK, reason)
    loss, chance = float(late(losses).mean()), float(late(chances).mean())
    evidence = [
        f'loss_contrast {loss:.3f}, mean of the last quarter of the log (scalars.json); at the '
        f'first line {losses[0]:.3f}',
        f'chance_level {chance:.3f} there',
    ]
    if loss > (1 - _MARGIN) * chance:
        sentence = 'the network tells its keys from nothing: the loss is that of equal similarities'
        if loss > (1 + _MARGIN) * chance:
            sentence = (
                'the loss is above that of equal similarities: negatives lie nearer than keys'
            )
        return wrong(
            CHECK,
            sentence,
            evidence,
            'look at the findings below first (identical views, a memory that does not move, '
            'collapse). Otherwise raise optim_wrapper.optimizer.lr, or lower it where the loss '
            'went up from chance; model.head.temperature is usually 0.07 to 0.2.',
        )
    return healthy(CHECK, f'the loss is {chance - loss:.2f} nats below chance', evidence)
