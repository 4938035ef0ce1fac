// What a page can do besides being read. Loaded after the first paint, which on a long page or a
// slow line comes before the end of the page has been read.
if (document.readyState === "loading") {
  await new Promise((read) => addEventListener("DOMContentLoaded", read, { once: true }));
}
const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");

// Light or dark: the other one is offered, and a choice is kept where storage is allowed.
const button = document.querySelector(".scheme");
const isDark = () => (root.dataset.scheme ?? (system.matches ? "dark" : "light")) === "dark";

const offerOther = () => {
  button.textContent = isDark() ? "Light mode" : "Dark mode";
  button.hidden = false;
};

button.addEventListener("click", () => {
  root.dataset.scheme = isDark() ? "light" : "dark";
  try { localStorage.setItem("scheme", root.dataset.scheme); } catch { /* it lasts for one page */ }
  offerOther();
});
system.addEventListener("change", offerOther);
offerOther();

// What led a reader here goes along to the next page: in its address, so there is no cookie.
// What may say who someone is does not: an address, a phone number, a long text. The service has
// the same rule (leads/touch.py).
const given = new URLSearchParams(location.search);
const plain = (value) => value.replace(/\p{Cf}/gu, "").toLowerCase().normalize().replace(/\s+/g, " ").trim();
const isPlain = (value) => /^[\p{L}\p{Nd}][\p{L}\p{M}\p{Nd} ._~&'+:/,()|-]*$/u.test(value) && !value.includes("//");
const digits = (text) => (text.match(/\p{Nd}/gu) ?? []).length;
const isPersonal = (value) => value.split(/[\p{L}_|]/u).map(digits).some((count) => count > 8 && count < 17);
const isKept = (value) => isPlain(value) && [...value.replace(/[&+]/g, "%26")].length <= 60 && !isPersonal(value);
const source = ["utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "ref"]
  .map((name) => [name, plain(given.get(name) ?? "")])
  .filter(([, value]) => isKept(value));

function passOn(link) {
  const isOurs = link.origin === location.origin && !/\.\w+$/.test(link.pathname);
  if (!isOurs || link.getAttribute("href").startsWith("#")) return;
  const query = new URLSearchParams(link.search);
  for (const [name, value] of source) if (!query.has(name)) query.set(name, value);
  link.href = `${link.pathname}?${query}${link.hash}`;
}

if (source.length) {
  document.querySelectorAll("a[href]").forEach(passOn);
  for (const form of document.querySelectorAll("form[action]")) {
    for (const [name, value] of source.filter(([name]) => !form.elements[name])) {
      const input = { type: "hidden", name, value };
      form.append(Object.assign(document.createElement("input"), input));
    }
  }
  // Those that search finds come later.
  addEventListener("click", ({ target }) => {
    const link = target.closest("a[href]");
    if (link) passOn(link);
  }, true);
}

// An article is shared by its address, without anybody else's buttons.
const share = document.querySelector(".share");
if (share && navigator.clipboard) {
  share.hidden = false;
  share.querySelector("button").addEventListener("click", async () => {
    const { href } = document.querySelector("link[rel=canonical]");
    const copied = await navigator.clipboard.writeText(href).then(() => true, () => false);
    share.querySelector("[role=status]").textContent = copied ? "Copied." : href;
  });
}

// The contents of an article mark the section that is being read.
const links = [...document.querySelectorAll(".contents a")];
const headings = links.map((link) => document.getElementById(link.hash.slice(1)));
const marks = new IntersectionObserver(() => {
  const passed = headings.filter((heading) => heading.getBoundingClientRect().top < innerHeight / 3);
  links.forEach((link) => link.removeAttribute("aria-current"));
  links[passed.length - 1]?.setAttribute("aria-current", "location");
}, { rootMargin: "0px 0px -66% 0px" });
headings.forEach((heading) => marks.observe(heading));
