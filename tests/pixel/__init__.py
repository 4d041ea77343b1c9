"""The Pixel page's numbers against Keras and against float64."""
