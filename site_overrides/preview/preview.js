// Stands in pages of a preview only: loads a page again once it was built anew, or says what is wrong.
let seen;
const box = document.body.appendChild(document.createElement("pre"));
box.className = "preview-faults";
box.setAttribute("role", "alert");
box.hidden = true;

async function look() {
  try {
    const { build, faults } = await (await fetch("/preview.json", { cache: "no-store" })).json();
    seen ??= build;
    box.hidden = !faults.length;
    const text = ["The preview shows the last build without mistakes. What is wrong now:", ...faults].join("\n\n");
    if (faults.length && box.textContent !== text) box.textContent = text;
    if (!faults.length && build !== seen) location.reload();
  } catch { /* the service is starting again */ }
  setTimeout(look, 100);
}
look();
