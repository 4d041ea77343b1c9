"""Mathematics in float64: what a loss is, to hold what Keras computes against."""
