"""Where a run is written: one interface, many sinks."""
