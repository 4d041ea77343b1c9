"""Tests of segdebug.rules and the facts that they look at."""
