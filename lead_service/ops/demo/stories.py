"""The made-up people and what happened to each, told by days and hours relative to the present.

All addresses are at domains that nobody can have (RFC 2606). A day of a call is counted from the
present: -3 is three days ago.
"""

from dataclasses import dataclass

from ...book.models import CallOutcome
from .acts import (
    Story,
    ask_for_result,
    assess,
    book,
    cancel,
    come_too_late,
    correct_address,
    edit,
    give,
    mark,
    move,
    note,
    release,
    share,
    step,
    write,
)

TEAM = "desk@example.org"  # where the made-up team is told of leads
CALL_OVER = None  # in the place of the hours since the last step
HELD, NO_SHOW = CallOutcome.HELD, CallOutcome.NO_SHOW
BERLIN, LONDON, PACIFIC = "Europe/Berlin", "Europe/London", "America/Los_Angeles"


@dataclass(frozen=True)
class Colleague:
    """A member of the desk; with a zone, also a host."""

    key: str
    name: str
    email: str
    zone: str = ""
    hours: tuple[str, ...] = ()  # of each weekday, Monday first
    country: str = ""
    region: str = ""
    meeting_link: str = ""
    since: int = 60  # days ago


COLLEAGUES = (
    Colleague(
        *("nora", "Nora Field", "nora.field@example.com"),
        "America/New_York",
        ("9:00-17:00",) * 5,
        *("US", "NY"),
        "https://meet.example.com/nora-field",
    ),
    Colleague(
        *("jonas", "Jonas Berg", "jonas.berg@example.com"),
        BERLIN,
        (*("9:00-17:00",) * 4, "9:00-13:00"),
        *("DE", "BE"),
        "https://meet.example.com/jonas-berg",
    ),
    Colleague(
        *("priya", "Priya Raman", "priya.raman@example.com"),
        PACIFIC,
        ("8:30-16:00",) * 5,
        *("US", "CA"),
    ),
    Colleague("sam", "Sam Okafor", "sam.okafor@example.com"),
    Colleague("lena", "Lena Ortiz", "lena.ortiz@example.com", since=6),
)

# Where a visitor stopped who left no address: days ago, article, answers, the first step not done.
STRANGERS = (
    (24.0, "founding", "10 11 10 00 01 00", "transform"),
    (22.0, "organize", "21 11 22 11 10 11", "clarify"),
    (19.0, "", "33 22 21 22 12 11", "nurture"),
    (17.0, "clarify", "12 01 11 11 11 01", "implement"),
    (15.0, "founding", "22 21 11 12 00 11", ""),
    (12.0, "assess", "01 11 11 11 11 01", "clarify"),
    (10.0, "implement", "22 22 12 00 11 11", "organize"),
    (8.0, "founding", "11 00 11 11 11 11", "transform"),
    (5.0, "nurture", "33 32 22 22 22 01", ""),
    (3.0, "clarify", "11 10 11 11 11 11", "transform"),
    (1.0, "organize", "22 22 21 22 00 11", "nurture"),
    (0.04, "founding", "12 11 11 11 11 11", "transform"),
)

