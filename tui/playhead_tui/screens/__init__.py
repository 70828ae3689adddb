"""The screens: the debugger itself, and what is put on top of it for a moment."""
