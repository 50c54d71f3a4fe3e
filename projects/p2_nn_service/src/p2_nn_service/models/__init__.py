"""The networks, one short file each, on one task interface."""
