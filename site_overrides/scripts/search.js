// Search over titles, headings and descriptions. Loaded, with its index, when it is first opened.
const LIMIT = 12;
const SUBHEADINGS = 3;
let pages;
let dialog;
let cameFrom;

const fold = (text) => text.normalize("NFKD").replace(/[\p{M}’']/gu, "").toLowerCase();
const words = (text) => fold(text).split(/[^\p{L}\p{N}]+/u).filter(Boolean);
const withoutPlural = (word) => (word.length > 3 ? word.replace(/(ies|es|s)$/, "") : word);
const hasAny = (text, asked) => words(text).some((term) => asked.some((word) => term.startsWith(word)));

// A page as the terms it can be found by, each with a weight: the title counts most.
function prepare(page) {
  const fields = [[page.title, 8], [page.step, 4], [page.description, 3]];
  for (const [, heading] of page.headings) fields.push([heading, 4]);
  const terms = fields.flatMap(([text, weight]) => words(text).map((term) => [term, weight]));
  return { ...page, terms };
}

// Every word asked for must begin a word of the page; whole words count for more than beginnings.
function weigh(page, asked) {
  let total = 0;
  for (const word of asked) {
    const hits = page.terms.filter(([term]) => term.startsWith(word));
    if (!hits.length) return 0;
    const weights = hits.map(([term, weight]) => (term === word ? 1.5 * weight : weight));
    total += Math.max(...weights) + hits.length / 100;
  }
  return total;
}

// The best pages for a query, best first, each with the headings in which a word was found.
function find(query) {
  const asked = words(query).map(withoutPlural);
  if (!asked.length) return [];
  const weighed = pages.map((page) => ({ page, weight: weigh(page, asked) }));
  const best = weighed.filter(({ weight }) => weight).sort((a, b) => b.weight - a.weight);
  return best.slice(0, LIMIT).map(({ page }) => {
    const headings = page.headings.filter(([, heading]) => hasAny(heading, asked));
    return { ...page, headings: headings.slice(0, SUBHEADINGS) };
  });
}

function entry(href, title, { description = "", kind = "" } = {}) {
  const item = document.createElement("li");
  item.className = kind;
  const link = item.appendChild(document.createElement("a"));
  link.href = href;
  link.append(title);
  if (description) link.appendChild(document.createElement("span")).append(description);
  return item;
}

function summary(query, count) {
  if (!query) return "";
  if (!count) return "No results. Try another word.";
  return count === 1 ? "1 page" : `${count} pages`;
}

function show() {
  const query = dialog.querySelector("input").value.trim();
  const found = find(query);
  const entries = found.flatMap(({ url, title, description, headings }) => [
    entry(url, title, { description }),
    ...headings.map(([id, heading]) => entry(`${url}#${id}`, heading, { kind: "search-heading" })),
  ]);
  dialog.querySelector("ul").replaceChildren(...entries);
  dialog.querySelector("[role=status]").textContent = summary(query, found.length);
}

// Arrow keys walk through the field and the results; Enter in the field takes the first one.
function onKey(event) {
  const stops = [dialog.querySelector("input"), ...dialog.querySelectorAll("ul a")];
  const at = stops.indexOf(document.activeElement);
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (by) {
    event.preventDefault();
    stops[(at + by + stops.length) % stops.length].focus();
  } else if (event.key === "Enter" && at === 0) {
    event.preventDefault();
    stops[1]?.click();
  } else if (event.key === "Escape") {
    event.preventDefault(); // or the first Escape would only empty the field
    dialog.close();
  }
}

// Elements one by one: the policy lets no script turn text into HTML.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function build() {
  const field = { id: "search-field", type: "search", autocomplete: "off", spellcheck: "false" };
  const button = make("button", { class: "button quiet", type: "submit" }, "Close");
  dialog = make("dialog", { class: "search", "aria-label": "Search" },
    make("form", { method: "dialog" },
      make("label", { for: "search-field" }, "Search the site"),
      make("div", { class: "search-row" }, make("input", field), button)),
    make("p", { class: "meta", role: "status" }),
    make("ul", { class: "plain-list" }));
  dialog.querySelector("input").addEventListener("input", () => pages && show());
  dialog.addEventListener("keydown", onKey);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("ul a")) dialog.close();
  });
  dialog.addEventListener("close", () => cameFrom.focus({ preventScroll: true }));
  document.body.append(dialog);
}

export async function open() {
  if (!dialog) build();
  if (!dialog.open) {
    // After a slash nothing has the focus, and the browser would give it back to nothing.
    const focused = document.activeElement;
    cameFrom = focused === document.body ? document.querySelector(".search-open") : focused;
    dialog.showModal();
  }
  dialog.querySelector("input").focus();
  if (pages) return;
  try {
    pages = (await (await fetch("/search.json")).json()).map(prepare);
    show(); // for what was typed meanwhile
  } catch {
    const status = dialog.querySelector("[role=status]");
    const all = make("a", { href: "/insights/" }, "All articles");
    status.replaceChildren("Search could not be loaded. ", all, " are listed under Insights.");
  }
}
