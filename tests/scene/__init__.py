"""Tests of segdebug.scene."""
