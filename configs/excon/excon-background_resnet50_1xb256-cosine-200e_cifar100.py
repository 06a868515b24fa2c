"""ExCon with background negatives, CIFAR-100, ResNet-50, batch 256, 200 epochs: the authors'.

Paper: ExCon (authors' code DarrenZhang01/ExCon); network, layer, batch, rate, decay, temperature,
    scale of the loss and first masked epoch of their README and code. Two things differ: their
    classifier learns in an epoch of its own after each epoch, here beside; and the explainer asks
    the network in evaluation mode. Views are those of SupCon.
Command: python tools/train.py \\
    configs/excon/excon-background_resnet50_1xb256-cosine-200e_cifar100.py
Hardware: 1 GPU; hours not yet measured.
Expected: none that could be checked.
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/cifar100.py',
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
    data_preprocessor=dict(mean=(129.311, 124.109, 112.404), std=(68.213, 65.408, 70.406)),
    view_editors=[
        dict(type='ExplainedViews', layer='layer2.3.conv3', background=True, start_epoch=50)
    ],
    backbone=dict(depth=50),
    neck=dict(in_channels=2048, hidden_channels=2048),
    head=dict(type='ExConHead', temperature=0.1, base_temperature=0.07),
    heads=dict(
        classifier=dict(
            type='AuxiliaryClassifierHead', num_classes=100, in_channels=2048, views=(1,)
        )
    ),
)
optim_wrapper = dict(optimizer=dict(lr=0.5))
train_dataloader = dict(num_workers=8)
