/* Show times in the reader's own zone. Without this, the zone is chosen by hand. */
(function () {
  var shown = document.currentScript.dataset.shown;
  var own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  var address = new URL(location.href);
  if (!own || own === shown || address.searchParams.has("zone")) return;
  address.searchParams.set("zone", own);
  location.replace(address);
})();
