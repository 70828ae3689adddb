"""All that is private in `temporalio` and touched here, in one place.

The public way to replay, `temporalio.worker.Replayer`, needs the SDK's core for every workflow task. The SDK's own
workflow worker can be made without core and its instances activated by hand; that way in has been the same in every
release for years, and it is not documented. So it is probed before it is used: a release that does not fit is refused
in a sentence, and never half understood.

`release` probes, `workflows` drives workflow code, `activities` is what running activities touches. Nothing outside
this package may touch a name of `temporalio` that begins with an underscore, or its bridge to core; what the SDK's
decorators leave on a definition is the one exception (`playhead_engine.temporal`), since that is looked at without
`temporalio`.
"""
