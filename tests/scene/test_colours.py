"""Class colours: distinct for every eye, and the same however many there are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from segdebug.scene import load_sample
from segdebug.scene.colours import BACKGROUND_GREY, class_colours, palette


def test_okabe_ito_first() -> None:
    assert palette(3) == ("#e69f00", "#56b4e9", "#009e73")
    assert palette(0) == ()


def test_more_classes_keep_the_colours_of_fewer() -> None:
    assert palette(301)[:40] == palette(40)
    assert len(set(palette(301)) | {BACKGROUND_GREY}) == 302


@pytest.mark.parametrize(
    ("names", "grey"),
    [(["background", "cat"], 0), (["cat", "Background "], 1), (["bg", "background"], 0), (["table", "cup"], None)],
)
def test_background_is_grey(names: list[str], grey: int | None) -> None:
    colours = class_colours(names)
    assert [i for i, colour in enumerate(colours) if colour == BACKGROUND_GREY] == ([] if grey is None else [grey])
    assert [c for c in colours if c != BACKGROUND_GREY] == list(palette(2))[: len(colours) - (grey is not None)]


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2."""
    s = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(s <= 0.04045, s / 12.92, ((s + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_no_two_of_the_first_twelve_look_alike_without_red_green_vision() -> None:
    """By lightness, or by blue against yellow: what a deuteranope and a protanope still see."""
    for a, b in itertools.combinations((*palette(12), BACKGROUND_GREY), 2):
        blue = abs(int(a[5:], 16) - int(b[5:], 16)) / 255
        light = abs(luminance(a) ** (1 / 3) - luminance(b) ** (1 / 3))
        assert blue > 0.2 or light > 0.06, (a, b)


def test_a_scene_wears_them() -> None:
    assert [c.colour for c in load_sample("coins").classes] == ["#686868", "#e69f00"]
    assert tuple(c.colour for c in load_sample("mosaic").classes) == palette(33)
