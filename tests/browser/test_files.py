"""Files that cannot be used: one line each, and nothing else is lost."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.app import View
from tests.browser.pictures import as_file, huge_png, photograph


def test_bad_masks_are_one_line_each_and_nothing_is_lost(view: View) -> None:
    image, mask, _ = photograph()
    bad = {
        "empty.png": (b"", "empty.png: the file is empty"),
        "text.png": (b"dear diary, this is no picture\n" * 9, "text.png: this is a text file"),
        "huge.png": (huge_png(), "50,000 × 50,000"),
        "cut.png": (mask[:150], "cut.png: the PNG is cut short"),
        "small.png": (photograph(200, 140)[1], "200 × 140"),
    }
    view.open("/?steps=33").own_files().upload(as_file("hill.jpg", image), [as_file("good.png", mask)])
    view.sees("210 × 140 px, 3 classes")
    address = view.page.url
    before = "good.png"
    for name, (data, told) in bad.items():
        view.remove("mask_files", before).upload(masks=[as_file(name, data)])
        view.sees(told)
        assert len(view.alerts()) == 1
        assert "\n" not in view.alerts()[0]
        view.sees("210 × 140 px, 3 classes")
        expect(view.key("steps").locator("input")).to_have_value("33")
        assert view.page.url == address
        before = name
    view.remove("mask_files", before).upload(masks=[as_file("good.png", mask)])
    expect(view.page.get_by_test_id("stAlert")).to_have_count(0)


def test_a_bad_picture_is_one_line(view: View) -> None:
    image, mask, _ = photograph()
    view.open().own_files().upload(as_file("notes.jpg", b"x" * 5000), [as_file("good.png", mask)])
    view.sees("notes.jpg")
    expect(view.page.get_by_test_id("stAlertContentError")).to_have_count(1)
    view.sees("Until then, a sample is shown.")
    view.remove("image_file", "notes.jpg").upload(as_file("hill.jpg", image))
    view.sees("210 × 140 px, 3 classes")
