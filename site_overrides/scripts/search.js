// Search over titles, headings and descriptions. Loaded, with its index, when it is first opened.
const LIMIT = 12;
let pages;
let dialog;

const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").replace(/[’']/g, "").toLowerCase();
const words = (text) => fold(text).split(/[^\p{L}\p{N}]+/u).filter(Boolean);
const stem = (word) => (word.length > 3 ? word.replace(/(ies|es|s)$/, "") : word);

function prepare(page) {
  const fields = [[page.title, 8], [page.description, 3], [page.step, 4], ...page.headings.map(([, text]) => [text, 4])];
  return { ...page, terms: fields.flatMap(([text, weight]) => words(text).map((word) => [word, weight])) };
}

// Every word asked for must begin a word of the page; whole words count for more than beginnings.
function weigh(page, asked) {
  let total = 0;
  for (const word of asked) {
    const hits = page.terms.filter(([term]) => term.startsWith(word));
    if (!hits.length) return 0;
    total += Math.max(...hits.map(([term, weight]) => weight * (term === word ? 1.5 : 1))) + hits.length / 100;
  }
  return total;
}

export function find(query, among = pages) {
  const asked = words(query).map(stem);
  if (!asked.length) return [];
  return among
    .map((page) => [weigh(page, asked), page])
    .filter(([weight]) => weight)
    .sort(([a], [b]) => b - a)
    .slice(0, LIMIT)
    .map(([, page]) => ({ ...page, headings: page.headings.filter(([, text]) => words(text).some((term) => asked.some((word) => term.startsWith(word)))).slice(0, 3) }));
}

function link(href, title, description) {
  const item = document.createElement("li");
  const anchor = item.appendChild(document.createElement("a"));
  anchor.href = href;
  anchor.append(title);
  if (description) anchor.appendChild(document.createElement("span")).append(description);
  return item;
}

function show() {
  const results = find(dialog.querySelector("input").value);
  const asked = dialog.querySelector("input").value.trim();
  const list = dialog.querySelector("ul");
  list.replaceChildren(...results.flatMap((page) => [
    link(page.url, page.title, page.description),
    ...page.headings.map(([id, text]) => { const item = link(`${page.url}#${id}`, text); item.className = "search-heading"; return item; }),
  ]));
  dialog.querySelector("[role=status]").textContent = !asked ? "" : results.length
    ? `${results.length} ${results.length === 1 ? "page" : "pages"}`
    : "Nothing has that in its title, headings or description.";
}

// Arrow keys walk through the field and the results; Enter on the field takes the first one.
function walk(event) {
  const stops = [dialog.querySelector("input"), ...dialog.querySelectorAll("ul a")];
  const at = stops.indexOf(document.activeElement);
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    stops[(at + (event.key === "ArrowDown" ? 1 : -1) + stops.length) % stops.length].focus();
  } else if (event.key === "Enter" && at === 0) {
    event.preventDefault();
    stops[1]?.click();
  } else if (event.key === "Escape") {
    event.preventDefault(); // or the first Escape would only empty the field
    dialog.close();
  }
}

function build() {
  dialog = document.body.appendChild(document.createElement("dialog"));
  dialog.className = "search";
  dialog.setAttribute("aria-label", "Search");
  dialog.innerHTML = `<form method="dialog"><label for="search-field">Search the site</label>
    <div class="search-row"><input id="search-field" type="search" autocomplete="off" spellcheck="false">
    <button class="button quiet" type="submit">Close</button></div></form>
    <p class="meta" role="status"></p><ul class="plain-list"></ul>`;
  dialog.querySelector("input").addEventListener("input", show);
  dialog.addEventListener("keydown", walk);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("ul a")) dialog.close();
  });
}

export async function open() {
  if (!dialog) build();
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("input").focus();
  if (pages) return;
  try {
    pages = (await (await fetch("/search.json")).json()).map(prepare);
    show();
  } catch {
    dialog.querySelector("[role=status]").textContent = "Search could not be loaded. All articles are listed under Insights.";
  }
}
