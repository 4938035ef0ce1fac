"""One visitor of a race, as a process of its own: tries to book every start that it is given.

    python -m tests.service.racer NUMBER < starts

Reads the settings from the environment, waits for a line on its input so that all begin at
once, and prints how often each status was answered, as JSON.
"""

import json
import random
import sys
from collections import Counter

from lead_service import create_app
from lead_service.settings import load


def main(number: str) -> None:
    app = create_app(load())
    client = app.test_client()
    starts = json.loads(sys.stdin.readline())
    print("ready", flush=True)
    sys.stdin.readline()
    random.Random(number).shuffle(starts)
    answered: Counter[int] = Counter()
    for place, start in enumerate(starts):
        form = {
            "start": start,
            "submission": f"{number}-{place}",
            "name": f"Racer {number}",
            "email": f"racer{number}-{place}@example.com",
            "phone": "+1 555 0100",
        }
        headers = {"Host": "127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}
        status = 503
        while status == 503:  # "busy, try again": on a machine that has other things to do
            status = client.post("/book/", data=form, headers=headers).status_code
        answered[status] += 1
    print(json.dumps(answered), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
