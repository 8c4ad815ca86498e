#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes a compile database to stdout.

usage: compile-commands.py FLAGS_FILE CC SOURCE_FOLDER SOURCE...
"""
import json
import os
import sys


def main(argv):
    with open(argv[1], encoding="utf-8") as f:
        flags = f.read().strip()
    compiler, top = argv[2], argv[3]
    json.dump([{"directory": os.getcwd(), "file": os.path.join(top, s),
                "command": f"{compiler} {flags} -c {os.path.join(top, s)}"} for s in argv[4:]],
              sys.stdout, indent=1)


if __name__ == "__main__":
    main(sys.argv)
