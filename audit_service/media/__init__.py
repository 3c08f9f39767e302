"""Reads hostile media: every file is probed and decoded by a child process under limits.

The door is ``services`` (``probe``, ``decode``, ``render_playback``), with the values in ``values`` and the refusal
in ``errors``. This file imports nothing, and ``child`` imports nothing of this package, so that the child is light.
"""
