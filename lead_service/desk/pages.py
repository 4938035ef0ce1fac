"""Import all modules of the desk's pages, which register their routes on `blueprint`."""

from .auth import passkey_sign_in, sign_in
from .blueprint import blueprint
from .calls import book_page, change_pages, invite_again_page, list_pages
from .funnel import funnel_page
from .hosts import (
    calendar_pages,
    date_pages,
    holiday_pages,
    overview,
    profile_pages,
    taking_calls_page,
    unavailable_page,
)
from .leads import (
    bulk_actions,
    email_page,
    exports,
    inbox,
    lead_page,
    new_lead_page,
    saved_views,
    spam_page,
)
from .mail import outbox_page
from .privacy import privacy_page
from .search import search_page
from .team import audit_log_page, passkey_page, team_page
