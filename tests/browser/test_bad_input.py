"""Files that cannot be used: one clear line each, and nothing that was there is lost."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
from playwright.sync_api import expect

from tests.browser.app import View
from tests.browser.pictures import as_file, photograph, png


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG whose header is right and says that it is that large, with no pixels to speak of."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")
    )


IMAGE, MASK, _ = photograph()
OTHER_SIZE = png(np.zeros((70, 90), np.uint8))


BAD_MASKS = [
    ("empty.png", b"", "empty"),
    ("notes.png", b"these are only words, not a picture\n" * 20, "notes.png"),
    ("huge.png", png_that_claims(50_000, 50_000), "50"),
    ("cut.png", MASK[: len(MASK) // 2], "cut.png"),
    ("other.png", OTHER_SIZE, "90 × 70"),
]


def test_a_bad_mask_is_one_line_and_the_page_stays_as_it_was(view: View) -> None:
    view.open("/?activation=sigmoid&steps=77").own_files()
    view.upload(as_file("hill.jpg", IMAGE), [as_file("hill_mask.png", MASK)])
    view.sees("210 × 140 px, 3 classes")
    there = "hill_mask.png"
    for name, data, words in BAD_MASKS:
        view.remove("mask_files", there).upload(masks=[as_file(name, data)])
        there = name
        alert = view.page.get_by_role("alert")
        expect(alert).to_contain_text(words)
        expect(alert).to_have_count(1)
        assert "Traceback" not in alert.inner_text()
        assert len(alert.inner_text().split("\n\n")) == 2  # its sign, and the line
        view.sees("210 × 140 px, 3 classes")
        view.sees("77 steps")
        expect(view.key("overfit").get_by_role("button")).to_be_enabled()


def test_an_impossible_configuration_is_one_line_and_cannot_be_pressed(view: View) -> None:
    view.open("/?size=100")
    expect(view.page.get_by_role("alert").first).to_contain_text("multiple of 16")
    expect(view.key("overfit").get_by_role("button")).to_be_disabled()


def test_what_keras_refuses_is_said_with_its_reason(view: View) -> None:
    view.open("/?encoding=sparse&size=32&steps=5").overfit()
    alert: Any = view.page.get_by_role("alert").first
    expect(alert).to_contain_text("Keras says")
    view.sees("300 × 200 px, 5 classes")
