"""What a check says about a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

HEALTHY, WRONG, NOT_MEASURED = 'healthy', 'wrong', 'not measured'


@dataclass(frozen=True)
class Finding:
    """The outcome of one check, in words.

    Attributes:
        check: What was looked at.
        state: ``healthy``, ``wrong`` or ``not measured``.
        sentence: What was found, or why nothing could be.
        evidence: Figures, each with where it was read.
        fix: The setting to change where something is wrong; empty elsewhere.
    """

    check: str
    state: str
    sentence: str
    evidence: tuple[str, ...] = ()
    fix: str = ''

    def record(self) -> dict[str, Any]:
        """Return the finding as plain data."""
        return dict(asdict(self), evidence=list(self.evidence))


def healthy(check: str, sentence: str, evidence: Sequence[str]) -> Finding:
    """Return a finding that nothing is wrong."""
    return Finding(check, HEALTHY, sentence, tuple(evidence))


def wrong(check: str, sentence: str, evidence: Sequence[str], fix: str) -> Finding:
    """Return a finding that something is wrong, and what to change."""
    return Finding(check, WRONG, sentence, tuple(evidence), fix)


def not_measured(check: str, reason: str) -> Finding:
    """Return that a check could not be made, and why."""
    return Finding(check, NOT_MEASURED, reason)
