"""The covering array of the pairs test: every pair of values of any two fields of the Experiment in one case.

    python -m tests.fidelity.covering        writes tests/fidelity/pairs.json anew (some minutes)

A case is a value for each field, and for the scene. Cases are found greedily and always in the same order: for the
first pair that is not covered yet, random completions are drawn, those are dropped that the reference side is seen
to refuse (its own loss on labels of those shapes, then one real step of its own fit), and of the rest the one that
covers most is kept. A pair for which no completion is found is written down as refused, with a case that shows it.

Nothing of this is taken on trust: test_pairs.py runs every case on both sides, and holds the file against the
vocabulary.
"""

from __future__ import annotations

import collections
import itertools
import json
import random
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from segdebug.errors import ExperimentError
from segdebug.experiment import OPTIONS, Experiment

FILE = Path(__file__).with_name("pairs.json")

Case = dict[str, Any]
Named = tuple[str, Any]

_NUMERIC: dict[str, list[Any]] = {
    "model.filters": [2, 3],
    "model.depth": [1, 2],
    "head.channels": [None, 1, 3],
    "head.axis": [-1, 1, -2],
    "loss.label_smoothing": [0.0, 0.1],
    "loss.alpha": [None, 0.3],
    "loss.gamma": [None, 1.5],
    "loss.beta": [None, 0.6],
    "loss.class_weights": [None, "given"],
    "loss.ignore_class": [None, 255, 0],
    "loss.axis": [None, -1, 1],
    "training.size": [16, 32],
    "training.steps": [20],
    "training.learning_rate": [0.001, 0.05],
    "training.seed": [0, 7],
}
_WEIGHTS = [1.0, 2.5, 0.5, 4.0, 1.5]


def values() -> dict[str, list[Any]]:
    """Every field with the values that are paired: all words, both flags, chosen numbers; and the scene."""
    table: dict[str, list[Any]] = {"scene": ["void", "binary", "planes"]}
    for field, option in OPTIONS.items():
        if option.kind == "choice":
            table[field] = list(option.choices)
        elif option.kind == "flag":
            table[field] = [False, True]
        else:
            table[field] = _NUMERIC[field]
    return table


def all_pairs() -> list[tuple[Named, Named]]:
    """Each pair of values of two different fields, once."""
    table = values()
    return [((a, x), (b, y)) for a, b in itertools.combinations(table, 2) for x in table[a] for y in table[b]]


def pairs_of(case: Case) -> set[tuple[Named, Named]]:
    """The pairs that a case covers."""
    return set(itertools.combinations(((field, case[field]) for field in values()), 2))


def channels_of(case: Case) -> int:
    """Output channels of a case's head, by the rule of the design."""
    n_classes = {"void": 4, "binary": 2, "planes": 3}[case["scene"]]
    if case["head.channels"] is not None:
        return int(case["head.channels"])
    return 1 if n_classes == 2 and case["target.encoding"] == "single_channel" else n_classes


def words_of(case: Case) -> dict[str, dict[str, Any]]:
    """The Experiment's JSON of a case: what `Experiment(**words)` takes."""
    groups: dict[str, dict[str, Any]] = {}
    for field, value in case.items():
        if field == "scene":
            continue
        if field == "loss.class_weights" and value == "given":
            n_classes = {"void": 4, "binary": 2, "planes": 3}[case["scene"]]
            value = _WEIGHTS[: max(n_classes, channels_of(case))]
        group, name = field.split(".")
        groups.setdefault(group, {})[name] = value
    return groups


def plain() -> Case:
    """The defaults, small, on the scene with void."""
    table = values()
    default = Experiment()
    case: Case = {field: default[field] for field in OPTIONS}
    case |= {field: options[0] for field, options in table.items() if case.get(field) not in options}
    return {field: case[field] for field in table}


# -- which completions the reference refuses -----------------------------------------------------------------


