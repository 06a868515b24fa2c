"""A headless Chromium, driven through a pair of pipes: what a page does, and what it complains of.

Nothing is installed for it but the browser: ``apt-get install chromium`` (``.ci/run`` does), or
``CHROME=/path/to/chrome``. Without one, tests that ask for it are skipped with that advice.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')
#: Seconds that a reply or a load is waited for.
PATIENCE = 120.0


@functools.cache
def executable() -> str | None:
    """Return the path of a browser that starts; None where there is none.

    What Ubuntu's apt has under that name only asks for another way to install it.
    """
    for name in filter(None, [os.environ.get('CHROME'), *map(shutil.which, NAMES)]):
        with contextlib.suppress(OSError):
            if subprocess.run([name, '--version'], capture_output=True).returncode == 0:
                return name
    return None


class Page:
    """One tab.

    Attributes:
        requests: Addresses that were asked for, data URIs left out.
        complaints: Errors and whatever was written to the console.
    """

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from = to_browser, from_browser
        self._rest, self._number, self._session = b'', 0, ''
        self._seen: list[str] = []
        self.requests: list[str] = []
        self.complaints: list[str] = []
        target = self.call('Target.createTarget', url='about:blank')['targetId']
        given = self.call('Target.attachToTarget', targetId=target, flatten=True)
        self._session = given['sessionId']
        for domain in ('Page', 'Runtime', 'Log', 'Network'):
            self.call(f'{domain}.enable')

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method of the DevTools protocol and return its result."""
        self._number += 1
        message: dict[str, Any] = dict(id=self._number, method=method, params=params)
        if self._session:
            message['sessionId'] = self._session
        os.write(self._to, json.dumps(message).encode() + b'\0')
        while (reply := self._receive()).get('id') != self._number:
            self._note(reply)
        assert 'error' not in reply, (method, reply['error'])
        return dict(reply['result'])

    def open(self, path: Path, width: int = 1200, height: int = 900, dark: bool = False) -> None:
        """Open a file in a window of a size, and wait until it is loaded."""
        self.resize(width, height)
        theme = [dict(name='prefers-color-scheme', value='dark' if dark else 'light')]
        self.call('Emulation.setEmulatedMedia', features=theme)
        self.requests, self.complaints, self._seen = [], [], []
        self.call('Page.navigate', url=path.as_uri())
        while 'Page.loadEventFired' not in self._seen:
            self._note(self._receive())
        self.wait()

    def resize(self, width: int, height: int = 900) -> None:
        size = dict(width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call('Emulation.setDeviceMetricsOverride', **size)

    def run(self, expression: str) -> Any:
        """Return the value of an expression or promise in the page; its policy does not apply."""
        given = self.call(
            'Runtime.evaluate', expression=expression, returnByValue=True, awaitPromise=True
        )
        assert 'exceptionDetails' not in given, given
        return given['result'].get('value')

    def wait(self) -> None:
        """Wait until two frames have been painted."""
        self.run('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))')

    def until(self, condition: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + PATIENCE
        while not self.run(f'Boolean({condition})'):
            assert time.monotonic() < end, condition
            self.wait()

    def point(self, x: float, y: float) -> None:
        """Move the pointer."""
        self.call('Input.dispatchMouseEvent', type='mouseMoved', x=x, y=y)
        self.wait()

    def picture(self, path: Path, **more: Any) -> None:
        """Write what is seen as a PNG."""
        given = self.call('Page.captureScreenshot', format='png', **more)
        path.write_bytes(base64.b64decode(given['data']))

    def _receive(self) -> dict[str, Any]:
        while b'\0' not in self._rest:
            ready, _, _ = select.select([self._from], [], [], PATIENCE)
            assert ready, 'the browser does not answer'
            part = os.read(self._from, 2**20)
            assert part, 'the browser ended'
            self._rest += part
        text, _, self._rest = self._rest.partition(b'\0')
        return dict(json.loads(text))

    def _note(self, event: dict[str, Any]) -> None:
        method, params = event.get('method', ''), event.get('params', {})
        self._seen.append(method)
        if method == 'Network.requestWillBeSent':
            address = params['request']['url']
            if not address.startswith('data:'):
                self.requests.append(address)
        elif method == 'Runtime.exceptionThrown':
            details = params['exceptionDetails']
            self.complaints.append(details.get('exception', {}).get('description', str(details)))
        elif method == 'Log.entryAdded':
            self.complaints.append(params['entry']['text'])
        elif method == 'Runtime.consoleAPICalled':
            self.complaints.append(str(params['args']))


@contextlib.contextmanager
def open_browser(folder: Path) -> Iterator[Page]:
    """Start a browser with a profile in ``folder`` and yield a tab of it; end it at the end."""
    found = executable()
    if found is None:
        pytest.skip(
            f'no browser: none of {", ".join(NAMES)} starts, and CHROME does not name one; '
            'apt-get install chromium'
        )
    command = [
        found, '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
        '--hide-scrollbars', '--no-first-run', '--disable-extensions',
        '--disable-background-networking', '--host-resolver-rules=MAP * ~NOTFOUND',
        '--remote-debugging-pipe', f'--user-data-dir={folder / "profile"}',
    ]  # fmt: skip
    reads, to_browser = os.pipe()
    from_browser, writes = os.pipe()
    # It reads from descriptor 3 and writes to 4.
    pipes = f'exec "$@" 3<&{reads} 4>&{writes}'
    process = subprocess.Popen(
        ['bash', '-c', pipes, 'browser', *command],
        pass_fds=(reads, writes), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(reads)
    os.close(writes)
    try:
        yield Page(to_browser, from_browser)
    finally:
        process.terminate()
        process.wait()
        os.close(to_browser)
        os.close(from_browser)
