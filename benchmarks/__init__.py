"""Benchmarks: whole work at 1 million studies, as ratios to a named peer in the same run."""
