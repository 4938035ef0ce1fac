"""Several processes book the same starts: as many succeed as hosts are free, without errors."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from lead_service import clock
from lead_service.book.availability import queries
from lead_service.book.forms import start_text
from lead_service.book.models import Booking, TimeCell
from lead_service.book.terms import Terms
from lead_service.call_types import PHONE, VIDEO
from lead_service.emails.models import OutboxMessage
from lead_service.leads.models import Consent, Lead, LeadEvent
from tests.support import forked, race_client
from tests.support.app.call_types import KIND
from tests.support.app.calls import add_host, count
from tests.support.app.visitor_forms import book
from tests.support.race_client import Forms

pytestmark = pytest.mark.both_engines

ROUNDS = 3


@pytest.fixture
def at() -> None:
    """Leave the clock alone: the racing processes have the real one."""


@pytest.fixture
def processes(pytestconfig) -> int:
    """The number of racing processes; each needs a second of processor time to start."""
    return 8 if pytestconfig.option.all else 3


def race(environment: dict[str, str], forms_of: list[Forms]) -> Counter[int]:
    """Run one process for each list of forms; return the count of each status."""
    begin = forked.Barrier(len(forms_of))
    answered: Counter[int] = Counter()
    results = []
    for forms in forms_of:
        result, theirs = forked.Pipe(duplex=False)
        results.append(result)
        given = environment | {"LOG_LEVEL": "ERROR"}
        forked.Process(target=race_client.send, args=(given, forms, begin, theirs)).start()
        theirs.close()
    for result in results:
        answered.update(result.recv())
    return answered


def booking_forms(number: int, starts: list[datetime]) -> Forms:
    """Fill in a form for each start, each with its own address."""
    return [
        (
            "/book/",
            {
                "start": start_text(start),
                "submission": f"{number}-{place}",
                "terms": str(Terms(KIND.minutes, frozenset({PHONE, VIDEO}), KIND.price)),
                "name": f"Racer {number}",
                "email": f"racer{number}-{place}@example.com",
                "phone": "+1 555 0100",
            },
        )
        for place, start in enumerate(starts)
    ]


def coming_starts(database, wanted: int) -> list[datetime]:
    """Return the next open starts that stay open during the race."""
    now = clock.now()
    with database.read() as session:
        hosts = queries.active_hosts(session)
        found = queries.open_starts(
            session,
            hosts,
            KIND,
            now=now + timedelta(hours=1),
            start=now,
            end=now + timedelta(days=40),
        )[:wanted]
    assert len(found) == wanted
    return found


def calls(database) -> list[Booking]:
    with database.read() as session:
        return list(session.scalars(select(Booking).order_by(Booking.id)))


@pytest.mark.parametrize(("hosts", "starts"), [(2, 3), pytest.param(1, 40, marks=pytest.mark.long)])
def test_as_many_racing_bookings_succeed_as_hosts_are_free(
    app, environment, database, processes, hosts, starts
):
    """All visitors send copies of one more form, too, which are one booking."""
    for _ in range(hosts - 1):
        add_host(database, name="Ben")
    *found, another = coming_starts(database, starts + 1)
    copy = booking_forms(processes, [another])
    forms_of = [booking_forms(one, found) + copy for one in range(processes)]
    won = hosts * starts
    lost = processes * starts - won
    assert race(environment, forms_of) == {303: won + processes, 409: lost}
    won += 1
    with database.read() as session:
        mails = select(func.count()).where(OutboxMessage.kind == "booking_confirmed")
        assert count(database, Booking) == session.scalar(mails) == won
    assert count(database, TimeCell) == won * 6
    assert {count(database, one) for one in (Lead, LeadEvent, Consent)} == {won + lost}
    taken = {(call.host_id, call.starts_at) for call in calls(database)}
    assert len(taken) == won
    assert {start for _, start in taken} == {*found, another}


@pytest.mark.long
def test_a_losing_move_keeps_its_old_start(app, client, environment, database, processes):
    movers = processes // 2
    found = coming_starts(database, (movers + 1) * ROUNDS)
    wanted, own = found[:ROUNDS], found[ROUNDS:]
    forms_of: list[Forms] = [[] for _ in range(movers)]
    for place, start in enumerate(own):
        page = book(client, start_text(start), email=f"mover{place}@example.com")
        move = page + "move/", {"start": start_text(wanted[place % ROUNDS])}
        forms_of[place // ROUNDS].append(move)
    forms_of += [booking_forms(one, wanted) for one in range(movers, processes)]
    answered = race(environment, forms_of)
    assert answered == {303: ROUNDS, 409: (processes - 1) * ROUNDS}
    found_calls = calls(database)
    held = Counter(call.starts_at for call in found_calls)
    assert all(held[start] == 1 for start in wanted)
    stayed = {call.starts_at for call in found_calls if call.sequence == 0}
    moved = [call for call in found_calls[: len(own)] if call.sequence == 1]
    assert {call.starts_at for call in found_calls} == stayed | {call.starts_at for call in moved}
    assert len(found_calls) == len(own) + ROUNDS - len(moved)
    assert count(database, TimeCell) == 6 * len(found_calls)
    assert count(database, Lead) == len(own) + (processes - movers) * ROUNDS


def test_simultaneous_cancellations_and_bookings_of_a_start_each_succeed_once(
    client, environment, database, post
):
    (start,) = coming_starts(database, 1)
    page = book(client, start_text(start), email="ada@example.com")
    post()  # an invitation that was not sent needs no cancellation
    cancels = [[(f"{page}cancel", {})] * 2 for _ in range(2)]
    answered = race(environment, [*cancels, booking_forms(0, [start] * 6)])
    with database.read() as session:
        live = session.scalars(select(Booking).where(Booking.status == "confirmed")).all()
        told = select(func.count()).where(OutboxMessage.kind == "booking_cancelled")
        assert session.scalar(told) == 1
        assert session.get_one(Booking, 1).sequence == 1
    assert len(live) <= 1
    assert answered == {303: 4 + len(live), 409: 6 - len(live)}
    assert count(database, TimeCell) == 6 * len(live)
