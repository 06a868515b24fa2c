"""A network by config, by name, by a file that records it; what does not fit is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config

from mochi_mm.launch.get_encoder import get_encoder
from tests.evaluation.embeddings.toy import BACKBONE, recorded_weights

CUT32 = ['Resize', 'CenterCrop', 'PackInputs']


def config(mean: Any = (123.675, 116.28, 103.53), **backbone: Any) -> Config:
    model = dict(
        type='ImageClassifier',
        backbone=dict(BACKBONE, **backbone),
        data_preprocessor=dict(type='ViewDataPreprocessor', mean=list(mean)),
    )
    dataset = dict(type='Wrapper', dataset=dict(pipeline=[dict(type='PackInputs')]))
    return Config(dict(model=model, query_dataloader=dict(dataset=dataset)))


@pytest.fixture(scope='module')
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded_weights(tmp_path_factory.mktemp('weights') / 'epoch_1.pth')


def test_a_file_and_a_config_are_one_network(weights: Path) -> None:
    recorded, configured = get_encoder(weights), get_encoder(config(), weights)
    assert [t['type'] for t in recorded.transforms] == CUT32
    assert recorded.transforms[0]['size'] == recorded.transforms[1]['size'] == 32
    assert [t['type'] for t in configured.transforms] == ['PackInputs']
    assert recorded.weights == configured.weights
    assert recorded.network == configured.network
    images = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8)
    assert torch.equal(recorded.encode(images), configured.encode(images))
    assert get_encoder(weights=weights, size=224).transforms[0]['size'] == 256
    assert get_encoder(config(), weights, size=24).transforms[0]['size'] == 24


def test_the_text_of_a_network_tells_others_apart(weights: Path) -> None:
    texts = {
        get_encoder(settings).network
        for settings in (config(), config(mean=[1.0, 2.0, 3.0]), config(out_indices=(2,)))
    }
    assert len(texts) == 3


def test_random_weights_are_torchs_draws() -> None:
    torch.manual_seed(3)
    first = get_encoder(config())
    torch.manual_seed(3)
    assert get_encoder(config()).weights == first.weights != get_encoder(config()).weights
    assert first.told == 'random weights'


def test_images_are_those_of_the_weights(weights: Path, tmp_path: Path) -> None:
    other = config(mean=[1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match='mean: trained with'):
        get_encoder(other, weights)
    assert 'Allowed' in get_encoder(other, weights, allow_other_input=True).told
    own = get_encoder(other, weights, own_input=True)
    assert own.network == get_encoder(weights).network
    content = torch.load(weights, weights_only=True)
    content['meta']['mochi_mm']['channel_order'] = 'bgr'
    torch.save(content, tmp_path / 'bgr.pth')
    with pytest.raises(ValueError, match="order 'bgr'; expected rgb, lab or ycbcr"):
        get_encoder(tmp_path / 'bgr.pth')
    content['meta']['mochi_mm'].update(channel_order='lab', mean=None, std=None)
    torch.save(content, tmp_path / 'lab.pth')
    assert get_encoder(tmp_path / 'lab.pth').model.data_preprocessor.space == 'lab'


def test_other_channels_are_read_as_the_config_says() -> None:
    settings = config()
    settings.query_dataloader.dataset.dataset.update(channels=2, bits=16)
    encoder = get_encoder(settings)
    assert encoder.reading == dict(channels=2, bits=16)
    assert encoder.images.startswith('channels=2, bits=16, PackInputs')


def test_what_is_no_encoder(weights: Path, tmp_path: Path) -> None:
    bare = tmp_path / 'bare.pth'
    torch.save(dict(state_dict=torch.load(weights, weights_only=True)['state_dict']), bare)
    with pytest.raises(ValueError, match='does not record what its weights are'):
        get_encoder(bare)
    assert get_encoder(config(), bare).weights == get_encoder(weights).weights
    with pytest.raises(ValueError, match=r'does not cover the backbone.*ResNet-10.*width 0\.125'):
        get_encoder(config(width=0.25), weights)
    with pytest.raises(ValueError, match='neither a model nor weights'):
        get_encoder()
    with pytest.raises(ValueError, match='an ONNX file, which is meant for other programs'):
        get_encoder(tmp_path / 'x.onnx')
    with pytest.raises(ValueError, match='a folder, which is meant'):
        get_encoder(tmp_path)
    with pytest.raises(FileNotFoundError, match=r'none\.pth'):
        get_encoder(tmp_path / 'none.pth')
    silent = config()
    silent.pop('query_dataloader')
    with pytest.raises(ValueError, match='names no images that are measured.*--size'):
        get_encoder(silent)
    with pytest.raises(ValueError, match='size is 0'):
        get_encoder(weights, size=0)


def test_a_record_may_not_ask_for_more_than_it_holds(weights: Path, tmp_path: Path) -> None:
    content = torch.load(weights, weights_only=True)
    content['meta']['mochi_mm']['backbone'].update(depth=152, width=64.0)
    torch.save(content, tmp_path / 'large.pth')
    with pytest.raises(ValueError, match=r'records a backbone of \d+ numbers and holds \d+'):
        get_encoder(tmp_path / 'large.pth')
