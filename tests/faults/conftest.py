"""The flag for the long versions: ``pytest tests/faults/test_kill.py --long``."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption('--long', action='store_true', help='the long versions of the fault tests')


@pytest.fixture
def long(request: pytest.FixtureRequest) -> bool:
    """Whether the long version was asked for."""
    return bool(request.config.getoption('--long', default=False))
