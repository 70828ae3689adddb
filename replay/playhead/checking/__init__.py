"""The gate: every history of a project against its code, fast enough to be asked before every merge.

`check` plans what there is to do, has processes do what is not known yet, and gives a `Check`: data, of which every
report is a rendering. Verdicts are kept on disk, and hold as long as the history, the code that it reaches and all that
runs the code are the same.
"""
