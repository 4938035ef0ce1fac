// Runs before the first paint: a reader's own choice of light or dark must not flash the other.
// In a block, so that none of these names is in the way of another script.
{
  const root = document.documentElement;
  const { search } = document.currentScript.dataset;
  const system = matchMedia("(prefers-color-scheme: dark)");

  // Storage may be forbidden; the choice then lasts for one page.
  const recall = () => { try { return localStorage.getItem("scheme"); } catch { return null; } };
  const keep = (scheme) => { try { localStorage.setItem("scheme", scheme); } catch { /* see above */ } };

  const chosen = recall();
  if (chosen === "light" || chosen === "dark") root.dataset.scheme = chosen;

  const isDark = () => (root.dataset.scheme ?? (system.matches ? "dark" : "light")) === "dark";

  const offerOther = (button) => {
    button.textContent = isDark() ? "Light colors" : "Dark colors";
    button.hidden = false;
  };

  const switchScheme = (button) => {
    root.dataset.scheme = isDark() ? "light" : "dark";
    keep(root.dataset.scheme);
    offerOther(button);
  };

  const openSearch = (event) => {
    event.preventDefault();
    import(search).then((module) => module.open(), () => location.assign("/insights/"));
  };

  addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector(".scheme");
    offerOther(button);
    button.addEventListener("click", () => switchScheme(button));
    system.addEventListener("change", () => offerOther(button));
    document.querySelector(".search-open").addEventListener("click", openSearch);
  });

  addEventListener("keydown", (event) => {
    const isTyping = event.target.closest?.("input, textarea, select, dialog");
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.key === "/" && isPlain && !isTyping) openSearch(event);
  });
}
