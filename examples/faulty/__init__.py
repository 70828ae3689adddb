"""Workflows with a bug each that no ordinary test shows, and what finds it; see `docs/faults.md`.

Each module has the faulty code and the repaired one, with a program for each of them.
"""
