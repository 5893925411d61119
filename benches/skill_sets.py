#!/usr/bin/env python3
"""A scenario of ten skills, a queue for each, and operators with SETS distinct sets of them: `skill_sets.py OPERATORS SETS CALLS`.

A set is the bits of a number from 1,023 downwards: at most 1,000 of them, the first of which has every skill. The load for each
operator is that of mm50m.toml.
"""
import sys

operators, sets, calls = (int(argument) for argument in sys.argv[1:])
SKILLS = [f"s{skill}" for skill in range(10)]


def has(number: int) -> list[str]:
    """The skills of a set, 1 to 10 of them."""
    return [name for bit, name in enumerate(SKILLS) if number >> bit & 1]


print('name = "Sets of skills"')
print('skills = [' + ", ".join(f'"{name}"' for name in SKILLS) + "]")
print(f"[run]\ncontacts = {calls}\nreplications = 1")
print('[service.main]\nlogin_status = "ready"\nticket_close_days = 0')
for name in SKILLS:
    print(f"[queue.q-{name}]\nskills = {{ {name} = 1 }}")
    print(f'[customers.c-{name}]\nqueue = "q-{name}"\narrivals = {{ per_hour = {operators * 12 / 10} }}')
    print("patience = { mean_s = 180 }\nhandling = { talk = { mean_s = 300 } }")
for number in range(sets):
    count = operators // sets + (number < operators % sets)
    skills = ", ".join(f"{name} = 5" for name in has(1023 - number))
    print(f"[operators.g{number}]\ncount = {count}\nauto_answer = true\nskills = {{ {skills} }}")
