"""The strip, the verdict, the fix and the pair, the catalogue: what the page says of a diagnosis."""

from __future__ import annotations

import html
import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from segdebug.diagnosis import Diagnosis
from segdebug.errors import JobError
from segdebug.experiment import Experiment
from segdebug.figures import expected_lines, loss_curve, readable
from segdebug.finding import STAGES, Finding, Fix
from segdebug.rules import catalogue
from segdebug.rules.known import Semantics
from segdebug.scene import Scene
from tests.ui.conftest import Open
from tests.ui.fakes import FakeEngine

LATER = Finding("L02", "loss", "warning", "The *gradient* of <b>mug</b> dies", "Because of it.", {"dead": 0.25})
TWICE = Finding(
    "H01",
    "head",
    "error",
    "The softmax is applied twice",
    "The loss applies its own softmax to <i>probabilities</i>.",
    {"least loss": 0.90483, "pixels": 12345, "row sums": [1.0, 0.5], "swapped": False, "lost": float("nan")},
    Fix({"loss.from_logits": False}, "keras.losses.CategoricalCrossentropy()"),
    ("https://example.org/thread", "keras/src/losses.py: [call](x)"),
    (LATER,),
)
RARE = Finding("T11", "target", "note", "A class is rare", "It learns late.", {"coffee": 0.0031})


def broken(scene: Scene, experiment: Experiment) -> Diagnosis:  # noqa: ARG001
    """Broken while the loss is told logits, and sound when it is not any more."""
    if not experiment.loss.from_logits:
        return Diagnosis("sound", "intended", "All is well.", (), None, Semantics("intended", match=1e-7))
    fix = experiment.changed({"loss.from_logits": False})
    semantics = Semantics("double_activation", match=3e-7, rivals={"logits": 0.4, "same": 0.0})
    return Diagnosis("broken", "double_activation", "The softmax is there twice.", (TWICE, RARE), fix, semantics)


