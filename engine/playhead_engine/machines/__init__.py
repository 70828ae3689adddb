"""One state machine for each kind of thing that workflow code can ask for."""
