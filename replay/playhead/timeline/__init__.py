"""The timeline of a past run: what it looked like after each workflow task, and at each line.

    passage --recorder--> recording --at(mark)--> state        (what was captured)
                              |
                              '----parked passage----> queries, expressions, lines    (what must be asked of the code)

A recording is made by replaying once. It holds values as they were captured, not the objects themselves; whatever needs
the objects is answered by another replay, which is thrown away afterwards.
"""
