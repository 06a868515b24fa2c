"""The way into every tool: a mistake ends it with one paragraph and exit code 2."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable

from mochi_mm.launch.mistakes import mistake_of


class Stopped(SystemExit):
    """The end of a tool at a mistake; its text is what was said."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.code = 2


def run_tool(main: Callable[[], object]) -> None:
    """Call ``main``; show a user's mistake as one paragraph, last, on stderr, and leave with 2.

    ``--debug`` on the command line shows the traceback as well. A fault of the program shows it in
    any case.

    Args:
        main: Main function of a tool, without arguments.

    Raises:
        Stopped: After a mistake.
    """
    try:
        main()
    except Exception as error:
        text = mistake_of(error)
        if text is None or '--debug' in sys.argv:
            raise
        for handler in logging.getLogger().handlers:
            handler.flush()
        sys.stdout.flush()
        rank = os.environ.get('RANK', '0')
        text = text if rank == '0' else f'rank {rank}: {text}'
        print(f'error: {text}', file=sys.stderr, flush=True)
        raise Stopped(text) from None
