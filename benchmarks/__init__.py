"""Measurements and proofs that take too long for the test suite."""
