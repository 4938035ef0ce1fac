// Show times in the reader's own zone. Without this, the zone is chosen by hand.
const { shown } = document.querySelector("script[data-shown]").dataset;
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
const address = new URL(location.href);

function swap() {
  const request = new XMLHttpRequest(); // unlike DOMParser, allowed by our policy
  request.responseType = "document";
  request.onload = () => {
    const main = request.response.querySelector("main");
    const shownMain = document.querySelector("main");
    if (!main || shownMain.contains(document.activeElement)) return; // someone is using it already
    shownMain.replaceWith(main);
    history.replaceState(null, "", address);
  };
  request.open("GET", address);
  request.send();
}

// The first paint doesn't wait for it. Until then, the page names the zone of its times.
if (own && own !== shown && !address.searchParams.has("zone")) {
  address.searchParams.set("zone", own);
  const painted = new PerformanceObserver(() => { painted.disconnect(); swap(); });
  painted.observe({ type: "paint", buffered: true });
}
