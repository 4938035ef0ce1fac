"""Audit one page in a browser, and record errors and requests to other hosts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import (
    ConsoleMessage,
    Page,
    Request,
    Response,
    WebError,
)

from tests.support.browser.pages import Place


@dataclass
class Visit:
    """An open page, its document as received, and its errors."""

    page: Page
    place: Place
    origin: str
    documents: list[Response] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def response(self) -> Response:
        return self.documents[-1]

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Record requests to other hosts, and logged and raised errors."""
        heard: list[tuple[Any, str, Callable]] = [
            (self.page.context, "request", self._note_request),
            (self.page.context, "console", self._note_message),
            (self.page.context, "weberror", self._note_error),
            (self.page, "response", self._note_document),
        ]
        for source, event, note in heard:
            source.on(event, note)
        yield
        for source, event, note in heard:
            source.remove_listener(event, note)

    def _note_request(self, request: Request) -> None:
        if not request.url.startswith((self.origin + "/", "data:")):
            self.faults.append(f"asked another host: {request.url}")

    def _note_error(self, raised: WebError) -> None:
        self.faults.append(f"raised: {raised.error}")

    def _note_message(self, message: ConsoleMessage) -> None:
        """Policy violations are errors, too; a page's own 404 is not."""
        itself = {document.url for document in self.documents}
        is_status = "Failed to load resource" in message.text and message.location["url"] in itself
        if message.type == "error" and not is_status:
            self.faults.append(f"logged: {message.text}")

    def _note_document(self, response: Response) -> None:
        request = response.request
        is_page = request.is_navigation_request() and request.frame == self.page.main_frame
        if is_page and request.redirected_to is None:
            self.documents.append(response)