@pytest.fixture
def app(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr(FakeEngine, "diagnose", staticmethod(broken))
    return open_app(sample="coffee", from_logits="true", size="16")


def _strip(app: AppTest) -> list[tuple[str, str, str]]:
    """(class, head, line) of each stage, as text."""
    body = next(e.proto.body for e in app.get("html") if 'class="strip' in e.proto.body)
    cells = re.findall(r'<li class="(\w+)".*?<span class="head">(.*?)</span><span class="line">(.*?)</span></li>', body)
    return [(kind, html.unescape(re.sub("<.*?>", "", head)), html.unescape(line)) for kind, head, line in cells]


def _told(app: AppTest) -> str:
    return " ".join(element.value for element in (*app.markdown, *app.caption)).replace("\\", "")


def _address(app: AppTest, name: str) -> str:
    value = app.query_params[name]
    return value if isinstance(value, str) else value[0]


def test_the_strip_says_of_each_stage_its_worst_finding_with_sign_and_word(app: AppTest) -> None:
    stages = _strip(app)
    assert [kind for kind, _, _ in stages] == ["sound", "note", "error", "warning", "sound"]
    assert [head.split()[0] for _, head, _ in stages] == ["✓", "i", "✕", "!", "✓"]
    assert "labels as fed note" in stages[1][1]
    assert "head error" in stages[2][1]
    assert [line for _, _, line in stages] == [
        "sound",
        RARE.title,
        TWICE.title,
        LATER.title,
        "sound, not run yet",
    ]


def test_the_verdict_comes_first_then_the_finding_with_evidence_and_what_to_write(app: AppTest) -> None:
    told = _told(app)
    assert told.index("broken] **The softmax is there twice.**") < told.index(TWICE.title)
    assert "**What to write instead:** loss.from_logits: true → false" in told
    assert [code.value for code in app.code] == ["keras.losses.CategoricalCrossentropy()"]
    rows = {row.iloc[0]: row.iloc[1] for _, row in app.table[0].value.iterrows()}
    plain = {words.replace("\\", ""): value.replace("\\", "") for words, value in rows.items()}
    assert plain == {
        "least loss": "0.905",
        "pixels": "12,345",
        "row sums": "1, 0.500",
        "swapped": "no",
        "lost": "NaN",
    }
    assert "[H01](/findings?code=H01)" in told
    assert "<https://example.org/thread>; keras/src/losses.py: [call](x)" in told


def test_other_findings_and_consequences_are_folded(app: AppTest) -> None:
    labels = [expander.label.replace("\\", "") for expander in app.main.expander]
    assert [label for label in labels if TWICE.title in label] == []
    assert any(RARE.title in label for label in labels)
    assert "What follows from it (1)" in labels
    assert "What was measured" in labels


def test_after_a_run_its_own_diagnosis_is_shown(app: AppTest) -> None:
    assert "Measured on the installed Keras, without training." in _told(app)
    checks = FakeEngine.checks
    app.button(key="overfit").click().run()
    app.run()
    assert "From the run of this configuration." in _told(app)
    assert _strip(app)[-1][2] == "sound"
    assert FakeEngine.checks == checks


def test_text_of_findings_is_never_markup(app: AppTest) -> None:
    body = next(e.proto.body for e in app.get("html") if 'class="strip' in e.proto.body)
    assert "<b>mug" not in body
    assert any("\\<i\\>probabilities" in element.value for element in app.markdown)
    assert any("\\*gradient\\*" in element.value for element in app.markdown)


def test_the_fix_goes_into_the_sidebar_and_into_the_address(app: AppTest) -> None:
    app.button(key="apply_fix").click().run()
    assert not app.exception
    assert app.session_state["current_experiment"].loss.from_logits is False
    assert "from_logits" not in app.query_params
    assert "sound] **All is well.**" in _told(app)
    assert {kind for kind, _, _ in _strip(app)} == {"sound"}
    assert "apply_fix" not in {button.key for button in app.button}


def test_both_runs_stand_side_by_side_and_in_the_address(app: AppTest) -> None:
    app.button(key="run_both").click().run()
    assert not app.exception
    run, fixed = _address(app, "run"), _address(app, "fixed")
    assert run != fixed
    told = _told(app)
    assert "Same picture, same seed. The fix: loss.from_logits: true → false" in told
    assert "**as it is** :red-badge[✕ broken]" in told
    assert "**with the fix** :green-badge[✓ sound]" in told
    assert told.count("5 steps: loss 2.00 → 0.125, mean IoU 1.00") == 2
    table = next(frame.value for frame in app.dataframe if "with the fix" in frame.value)
    assert list(table["class"]) == ["mean IoU", "table", "saucer", "cup", "coffee", "spoon"]
    assert set(table["as it is"]) == set(table["with the fix"]) == {1.0}

    app.button(key="look with the fix").click().run()
    assert not app.exception
    assert _address(app, "run") == fixed
    assert "fixed" not in app.query_params
    assert "The run of this configuration" in _told(app)
    assert app.session_state["current_experiment"].loss.from_logits is False


def test_a_pair_is_left_with_its_picture(app: AppTest) -> None:
    app.button(key="run_both").click().run()
    app.selectbox(key="sample").select("cell").run()
    assert not app.exception
    assert not {"run", "fixed"} & set(app.query_params)


def test_a_sound_configuration_is_told_so_with_its_evidence(open_app: Open) -> None:
    app = open_app(sample="coffee")
    told = _told(app)
    assert ":green-badge[✓ sound] **It computes <b>what</b> it says.**" in told
    rows = {
        str(row.iloc[0]).replace("\\", ""): row.iloc[1].replace("\\", "") for _, row in app.table[0].value.iterrows()
    }
    assert rows["largest relative difference from that formula in float64, loss and gradient"] == "2.00e-7"
    assert rows["on moderate logits: fit, evaluate, loss(y, model.predict(x))"] == "1.50, 1.50, 1.50"
    assert rows["relative difference between these"] == "0"


def test_a_configuration_is_checked_once_however_often_the_page_is_drawn(open_app: Open) -> None:
    before = FakeEngine.checks
    app = open_app(sample="coffee")
    app.run()
    app.number_input(key="steps").set_value(77).run()
    app.number_input(key="steps").set_value(200).run()
    assert FakeEngine.checks == before + 2


def test_a_check_that_fails_is_said_and_not_repeated_at_once(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeEngine, "refuse_check", JobError("The *worker* is gone."))
    app = open_app(sample="coffee")
    assert "cannot be checked: The *worker* is gone." in _told(app)
    assert not app.error
    assert {kind for kind, _, _ in _strip(app)} == {"unknown"}
    app.button(key="overfit").click().run()
    assert not app.exception
    assert "The run of this configuration" in _told(app)


def test_an_impossible_configuration_has_no_verdict_of_its_own(app: AppTest) -> None:
    app.text_input(key="class_weights").set_value("1, two").run()
    assert not app.exception
    assert len(app.error) == 1
    assert app.button(key="run_both").disabled
    assert len(_strip(app)) == len(STAGES)


def test_the_catalogue_has_every_rule_and_can_be_searched(open_app: Open) -> None:
    app = open_app()
    app.switch_page("pages/findings.py").run()
    assert not app.exception
    rules = catalogue()
    labels = [expander.label.replace("\\", "") for expander in app.main.expander]
    assert len(labels) == len(rules)
    for rule in rules.values():
        assert any(f"**{rule.code}** {rule.title}" in label for label in labels)
    app.text_input(key="find_rule").set_value("SOFTMAX").run()
    assert 0 < len(app.main.expander) < len(rules)
    app.text_input(key="find_rule").set_value("no such word").run()
    assert "No rule" in app.info[0].value


def test_a_link_to_a_rule_opens_it(open_app: Open) -> None:
    app = open_app(code="h01")
    app.switch_page("pages/findings.py").run()
    first = catalogue()["H01"]
    assert app.markdown[0].value.replace("\\", "").endswith(f"**H01** {first.title}")
    assert first.matters in _told(app)
    app.query_params["code"] = "X99"
    app.run()
    assert "no rule X99" in app.info[0].value


def test_expected_losses_are_named_and_those_that_would_spoil_the_axis_left_out() -> None:
    lines = expected_lines(float(np.log(5)), 0.0, 1.25)
    assert lines == {"untrained: ln 5 = 1.61": float(np.log(5)), "stuck: 1.25": 1.25, "perfect: 0": 0.0}
    assert list(expected_lines(1.7, None, None)) == ["untrained: 1.70"]
    assert expected_lines(None, float("nan"), None) == {}
    falling = np.geomspace(1.6, 1e-3, 50).astype(np.float32)
    assert set(readable(lines, falling, log=True)) == {"untrained: ln 5 = 1.61", "stuck: 1.25"}
    assert readable(lines, np.array([1.6, 1.4]), log=False) == lines
    assert readable({"perfect": -40.0, "stuck": 9.0}, np.array([1.6, 1.4]), log=False) == {}
    for log, loss in ((False, np.array([1.6, 1.4])), (True, falling)):
        figure = loss_curve(loss, lines=lines)
        words = {note.text for note in figure.layout.annotations}
        assert words >= set(readable(lines, loss, log))
        drawn = {shape.y0 for shape in figure.layout.shapes}
        assert drawn == set(readable(lines, loss, log).values())
        low, high = figure.layout.yaxis.range
        values = [*loss, *drawn]
        assert low < (np.log10(min(values)) if log else min(values))
        assert high > (np.log10(max(values)) if log else max(values))


def test_a_run_shows_its_expected_losses(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def expecting(scene: Scene, experiment: Experiment) -> Diagnosis:  # noqa: ARG001
        return Diagnosis("sound", "intended", "Well.", (), None, Semantics("intended"), initial=1.9, floor=0.1)

    monkeypatch.setattr(FakeEngine, "diagnose", staticmethod(expecting))
    app = open_app(sample="coffee", size="16")
    app.button(key="overfit").click().run()
    specs = [chart.proto.spec for chart in app.get("plotly_chart")]
    assert any("untrained: 1.90" in spec and "perfect: 0.100" in spec for spec in specs)
