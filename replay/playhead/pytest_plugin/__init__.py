"""The pytest plugin: histories are tests.

`hooks` is what pytest loads, in every run of every user, and so it is thin: it loads the rest when there is something
to do. `project` (a project's histories and code), `expectations`, `states`, `outline` and `baselines` know no pytest;
`items`, `marked`, `fixtures`, `capturing` and `summary` stand between them and it.
"""
