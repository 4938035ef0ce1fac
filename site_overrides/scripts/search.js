// Search of the full text. It is loaded with the list of pages when it is first opened, then for
// each query only the words that begin like those asked for, and the passages from the pages found.
// lead_service/publishing/search_index.py writes what it reads, and folds words in the same way.
const LIMIT = 8; // pages
const PASSAGES = 3; // of each page
const FILES = 8; // of words, for each word asked for
const PAUSE = 150; // milliseconds of typing that are waited out
const STYLE = "search.css"; // the build puts its address here
const AROUND = 90; // characters of a passage before and after what was asked for
const BLOCKS = "h1, h2, h3, h4, h5, h6, p, li, dt, dd, td, th, figcaption, blockquote, summary, pre";
const UNSEARCHED = "nav, form, svg, fieldset, button, footer, .entries, .older, .next";
let index;
let dialog;
let cameFrom;
let asked = 0;
let pause;
let shown; // the query whose results are shown
const kept = new Map();

const once = (address, load) => {
  if (!kept.has(address)) kept.set(address, load(address).catch((error) => {
    kept.delete(address);
    throw error;
  }));
  return kept.get(address);
};
const json = async (address) => {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return answer.json();
};
// A request that parses a page itself: the policy lets no script turn text into HTML.
const page = (address) => new Promise((resolve, reject) => {
  const request = Object.assign(new XMLHttpRequest(), { responseType: "document", onerror: reject });
  request.onload = () => resolve(request.response);
  request.open("GET", address);
  request.send();
});