STORIES = (
    Story(
        *(55, "Dana Whitfield", "dana.whitfield@example.com", "Harborline Freight"),
        *("+1 555 0101", "America/New_York", "founding"),
        steps=(
            step(0, assess, levels="22 00 12 21 11 10"),
            step(0.1, ask_for_result),
            step(0.2, share),
            step(0.3, book, host="nora", on=-49, topic="The pilot worked. Who funds the rollout?"),
            step(2, edit, by="nora", owner="nora", stage="contacted"),
            step(CALL_OVER, mark, result=HELD, by="nora"),
            step(0.2, note, by="nora", text="Needs a baseline before the board meets."),
            step(0.1, edit, by="nora", stage="qualified", next_action="Send the outline", due=-42),
            step(144, edit, by="nora", stage="won", next_action="Plan the kickoff", due=2),
        ),
    ),
    Story(
        *(53, "Marcus Oyelaran", "marcus.oyelaran@example.net", "Northgate Utilities"),
        *("+1 555 0102", "America/Chicago"),
        steps=(
            step(0, write, text="Do you work with regulated utilities? We have two pilots."),
            step(20, edit, by="sam", owner="sam", stage="contacted"),
            step(312, edit, by="sam", stage="lost"),
            step(0.1, note, by="sam", text="They hire for this themselves. Ask again next year."),
        ),
        emails={"new_lead": "dead"},
    ),
    Story(
        *(50, "Ingrid Solheim", "ingrid.solheim@example.org", "Fjordlys Energy"),
        *("+47 555 0103", "Europe/Oslo", "organize"),
        steps=(
            step(0, assess, levels="32 22 22 22 00 21"),
            step(0.1, book, host="jonas", on=-44, topic="Our field crews ignore the new tool."),
            step(23, edit, by="jonas", owner="jonas", stage="contacted"),
            step(CALL_OVER, mark, result=HELD, by="jonas"),
            step(0.5, edit, by="jonas", stage="qualified"),
            step(408, edit, by="jonas", stage="won"),
        ),
        emails={"booking_for_host": "processed"},
    ),
    Story(
        *(48, "Calvin Brooks", "calvin.brooks@example.com", "Brooks & Daughters Foods"),
        *("", "America/New_York", "clarify"),
        steps=(
            step(0, assess, levels="11 10 11 11 11 00"),
            step(0.1, ask_for_result, may_contact=False),
            step(48, edit, by="sam", owner="sam", stage="contacted"),
            step(192, edit, by="sam", stage="lost"),
        ),
        emails={"result": "reported"},
    ),
    Story(
        *(45, "Mei-Ling Tan", "meiling.tan@example.net", "Straits Cargo"),
        *("+65 555 0105", "Asia/Singapore", "transform"),
        steps=(
            step(0, assess, levels="22 32 00 22 22 21"),
            step(0.2, book, host="priya", on=-38, topic="Who may say no to a use case?"),
            step(20, give, to="nora", by="priya", note="Nora knows your industry."),
            step(CALL_OVER, mark, result=HELD, by="nora"),
            step(1, edit, by="nora", owner="nora", stage="qualified"),
            step(0.1, edit, by="nora", next_action="Review the governance draft", due=-1),
        ),
        emails={"booking_reminder": "expired"},
    ),
    Story(
        *(42, "Tomás Herrera", "tomas.herrera@example.org", "Altavista Clinics"),
        *("+1 555 0106", "America/Denver", "founding"),
        steps=(
            step(0, assess, levels="10 12 12 11 21 11"),
            step(0.1, book, host="nora", on=-36),
            step(CALL_OVER, mark, result=NO_SHOW, by="nora"),
            step(3, edit, by="nora", owner="sam", next_action="Offer another time", due=-30),
            step(42, book, host="nora", on=-30, hour=14),
            step(CALL_OVER, mark, result=HELD, by="nora"),
            step(2, edit, by="sam", stage="qualified", next_action="Send references", due=3),
        ),
    ),
    Story(
        *(40, "Priscilla Vance", "priscilla.vance@example.com", "Vance Insurance Group"),
        *("+1 555 0107",),
        steps=(
            step(0, write, text="Please call our office about a readiness assessment."),
            step(5, edit, by="sam", owner="sam", stage="contacted", phone="+1 555 0177"),
            step(96, edit, by="sam", stage="lost"),
        ),
        emails={"new_lead": "failed"},
    ),
    Story(
        *(38, "Henrik Falk", "henrik.falk@example.net", "Falk Papier"),
        *("+49 555 0108", BERLIN, "implement"),
        steps=(
            step(0, assess, levels="32 33 32 00 33 22"),
            step(0.1, ask_for_result),
            step(0.2, book, host="jonas", on=-33, topic="The data is hand-tuned for one mill."),
            step(10, move, on=-31, hour=14),
            step(CALL_OVER, mark, result=NO_SHOW, by="jonas"),
            step(0.1, mark, result=None, by="jonas"),
            step(0.1, mark, result=HELD, by="jonas"),
            step(1, edit, by="jonas", owner="jonas", stage="qualified"),
            step(96, edit, by="jonas", stage="won"),
        ),
    ),
    Story(
        *(35, "Aisha Rahman", "aisha.rahman@example.org", "Crescent Logistics"),
        *("+44 555 0109", LONDON, "nurture"),
        steps=(
            step(0, assess, levels="33 33 32 32 33 00"),
            step(0.1, ask_for_result),
            step(48, edit, by="jonas", owner="jonas", stage="contacted"),
            step(0.1, edit, by="jonas", next_action="Send the article on benefits", due=-28),
        ),
    ),
    Story(
        *(33, "Owen Gallagher", "owen.gallagher@example.com", "Gallagher Rail"),
        *("+1 555 0110", "America/New_York", "assess"),
        steps=(
            step(0, assess, levels="00 12 11 11 11 11"),
            step(0.1, book, host="nora", on=-28, topic="Nobody knows how good our data is."),
            step(CALL_OVER, mark, result=HELD, by="nora"),
            step(1, edit, by="nora", owner="nora", stage="qualified"),
            step(96, note, by="nora", text="Budget owner is the COO. Wants a price by June."),
            step(192, edit, by="nora", stage="won"),
        ),
    ),
    Story(
        *(30, "Lucille Armand", "lucille.armand@example.net", "Armand Cosmetics"),
        *("+33 555 0111", "Europe/Paris", "organize"),
        steps=(
            step(0, assess, levels="22 21 22 11 01 11"),
            step(0.1, ask_for_result),
            step(0.1, book, host="jonas", on=-24, hour=15),
            step(23, cancel),
            step(48, edit, by="sam", owner="sam", stage="lost"),
        ),
    ),
    Story(
        *(28, "Best Ranking Offers", "offers@example.net", "Ranking Offers"),
        steps=(step(0, write, text="We put your site on page one of every search.", suspect=True),),
    ),
    Story(
        *(26, "Gordon Pike", "gordon.pike@example.com", "Pike Marine Supply"),
        *("+1 555 0113", PACIFIC, "founding"),
        steps=(
            step(0, assess, levels="12 01 11 10 11 10"),
            step(0.1, ask_for_result),
            step(0.1, book, host="priya", on=-20, topic="One warehouse loves it. Six do not."),
            step(CALL_OVER, mark, result=HELD, by="priya"),
            step(1, edit, by="priya", owner="priya", stage="qualified"),
            step(0.1, edit, by="priya", next_action="Draft the baseline metric", due=0),
        ),
    ),
    Story(
        *(23, "Yuki Tanabe", "yuki.tanabe@example.org", "Tanabe Optics"),
        *("+81 555 0114", "Asia/Tokyo", "clarify"),
        steps=(
            step(0, assess, levels="22 10 22 22 22 21"),
            step(0.1, book, host="priya", on=-17, hour=14),
            step(CALL_OVER, mark, result=HELD, by="priya"),
            step(3, edit, by="priya", owner="priya", stage="contacted", company="Tanabe Optical"),
        ),
    ),
    Story(
        *(21, "Femi Adeyemi", "femi.adeyemi@example.com", "Lagoon Telecom"),
        *("+1 555 0115", LONDON, "transform"),
        steps=(
            step(0, assess, levels="22 22 01 22 21 22"),
            step(0.1, book, host="jonas", on=-15, topic="Five committees, no decision."),
            step(20, move, on=-13, hour=11, by="jonas", note="A conflict on my side. I am sorry."),
            step(CALL_OVER, mark, result=HELD, by="jonas"),
            step(2, edit, by="jonas", owner="jonas", stage="qualified"),
            step(0.1, edit, by="jonas", next_action="Meet the sponsor", due=5),
        ),
    ),
    Story(
        *(18, "Rosa Delgado", "rosa.delgado@example.net", "Delgado Home Health"),
        *("+1 555 0116", "America/Chicago"),
        steps=(
            step(0, write, text="Can you speak at our leadership day in the spring?"),
            step(24, edit, by="sam", owner="sam", stage="contacted"),
            step(0.1, edit, by="sam", next_action="Ask for the date", due=1),
        ),
    ),
    Story(
        *(16, "Walter Nkemelu", "walter.nkemelu@example.org", "Ridgeback Mining"),
        *("+1 555 0117", "America/Denver", "implement"),
        steps=(
            step(0, assess, levels="22 22 11 01 22 11"),
            step(0.1, book, host="nora", on=-9, topic="The demo never met our own data."),
            step(CALL_OVER, mark, result=NO_SHOW, by="nora"),
            step(2, edit, by="nora", owner="nora", stage="contacted"),
        ),
    ),
    Story(
        *(14, "Hannah Weiss", "hannah.weiss@example.com", "Weiss Textil"),
        *("+49 555 0118", BERLIN, "founding"),
        steps=(
            step(0, assess, levels="33 33 33 33 33 33"),
            step(0.1, ask_for_result),
        ),
        emails={"result": "dropped"},
    ),
    Story(
        *(12, "Auto Filler", "auto.filler@example.net"),
        steps=(
            step(0, assess, levels="00 00 00 00 00 00"),
            step(0.1, ask_for_result, suspect=True),
        ),
    ),
    Story(
        *(11, "Simone Achterberg", "simone.achterberg@example.org", "Delta Waterworks"),
        *("+31 555 0120", "Europe/Amsterdam", "organize"),
        steps=(
            step(0, assess, levels="22 22 22 32 10 22"),
            step(0.1, book, host="jonas", on=3, topic="How do we bring the crews in?"),
            step(5, edit, by="jonas", owner="jonas", stage="contacted"),
        ),
    ),
    Story(
        *(9, "Elliot Marsh", "elliot.marsh@example.com", "Marsh Data Centers"),
        *("+1 555 0121", "America/New_York", "assess"),
        steps=(
            step(0, assess, levels="01 22 21 22 22 22"),
            step(0.1, book, host="nora", on=2, hour=11, suspect=True),
            step(4, release, by="sam"),
            step(0.1, note, by="sam", text="A person: a password manager filled in the form."),
        ),
    ),
    Story(
        *(8, "Nadia Petrova", "nadia.petrova@example.com", "Petrova Packaging"),
        *("+1 555 0130", "America/New_York", "founding"),
        steps=(
            step(0, assess, levels="11 11 10 21 11 11"),
            step(0.1, book, host="nora", on=-4, hour=13, topic="Two pilots, one budget."),
        ),
    ),
    Story(
        *(7, "Beatriz Lourenço", "b.lourenco@example.net", "Lourenço Ceramics"),
        *("+351 555 0122", "Europe/Lisbon", "clarify"),
        steps=(
            step(0, assess, levels="21 01 22 22 22 22"),
            step(0.1, book, host="jonas", on=4, hour=15, topic="Which use case comes first?"),
            step(0.2, correct_address, email="beatriz.lourenco@example.net"),
            step(20, edit, by="sam", owner="jonas"),
        ),
    ),
    Story(
        *(6, "Ken Abara", "ken.abara@example.org", "Abara Logistics"),
        *("+1 555 0123", "America/New_York", "founding"),
        steps=(
            step(0, assess, levels="12 11 11 11 00 11"),
            step(0.1, come_too_late, host="nora", topic="Next week would be best for us."),
            step(20, edit, by="sam", owner="sam", next_action="Offer two times", due=0),
        ),
    ),
    Story(
        *(4, "Clara Jensen", "clara.jensen@example.com", "Jensen Robotics"),
        *("+45 555 0124", "Europe/Copenhagen", "implement"),
        steps=(
            step(0, assess, levels="32 22 33 01 12 22"),
            step(0.1, ask_for_result),
            step(24, assess, levels="33 32 33 01 32 21"),
            step(0.1, book, host="nora", on=5, hour=9, topic="Two people keep the data flowing."),
            step(20, move, on=8, hour=10),
        ),
    ),
    Story(
        *(3, "Victor Amsel", "victor.amsel@example.net", "Amsel Verlag"),
        *("+49 555 0125", BERLIN, "nurture"),
        steps=(
            step(0, assess, levels="32 33 22 32 33 01"),
            step(0.1, book, host="priya", on=6, topic="Usage fell after the launch."),
        ),
        emails={"booking_confirmed": "bounced"},
    ),
    Story(
        *(2, "Naomi Feld", "naomi.feld@example.org", "Feld Engineering"),
        *("+1 555 0126", "America/New_York", "organize"),
        steps=(
            step(0, assess, levels="22 22 12 22 01 12"),
            step(0.1, book, host="priya", on=7, hour=13),
            step(8, cancel, by="priya", note="We will suggest another day. I am sorry."),
        ),
        emails={"booking_cancelled": "deferred"},
    ),
    Story(
        *(1, "Call Center Deals", "deals@example.org"),
        *("", "+1 555 0199", PACIFIC),
        steps=(step(0, book, host="nora", on=12, suspect=True),),
    ),
    Story(
        *(0.1, "Grace Holloway", "grace.holloway@example.com", "Holloway Retail"),
        *("+1 555 0128", "America/Chicago", "founding"),
        steps=(
            step(0, assess, levels="11 00 11 11 10 00"),
            step(0.1, ask_for_result),
            step(0.1, share),
            step(0.1, book, host="nora", on=9, hour=14, topic="We have eleven pilots."),
            step(0.2, note, by="sam", text="Asks which pilot to fund first."),
        ),
        emails={"new_lead": "sent"},
    ),
    Story(
        *(0.003, "Peter Quist", "peter.quist@example.net", "Quist Partners"),
        *("+1 555 0129", PACIFIC),
        steps=(step(0, write, text="Do you take on work outside the United States?"),),
        emails={"new_lead": "sending"},
    ),
)
