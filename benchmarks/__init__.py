"""Measurements beside the peers, in one run, printed as ratios. Nothing here is a test, and nothing here fails on a
figure."""
