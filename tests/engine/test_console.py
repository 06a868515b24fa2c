"""The screen shows long lists by a line; the log file has all of them."""

from __future__ import annotations

import io
import logging
from pathlib import Path

from mochi_mm.engine.console import shorten_screen


def test_long_messages_are_short_on_the_screen(tmp_path: Path) -> None:
    logger, screen = logging.Logger('test'), io.StringIO()
    logger.addHandler(logging.StreamHandler(screen))
    logger.addHandler(logging.FileHandler(tmp_path / 'log'))
    shorten_screen(logger)
    shorten_screen(logger)
    long = '\n------\nSystem environment:\n' + '\n'.join(f'    {i}: %' for i in range(20))
    logger.info(long)
    logger.info('loss: %s', 3)
    logger.warning(long)
    shown = screen.getvalue()
    assert shown.startswith('System environment: (21 lines, in the log file)\nloss: 3\n')
    assert shown.count('19: %') == 1
    assert (tmp_path / 'log').read_text().count('19: %') == 2