class Oracle:
    """What the reference side refuses, found by trying and remembered."""

    def __init__(self) -> None:
        self._shapes: dict[Any, tuple[int, ...]] = {}
        self._losses: dict[Any, bool] = {}
        self._steps: dict[Any, str] = {}

    def takes(self, case: Case) -> bool:
        """Whether the reference's loss, with such weights, can be computed on zeros in these labels' shape."""
        y, p = self._label_shape(case), self._output_shape(case)
        if y is None:
            return False
        loss = tuple((f, v) for f, v in case.items() if f.startswith("loss.") and f not in _NO_SHAPE)
        key = (y, p, loss, self._weight_shape(case), case["head.activation"] == "sigmoid")
        if key not in self._losses:
            self._losses[key] = self._try_loss(case, y, p)
        return self._losses[key]

    def refusal(self, case: Case) -> str:
        """What one real step of the reference's fit, eagerly on the stem, says against a case; empty for nothing."""
        from tests.fidelity.pictures import PICTURES
        from tests.fidelity.reference import fit_losses

        words = words_of(case)
        words["model"] = {"filters": 2, "depth": 0}
        if words["training"]["execution"] == "graph":
            words["training"]["execution"] = "eager"
        key = json.dumps([case["scene"], words])
        if key not in self._steps:
            try:
                fit_losses(words, PICTURES[case["scene"]](), 1)
                self._steps[key] = ""
            except Exception as error:
                self._steps[key] = str(error) or type(error).__name__
        return self._steps[key]

    def _label_shape(self, case: Case) -> Any:
        from tests.fidelity.pictures import PICTURES
        from tests.fidelity.reference import labels_as_fed

        target = {f.split(".")[1]: v for f, v in case.items() if f.startswith("target.")}
        target |= {"resize": "nearest", "scale": "none", "dtype": "float32"}
        key = (case["scene"], channels_of(case), case["training.size"], *target.values())
        if key not in self._shapes:
            try:
                labels = labels_as_fed(PICTURES[case["scene"]](), target, channels_of(case), case["training.size"])
                self._shapes[key] = (1, *labels.shape)
            except Exception:
                self._shapes[key] = None  # type: ignore[assignment]
        return self._shapes[key]

    @staticmethod
    def _flat(case: Case) -> bool:
        return case["head.attachment"] in ("after_reshape", "then_reshape")

    def _output_shape(self, case: Case) -> tuple[int, ...]:
        size = case["training.size"]
        return (1, size * size, channels_of(case)) if self._flat(case) else (1, size, size, channels_of(case))

    def _weight_shape(self, case: Case) -> tuple[int, ...] | None:
        by_class = case["loss.class_weights"] is not None and case["loss.weighting"] == "pixel"
        if not by_class and not (case["loss.void"] == "zero_weight" and case["scene"] == "void"):
            return None
        size = case["training.size"]
        return (1, size * size) if self._flat(case) else (1, size, size)

    def _try_loss(self, case: Case, y: tuple[int, ...], p: tuple[int, ...]) -> bool:
        from tests.fidelity.reference import make_loss

        weights = self._weight_shape(case)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                loss = make_loss(words_of(case)["loss"], case["head.activation"], p[-1])
                loss(
                    np.zeros(y, np.float32),
                    np.full(p, 0.3, np.float32),
                    None if weights is None else np.ones(weights, np.float32),
                )
        except Exception:
            return False
        return True


_NO_SHAPE = ("loss.void", "loss.from_logits", "loss.reduction")


# -- greedy ---------------------------------------------------------------------------------------------------

_STRUCTURE = (
    "loss.name",
    "scene",
    "head.channels",
    "head.attachment",
    "head.activation",
    "head.axis",
    "target.encoding",
    "target.layout",
    "target.reader",
    "training.size",
    "loss.ignore_class",
    "loss.axis",
    "loss.class_weights",
    "loss.weighting",
    "loss.void",
    "loss.label_smoothing",
    "loss.alpha",
    "loss.gamma",
    "loss.beta",
    "loss.apply_class_balancing",
    "loss.from_logits",
)
"""Fields on which the shapes, and what the vocabulary allows, depend; the others are filled in after."""


