"""The float64 mathematics against plain evaluations of the same."""
