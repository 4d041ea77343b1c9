"""The probe, on the installed Keras."""
