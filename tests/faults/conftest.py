"""The flag for the long versions: ``pytest tests/faults/test_kill.py --long``."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption('--long', action='store_true', help='the long versions of the fault tests')


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long versions take as long as they take."""
    if config.getoption('--long', default=False):
        for item in items:
            item.add_marker(pytest.mark.timeout(0))


@pytest.fixture
def long(request: pytest.FixtureRequest) -> bool:
    """Whether the long version was asked for."""
    return bool(request.config.getoption('--long', default=False))
