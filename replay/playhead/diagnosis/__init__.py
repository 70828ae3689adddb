"""Says why a history and the code of today differ, beyond the first mismatch, and what to do about it.

    verdict --> alignment --> causes --> text · JSON · Markdown
                    |            |
                    |            '--> fix --> proof
                    '--> cautions

- `steps` give events and commands the same names, so that the one can be laid beside the other.
- `attempt` runs the code along the history by forgiving rules (`meeting`): steps that fit are told what was recorded of
  them, new ones are answered with guesses (`outcomes`). `alignment` tries attempts until the cheapest explanation of
  the whole history is found, and gives each row a class.
- Causes are found by independent finders: `draws` proves ids by drawing from the seed again, `versions` knows patches,
  `hidden` looks for `suspects` in the conditions around a difference, `facts` says what the rows themselves say. Each
  cause says how sure it is and what it rests on.
- `fix` writes the `patched(...)` branch out (`patching`, `oldbranch`, `oldcode`, `blocks`) and tries it (`proof`).
- `cautions` are what a replay does not mind, and users may.

Everything is data first; renderings decide nothing. No activity is ever run here, and no file is written.
"""
