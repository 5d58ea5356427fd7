"""Commands of ``pacsmeter`` that stand in files of their own; `analytics.cli` puts them together."""
