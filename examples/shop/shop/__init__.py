"""A small shop whose orders, parcels and subscriptions are Temporal workflows."""
