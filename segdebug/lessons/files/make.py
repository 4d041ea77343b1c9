"""Make the mask files that stand beside the lessons from the masks of samples:
`python -m segdebug.lessons.files.make`. They are under the samples' own licences (coffee: CC0; coins: no known
copyright restrictions; see each sample.json)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from segdebug.scene import load_sample

__all__ = ["main"]

_HERE = Path(__file__).parent


def main() -> None:
    """0/255 planes of the coffee cup, and the coins' mask as a 0/255 JPEG."""
    coffee = load_sample("coffee")
    for c in coffee.classes:
        Image.fromarray((coffee.labels == c.id).astype(np.uint8) * 255).save(
            _HERE / f"coffee-{c.name}.png", optimize=True
        )
    coins = load_sample("coins")
    Image.fromarray((coins.labels == 1).astype(np.uint8) * 255).save(_HERE / "coins.jpg", quality=75)


if __name__ == "__main__":
    main()
