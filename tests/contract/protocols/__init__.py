"""How each protocol asks the cases of `events/` and answers them: one module each, found by listing this folder.

A module has `SETTINGS`, the variables that switch the protocol on; `request(case)`, the case as a plain request in the protocol's
words, None if it can't ask this; and `differences(case, answer)`, all differences between an answer and what the case expects.
"""
