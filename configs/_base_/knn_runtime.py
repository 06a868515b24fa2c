"""Testing by weighted nearest neighbours; nothing is trained."""

_base_ = './default_runtime.py'

test_evaluator = []
