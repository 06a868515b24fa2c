"""Environment of a run, from the facts of its start and the head of its log."""

from __future__ import annotations

import re
from pathlib import Path

from mochi_mm.runs.start_facts import read_start

# Facts of a start, and the name that MMEngine has for some of them.
_FACTS = {
    'version': 'mochi_mm',
    'commit': 'commit',
    'changes': 'changes to it',
    'host': 'host',
    'torch': 'PyTorch',
    'torchvision': 'TorchVision',
    'mmengine': 'MMEngine',
    'numpy': 'NumPy',
    'pillow': 'Pillow',
}
_HEADS = ('System environment:', 'Runtime environment:')
# The compiler flags of torch: long, and the same for everyone.
_LEFT_OUT = ('PyTorch compiling details', 'GCC', 'MUSA available')


def read_environment(log: str, start: str | Path) -> dict[str, str]:
    """Return the environment that a run had, whatever machine reads it.

    Args:
        log: Text of its log file.
        start: The log folder; facts of the start in it are there at any log level.
    """
    facts = read_start(start)
    known = {
        n: facts[key] for key, n in _FACTS.items() if facts.get(key) not in (None, '', 'unknown')
    }
    return {name: str(value) for name, value in known.items()} | parse_environment(log)


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
