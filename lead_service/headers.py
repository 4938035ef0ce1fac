"""The headers of every answer, and the rules by which the built site is served.

They stand here once. The service serves by them, and the site's build writes them out for static
hosts and nginx, so that it makes no difference who serves a page. The build has no need of a web
framework for that, so nothing here imports one.
"""

from collections.abc import Iterable, Mapping

STATIC_PREFIX = "/static/"

CSP_REPORTS = "/hooks/csp"
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",  # no text of anyone becomes HTML or script
        "trusted-types 'none'",
        "report-to csp",
        f"report-uri {CSP_REPORTS}",  # for browsers that do not know the other
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Reporting-Endpoints": f'csp="{CSP_REPORTS}"',
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
STRICT_TRANSPORT = "max-age=31536000; includeSubDomains"

# What a style, a script, a picture or a font needs of them: it is no page.
OF_FILES = ("X-Content-Type-Options", "Cross-Origin-Resource-Policy", "Strict-Transport-Security")

KEPT = ("/assets/", STATIC_PREFIX)  # names there hold a hash of the content
KEPT_FOR_A_YEAR = f"max-age={365 * 24 * 60 * 60}, public, immutable"
HOST_HEADERS, HOST_REDIRECTS, HASHES = "_headers", "_redirects", "headers.json"
FOR_NGINX = tuple(f"_nginx/{name}.conf" for name in ("name", "headers", "places"))
# The service wears one page and answers with another; the rest is for servers, not readers.
PAGES = ("200.html", "404.html", "503.html")
UNSERVED = (*PAGES, HOST_HEADERS, HOST_REDIRECTS, HASHES, *FOR_NGINX)
# Pages that a reader is about to open are fetched ahead (HTML, 7.6.3).
AHEAD = {"Speculation-Rules": '"/speculation.json"'}
TYPES = {
    "speculation.json": "application/speculationrules+json",
    "feed.xml": "application/atom+xml",
    "site.webmanifest": "application/manifest+json",
    "framework.yml": "application/yaml",  # RFC 9512
    "calls.yml": "application/yaml",
}


def headers_for(*, https: bool) -> dict[str, str]:
    """Return the headers that every answer carries, of a site under http or https."""
    return HEADERS | ({"Strict-Transport-Security": STRICT_TRANSPORT} if https else {})


def rules(
    hardening: Mapping[str, str], hashes: Mapping[str, Iterable[str]]
) -> dict[str, dict[str, str]]:
    """Return the headers of the static site by path, as hosts that read `_headers` take them."""
    return {
        "/*": for_pages(hardening, hashes) | AHEAD,
        f"{KEPT[0]}*": {"Cache-Control": KEPT_FOR_A_YEAR},
        **{f"/{name}": {"Content-Type": kind} for name, kind in TYPES.items()},
    }


def for_pages(hardening: Mapping[str, str], hashes: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Let the policy also allow the inline blocks whose hashes the build has written."""
    policy = hardening["Content-Security-Policy"]
    for directive, sources in hashes.items():
        policy = policy.replace(f"{directive} 'self'", " ".join((directive, "'self'", *sources)))
    return {**hardening, "Content-Security-Policy": policy}
