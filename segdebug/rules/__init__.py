"""What can be wrong, one module a stage: pure functions of what is known, in one catalogue."""

from segdebug.rules.catalogue import Noticed, Rule, catalogue, findings
from segdebug.rules.known import Known, LabelFacts, SceneFacts, Semantics, WeightFacts

__all__ = [
    "Known",
    "LabelFacts",
    "Noticed",
    "Rule",
    "SceneFacts",
    "Semantics",
    "WeightFacts",
    "catalogue",
    "findings",
]
