"""Modules that hold what the tests of the guards need to find in a module of its own."""
