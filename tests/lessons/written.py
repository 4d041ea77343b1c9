"""A small lesson as text, to be changed by tests."""

from __future__ import annotations

__all__ = ["LESSON"]

LESSON = """+++
title = "A lesson of one file"
summary = "Written by a teacher."
stage = "head"
look = ["loss", "iou"]
claims = ["A is sound", "A.last_loss < A.first_loss", "B computes double_activation"]
references = ["https://example.org/1"]

[scene]
sample = "coins"

[all_runs]
model.depth = 0
training.size = 16
training.steps = 30
training.learning_rate = 0.1

[runs.A]
label = "sound"
preset = "softmax_cce"

[runs.B]
label = "twice"
preset = "softmax_reshape_cce_logits"

[question]
ask = "Which is better?"
choices = ["A", "B"]
right = 1

[[next]]
label = "The other way round"
run = "B"
loss.from_logits = false
+++

A story with `code 0.123` in it.

## Reveal

B ends at {B.last_loss}, A at an IoU of {A.iou[coin]}.
"""
