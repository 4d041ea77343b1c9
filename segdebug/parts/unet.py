"""The U-Net of the threads: two 3 × 3 convolutions a level, transposed convolutions on the way up.

With filters 8, depth 4 and five classes it has 8-16-32-64-128 filters and 485,853 weights.
"""

from __future__ import annotations

from typing import Any

from keras import layers

__all__ = ["features"]


def features(image: Any, filters: int, depth: int, initializer: str, output_stride: int = 1) -> Any:
    """The feature map that the head reads, (N, H / output_stride, W / output_stride, filters).

    depth 0 is a single 3 × 3 convolution. Layers are created in the order of the data's way, which fixes the
    initial weights of a seed. output_stride 2 leaves out the last level on the way up (or, at depth 0,
    strides), for heads that enlarge their own output.
    """

    def convolution(x: Any, width: int, strides: int = 1) -> Any:
        return layers.Conv2D(width, 3, strides, padding="same", activation="relu", kernel_initializer=initializer)(x)

    if depth == 0:
        return convolution(image, filters, strides=output_stride)
    x, skips = image, []
    for level in range(depth):
        x = convolution(convolution(x, filters * 2**level), filters * 2**level)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    x = convolution(convolution(x, filters * 2**depth), filters * 2**depth)
    for level in reversed(range(1 if output_stride == 2 else 0, depth)):
        width = filters * 2**level
        x = layers.Conv2DTranspose(width, 2, strides=2, padding="same", kernel_initializer=initializer)(x)
        x = layers.Concatenate()([skips[level], x])
        x = convolution(convolution(x, width), width)
    return x
