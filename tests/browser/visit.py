"""One page, open in a browser that notes what no page may do."""

from dataclasses import dataclass, field

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Response

from tests.browser.places import Place


@dataclass
class Visit:
    """A page that is open, the document as it came, and what went wrong on the way."""

    page: Page
    place: Place
    origin: str
    documents: list[Response] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def response(self) -> Response:
        return self.documents[-1]

    def listen(self, context: BrowserContext) -> None:
        """Note whatever no page may do: ask another host, log an error, raise one."""
        context.on("request", lambda request: self._note_request(request.url))
        context.on("console", self._note_message)
        context.on("weberror", lambda raised: self.faults.append(f"raised: {raised.error}"))
        self.page.on("response", self._note_document)

    def _note_request(self, url: str) -> None:
        if not url.startswith((self.origin + "/", "data:")):
            self.faults.append(f"asked another host: {url}")

    def _note_message(self, message: ConsoleMessage) -> None:
        """Violations of the policy are errors too; that a page itself is a 404 is none."""
        itself = {document.url for document in self.documents}
        is_status = "Failed to load resource" in message.text and message.location["url"] in itself
        if message.type == "error" and not is_status:
            self.faults.append(f"logged: {message.text}")

    def _note_document(self, response: Response) -> None:
        request = response.request
        if request.is_navigation_request() and request.redirected_to is None:
            self.documents.append(response)
