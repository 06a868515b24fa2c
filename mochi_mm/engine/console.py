"""Shorter log messages on the screen."""

from __future__ import annotations

import copy
import logging

# Lines of a message that the screen shows; the log file has all.
_SHOWN = 6


class ShortFormatter(logging.Formatter):
    """Show a long message without news, such as the environment or the config, by its heading.

    Warnings and errors are shown whole.

    Args:
        inner: Formats what is shown.
    """

    def __init__(self, inner: logging.Formatter | None) -> None:
        super().__init__()
        self.inner = inner or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of ``record``, or of its first line and the number of the others."""
        lines = [line for line in record.getMessage().splitlines() if line.strip(' -')]
        if record.levelno < logging.WARNING and len(lines) > _SHOWN:
            record = copy.copy(record)
            record.msg = f'{lines[0].strip()} ({len(lines)} lines, in the log file)'
            record.args = None
        return self.inner.format(record)


def shorten_screen(logger: logging.Logger) -> None:
    """Let the handlers of ``logger`` that write to the screen show long messages by a line."""
    for handler in logger.handlers:
        to_screen = type(handler) is logging.StreamHandler
        if to_screen and not isinstance(handler.formatter, ShortFormatter):
            handler.setFormatter(ShortFormatter(handler.formatter))
