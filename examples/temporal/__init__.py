"""The same examples as in `examples`, written for Temporal's Python SDK.

Each file differs from its namesake one folder up in its import lines only: that is how a workflow moves from the
built-in engine to a Temporal cluster, and it is how the histories in `fixtures/temporal` were recorded.
"""
