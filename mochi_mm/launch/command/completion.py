"""Completion of ``mochi-mm`` in a shell: a script that needs no Python while one types."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from mochi_mm.launch.command.tool_file import ToolFile, by_group
from mochi_mm.launch.command.tool_options import tool_options

SHELLS = ('bash', 'zsh')

_SCRIPT = """# Completion of mochi-mm, written by: mochi-mm completion {shell}
{opening}_mochi_mm() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} tool=${{COMP_WORDS[1]}} place=1 words=''
  case "$tool" in
{groups}  esac
  if [ "$COMP_CWORD" -le "$place" ]; then
    [ "$place" = 2 ] || words={first}
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    return
  fi
  tool=${{COMP_WORDS[place]}}
  words=''
  case "$tool" in
{options}  esac
  if [ "${{word#-}}" != "$word" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    return
  fi
  COMPREPLY=($(compgen -f -- "$word"))
  if [ "$COMP_CWORD" = "$((place + 1))" ]; then
    case "$tool" in
      {with_config})
        COMPREPLY+=($(compgen -W {configs} -- "$word")) ;;
    esac
  fi
}}
complete -o filenames -F _mochi_mm mochi-mm
"""
_ZSH = """autoload -U compinit bashcompinit
(( $+functions[compdef] )) || compinit
bashcompinit
"""


def completion(shell: str, tools: Sequence[ToolFile], configs: Sequence[str]) -> str:
    """Return a script for ``bash`` or ``zsh`` that completes tools, options, configs and files.

    It holds the names as they are now: after an update it is to be written again.

    Args:
        shell: One of :data:`SHELLS`.
        tools: Programs of the project.
        configs: Names that complete an argument CONFIG.
    """
    groups = {group: found for group, found in by_group(tools).items() if group}
    names = [tool.name for tool in tools]
    inner = ''.join(
        f'    {group}) place=2 words={_words(tool.name for tool in found)} ;;\n'
        for group, found in groups.items()
    )
    options = ''.join(f'    {t.name}) words={_words(tool_options(t.path))} ;;\n' for t in tools)
    return _SCRIPT.format(
        shell=shell,
        opening=_ZSH if shell == 'zsh' else '',
        groups=inner,
        first=_words([*names, *groups, 'completion', '--help', '--version']),
        options=options,
        with_config='|'.join(t.name for t in tools if _takes_config(t)),
        configs=_words(configs),
    )


def _takes_config(tool: ToolFile) -> bool:
    return bool(tool.arguments) and 'CONFIG' in tool.arguments[0].split('|')


def _words(words: Iterable[str]) -> str:
    return shlex.quote(' '.join(words))