class Greedy:
    """The array under construction."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self.values = values()
        self.base = plain()
        self.rng = random.Random(2)
        self.ids = {named: n for n, named in enumerate((f, v) for f, vs in self.values.items() for v in vs)}
        self.open = np.zeros((len(self.ids), len(self.ids)), bool)
        self.pairs = all_pairs()
        for a, b in self.pairs:
            self.open[self.ids[a], self.ids[b]] = self.open[self.ids[b], self.ids[a]] = True
        self.cases: list[Case] = []
        self.refused: dict[tuple[Named, Named], Case] = {}

    def is_open(self, pair: tuple[Named, Named]) -> bool:
        return bool(self.open[self.ids[pair[0]], self.ids[pair[1]]])

    def build(self, say: Any) -> None:
        order = sorted(self.pairs, key=lambda pair: -sum(f in _HARD for f, _ in pair))
        for pair in order:
            if not self.is_open(pair):
                continue
            case = self.complete(pair)
            if case is None:
                self.refused[pair] = self.shown(pair)
                self._close(pair)
                say(f"refused: {pair}")
            else:
                self.cases.append(case)
                self.cover(case)
                say(f"{len(self.cases)} cases, {int(self.open.sum()) // 2} pairs open")

    def cover(self, case: Case) -> None:
        chosen = [self.ids[f, v] for f, v in case.items()]
        self.open[np.ix_(chosen, chosen)] = False

    def _close(self, pair: tuple[Named, Named]) -> None:
        a, b = (self.ids[named] for named in pair)
        self.open[a, b] = self.open[b, a] = False

    def complete(self, pair: tuple[Named, Named]) -> Case | None:
        """A case with this pair that the reference does not refuse, covering as much else as is found."""
        for samples, tries in ((1500, 6), (6000, 20)):
            found = self.skeletons(dict(pair), samples)
            found.sort(key=self.gain, reverse=True)
            for skeleton in found[:tries]:
                case = self.filled(skeleton, dict(pair))
                if not self.oracle.refusal(case):
                    return case
                # what refuses is often a label out of range: values that all labels can have
                tame = self.filled(skeleton | {"target.scale": "threshold"} | dict(pair), dict(pair))
                if not self.oracle.refusal(tame):
                    return tame
        return None

    def skeletons(self, fixed: Case, samples: int) -> list[Case]:
        found, allowed = [], 0
        for drawn in range(samples):
            if drawn == _GIVEN_UP and not allowed:
                break  # the vocabulary itself does not have this pair
            case = dict(self.base)
            for field in _STRUCTURE:
                usual = self.rng.random() < _USUAL.get(field, 0.0)
                case[field] = self.base[field] if usual else self.rng.choice(self.values[field])
            case |= fixed
            _made_to_fit(case, fixed)
            if not _valid(case):
                continue
            allowed += 1
            if self.oracle.takes(case):
                found.append(case)
                if len(found) >= 150:
                    break
        return found

    def gain(self, case: Case) -> int:
        chosen = [self.ids[field, case[field]] for field in _STRUCTURE]
        return int(self.open[np.ix_(chosen, chosen)].sum())

    def filled(self, skeleton: Case, fixed: Case) -> Case:
        """The other fields, each with the value that covers most with those chosen so far."""
        case = dict(skeleton)
        rest = [f for f in self.values if f not in _STRUCTURE and f not in fixed]
        if case["target.scale"] != self.base["target.scale"]:
            rest.remove("target.scale") if "target.scale" in rest else None
        chosen = [self.ids[f, v] for f, v in case.items() if f in _STRUCTURE or f in fixed]
        self.rng.shuffle(rest)
        for field in rest:
            gains = [
                (int(self.open[self.ids[field, v], chosen].sum()), self.rng.random(), v) for v in self.values[field]
            ]
            case[field] = max(gains)[2]
            chosen.append(self.ids[field, case[field]])
        return case

    def make_cheaper(self) -> None:
        """Give each case the values that run soonest, and leave cases out, as far as every pair stays covered."""
        held = collections.Counter(pair for case in self.cases for pair in pairs_of(case))
        kept = []
        for case in self.cases:
            if min(held[pair] for pair in pairs_of(case)) > 1:
                held.subtract(pairs_of(case))
            else:
                kept.append(case)
        for field, cheap in _CHEAP.items():
            for case in kept:
                other = case | {field: cheap}
                lost = pairs_of(case) - pairs_of(other)
                if not lost or min(held[pair] for pair in lost) < 2:
                    continue
                if field == "training.execution" and _looks_up(case) and self.oracle.refusal(other):
                    continue  # XLA looks up what is out of range without a word
                held.subtract(lost)
                held.update(pairs_of(other) - pairs_of(case))
                case |= other
        self.cases = kept

    def shown(self, pair: tuple[Named, Named]) -> Case:
        """A case with a refused pair that is refused, as near to the defaults as is found."""
        near = self.base | {"training.execution": "eager", "model.depth": 1}
        fields = [f for f in _STRUCTURE if f not in dict(pair)]
        for changed in range(40):
            case = near | {f: self.rng.choice(self.values[f]) for f in self.rng.sample(fields, changed // 8)}
            case |= dict(pair)
            if not _valid(case) or self.oracle.refusal(case):
                return case
        raise AssertionError(f"{pair} is neither covered nor refused")


_GIVEN_UP = 400
"""Samples after which a pair that no configuration may have is not looked for any longer."""

_CHEAP = {"training.execution": "graph", "model.depth": 1, "training.size": 16, "model.filters": 2}
"""The values that run soonest."""

_HARD = (
    "loss.name",
    "target.encoding",
    "target.layout",
    "target.reader",
    "head.channels",
    "head.attachment",
    "loss.ignore_class",
    "loss.axis",
    "loss.weighting",
    "loss.class_weights",
)
_USUAL = {
    "loss.ignore_class": 0.6,
    "loss.axis": 0.5,
    "loss.class_weights": 0.4,
    "loss.label_smoothing": 0.4,
    "loss.alpha": 0.4,
    "loss.gamma": 0.4,
    "loss.beta": 0.4,
    "loss.apply_class_balancing": 0.4,
    "head.axis": 0.4,
    "head.channels": 0.3,
}
"""How often a sampled skeleton keeps the default of a field, since some other values go with few losses."""


def _made_to_fit(case: Case, fixed: Case) -> None:
    """Most random completions fail on the layout alone: give the labels the head's, unless that is the pair."""
    flat = case["head.attachment"] in ("after_reshape", "then_reshape")
    if "target.layout" not in fixed and case["target.layout"] != "trailing_axis":
        case["target.layout"] = "flat" if flat else "spatial"


