"""ExCon with background negatives, CIFAR-10, ResNet-18 with the small-image stem, 200 epochs.

Paper: ExCon (authors' code DarrenZhang01/ExCon); as the config for CIFAR-100, on a smaller network.
Command: python tools/train.py \\
    configs/excon/excon-background_resnet18_1xb256-cosine-200e_cifar10.py
Hardware: 1 GPU; hours not yet measured.
Expected: none published for this setting.
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/cifar10.py',
    '../_base_/models/in_batch_resnet18_small.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]

plain_pipeline = [dict(type='Resize', size=(32, 32))]
# Two random views, and the image itself, which is explained.
train_pipeline = [
    dict(type='MultiView', transforms=['$view_pipeline', '$plain_pipeline'], num_views=[2, 1]),
    dict(type='PackInputs'),
]
model = dict(
    channels_last=True,
    num_views=3,
    view_editors=[
        dict(type='ExplainedViews', layer='layer2.1.conv2', background=True, start_epoch=50)
    ],
    head=dict(type='ExConHead', temperature=0.1, base_temperature=0.07),
    heads=dict(
        classifier=dict(type='AuxiliaryClassifierHead', num_classes=10, in_channels=512, views=(1,))
    ),
)
optim_wrapper = dict(optimizer=dict(lr=0.5))
train_dataloader = dict(num_workers=8)
