// Files that are dropped, and what an answer that is an error does to the page.
"use strict";

document.documentElement.classList.add("scripted");

const csrf = document.body.dataset.csrf;

/** Send a file as the body, say how much has arrived, and go where the answer leads. */
function send(form, file) {
  const box = form.querySelector(".drop-progress");
  const [bar, words] = [box.querySelector("progress"), box.querySelector("p")];
  const fault = form.querySelector("[data-fault]");
  const request = new XMLHttpRequest();
  fault.replaceChildren();
  box.hidden = false;
  words.textContent = `Bringing ${file.name} …`;
  request.upload.addEventListener("progress", (event) => {
    bar.value = event.total ? event.loaded / event.total : 0;
    words.textContent = `Bringing ${file.name}: ${Math.round(100 * bar.value)} %`;
  });
  request.addEventListener("loadend", () => {
    box.hidden = true;
    form.querySelector("input[type=file]").value = ""; // else the same file, chosen again, is no change
    const next = request.getResponseHeader("HX-Redirect");
    if (next) location.assign(next);
    else if (request.status) fault.innerHTML = request.responseText; // our own server's _fault.html
    else fault.textContent = "Studio did not answer, or it was stopped. Nothing was kept; choose the file again.";
  });
  request.open("POST", form.dataset.drop);
  request.setRequestHeader("HX-Request", "true");
  request.setRequestHeader("X-CSRF", csrf);
  request.setRequestHeader("X-File-Name", encodeURIComponent(file.name));
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.send(file);
  box.querySelector("[data-cancel]").addEventListener("click", () => request.abort(), { once: true });
}

for (const form of document.querySelectorAll("form[data-drop]")) {
  const input = form.querySelector("input[type=file]");
  input.addEventListener("change", () => input.files[0] && send(form, input.files[0]));
  for (const name of ["dragover", "dragleave", "drop"]) {
    form.addEventListener(name, (event) => {
      event.preventDefault();
      form.classList.toggle("over", name === "dragover");
      if (name === "drop" && event.dataTransfer.files[0]) send(form, event.dataTransfer.files[0]);
    });
  }
}

// An error comes as a fragment of its own: shown where it happened, instead of being thrown away. It stays until
// something that a person does goes well: what a page asks by itself, every second, says nothing about it.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const toast = document.getElementById("toast");
  if (event.detail.xhr.status >= 400) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
    event.detail.target = toast;
    event.detail.swapOverride = "innerHTML";
  } else if (event.detail.requestConfig.triggeringEvent?.isTrusted) toast.replaceChildren();
});
document.body.addEventListener("htmx:sendError", () => {
  document.getElementById("toast").textContent = "Studio does not answer. Is 'mantic studio' still running?";
});

// What is shown only once is copied by a button, where the browser lets a page copy.
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
    button.textContent = "Copied";
  });
}
