"""Behaviour through the public interface: real files, real Keras, a real browser."""
