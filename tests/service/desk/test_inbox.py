"""The inbox: each view lists its leads once and in order."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from lead_service.accounts.members import Member
from lead_service.book.hosts.models import Host
from lead_service.book.models import Booking
from lead_service.desk import pagination
from lead_service.desk.leads import filters
from lead_service.desk.team import membership
from lead_service.emails.models import OutboxMessage
from lead_service.leads.models import Lead
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.desk_client import press
from tests.support.app.hosts import add_host, change_host, changes
from tests.support.app.stored_data import kept
from tests.support.app.visitor_forms import book, hidden, open_starts

PAGE = 6
TODAY = MONDAY_MORNING.date()
NEXT_TO_EVES = datetime(2026, 11, 26, 9, tzinfo=UTC)


@pytest.fixture
def small_pages(monkeypatch) -> None:
    monkeypatch.setattr(pagination, "PAGE", PAGE)


def add(database, name: str, **fields) -> int:
    """Add a lead with these values."""

    def work(session) -> int:
        address = f"{name.lower().replace(' ', '.')}@example.com"
        at = fields.pop("at", MONDAY_MORNING)
        lead = kept(session, email=address, name=name, at=at)
        for field, value in fields.items():
            setattr(lead, field, value)
        return lead.id

    return database.write(work)


def names(client, **query: str) -> list[str]:
    """Return the names on all pages of a view, in order."""
    found, page = [], client.get("/desk/", query_string=query)
    while True:
        assert page.status_code == 200
        found += re.findall(r'<a class="desk-open"[^>]*><bdi>(.*?)</bdi>', page.text)
        following = re.search(r'href="([^"]*before=[^"]*)"', page.text)
        if not following:
            return found
        page = client.get(following[1].replace("&amp;", "&"))


def count(client, view: str) -> int:
    found = re.search(rf'view={view}"[^>]*>[^<]*<span[^>]*>(\d+)', client.get("/desk/").text)
    return int(found[1])


@pytest.fixture
def some(database, admin) -> None:
    """One lead of each kind."""
    database.write(
        lambda session: membership.add_member(session, "bob@example.com", MONDAY_MORNING).id
    )
    yesterday, tomorrow = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
    add(database, "Nobody's", company="Example Works")
    add(database, "Bob's", owner_id=2, stage="contacted")
    add(database, "Lost", stage="lost", next_action="x", next_action_on=yesterday)
    add(database, "Overdue", owner_id=1, next_action="x", next_action_on=yesterday)
    add(database, "Today", owner_id=1, next_action="x", next_action_on=TODAY)
    add(database, "Tomorrow", owner_id=1, next_action="x", next_action_on=tomorrow)
    add(database, "Back", owner_id=1, bounced_at=MONDAY_MORNING)
    add(database, "Robot", owner_id=1, quarantine=True)


def test_a_view_lists_its_leads(client, some):
    for query, shown in [
        ({"view": "unowned"}, ["Nobody&#39;s"]),
        ({"view": "due"}, ["Overdue", "Today"]),
        ({"view": "bounced"}, ["Back"]),
        ({"view": "suspected"}, ["Robot"]),
        ({"view": "calls"}, []),
        ({"stage": "lost"}, ["Lost"]),
        ({"owner": "2"}, ["Bob&#39;s"]),
        ({"owner": "none"}, ["Lost", "Nobody&#39;s"]),
        ({"owner": "none", "stage": "new"}, ["Nobody&#39;s"]),
        ({"sort": "next"}, ["Lost", "Overdue", "Today", "Tomorrow"]),
        ({"view": "due", "q": "over"}, ["Overdue"]),
        ({"q": "EXAMPLE nobody"}, ["Nobody&#39;s"]),
        ({"owner": "77"}, []),
    ]:
        assert names(client, **query) == shown, (query, shown)


def test_the_counts_match_the_views(client, some):
    for view in filters.QUICK:
        assert count(client, view) == len(names(client, view=view)), view


def test_an_unknown_view_is_a_404(client, admin):
    for query in [
        {"view": "x"},
        {"stage": "sold"},
        {"sort": "id; drop"},
        {"owner": "-1"},
        {"owner": "٣"},
        {"owner": str(2**31)},
        {"before": "0-1", "sort": "next"},
        {"before": "9999999999-1", "sort": "next"},
        {"before": "0-77", "sort": "name"},
    ]:
        assert client.get("/desk/", query_string=query).status_code == 404, query


@pytest.mark.both_engines
@pytest.mark.parametrize(
    "sort",
    [
        *("activity", "due"),
        *(
            pytest.param(sort, marks=pytest.mark.long)
            for sort in filters.SORTS
            if sort != "activity"
        ),
    ],
)
def test_each_sort_order_lists_every_lead_once_over_all_pages(
    client, admin, database, small_pages, sort
):
    def work(session) -> None:
        for number in range(2 * PAGE + 3):
            at = MONDAY_MORNING - timedelta(minutes=number // 4)
            lead = kept(session, email=f"l{number}@example.com", at=at)
            lead.name = ["Éva", "éve", "Zoë", "ada"][number % 4]
            lead.next_action = "x"
            lead.next_action_on = TODAY - timedelta(days=number % 5)

    database.write(work)
    query = {"view": "due"} if sort == "due" else {"sort": sort}
    page, seen = client.get("/desk/", query_string=query), []
    while page:
        seen += [int(id) for id in re.findall(r'open" href="/desk/leads/(\d+)/"', page.text)]
        following = re.search(r'href="([^"]*before=[^"]*)"', page.text)
        page = client.get(following[1].replace("&amp;", "&")) if following else None
    assert len(seen) == len(set(seen)) == 2 * PAGE + 3
    with database.read() as session:
        rows = [session.get_one(Lead, id) for id in seen]
    key = {
        "activity": lambda lead: (-lead.touched_at.timestamp(), -lead.id),
        "newest": lambda lead: (-lead.created_at.timestamp(), -lead.id),
        "name": lambda lead: lead.name.casefold()[0] in "éz",  # databases sort accents differently
    }.get(sort, lambda lead: (lead.next_action_on, lead.id))
    assert [key(row) for row in rows] == sorted(key(row) for row in rows)


def test_new_leads_do_not_shift_later_pages(client, admin, database, small_pages):
    for number in range(PAGE + 2):
        add(database, f"L {number:03}", at=MONDAY_MORNING + timedelta(minutes=number))
    first = client.get("/desk/")
    following = re.search(r'href="([^"]*before=[^"]*)"', first.text)[1].replace("&amp;", "&")
    add(database, "New", at=MONDAY_MORNING + timedelta(days=1))
    second = re.findall(r'desk-open"[^>]*><bdi>(L \d+)', client.get(following).text)
    assert second == ["L 001", "L 000"]


def test_upcoming_calls_come_in_their_order_until_they_are_over(client, admin, database, at):
    for number, name in enumerate(["First", "Second", "Gone"]):
        page = book(client, name=name, email=f"{name}@example.com")
        if name == "Gone":
            client.post(page + "cancel")
        assert number < 3
    assert names(client, view="calls") == ["First", "Second"]
    assert count(client, "calls") == 2
    with database.read() as session:
        start = session.get_one(Booking, 1).starts_at
    at(start + timedelta(minutes=29))
    assert names(client, view="calls") == ["First", "Second"]
    at(start + timedelta(minutes=30))
    assert names(client, view="calls") == ["Second"]


def test_a_lead_with_two_calls_is_listed_once_by_the_earlier_one(client, admin, database, at):
    first, second, third = open_starts(client)[:3]
    book(client, third, name="Ada", email="ada@example.com")
    book(client, first, name="Ada", email="ada@example.com")
    book(client, second, name="Eve", email="eve@example.com")
    assert names(client, view="calls") == ["Ada", "Eve"]
    assert count(client, "calls") == 2
    at(datetime.strptime(first, "%Y%m%dT%H%MZ").replace(tzinfo=UTC) + timedelta(minutes=30))
    assert names(client, view="calls") == ["Eve", "Ada"]


def test_search_ignores_case_in_every_script(client, admin, database):
    add(database, "Émile Ötzi")
    add(database, "Straße")
    assert names(client, q="ÉMILE") == ["Émile Ötzi"]
    assert names(client, q="STRASSE") == ["Straße"]
    assert names(client, q="e\u0301mile ötz") == ["Émile Ötzi"]


def test_a_corrected_name_is_found_and_the_old_one_is_not(client, admin, database):
    id = add(database, "Aida")

    def correct(session) -> None:
        session.get_one(Lead, id).name = "Ada"

    database.write(correct)
    assert (names(client, q="ada"), names(client, q="aida ")) == (["Ada"], ["Ada"])


def test_the_address_of_a_view_has_all_filters(client, some):
    text = client.get("/desk/?view=unowned&stage=new&owner=none&sort=name&q=works").text
    for field in ('name="view" value="unowned"', 'name="q" value="works"'):
        assert text.count(field) >= 1
    assert text.count(" selected>") == 3
    saved = re.search(r'href="(/desk/leads.csv[^"]*)"', text)[1]
    for part in ("view=unowned", "stage=new", "owner=none", "sort=name", "q=works"):
        assert part in saved


def test_due_work_follows_the_date_in_the_desks_zone(client, admin, database):
    add(database, "On Monday", next_action="x", next_action_on=TODAY)
    assert names(client, view="due") == ["On Monday"]

    def move(session) -> None:
        session.get_one(Host, 1).zone = "Pacific/Pago_Pago"  # where it is Sunday still

    database.write(move)
    assert names(client, view="due") == []


def calls(client) -> list[tuple[str, str, str]]:
    """Return the calls of the day: label, person, and target of the button."""
    form = re.search(r'<section aria-label="Calls">.*?</section>', client.get("/desk/").text, re.S)
    rows = re.findall(r"<li>.*?</li>", form[0], re.S) if form else []
    wanted = (r'desk-when"><span class="meta">(The.*?|Your.*?)</span>', r"<bdi>(.*?)<")
    wanted += (r'class="button \w*" href="(.*?)"',)
    found = [[re.search(one, row) for one in wanted] for row in rows]
    return [tuple(one[1] if one else "" for one in row) for row in found]


def test_the_next_call_is_one_press_away_until_it_is_over(client, admin, database, at):
    assert calls(client) == []
    first, second = open_starts(client)[:2]
    book(client, second, name="Eve", email="eve@example.com", phone="+49 (0)30 12 34")
    assert calls(client) == [("", "Eve", "tel:+49301234")]
    change_host(database, meeting_link="https://meet.example.com/room")
    book(client, first, name="Ada", email="ada@example.com")
    assert calls(client)[0] == ("", "Ada", "https://meet.example.com/room")
    start = datetime.strptime(first, "%Y%m%dT%H%MZ").replace(tzinfo=UTC)
    for minutes, who in [(29, ["Ada", "Eve"]), (30, ["Eve"])]:
        at(start + timedelta(minutes=minutes))
        assert [one for _, one, _ in calls(client)] == who


def test_your_next_call_and_the_teams_are_shown_separately(client, admin, database):
    book(client, "20261125T0900Z", name="Ada", email="ada@example.com")
    book(client, "20261126T0900Z", name="Eve", email="eve@example.com")
    own = add_host(database, "Ann Example")
    database.write(lambda session: setattr(session.get_one(Booking, 2), "host_id", own))
    labels = [(label.replace("\u2019", "'"), who) for label, who, _ in calls(client)]
    assert labels == [("Your next call", "Eve"), ("The team's next call", "Ada")]
    database.write(lambda session: setattr(session.get_one(Booking, 1), "starts_at", NEXT_TO_EVES))
    labels = [who for _, who, _ in calls(client)]
    assert labels == ["Eve", "Ada"]
    book(client, "20261123T1500Z", name="Uma", email="uma@example.com")
    assert [who for _, who, _ in calls(client)] == ["Uma", "Eve"]


def test_todays_work_comes_first_with_due_and_new_leads(client, some, database):
    add(database, "Suspected", quarantine=True)  # in a view of its own
    for name in ("Newer", "Newer still", "Newest"):
        add(database, name)
    text = client.get("/desk/").text
    due, unowned = (
        re.findall(r"<bdi>(.*?)</bdi></a>", re.search(rf'"{part}">.*?</section>', text, re.S)[0])
        for part in ("Due", "No owner")
    )
    assert (due, unowned) == (["Overdue", "Today"], ["Newest", "Newer still", "Newer"])
    assert ">all 5</a>" in text  # the link's view includes suspected leads
    for shown in ("?view=due", "?before=0-1&sort=name"):
        assert "desk-day" not in client.get(f"/desk/{shown}").text


@pytest.mark.parametrize(
    ("sent", "changed"),
    [
        ({"take": "1"}, {"Nobody's": ("new", 1, "")}),
        ({"take": "2"}, {}),  # has an owner
        ({"done": "4"}, {"Overdue": ("new", 1, "")}),
        (
            {"do": "stage", "stage": "won", "lead": ["1", "2"]},
            {"Nobody's": ("won", None, ""), "Bob's": ("won", 2, "")},
        ),
        ({"do": "owner", "owner": "2", "lead": ["1", "2"]}, {"Nobody's": ("new", 2, "")}),
        ({"do": "owner", "owner": "0", "lead": ["2"]}, {"Bob's": ("contacted", None, "")}),
        ({"do": "owner", "owner": "77", "lead": ["1"]}, {}),
        ({"do": "stage", "stage": "sold", "lead": ["1"]}, {}),
        ({"do": "nothing", "lead": ["1"]}, {}),
    ],
)
def test_leads_are_changed_from_the_list_by_row_or_together(client, some, database, sent, changed):
    def state() -> dict[str, tuple]:
        with database.read() as session:
            leads = session.scalars(select(Lead)).all()
        return {one.name: (one.stage, one.owner_id, one.next_action) for one in leads}

    before = state()
    answer = press(client, "/desk/", "/desk/leads/bulk", back="view=due&stage=new", **sent)
    assert answer.location == "/desk/?view=due&stage=new"
    assert {name: one for name, one in state().items() if before[name] != one} == changed


def test_leads_changed_by_a_colleague_are_listed_and_skipped(client, some, database):
    seen = re.findall(r'name="seen" value="([^"]*)"', client.get("/desk/").text)
    theirs = {"next_action": "Call", "next_action_on": TODAY, "version": Lead.version + 1}
    theirs |= {"stage": "qualified"}
    changed = update(Lead).where(Lead.id.in_([2, 4])).values(**theirs)
    database.write(lambda session: session.execute(changed) and None)
    for sent, told in (
        ({"do": "stage", "stage": "won", "lead": ["1", "2"]}, "Changed 1 lead. Left Bob&#39;s"),
        ({"done": "4"}, "Nothing was changed. Left Overdue"),
        ({"take": "2"}, "Nothing was changed. Left Bob&#39;s"),
        ({"do": "spam"}, "Nothing was changed: select leads first."),
    ):
        press(client, "/desk/", "/desk/leads/bulk", seen=seen, **sent)
        if "Left" in told:
            told += " as it is now, because someone else changed it after you opened the list."
        assert told in client.get("/desk/").text
    with database.read() as session:
        kept = [session.get_one(Lead, id) for id in (2, 4)]
    assert {(one.stage, one.next_action) for one in kept} == {("qualified", "Call")}


SPAM = "/desk/leads/spam/"
CANCELLATIONS = {"booking_cancelled", "booking_cancelled_for_host"}
HELD = "No one was invited, so we won\u2019t email anyone"
INVITED = "We\u2019ll email the host a cancellation. The visitor gets none, because they never"
PROVED = "We\u2019ll email the host and the visitor a cancellation"


@pytest.mark.parametrize(
    ("how", "asked", "told"),
    [
        ("held", HELD, set()),
        ("invited", INVITED, {"booking_cancelled_for_host"}),
        ("proved", PROVED, {"booking_cancelled", "booking_cancelled_for_host"}),
    ],
)
def test_marking_spam_lists_the_calls_to_cancel_and_emails_invited_people(
    client, admin, database, mails, how, asked, told
):
    book(client, website="x" if how == "held" else "")
    mails()  # sends the invitations
    if how == "proved":
        database.write(lambda session: setattr(session.get_one(Booking, 1), "is_proved", True))
    marked = press(client, "/desk/", "/desk/leads/bulk", do="spam", lead=["1", "99", "x"])
    assert marked.location == SPAM + "?lead=1&lead=99"
    asked_page = client.get(marked.location).text
    assert asked in asked_page
    with database.read() as session:
        assert session.get_one(Booking, 1).is_live
    form = {name: hidden(asked_page, name) for name in ("lead", "seen", "call")}
    sent = press(client, marked.location, SPAM, **form, back="sort=name")
    assert sent.location == "/desk/?sort=name"
    assert "Marked 1 lead as spam and canceled 1 call." in client.get("/desk/").text
    assert {row.kind for row, _ in mails()} & CANCELLATIONS == told
    with database.read() as session:
        assert not session.get_one(Booking, 1).is_live
        lead = session.get_one(Lead, 1)
        assert (lead.stage, lead.quarantine) == ("lost", True)
        rows = session.scalars(select(OutboxMessage).where(OutboxMessage.state == "cancelled"))
        assert {row.reason for row in rows} == {"the lead was marked as spam"}
    assert ("lead_marked_as_spam", 1) in changes(database, "lead 1")
    assert changes(database, "call 1") == [("call_cancelled", 1)]
    page = press(client, "/desk/leads/1/", SPAM, lead="1") and client.get("/desk/leads/1/").text
    assert "Marked as spam</strong> by <bdi>ann@example.com</bdi> on" in page
    assert page.count("Marked as spam") == 2  # above, and once in the timeline
    press(client, "/desk/leads/1/", "/desk/leads/1/release")
    page = client.get("/desk/leads/1/").text
    assert "Released: not spam" in page and "Lost \u2192 New" in page
    assert "Marked as spam</strong>" not in page


def test_spam_is_not_marked_when_a_lead_or_its_calls_have_changed(client, admin, database):
    book(client)
    page = SPAM + "?lead=1"
    asked = client.get(page).text
    form = {name: hidden(asked, name) for name in ("lead", "seen", "call")}
    earlier = {"seen": f"1-{int(form['seen'].split('-')[1]) - 1}"}
    without_the_call = {name: form[name] for name in ("lead", "seen")}  # booked or moved since
    for stale in (form | earlier, without_the_call):
        press(client, page, SPAM, **stale)
        assert "Nothing was changed. Left Ada" in client.get("/desk/").text
        with database.read() as session:
            assert session.get_one(Booking, 1).is_live


def test_leads_without_a_call_are_marked_as_spam_and_a_person_keeps_waiting_emails(
    client, some, database, mails
):
    question = client.get(SPAM + "?lead=1&lead=8").text
    assert "Mark 2 leads as spam?" in question and "call" not in question.split("<h1>")[1]
    press(client, SPAM + "?lead=1&lead=8", SPAM, lead=["1", "8"])
    assert set(names(client, stage="lost")) == {"Robot", "Nobody&#39;s", "Lost"}
    book(client, website="x")
    (lead_id,) = re.findall(r'leads/(\d+)/"><bdi>Ada', client.get("/desk/?q=ada").text)
    press(client, "/desk/", "/desk/leads/bulk", do="release", lead=lead_id)
    assert "booking_confirmed" in {row.kind for row, _ in mails()}


def test_filters_are_saved_under_a_name_for_oneself_and_removed(client, some):
    back = "stage=lost&owner=none"
    press(client, "/desk/", "/desk/leads/views", back=back, name=" Old  ones ")
    assert f'href="/desk/?{back.replace("&", "&amp;")}"><bdi>Old ones' in client.get("/desk/").text
    press(client, "/desk/", "/desk/leads/views", back=back, remove="yes")
    assert "Old ones" not in client.get("/desk/").text
    for wrong in (
        {"back": "", "name": "zz"},
        {"back": "q=dana", "name": "zz"},
        {"back": back, "name": " "},
    ):
        press(client, "/desk/", "/desk/leads/views", **wrong)
    assert "<bdi>zz</bdi>" not in client.get("/desk/").text


def test_the_view_of_a_former_owner_still_names_them(client, some, database):
    database.write(
        lambda session: setattr(session.get_one(Member, 2), "removed_at", MONDAY_MORNING)
    )
    assert '<option value="2" selected>bob@example.com' in client.get("/desk/?owner=2").text
    assert '<option value="2"' not in client.get("/desk/").text
