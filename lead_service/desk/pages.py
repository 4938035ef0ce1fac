"""Import all modules of the desk's pages, which register their routes on `blueprint`."""

from . import funnel_page, privacy_page, search_page
from .auth import sign_in
from .blueprint import blueprint
from .calls import book_page, change_pages, list_pages
from .hosts import calendar_pages, date_pages, overview, profile_pages
from .leads import bulk_actions, exports, inbox, lead_page
from .mail import outbox_page
from .team import audit_log_page, team_page