def _looks_up(case: Case) -> bool:
    """Whether a label is an index into something in this case."""
    return "sparse" in case["loss.name"] or case["loss.class_weights"] is not None


def _valid(case: Case) -> bool:
    try:
        Experiment(**words_of(case))
    except ExperimentError:
        return False
    return True


def load() -> tuple[list[Case], list[tuple[tuple[Named, Named], Case]]]:
    """The cases, and the refused pairs each with a case that shows it, from pairs.json."""
    held = json.loads(FILE.read_text())
    cases = [dict(zip(held["fields"], row, strict=True)) for row in held["cases"]]
    refused = [(((a, x), (b, y)), plain() | changes) for a, x, b, y, changes in held["refused"]]
    return cases, refused


def save(cases: list[Case], refused: dict[tuple[Named, Named], Case]) -> None:
    """Write pairs.json: a row of values a case; of a refused pair, its case's changes from `plain`."""
    near = plain()
    rows = [json.dumps(list(case.values())) for case in cases]
    shown = [json.dumps([*a, *b, {f: v for f, v in case.items() if v != near[f]}]) for (a, b), case in refused.items()]
    FILE.write_text(
        f'{{"fields": {json.dumps(list(near))},\n'
        f'"cases": [\n{",".join(chr(10) + row for row in rows)[1:]}\n],\n'
        f'"refused": [\n{",".join(chr(10) + row for row in shown)[1:]}\n]}}\n'
    )


def main() -> None:
    greedy = Greedy(Oracle())
    greedy.build(lambda text: print(text, file=sys.stderr, flush=True))
    greedy.make_cheaper()
    save(greedy.cases, greedy.refused)
    print(f"{len(greedy.pairs)} pairs: {len(greedy.cases)} cases, {len(greedy.refused)} pairs refused")


if __name__ == "__main__":
    main()
