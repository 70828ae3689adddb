"""What the debugger knows, without knowing how it is shown: nothing in here imports Textual."""
