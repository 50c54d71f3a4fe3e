"""The house as a whole: which services exist, starting them together, looking after them."""
