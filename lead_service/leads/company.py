"""Find the company of an email address, by its domain. Pure."""

# fmt: off
# Providers of public mailboxes, under any top-level domain.
FREE_NAMES = frozenset((
    "gmail", "googlemail", "yahoo", "ymail", "rocketmail", "outlook", "hotmail", "live", "msn",
    "icloud", "aol", "gmx", "yandex", "proton", "protonmail", "tutanota", "zoho", "fastmail",
    "mailbox", "naver",
))
FREE_DOMAINS = frozenset((
    "me.com", "mac.com", "mail.com", "email.com", "hey.com", "pm.me", "web.de", "t-online.de",
    "freenet.de", "arcor.de", "posteo.de", "online.de", "free.fr", "orange.fr", "wanadoo.fr",
    "laposte.net", "sfr.fr", "libero.it", "virgilio.it", "tiscali.it", "wp.pl", "o2.pl",
    "onet.pl", "interia.pl", "seznam.cz", "centrum.cz", "bluewin.ch", "hispeed.ch", "mail.ru",
    "bk.ru", "inbox.ru", "list.ru", "rambler.ru", "qq.com", "163.com", "126.com", "sina.com",
    "hanmail.net", "daum.net", "rediffmail.com", "comcast.net", "att.net", "verizon.net",
    "sbcglobal.net", "bellsouth.net", "cox.net", "charter.net", "earthlink.net", "btinternet.com",
    "sky.com", "virginmedia.com", "ntlworld.com", "bigpond.com", "optusnet.com.au", "uol.com.br",
    "bol.com.br", "terra.com.br", "shaw.ca", "rogers.com", "telenet.be", "skynet.be", "ziggo.nl",
    "kpnmail.nl", "home.nl", "telia.com", "example.com", "example.org", "example.net",
))
# Labels below which companies register their domains in a country: acme.co.uk.
SECOND_LEVELS = frozenset((
    "ac", "asn", "asso", "co", "com", "edu", "go", "gob", "gouv", "gov", "govt", "gv", "id", "lg",
    "ltd", "mil", "ne", "net", "nhs", "or", "org", "plc", "sch", "school",
))
SHARED = frozenset(("onmicrosoft.com",))  # companies have a subdomain of these
# fmt: on


def company_domain(address: str) -> str:
    """Return the domain of a company; empty for a provider of public mailboxes.

    Departments share their company's domain: eu.acme.com belongs to acme.com.
    """
    domain = registered(address.rpartition("@")[2].lower())
    is_free = domain in FREE_DOMAINS or domain.partition(".")[0] in FREE_NAMES
    return "" if is_free else domain


def registered(domain: str) -> str:
    """Return the registered part of a domain, without its owner's subdomains."""
    labels = domain.split(".")
    is_below = len(labels[-1]) == 2 and labels[-2:-1] and labels[-2] in SECOND_LEVELS
    return ".".join(labels[-3 if is_below or ".".join(labels[-2:]) in SHARED else -2 :])
