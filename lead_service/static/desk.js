// The desk's keyboard shortcuts, listed on their own page. Everything works without them.
const OFF = "desk-keys-off";
const places = { l: "/desk/", c: "/desk/calls/", a: "/desk/availability/", e: "/desk/outbox/", f: "/desk/funnel/", t: "/desk/team/" };
const rows = [...document.querySelectorAll("main .desk-open, .desk-what > a")];
let isGoing = false;

const isOff = () => { try { return localStorage.getItem(OFF) !== null; } catch { return false; } };
const here = () => rows.findIndex((row) => row.closest("tr, li")?.contains(document.activeElement));

function move(step) {
  const next = rows[Math.min(Math.max(here() + step, 0), rows.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

const keys = {
  "/": () => document.querySelector("#find").select(),
  j: () => move(1),
  k: () => move(here() < 0 ? 1 : -1),
  x: () => rows[here()]?.closest("tr, li").querySelector("input[type=checkbox]")?.click(),
  n: () => location.assign("/desk/leads/new/"),
  "?": () => location.assign("/desk/keys/"),
};

addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.id === "find") event.target.blur();
  const isTyping = event.target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || isOff()) return;
  const act = isGoing ? places[event.key] && (() => location.assign(places[event.key])) : keys[event.key];
  isGoing = event.key === "g" && !isGoing;
  if (!act) return;
  event.preventDefault();
  event.stopImmediatePropagation();  // the site's own search is for articles
  act();
}, true);

// One box selects every row.
const all = document.querySelector("[data-all]");
const boxes = [...document.querySelectorAll("tbody input[name=lead]")];
if (all && boxes.length) {
  all.hidden = false;
  all.querySelector("input").addEventListener("change", ({ target }) => {
    for (const box of boxes) box.checked = target.checked;
  });
}

const toggle = document.querySelector("[data-keys]");
if (toggle) {
  const show = () => { toggle.textContent = isOff() ? "Turn on keyboard shortcuts" : "Turn off keyboard shortcuts"; };
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    try { if (isOff()) localStorage.removeItem(OFF); else localStorage.setItem(OFF, "1"); } catch { /* they stay on */ }
    show();
  });
  show();
}
