"""Facts of a run's data set, so that a resume notices another one."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from mmengine.dist import broadcast_object_list

from mochi_mm.datasets.file_fingerprint import file_fingerprint
from mochi_mm.distributed.rows import rank
from mochi_mm.files.shown import shown_text
from mochi_mm.utils.class_names import class_names

_UNREADABLE = 'cannot be read'


def data_facts(runner: Any) -> dict[str, Any]:
    """Return the facts of a run's training data, found once per run; all ranks call it together.

    Args:
        runner: The runner.

    Returns:
        ``classes`` (names in the order of the labels), ``images`` (how many of each class),
        ``labels`` (a digest of that of each sample, empty without labels) and
        ``files`` (a fingerprint for each class, or for all under ``''``, where the data set reads
        files that tell).
    """
    if getattr(runner, 'data_facts', None) is None:
        found = [describe_data(runner.train_dataloader.dataset) if not rank() else None]
        broadcast_object_list(found)
        runner.data_facts = found[0]
    return dict(runner.data_facts)


def describe_data(dataset: Any) -> dict[str, Any]:
    """Return the facts of a data set, see :func:`data_facts`; of several within one, of all."""
    names = class_names(dataset)
    labels = getattr(dataset, 'labels', None)
    images: dict[str, int] = {}
    digest = ''
    if labels is not None and np.ndim(labels) == 1:  # several classes per image have no counts
        for label, count in zip(*np.unique(np.asarray(labels), return_counts=True), strict=True):
            images[_name(names, int(label))] = int(count)
    if labels is not None:
        digest = hashlib.sha256(np.asarray(labels).astype(np.int64).tobytes()).hexdigest()[:16]
    return dict(classes=list(names), images=images, labels=digest, files=_files(dataset, names))


def _files(dataset: Any, names: Any) -> dict[str, str]:
    inner = getattr(dataset, 'datasets', None)
    try:
        if inner is None and hasattr(dataset, 'fingerprint_of'):
            labels = np.asarray(dataset.labels)
            return {
                _name(names, int(label)): dataset.fingerprint_of(np.flatnonzero(labels == label))
                for label in np.unique(labels)
            }
        if inner is None and hasattr(dataset, 'fingerprint'):
            whole = dataset.fingerprint()
            return {'': whole} if whole else {}
        if inner is None and hasattr(dataset, 'get_data_info'):
            return {'': _of_annotated(dataset)}
    except OSError as error:
        return {'': f'{_UNREADABLE}: {error}'}
    if inner is None:
        inner = [dataset.dataset] if hasattr(dataset, 'dataset') else []
    return {
        f'{number}/{name}': text
        for number, part in enumerate(inner)
        for name, text in _files(part, class_names(part)).items()
    }


def _of_annotated(dataset: Any) -> str:
    """Return a fingerprint of the images and annotations that one of mmdet's data sets reads."""
    infos = (dataset.get_data_info(i) for i in range(len(dataset)))
    keys = ('img_path', 'xml_path')
    paths = [str(info[key]) for info in infos for key in keys if info.get(key)]
    annotations = getattr(dataset, 'ann_file', None)
    if isinstance(annotations, (str, os.PathLike)) and str(annotations):
        paths.append(str(annotations))
    if not paths:
        return ''
    root = os.path.commonpath([os.path.abspath(os.path.dirname(path)) for path in paths])
    return file_fingerprint(root, [os.path.relpath(path, root) for path in paths])


def _name(names: Any, label: int) -> str:
    return names[label] if 0 <= label < len(names) else f'label {label}'


def data_changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the differences between the samples of two data sets, as sentences.

    Args:
        before: Facts of the earlier data set, from :func:`describe_data`.
        now: Facts of the present one; other names of classes are not looked at here.
    """
    old, new = before['images'], now['images']
    counted = [
        f'{shown_text(n)}: {shown_text(old.get(n, 0))} -> {shown_text(new.get(n, 0))}'
        for n in _differing(old, new)
    ]
    files, found = before['files'], now['files']
    touched = [name for name in _differing(files, found) if old.get(name, 0) == new.get(name, 0)]
    sentences = [f'images of {first_few(counted)}'] if counted else []
    if touched:
        where = '' if touched == [''] else f' of {first_few(map(shown_text, touched))}'
        sentences.append(f'other files{where} (names, sizes or times of the last change, in order)')
    kept, labels = before.get('labels'), now.get('labels')  # an earlier version kept none
    if not sentences and kept is not None and labels is not None and kept != labels:
        sentences.append('other labels of the same number of images of each class')
    return sentences


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return [n for n in dict.fromkeys([*old, *new]) if old.get(n) != new.get(n)]


def first_few(texts: Iterable[str], most: int = 5) -> str:
    """Return the first texts as a list, and how many more there are."""
    listed = list(texts)
    more = f' and {len(listed) - most} more' if len(listed) > most else ''
    return ', '.join(listed[:most]) + more
