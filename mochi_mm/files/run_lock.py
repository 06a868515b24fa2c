"""Lock of a work dir: one run at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mochi_mm.files.regular_file import check_regular
from mochi_mm.files.shown import shown

FILE = 'run.lock'
#: Seconds between two signs of life of the run that holds a lock.
BEAT = 10.0
# How long a sign of life of a run on another machine is waited for.
_PATIENCE = 2.5 * BEAT
_MOST = 2**31 - 1  # the largest number of a process
_SIZE = 512  # the record has one size, so writing it again needs no room on a full disk
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
#: What is said to whoever comes second; '{who}' and '{folder}' are filled in.
TRAINING = (
    '{folder} is the work dir of a run that is training ({who}); two would overwrite each other. '
    'Expected another --work-dir, or that run ended first; --resume then goes on from it.'
)
_held: dict[str, RunLock] = {}


class RunLock:
    """Hold a work dir for one run; a run that is dead, however it died, holds nothing.

    The file ``run.lock`` is locked with POSIX record locks, which the kernel lets go of with the
    process and which NFS carries to its server. Across machines that alone does not do: a server
    may keep the lock of a machine that is gone, and some file systems have no locks, or keep them
    on each machine to itself. There the record in the file decides: host, process, and a counter
    that goes up every :data:`BEAT` seconds. The counter is watched, not compared with a clock, for
    clocks of two machines differ. A run that was taken for dead and is not learns of it by
    :meth:`is_ours`.

    Use it as a context manager, on one rank.

    Args:
        folder: A work dir; it is created.
        wait: Called with seconds where only a sign of life can tell.
        words: The refusal of whoever comes second.

    Raises:
        ValueError: When entered: another run lives there; names it.
        OSError: When entered: the file cannot be written.
    """

    def __init__(
        self,
        folder: str | Path,
        wait: Callable[[float], Any] = time.sleep,
        words: str = TRAINING,
    ) -> None:
        self.path, self.wait = Path(folder).expanduser().resolve() / FILE, wait
        self.words = words
        self.record: dict[str, Any] = dict(
            host=socket.gethostname(),
            process=os.getpid(),
            began=time.strftime('%Y-%m-%d %H:%M:%S'),
            token=uuid.uuid4().hex,
            beat=0,
        )
        self._file = -1
        self._ended = threading.Event()
        self._beats: threading.Thread | None = None

    def __enter__(self) -> RunLock:
        """Take the work dir."""
        _refuse_own(self.path, self.words)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = _take(self.path, self.wait, self.words)
        try:
            self._write()
        except BaseException:
            os.close(self._file)
            raise
        _held[str(self.path)] = self
        self._beats = threading.Thread(target=self._live, daemon=True, name=FILE)
        self._beats.start()
        return self

    def __exit__(self, *error: Any) -> None:
        """Release the work dir."""
        self._ended.set()
        if self._beats is not None:
            self._beats.join()
        _held.pop(str(self.path), None)
        with contextlib.suppress(OSError):
            if self.is_ours():
                self.path.unlink()  # while it is locked
        os.close(self._file)

    def is_ours(self) -> bool:
        """Return whether no other run has taken the work dir meanwhile."""
        return _is_at(self._file, self.path)

    def _live(self) -> None:
        while not self._ended.wait(BEAT):
            self.record['beat'] += 1
            with contextlib.suppress(OSError):  # a disk may be away for a while
                self._write()

    def _write(self) -> None:
        os.pwrite(self._file, json.dumps(self.record).ljust(_SIZE).encode(), 0)
        os.fsync(self._file)  # for readers on other machines


def refuse_if_running(folder: str | Path, wait: Callable[[float], Any] = time.sleep) -> None:
    """Refuse a work dir that a living run holds.

    Args:
        folder: A work dir; it need not exist.
        wait: Called with seconds where only a sign of life can tell.

    Raises:
        ValueError: Names the run.
    """
    path = Path(folder).expanduser().resolve() / FILE
    _refuse_own(path, TRAINING)
    if path.exists():
        os.close(_take(path, wait, TRAINING))


def process_lives(folder: str | Path) -> bool | None:
    """Return whether the run that holds a work dir lives, by a look that disturbs nobody.

    Args:
        folder: A work dir.

    Returns:
        None where there is no lock, or one of another machine.
    """
    path = Path(folder).expanduser().resolve() / FILE
    record = _read_at(path)
    if record is None or record['host'] != socket.gethostname():
        return None
    return _exists(record['process'])


def _refuse_own(path: Path, words: str) -> None:
    if str(path) in _held:
        raise ValueError(_refusal(path, _held[str(path)].record, words))


def _take(path: Path, wait: Callable[[float], Any], words: str) -> int:
    """Return the lock file, open and locked, once nobody lives who had it.

    Raises:
        ValueError: Somebody does, or a pipe, a device or a folder stands in the file's place.
    """
    dead = None
    while True:
        with contextlib.suppress(FileNotFoundError):
            check_regular(path)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
        try:
            locked, record = _lock(file), _read(file)
            if _is_free(path, locked, record, words):
                # Whoever had it deletes the file; a lock on what is deleted holds nobody off.
                if _is_at(file, path):
                    return file
                os.close(file)
                continue
        except BaseException:
            os.close(file)
            raise
        os.close(file)  # and with it the lock, if there was one
        if dead is None or record != dead:
            wait(_PATIENCE)
            dead = record
            if _read_at(path) != record:
                raise ValueError(_refusal(path, _read_at(path) or record, words))
        if _read_at(path) == dead:
            path.unlink(missing_ok=True)


def _is_free(path: Path, locked: bool | None, record: dict[str, Any] | None, words: str) -> bool:
    """Return whether a lock file is nobody's; False where only a sign of life can tell.

    Raises:
        ValueError: Somebody lives who has it.
    """
    here = record is None or record['host'] == socket.gethostname()
    if here and locked is False:
        raise ValueError(_refusal(path, record, words))
    if record is not None and here and locked is None and _exists(record['process']):
        raise ValueError(_refusal(path, record, words))
    return here


def _lock(file: int) -> bool | None:
    """Lock an open file; False where another process has it, None where there are no locks."""
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            return False
        if error.errno in _NO_LOCKS:
            return None
        raise
    return True


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except OSError:
        return False


def _read_at(path: Path) -> dict[str, Any] | None:
    """Read a record anew: network file systems look at their server when a file is opened."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        return _read(file)
    finally:
        os.close(file)


def _read(file: int) -> dict[str, Any] | None:
    """Return the record in a lock file, None where there is none that can be read."""
    try:
        record = json.loads(os.pread(file, _SIZE, 0))
        known = {name: str(value) for name, value in record.items()}  # NaN is not equal to itself
        process = record['process']
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if type(process) is not int or not 0 < process <= _MOST or type(record.get('host')) is not str:
        return None
    return {**known, 'process': process}


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _refusal(path: Path, record: dict[str, Any] | None, words: str) -> str:
    who = 'another run'
    if record is not None:
        host, began = shown(record['host'])[1:-1], shown(str(record.get('began')))[1:-1]
        who = f'process {record["process"]} on {host}, begun {began}'
    said = words.format(folder=path.parent, who=who)
    return f'{said} Only where it is dead for certain, delete {path}.'
