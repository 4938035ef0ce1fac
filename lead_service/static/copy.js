// Copy a link by its button. Without this, the link can be selected by hand.
const button = document.querySelector("[data-copy]");
if (button && navigator.clipboard) {
  const status = button.parentElement.querySelector("[role=status]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    const copied = await navigator.clipboard.writeText(button.dataset.copy).then(() => true, () => false);
    status.textContent = copied ? "Copied" : "Your browser didn’t allow copying. Select the link and copy it yourself.";
  });
}
