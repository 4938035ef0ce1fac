// Runs before the first paint: a reader's own choice of light or dark must not flash the other.
const root = document.documentElement;
const { search } = document.currentScript.dataset;
const kept = () => { try { return localStorage.getItem("scheme"); } catch { return null; } };
if (kept()) root.dataset.scheme = kept();

const system = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (root.dataset.scheme ?? (system.matches ? "dark" : "light")) === "dark";

function drawSwitch(button) {
  button.textContent = isDark() ? "Light colors" : "Dark colors";
  button.hidden = false;
}

function switchScheme() {
  root.dataset.scheme = isDark() ? "light" : "dark";
  try { localStorage.setItem("scheme", root.dataset.scheme); } catch { /* this page only, then */ }
}

function openSearch(event) {
  event.preventDefault();
  import(search).then((module) => module.open());
}

addEventListener("DOMContentLoaded", () => {
  const button = document.querySelector(".scheme");
  if (button) {
    drawSwitch(button);
    button.addEventListener("click", () => { switchScheme(); drawSwitch(button); });
    system.addEventListener("change", () => drawSwitch(button));
  }
  document.querySelector(".search-open")?.addEventListener("click", openSearch);
});

addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, dialog");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) openSearch(event);
});
