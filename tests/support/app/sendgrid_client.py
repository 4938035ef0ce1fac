"""An email and a transport, for tests against the fake provider."""

from lead_service.emails.message import Attachment, EmailKind, Message
from lead_service.emails.transports.sendgrid import SendGrid
from lead_service.settings import Settings
from tests.support.fake_sendgrid import KEY

INVITE = Attachment("invite.ics", "text/calendar;method=REQUEST", b"BEGIN:VCALENDAR\r\n")
MAIL = Message(
    kind=EmailKind.BOOKING_CONFIRMED,
    to="ada@lead.test",
    to_name="Ada, of the Lovelaces; née Byron",
    subject="Your call: Monday",
    text="Hello Ada, SECRET-TEXT",
    html="<p>Hello Ada, SECRET-HTML</p>",
    reply_to="host@practice.test",
    reply_to_name="The Host",
    attachments=(INVITE,),
    thread="<call-1@practice.test>",
)


def client(url: str, seconds: float = 20, **changed) -> SendGrid:
    settings = Settings(sendgrid_api_key=KEY, sendgrid_host=url, **changed)
    return SendGrid(settings, seconds=seconds)
