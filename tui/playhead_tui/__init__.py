"""The debugger in the terminal; a place held for it until it is built.

It will be a Textual application over the frames that `playhead` records. It must not read histories or run
workflow code itself.
"""
