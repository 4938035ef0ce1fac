"""One visitor of a race, as a process of its own: sends every form that it is given.

    python -m tests.support.race_client NUMBER < forms

Reads the settings from the environment and the forms, a line of [path, fields] pairs, from its
input; waits for another line, so that all begin at once, and prints how often each status was
answered, as JSON. Each racer has an order of its own.

A 503 is no answer: it says that others keep the store busy for longer than anybody should wait,
and that the form is to be sent again. So does the racer, since the machine may have other work.
"""

import json
import random
import sys
from collections import Counter

from lead_service import create_app
from lead_service.settings import load

BUSY, TRIES = 503, 5


def main(number: str) -> None:
    client = create_app(load()).test_client()
    forms = json.loads(sys.stdin.readline())
    print("ready", flush=True)
    sys.stdin.readline()
    random.Random(number).shuffle(forms)
    headers = {"Host": "127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}
    answered: Counter[int] = Counter()
    for path, fields in forms:
        for _ in range(TRIES):
            status = client.post(path, data=fields, headers=headers).status_code
            if status != BUSY:
                break
        answered[status] += 1
    print(json.dumps(answered), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
