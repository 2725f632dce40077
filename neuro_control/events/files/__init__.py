# SPDX-License-Identifier: Apache-2.0
"""Files of events, read in bounded chunks whatever their size, and written."""

from neuro_control.events.files.event_file import EventFile, FileError
from neuro_control.events.files.reading import open_file, read, read_chunks, read_triggers
from neuro_control.events.files.writing import WRITABLE, write

__all__ = [
    "WRITABLE",
    "EventFile",
    "FileError",
    "open_file",
    "read",
    "read_chunks",
    "read_triggers",
    "write",
]
