"""The headers of every response, and the rules by which the built site is served.

The service follows these rules, and the site's build writes the same ones out for static
hosts and nginx, so every server sends the same headers. The build doesn't depend on a web
framework, so nothing here imports one.
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
        "require-trusted-types-for 'script'",  # scripts cannot turn text into HTML or code
        "trusted-types 'none'",
        "report-to csp",
        f"report-uri {CSP_REPORTS}",  # for browsers without Reporting-Endpoints
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

# The headers that styles, scripts, pictures and fonts need.
OF_FILES = ("X-Content-Type-Options", "Cross-Origin-Resource-Policy", "Strict-Transport-Security")

KEPT = ("/assets/", STATIC_PREFIX)  # file names in these folders contain a hash of the content
KEPT_FOR_A_YEAR = f"max-age={365 * 24 * 60 * 60}, public, immutable"
HOST_HEADERS, HOST_REDIRECTS, HASHES = "_headers", "_redirects", "headers.json"
FOR_NGINX = tuple(f"_nginx/{name}.conf" for name in ("name", "headers", "files", "places"))
# The service extends 200.html and answers with the others; all of these are for servers.
PAGES = ("200.html", "404.html", "503.html")
UNSERVED = (*PAGES, HOST_HEADERS, HOST_REDIRECTS, HASHES, *FOR_NGINX)
# Browsers prefetch pages that a reader is about to open (HTML, 7.6.3).
AHEAD = {"Speculation-Rules": '"/speculation.json"'}
TYPES = {
    "speculation.json": "application/speculationrules+json",
    "feed.xml": "application/atom+xml",
    "site.webmanifest": "application/manifest+json",
    "framework.yml": "application/yaml",  # RFC 9512
    "calls.yml": "application/yaml",
}


def headers_for(*, https: bool) -> dict[str, str]:
    """Return the headers of every response, for a site under http or https."""
    return HEADERS | ({"Strict-Transport-Security": STRICT_TRANSPORT} if https else {})


def rules(
    hardening: Mapping[str, str], hashes: Mapping[str, Iterable[str]]
) -> dict[str, dict[str, str]]:
    """Return the static site's headers by path, in the form of a `_headers` file."""
    return {
        "/*": for_pages(hardening, hashes) | AHEAD,
        **{f"{folder}*": {"Cache-Control": KEPT_FOR_A_YEAR} for folder in KEPT},
        **{f"/{name}": {"Content-Type": kind} for name, kind in TYPES.items()},
    }


def for_pages(hardening: Mapping[str, str], hashes: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Allow the inline blocks of the build, by their hashes, in the content security policy."""
    policy = hardening["Content-Security-Policy"]
    for directive, sources in hashes.items():
        policy = policy.replace(f"{directive} 'self'", " ".join((directive, "'self'", *sources)))
    return {**hardening, "Content-Security-Policy": policy}
