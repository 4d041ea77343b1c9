"""How fast runs are, beside what a person would write instead. `python -m benchmarks` runs it."""
