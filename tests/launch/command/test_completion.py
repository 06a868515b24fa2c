"""The scripts complete tools, options, configs and files, in the shells themselves."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from mochi_mm.launch.command.completion import SHELLS, completion
from mochi_mm.launch.command.tool_file import tool_files

ASKED = """
ask() {
  COMP_WORDS=(mochi-mm "$@"); COMP_CWORD=$#; COMPREPLY=(); _mochi_mm; echo "${COMPREPLY[@]}"
}
ask trai; ask analysis li; ask train --resu; ask train mochi-a; ask knn mochi-b; ask pack my_f
ask analysis knn mochi-a x --checkpoint-; ask dist-train mochi-a 8 --am
"""
EXPECTED = [
    'train',
    'linear-probe',
    '--resume',
    'mochi-a',
    'mochi-b',
    'my_folder',
    '--checkpoint-key',
    '--amp',
]


@pytest.mark.parametrize('shell', SHELLS)
def test_the_shell_completes(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f'no {shell} here')
    (tmp_path / 'my_folder').mkdir()
    script = completion(shell, tool_files(), ['mochi-a', 'mochi-b'])
    if shell == 'zsh':  # as in a shell that one types in, which calls the function in sh's way
        script = f'autoload -U compinit && compinit -u\n{script}emulate sh\n'
    done = subprocess.run(
        [shell, '-c', script + ASKED], cwd=tmp_path, capture_output=True, text=True
    )
    lines = done.stdout.splitlines()
    if shell == 'zsh':  # its menu takes what fits, later
        lines = [w if w in line.split() else line for w, line in zip(EXPECTED, lines, strict=True)]
    assert lines == EXPECTED, done.stderr
