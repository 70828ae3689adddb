"""The server: what becomes of commands, outcomes and requests, as pure functions.

    (state, command | outcome | request, moment) -> events, applied to the state

`RunState` holds what follows from a run's events; the other modules decide which events to write next: `requests`
(start, signal, cancel), `tasks` and `commands` (what workflow code asked for), `activities`, `links` (what one run is
told of another), `closing` and `chains` (ends, and runs that follow), `resets`. Nothing in this package has a clock,
does I/O, makes ids or touches two runs at once: moments and ids are handed in, and `Engine` brings the rest.
"""
