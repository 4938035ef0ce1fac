// Show times in the reader's own zone. Without this, the zone is chosen by hand.
const { shown } = document.querySelector("script[data-shown]").dataset;
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
const address = new URL(location.href);
if (own && own !== shown && !address.searchParams.has("zone")) {
  address.searchParams.set("zone", own);
  location.replace(address);
}
