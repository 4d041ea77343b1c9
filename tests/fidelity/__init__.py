"""Our losses against those of a real fit."""