const fold = (text) => text.normalize("NFKD").replace(/[\p{M}'’]/gu, "").toLowerCase()
  .replace(/([iy])z/g, "$1s").replace(/([a-z]{3})or/g, "$1our")
  .replace(/\be-mail/g, "email").replace(/(\d),(?=\d{3})/g, "$1")
  .replace(/(?<=[a-z\d])&(?=[a-z\d])/g, "")
  .replace(/(?<=\b[a-z\d])[^\p{L}\p{N}_\s](?=[a-z\d]\b)/gu, "")
  .replace(/(?<=\b[a-z\d]) [^\p{L}\p{N}_\s] (?=[a-z\d]\b)/gu, "");
const SIGN = "[^\\p{L}\\p{N}_\\s]";
const JOINED = `\\b[a-z\\d](?:(?:${SIGN}[a-z\\d]\\b)+|(?: ${SIGN} [a-z\\d]\\b)+)`; // U.S., R & D
const WRITTEN = new RegExp(`${JOINED}|[a-z\\d]+(?:&[a-z\\d]+)+|e-mail\\p{L}*|\\d+(?:,\\d{3})+|[\\p{L}\\p{N}'’\\p{M}]+`, "giu");
const words = (text) => fold(text).split(/[^\p{L}\p{N}]+/u).filter((word) => word.length > 1);

// The part that the forms of an English word share: scale, scales, scaled and scaling become scal.
const ENDINGS = /(?:ations?|ions?|ings?|ers?|ed|ly|ments?|ness|es|s|e)$/;
function stem(word) {
  let stemmed = word.replace(/i(?:es|ed)$/, "y");
  while (stemmed.length > 4 && /[aeiouy].*...$/.test(stemmed)) {
    const shorter = stemmed.replace(/ss$/, "sse").replace(ENDINGS, "");
    if (shorter === stemmed || shorter.length < 3 || !/[aeiouy]/.test(shorter)) break;
    stemmed = shorter;
  }
  return stemmed.replace(/(..)([^aeiouls])\2$/, "$1$2").replace(/y$/, "i"); // but add, AT&T
}

// What a visitor asks for: how well a word answers each term, from 0 to 1. The last one may be unfinished.
const terms = (query) => words(query).map((word, place, all) => {
  const [root, isOpen] = [stem(word), place === all.length - 1 || word.length > 3];
  const fits = (other) => {
    if (other === word) return 1;
    if (stem(other) === root) return 0.8;
    return isOpen && other.startsWith(word) ? 0.6 : 0;
  };
  return { word, root, isOpen, fits };
});

// The names of the files that can contain a term, or other forms of it.
function filesOf({ word, root, isOpen, fits }) {
  let length = 0;
  while (length < word.length && word[length] === root[length]) length += 1;
  const shared = word.slice(0, Math.max(length, 2));
  const canHold = (name) => (name.endsWith("_")
    ? fits(name.slice(0, -1))
    : (isOpen && name.startsWith(shared)) || shared.startsWith(name));
  const isNear = (name) => word.startsWith(name.replace("_", ""));
  return index.files.filter(canHold).sort((a, b) => isNear(b) - isNear(a)).slice(0, FILES);
}

// Where a term is: the weight of its best form, by paragraph.
async function placesOf(term) {
  const files = await Promise.all(
    filesOf(term).map((name) => once(`${index.folder}${name}.json`, json)));
  const places = new Map();
  for (const [word, gaps] of files.flatMap(Object.entries)) {
    const weight = term.fits(word);
    if (!weight) continue;
    let block = 0;
    for (const gap of gaps.split(" ")) {
      block += Number(gap);
      if (weight > (places.get(block) ?? 0)) places.set(block, weight);
    }
  }
  return places;
}

function pageOf(block) {
  let [low, high] = [0, index.pages.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (index.pages[middle].first <= block) low = middle;
    else high = middle - 1;
  }
  return low;
}

const bestFit = (term, text) => Math.max(0, ...words(text).map(term.fits));

// All pages with every term, or else with all but one, best first: those that are called or known
// as what is asked for, then the others. A title counts most, then what the page is known as, then
// terms that are in one paragraph, then how rare and how frequent they are.
async function find(query) {
  const sought = terms(query);
  const found = index.pages.map(() => ({ has: 0, named: 0, weight: 0, blocks: new Map() }));
  for (const [place, where] of (await Promise.all(sought.map(placesOf))).entries()) {
    const term = sought[place];
    const byPage = new Map();
    for (const [block, weight] of where) {
      const at = pageOf(block);
      const known = byPage.get(at) ?? { count: 0, weight: 0 };
      byPage.set(at, { count: known.count + 1, weight: Math.max(known.weight, weight) });
      const { blocks } = found[at];
      blocks.set(block, (blocks.get(block) ?? 0) + 1);
    }
    const rarity = Math.log(1 + index.pages.length / (1 + byPage.size));
    index.pages.forEach(({ title, knownAs }, at) => {
      const inside = byPage.get(at) ?? { count: 0, weight: 0 };
      const named = 4 * bestFit(term, title) + 3 * bestFit(term, knownAs);
      if (!inside.count && !named) return;
      found[at].has += 1;
      if (named) found[at].named += 1;
      found[at].weight += rarity * (named + inside.weight * (1 + Math.log2(1 + inside.count) / 4));
    });
  }
  const most = Math.max(...found.map(({ has }) => has));
  if (most < Math.max(1, sought.length - 1)) return [];
  return found
    .map(({ has, named, weight, blocks }, at) => {
      const together = Math.max(0, ...blocks.values()) / sought.length;
      const isNamed = named === sought.length;
      return { ...index.pages[at], has, isNamed, weight: weight * (1 + together ** 2) };
    })
    .filter(({ has }) => has === most)
    .sort((a, b) => b.isNamed - a.isNamed || b.weight - a.weight);
}

// The words of a passage that were asked for, as [start, end]: the whole phrase if it is there.
function marksIn(text, sought) {
  const all = [...text.matchAll(WRITTEN)]
    .map((match) => ({ at: match.index, end: match.index + match[0].length, word: fold(match[0]) }))
    .filter(({ word }) => word.length > 1);
  const phrase = all.findIndex((_, start) => sought.every(
    (term, place) => all[start + place] && term.fits(all[start + place].word)));
  if (sought.length > 1 && phrase >= 0) {
    const last = all[phrase + sought.length - 1];
    return { count: sought.length, isPhrase: true, marks: [[all[phrase].at, last.end]] };
  }
  const hits = all.filter(({ word }) => sought.some(({ fits }) => fits(word)));
  const count = sought.filter(({ fits }) => hits.some(({ word }) => fits(word))).length;
  const telling = hits.filter(({ word }) => word.length > 3);
  const shown = telling.length ? telling : hits;
  return { count, isPhrase: false, marks: shown.map(({ at, end }) => [at, end]) };
}

// A block's own text, without that of blocks inside it.
const ownText = (block) => [...block.childNodes]
  .filter((node) => !node.matches?.(`${BLOCKS}, ${UNSEARCHED}`) && !node.querySelector?.(BLOCKS))
  .map((node) => node.textContent).join("").replace(/\s+/g, " ").trim();

// The best passages of a page for a query, each with the section in which it is.
async function passagesOf({ url, description: about }, query) {
  const sought = terms(query);
  let section = { id: "", name: "" };
  if (about) {
    const passage = { section, text: about, ...marksIn(about, sought) };
    return { description: about, passages: passage.marks.length ? [passage] : [] };
  }
  const read = await once(url, page);
  const root = read.querySelector("main article") ?? read.querySelector("main");
  const passages = [];
  for (const block of root.querySelectorAll(BLOCKS)) {
    if (block.matches("h1") || block.closest(UNSEARCHED)) continue;
    const text = ownText(block);
    const isHeading = block.matches("h2, h3, h4, h5, h6, dt");
    if (isHeading && block.id) section = { id: block.id, name: text };
    const { marks, count, isPhrase } = marksIn(text, sought);
    const weight = count + (isPhrase ? sought.length : 0);
    if (marks.length) passages.push({ section, text, marks, weight, isPhrase, isHeading });
  }
  const best = Math.max(0, ...passages.map(({ weight }) => weight));
  const bySection = new Map();
  for (const passage of passages.filter(({ weight }) => weight > best - 1)) {
    const other = bySection.get(passage.section.id);
    if (!other || (other.isHeading && !passage.isHeading)) bySection.set(passage.section.id, passage);
  }
  const { content: description } = read.querySelector("meta[name=description]");
  return { description, passages: [...bySection.values()].slice(0, PASSAGES) };
}

// Elements one by one: the policy lets no script turn text into HTML.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function marked({ text, marks }) {
  const begin = Math.max(0, text.lastIndexOf(" ", Math.max(0, marks[0][0] - AROUND)) + 1);
  const space = text.indexOf(" ", Math.max(marks[0][1], begin + 2 * AROUND));
  const end = space < 0 ? text.length : space;
  const pieces = begin ? ["… "] : [];
  let at = begin;
  for (const [from, to] of marks.filter(([, to]) => to <= end)) {
    pieces.push(text.slice(at, from), make("mark", {}, text.slice(from, to)));
    at = to;
  }
  return make("span", {}, ...pieces, text.slice(at, end), end < text.length ? " …" : "");
}

// The part of an address by which browsers mark what was found on the page that they open.
function marking({ text, marks: [[from, to]] }) {
  const space = text.indexOf(" ", Math.max(to, from + AROUND));
  const found = text.slice(from, space < 0 ? text.length : space);
  return `:~:text=${encodeURIComponent(found).replaceAll("-", "%2D")}`;
}

function entry({ url, title }) {
  return make("li", {}, make("a", { href: url }, title));
}

// Put the passages of a page below its title.
function fill(item, url, { description, passages }) {
  if (!passages.length) item.firstChild.append(make("span", {}, description));
  const sections = passages.map((passage) => {
    const { id, name } = passage.section;
    const href = `${url}#${id}${passage.isHeading ? "" : marking(passage)}`;
    const link = make("a", { href }, name && !passage.isHeading ? name : "");
    link.append(marked(passage));
    return make("li", { class: "search-heading" }, link);
  });
  if (sections.length) item.append(make("ul", { class: "plain-list" }, ...sections));
}

function summary(query, count) {
  if (!query) return "";
  if (!words(query).length) return "No results. Enter a word of at least two letters.";
  if (!count) return "No results. Try another word.";
  if (count > LIMIT) return `The best ${LIMIT} of ${count} pages`;
  return count === 1 ? "1 page" : `${count} pages`;
}

async function show() {
  const query = dialog.querySelector("input").value.trim();
  const turn = ++asked;
  const list = dialog.querySelector("ul");
  const found = words(query).length ? await find(query) : [];
  if (turn !== asked) return;
  const best = found.slice(0, LIMIT);
  const items = best.map(entry);
  list.replaceChildren(...items);
  shown = query;
  dialog.querySelector("[role=status]").textContent = summary(query, found.length);
  const ranks = await Promise.all(best.map(async (hit, place) => {
    const read = await passagesOf(hit, query).catch(() => null);
    if (read && turn === asked) fill(items[place], hit.url, read);
    return hit.isNamed ? 2 : Number(read?.passages.some(({ isPhrase }) => isPhrase) ?? false);
  }));
  if (turn !== asked || list.contains(document.activeElement)) return;
  list.append(...[2, 1, 0].flatMap((rank) => items.filter((_, place) => ranks[place] === rank)));
}

const showOrSay = () => show().catch(() => {
  index = null; // a new site may have other files: the next letter asks for its list
  const all = make("a", { href: "/insights/" }, "All articles");
  const status = dialog.querySelector("[role=status]");
  status.replaceChildren("Search could not be loaded. ", all, " are listed under Insights.");
});

async function load() {
  const listed = await json("/search.json");
  let first = 0;
  const pages = listed.pages.map(([url, title, blocks, knownAs, description]) => {
    first += blocks;
    return { url, title, knownAs, description, first: first - blocks };
  });
  index = { folder: listed.folder, files: listed.files.split(" "), pages };
}

async function update() {
  try {
    if (!index) await load();
  } catch { /* said below, as index is missing */ }
  return showOrSay();
}

const takeFirst = () => dialog.querySelector("ul a")?.click();

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
    if (shown !== stops[0].value.trim()) update().then(takeFirst);
    else takeFirst();
  } else if (event.key === "Escape") {
    event.preventDefault(); // or the first Escape would only empty the field
    dialog.close();
  }
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
  dialog.querySelector("input").addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(update, PAUSE);
  });
  dialog.addEventListener("keydown", onKey);
  dialog.addEventListener("click", (event) => {
    // Before another page it stays open, so that Back shows the results again.
    const { pathname } = event.target.closest("ul a") ?? {};
    if (event.target === dialog || pathname === location.pathname) dialog.close();
  });
  dialog.addEventListener("close", () => cameFrom.focus({ preventScroll: true }));
  document.body.append(dialog);
}

function style() {
  const link = make("link", { rel: "stylesheet", href: STYLE });
  document.head.append(link);
  return new Promise((done) => Object.assign(link, { onload: done, onerror: done }));
}

export async function open() {
  await once(STYLE, style);
  if (!dialog) build();
  if (!dialog.open) {
    // After a slash nothing has the focus, and the browser would give it back to nothing.
    const focused = document.activeElement;
    cameFrom = focused === document.body ? document.querySelector(".search-open") : focused;
    dialog.showModal();
  }
  dialog.querySelector("input").focus();
  if (!index) await update();
}
