// Stands in every page and runs before the first paint, so it does only what cannot wait.
{
  const root = document.documentElement;
  const { site, search } = document.currentScript.dataset;

  // A reader's own choice of light or dark must not flash the other. Storage may be forbidden.
  try {
    const { scheme } = localStorage;
    if (scheme === "light" || scheme === "dark") root.dataset.scheme = scheme;
  } catch {}

  // Search is a link to the list of articles until it is opened, by that link or by a slash.
  const openSearch = (event) => {
    event.preventDefault();
    import(search).then((module) => module.open(), () => location.assign("/insights/"));
  };
  addEventListener("click", (event) => {
    if (event.target.closest(".search-open")) openSearch(event);
  });
  addEventListener("keydown", (event) => {
    const isTyping = event.target.closest?.("input, textarea, select, dialog");
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.key === "/" && isPlain && !isTyping) openSearch(event);
  });

  // Everything else comes after the first paint, or with the page if there is none to wait for.
  const later = () => import(site);
  new PerformanceObserver(later).observe({ type: "paint", buffered: true });
  addEventListener("load", () => setTimeout(later, 1000));
}
