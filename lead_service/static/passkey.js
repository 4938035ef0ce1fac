/* Sign in with a passkey, or add one. Without this, members sign in with an emailed link. */
(function () {
  var form = document.querySelector("[data-passkey]");
  var Keys = window.PublicKeyCredential;
  if (!form || !Keys || !Keys.parseCreationOptionsFromJSON) return;
  var status = form.querySelector("[role=status]");
  var token = form.elements.csrf_token.value;

  function ask(options) {
    return options.user
      ? navigator.credentials.create({ publicKey: Keys.parseCreationOptionsFromJSON(options) })
      : navigator.credentials.get({ publicKey: Keys.parseRequestOptionsFromJSON(options) });
  }

  form.hidden = false;
  document.querySelectorAll("[data-no-passkey]").forEach(function (one) { one.hidden = true; });
  form.addEventListener("submit", function (event) {
    event.preventDefault();
    status.textContent = "";
    fetch(form.dataset.passkey, { method: "POST", body: new URLSearchParams({ csrf_token: token }) })
      .then(function (answer) {
        if (!answer.ok) throw new Error(answer.status);
        return answer.json();
      })
      .then(ask)
      .then(function (credential) {
        form.elements.credential.value = JSON.stringify(credential.toJSON());
        form.submit();
      })
      .catch(function (fault) {
        status.textContent = fault.name === "InvalidStateError"
          ? "This device already has a passkey for the desk."
          : "Your browser didn’t use a passkey. Try again.";
      });
  });
})();
