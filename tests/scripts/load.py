# SPDX-License-Identifier: GPL-2.0-or-later
"""Loads a program of scripts/ as a module, although its name has a dash."""
import importlib.util
import os

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def load(name):
    """The module made of scripts/<name>.py."""
    path = os.path.join(TOP, "scripts", name + ".py")
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
