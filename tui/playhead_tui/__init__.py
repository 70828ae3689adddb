"""The debugger in the terminal: forwards and backwards through a run that is over.

    history --opening--> run --session--> view --messages--> widgets
                                  ^                             |
                                  '--------- messages ----------'

`model` knows runs and places and no Textual; `widgets` show a view, one module each, and say in `messages` what the
user wants; `screens` and `app` put the two together. Histories are read and code is run by `playhead`, never here.
"""
