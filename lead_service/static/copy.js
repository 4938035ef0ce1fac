/* Copying a link at the press of a button. Without this, the link stands there to be marked. */
(function () {
  var button = document.querySelector("[data-copy]");
  if (!button || !navigator.clipboard) return;
  var status = button.parentElement.querySelector("[role=status]");
  button.hidden = false;
  button.addEventListener("click", function () {
    navigator.clipboard.writeText(button.dataset.copy).then(
      function () { status.textContent = "Copied"; },
      function () { status.textContent = "Your browser didn’t allow copying. Select the link and copy it yourself."; }
    );
  });
})();
