"""Small, complete workflows that show what Playhead is for.

Each module holds workflows, the activities that they call, and the dataclasses that pass between them. Modules named
`..._hotfix`, `..._broken` or `..._v1`, `..._v2`, `..._v3` hold the same workflow at another moment of its life: compare
them with `diff` to see the change that a replay judges. `examples.temporal` has every one of them for Temporal's SDK.
"""
