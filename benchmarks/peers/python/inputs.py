"""Arrays that the driver wrote for all sides."""

import math

import numpy as np


class Inputs:
    """The table (n, D), batches used in turn, and the settings of the step."""

    def __init__(self, settings):
        files = settings["files"]
        # The original, for comparison: left on disk, whoever trains takes a copy.
        table = files["table"]
        self.table = np.memmap(table["path"], dtype=table["dtype"], mode="r", shape=tuple(table["shape"]))
        self.hidden = read(files["hidden"])
        self.targets = read(files["targets"]).astype(np.int64)
        self.candidates = read(files["candidates"]).astype(np.int64) if "candidates" in files else None
        self.watched = read(files["watched"]).astype(np.int64)
        self.threads = settings["threads"]
        self.rate = settings["rate"]
        self.loss = settings.get("loss")
        self.form = settings.get("form")
        self.negatives = settings.get("negatives", 0)
        self.batches = len(self.hidden)
        self.classes = len(self.table)

    @property
    def log_q(self):
        """Of every class under uniform draws."""
        return math.log(self.negatives / self.classes)


def read(file):
    return np.fromfile(file["path"], dtype=file["dtype"]).reshape(file["shape"])
