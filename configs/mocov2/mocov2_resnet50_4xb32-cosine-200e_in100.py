"""MoCo-v2, ImageNet-100, ResNet-50, 200 epochs: 16,384 keys, batch 128 at rate 0.03.

Paper: the baseline of Kalantidis et al. 2020 (NeurIPS), whose settings are recalled, not checked.
Command: tools/dist_train.sh configs/mocov2/mocov2_resnet50_4xb32-cosine-200e_in100.py 4
Hardware: 4 GPUs; hours not yet measured.
Expected: linear probe top-1 77.5 to 77.9 (public reruns of this recipe).
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/imagenet100.py',
    '../_base_/models/moco_resnet50.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(memory=dict(length=16384)))
auto_scale_lr = dict(base_batch_size=128)
