"""The forms in which logs arrive. Each module reads one and gives rows, the header first."""
