"""What every script speaks: one line of JSON in, one line of JSON out."""

import json
import os
import sys
import time


def serve(build):
    """Answers questions until standard input ends.

    build(settings) makes the work: an object with step(), which does it once, and check(), which does it for the
    first time and answers what came out as {name: flat list of numbers}. Trainings have steps(question) and
    quality(question), or train(question), instead; these answer a dictionary.
    """
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # Whatever libraries print is noise.
    work = None
    for line in sys.stdin:
        question = json.loads(line)
        try:
            if question["ask"] == "start":
                work = build(question)
                answer = {}
            elif question["ask"] == "check":
                answer = {"check": work.check()}
            elif question["ask"] == "round":
                answer = {"milliseconds": timed(work.step, question["seconds"], question["least"])}
            else:
                answer = getattr(work, question["ask"])(question)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")


def timed(step, seconds, least):
    """Repeats for at least so long and so often; milliseconds of each time."""
    times = []
    begin = time.perf_counter()
    while len(times) < least or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        step()
        times.append(1000 * (time.perf_counter() - start))
    return times
