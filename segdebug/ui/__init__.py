"""Streamlit pieces that pages share: the only package that imports streamlit."""
