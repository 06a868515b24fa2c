"""Images a second: from a pack by a loader's workers, and from the decoder of the device."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from mmengine.registry import init_default_scope
from torch.utils.data import DataLoader

from mochi_mm.datasets import ImageFolder, PackedImages
from mochi_mm.datasets.packs.pack_options import PackOptions
from mochi_mm.datasets.packs.pack_writer import SHARD_IMAGES, PackWriter
from mochi_mm.experiments.benchmark import machine, write_json
from mochi_mm.experiments.on_device.photographs import made_up_photographs
from mochi_mm.experiments.timed_pipeline import KINDS, our_recipe
from mochi_mm.randomness import SampleKey

#: Photographs that are made up; more are read by reading them again.
MADE_UP = 256


def reading(
    photographs: Path | None, count: int, workers: int, size: int, device: str, out: Path
) -> None:
    """Write pairs of views a second by recipe from a pack, and images a second of nvJPEG.

    A pack of JPEG with short side 320 is made of the photographs first; the rates are those of a
    whole loader by the clock, from workers that have served before.

    Args:
        photographs: A folder of JPEG files; None makes some up.
        count: Images that are read.
        workers: Of the loader; 0 reads in this process.
        size: Pixels of a view.
        device: Where nvJPEG decodes; on a CPU it is left out, and said so.
        out: The file that is written.
    """
    init_default_scope('mochi_mm')
    found: dict[str, Any] = dict(machine=machine(device), workers=workers, recipes={})
    found['images'] = 'made up' if photographs is None else 'photographs'
    with tempfile.TemporaryDirectory() as place:
        folder, pack = Path(place) / 'images', Path(place) / 'pack'
        if photographs is None:
            made_up_photographs(folder, min(count, MADE_UP))
        source = ImageFolder(str(photographs or folder), classes=[])
        PackWriter(source, str(pack), PackOptions.of('jpeg'), SHARD_IMAGES, max(1, workers)).write()
        for name, kind in KINDS.items():
            dataset = our_recipe(str(pack), kind, size, packed=True)
            found['recipes'][name] = _rate(dataset, count, workers)
            write_json(out, found)
        found['nvjpeg'] = nvjpeg_rate(PackedImages(str(pack), classes=[]), count, device)
        write_json(out, found)


def _rate(dataset: Any, count: int, workers: int) -> dict[str, float]:
    """Return pairs of views a second, over ``count`` images, again from the first where fewer."""
    keys = [SampleKey(index % len(dataset), 0, index // len(dataset)) for index in range(count)]
    loader = DataLoader(
        dataset,
        batch_size=min(32, count),
        sampler=keys,
        num_workers=workers,
        persistent_workers=workers > 0,
    )
    for _ in loader:
        pass
    start = time.perf_counter()
    for _ in loader:
        pass
    return dict(images=count, pairs_per_second=count / (time.perf_counter() - start))


def nvjpeg_rate(pack: PackedImages, count: int, device: str) -> dict[str, Any]:
    """Return images a second that ``torchvision.io.decode_jpeg`` decodes on a CUDA device.

    Where it cannot, ``unavailable`` says why.
    """
    if not device.startswith('cuda'):
        return dict(unavailable=f'the device is {device}')
    from torchvision.io import ImageReadMode, decode_jpeg

    data = [
        torch.frombuffer(bytearray(pack.pack.data(pack.row(i % len(pack)))), dtype=torch.uint8)
        for i in range(count)
    ]
    batches = [data[i : i + 128] for i in range(0, count, 128)]
    try:
        decode_jpeg(batches[0], mode=ImageReadMode.RGB, device=device)
    except RuntimeError as error:  # a torchvision that was built without it
        return dict(unavailable=str(error))
    torch.cuda.synchronize(device)
    start = time.perf_counter()
    for batch in batches:
        decode_jpeg(batch, mode=ImageReadMode.RGB, device=device)
    torch.cuda.synchronize(device)
    return dict(images=count, images_per_second=count / (time.perf_counter() - start))
