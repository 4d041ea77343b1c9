"""Sound configurations: what nobody may be warned of."""
