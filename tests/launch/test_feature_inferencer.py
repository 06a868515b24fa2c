"""Features of paths, arrays, pictures and folders, called as MMEngine's inferencers are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.infer import BaseInferencer

import mochi_mm
from mochi_mm.datasets.any_images import any_images
from mochi_mm.evaluation.embeddings import EmbedSettings, embed_images, read_embeddings
from mochi_mm.launch.get_encoder import get_encoder
from tests.evaluation.embeddings.toy import picture, picture_folder, recorded_weights

NAME = 'mochi-128-128-64_resnet10w025_1xb128-quickstart_shapes'


@pytest.fixture(scope='module')
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('inferencer')
    picture_folder(folder / 'images')
    recorded_weights(folder / 'epoch_1.pth')
    return folder


def test_every_kind_of_image_gives_the_features_of_the_file(place: Path) -> None:
    infer = mochi_mm.FeatureInferencer(weights=place / 'epoch_1.pth', device='cpu')
    assert isinstance(infer, BaseInferencer)
    images = any_images(place / 'images')
    out = place / 'x.npz'
    encoder = get_encoder(place / 'epoch_1.pth')
    dataset = any_images(place / 'images', encoder.transforms)
    embed_images(encoder, dataset, out, EmbedSettings(batch_size=4), tell=lambda line: None)
    wanted = torch.from_numpy(read_embeddings(out).features)
    pictures = [images.image(i) for i in range(len(images))]
    paths = [images.path(i) for i in range(len(images))]
    for given in (str(place / 'images'), paths, pictures, [np.array(p) for p in pictures]):
        torch.testing.assert_close(infer(given, batch_size=4), wanted, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(infer(paths[3])[0], wanted[3], atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(infer(Path(paths[3]))[0], wanted[3], atol=1e-6, rtol=1e-5)


def test_a_name_is_that_of_get_model() -> None:
    torch.manual_seed(3)
    model = mochi_mm.get_model(NAME).eval()
    torch.manual_seed(3)
    infer = mochi_mm.FeatureInferencer(NAME, device='cpu', size=32)
    image = picture(0, 32)
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None]
    with torch.no_grad():
        views = model.data_preprocessor(dict(inputs=[pixels], data_samples={}))['inputs']
        torch.testing.assert_close(infer(image), model.extract_feat(views))


def test_the_models_are_those_of_the_project() -> None:
    assert mochi_mm.FeatureInferencer.list_models('mochi_mm') == mochi_mm.list_models()
    assert mochi_mm.FeatureInferencer.list_models(patterns=r'mochi-.*quick') == [NAME]
    with pytest.raises(ValueError, match="scope is 'mmdet'"):
        mochi_mm.FeatureInferencer.list_models('mmdet')


def test_what_is_refused(place: Path) -> None:
    infer = mochi_mm.FeatureInferencer(place / 'epoch_1.pth', device='cpu')
    with pytest.raises(ValueError, match=r'float64 \(4, 4, 3\); expected uint8'):
        infer(np.zeros((4, 4, 3)))
    with pytest.raises(ValueError, match='no images; expected at least one'):
        infer([])
    for number in ([3], 3):
        with pytest.raises(ValueError, match='an image is a int'):
            infer(number)
    with pytest.raises(ValueError, match=r'uint8 \(4, 0, 3\); expected uint8'):
        infer(np.zeros((4, 0, 3), np.uint8))
    with pytest.raises(ValueError, match='batch_size is 0; expected an integer >= 1'):
        infer(picture(0), batch_size=0)
    with pytest.raises(ValueError, match='expected False'):
        infer(picture(0), return_datasamples=True)
    with pytest.raises(ValueError, match='tools/gallery'):
        infer.visualize([], [], show=True)
    with pytest.raises(ValueError, match='cannot read image'):
        infer(str(place / 'none.png'))
