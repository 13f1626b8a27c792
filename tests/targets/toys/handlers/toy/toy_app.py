"""The toy transport's entry: an event comes in by one pipe and its answer goes out by another, each as a line of JSON."""

import json
import os
import sys

from toy_request import decode, encode

from flyweight.handler import bind
from flyweight.serving import logs

answer = bind(decode, encode, folder=os.path.dirname(os.path.abspath(__file__)), logs={"": lambda: logs.line({})})

if __name__ == "__main__":
    with open(int(sys.argv[1])) as events, open(int(sys.argv[2]), "w") as answers:
        for line in events:
            answers.write(json.dumps(answer(json.loads(line))) + "\n")
            answers.flush()
