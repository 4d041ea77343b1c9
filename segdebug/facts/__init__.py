"""Facts of labels and weights at the training grid, from real tensors: what the rules look at.

Importing this does not import TensorFlow; labels and weights do, when they are made.
"""

from segdebug.facts.labels import label_facts
from segdebug.facts.scene import scene_facts
from segdebug.facts.weights import weight_facts

__all__ = ["label_facts", "scene_facts", "weight_facts"]
