"""Faults that people really reported, each as a configuration on a small picture."""
