"""What is on the screen, one widget in each module. Widgets are given views, and say messages."""
