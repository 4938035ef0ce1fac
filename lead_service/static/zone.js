/* Show times in the reader's own zone. Without this, the zone is chosen by hand. */
(function () {
  var select = document.getElementById("zone");
  var own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!select || !own || own === select.dataset.shown) return;
  var address = new URL(location.href);
  if (address.searchParams.has("zone")) return;
  address.searchParams.set("zone", own);
  location.replace(address);
})();
