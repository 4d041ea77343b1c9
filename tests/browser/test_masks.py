"""The Masks page in the real app: readers tried in a process of their own, the question, the repaired mask."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.browser.app import Server, View, viewing
from tests.browser.pictures import as_file, png

HEIGHT, WIDTH = 90, 120


def black_object() -> np.ndarray:
    """An object in black on white, 0 and 255: most tools write it the other way round."""
    mask = np.full((HEIGHT, WIDTH), 255, np.uint8)
    mask[30:60, 40:80] = 0
    return mask


def picture() -> bytes:
    rng = np.random.default_rng(5)
    return png(
        np.clip(black_object()[..., None] // 2 + rng.integers(0, 60, (HEIGHT, WIDTH, 3)), 0, 255).astype("uint8")
    )


def test_the_samples_own_masks_are_there_at_once(view: View) -> None:
    view.open("/masks?sample=retina&size=32")
    view.sees("The labels that result")
    table = view.page.get_by_role("table").first
    expect(table).to_contain_text("opencv_color")
    expect(table).to_contain_text("as stored")
    expect(view.page.get_by_role("alert")).to_have_count(0)


def test_one_click_answers_what_the_mask_is_and_the_mask_can_be_taken_away(
    view: View, browser: Browser, server: Server, tmp_path: Path
) -> None:
    view.open("/masks?size=32").own_files()
    view.upload(as_file("object.png", picture()), [as_file("object_mask.png", png(black_object()))])
    view.sees("120 × 90 px, 2 classes")
    view.sees(re.compile("If it is something else"))
    assert _repaired(view, tmp_path)[0, 0] == 1  # what was taken for the class surrounds the rest

    view.page.get_by_role("button", name=re.compile("the object is black")).click()
    view.settled()
    view.sees("Back to what was found out")
    ids = _repaired(view, tmp_path)
    np.testing.assert_array_equal(ids, black_object() == 0)
    view.sees("The labels that result")
    address = view.page.url
    assert "masks_are=binary" in address
    with viewing(browser, server) as other:
        other.open(address.removeprefix(server.url))
        other.sees("120 × 90 px, 2 classes")
        np.testing.assert_array_equal(_repaired(other, tmp_path), black_object() == 0)


def _repaired(view: View, folder: Path) -> np.ndarray:
    view.sees("Download repaired mask")
    view.settled()
    with view.page.expect_download() as waiting:
        view.key("repaired").get_by_role("button").click()
    path = folder / "taken.png"
    waiting.value.save_as(path)
    image = Image.open(io.BytesIO(path.read_bytes()))
    assert image.mode == "P"
    return np.array(image)


def test_the_scene_goes_along_between_the_pages(view: View) -> None:
    view.open("/?sample=cell&size=32").checked()
    view.page.get_by_role("link", name="Masks", exact=True).click()
    view.sees("The labels that result")
    expect(view.key("sample").locator("input").first).to_have_value("cell")
    view.choose("reader", "opencv_color")
    view.sees(re.compile("does not fit the output|refused|cannot be made|wrong"))
    view.page.get_by_role("link", name="Diagnose", exact=True).click()
    view.checked()
    expect(view.key("sample").locator("input").first).to_have_value("cell")
    view.unfold("reader opencv_color")


def test_a_bad_file_is_one_clear_line_and_the_page_stays(view: View) -> None:
    view.open("/masks?size=32").own_files()
    view.upload(as_file("object.png", picture()))
    for name, data in (("words.png", b"no picture"), ("cut.png", png(black_object())[:60])):
        view.upload(masks=[as_file(name, data)])
        alert = view.page.get_by_role("alert")
        expect(alert).to_contain_text(name)
        expect(alert).to_have_count(1)
        assert "Traceback" not in alert.inner_text()
        view.sees("Files")
        view.sees("The labels that result")
        view.remove("mask_files", name)
