"""The roadmap as data, its exercises, and a learner's progress.

Start with `roadmap` (what `roadmap.toml` holds), then `exercises` (folders that check themselves)
and `progress` (what one person has done). `command` is the face of all three in the terminal.
"""
