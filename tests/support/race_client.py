"""One visitor of a race, in a separate process.

A 503 is no answer: it says that others keep the store busy for longer than anybody should wait,
and that the form is to be sent again. So does this visitor, since the machine may have other work.
"""

import random
from collections import Counter
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier

from lead_service import create_app
from lead_service.settings import load
from tests.support import kept_apps

kept_apps.keep_templates()
BUSY, TRIES = 503, 5
Forms = list[tuple[str, dict[str, str]]]  # where each goes, and what it says


def send(environment: dict[str, str], forms: Forms, begin: Barrier, result: Connection) -> None:
    """Send every form once all visitors are ready; return how often each status came.

    Each visitor sends them in a different order.
    """
    client = create_app(load(environment)).test_client()
    random.shuffle(forms)
    begin.wait()
    headers = {"Host": "127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}
    answered: Counter[int] = Counter()
    for path, fields in forms:
        for _ in range(TRIES):
            status = client.post(path, data=fields, headers=headers).status_code
            if status != BUSY:
                break
        answered[status] += 1
    result.send(answered)
