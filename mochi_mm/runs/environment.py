"""Environment of a run, as MMEngine wrote it at the head of the log."""

from __future__ import annotations

import re

_HEADS = ('System environment:', 'Runtime environment:')
# The compiler flags of torch: long, and the same for everyone.
_LEFT_OUT = ('PyTorch compiling details', 'GCC', 'MUSA available')


def parse_environment(log: str) -> dict[str, str]:
    """Return name and value of each line below the two headings, in order.

    Args:
        log: Text of a log file; without the headings the result is empty.
    """
    found: dict[str, str] = {}
    inside = False
    for line in log.splitlines():
        if line.strip() in _HEADS:
            inside = True
        elif line.startswith('-----') or re.match(r'\d{4}/\d\d/\d\d ', line):
            if inside and 'Distributed launcher' in found:
                break
        elif inside and (match := re.match(r'    ([\w .,/+-]+): (.*)$', line)):
            name, value = match[1].strip(), match[2].strip()
            if not name.startswith(_LEFT_OUT):
                found[name] = value
    return found
