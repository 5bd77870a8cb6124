# SPDX-License-Identifier: Apache-2.0
#
# Gives every 16-digit number that starts with 4 in the named files its right check digit, in place.
#
# The peers mask any sixteen digits, Weir only card numbers that can exist. A file that is right stays as it is.

import pathlib
import re
import sys


def check_digit(digits):
    """The Luhn digit of ISO/IEC 7812-1 for the fifteen digits before it."""
    total = 0
    for place, digit in enumerate(int(character) for character in digits.decode()):
        doubled = digit * 2 if place % 2 == 0 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return b"%d" % (-total % 10)


for name in sys.argv[1:]:
    file = pathlib.Path(name)
    found = file.read_bytes()
    right = re.sub(rb"(?<!\d)4\d{15}(?!\d)", lambda match: match[0][:15] + check_digit(match[0][:15]), found)
    if right != found:
        file.write_bytes(right)
