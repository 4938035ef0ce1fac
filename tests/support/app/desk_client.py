"""Act as a member of the sales team, for the tests of the desk."""

import secrets

from flask import session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from sqlalchemy.orm import Session

from lead_service import clock
from lead_service.desk.auth import links, sessions
from lead_service.desk.blueprint import COOKIE

from .visitor_forms import hidden

MEMBER = "Ann@Example.com"
HERE = "http://127.0.0.1:8000/"
FIELD = "csrf_token"


def path_of_link(database, settings, address: str = MEMBER) -> str:
    """Return the path of a new sign-in link from the command line."""
    link = links.make_link(database, settings, address, clock.now())
    return link.removeprefix(settings.public_url.rstrip("/"))


def press(client: FlaskClient, page: str, action: str | None = None, **fields: str):
    """Send a form of a page, with its token, to `action` or to the page itself.

    The page is opened only where the session has no token yet: that takes as long as sending it.
    """
    token = _token(client) or hidden(client.get(page).text, "csrf_token")
    return client.post(action or page, data={"csrf_token": token} | fields)


def _token(client: FlaskClient) -> str:
    """Return what the forms of this browser's session hold, or "" if it has opened none."""
    app = client.application
    address = app.extensions["lead_service"].settings.public_url
    with client.session_transaction(base_url=address) as cookie:
        own = cookie.get(FIELD)
    if not own:
        return ""
    with app.test_request_context():
        session[FIELD] = own
        return generate_csrf()


def sign_in(client: FlaskClient, database, settings, address: str = MEMBER) -> None:
    """Sign a member in directly, in a tenth of the time of using a link."""
    token = path_of_link(database, settings, address).split("/")[-2]

    def use(session: Session) -> str:
        member = links.claim(session, token, clock.now())
        assert member
        return sessions.start_session(session, member, clock.now())

    id = database.write(use)
    with client.session_transaction(base_url=settings.public_url) as cookie:
        cookie.clear()
        cookie[COOKIE] = id
        cookie[FIELD] = secrets.token_hex()
