"""The arguments of commands that have many, one module each. Nothing heavy is imported here: `--help` waits for it."""
