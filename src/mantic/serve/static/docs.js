// Reads a form as one row, shows the call, and asks the server when a button is pressed.
"use strict";

const READ = {
  number: (text) => (Number.isFinite(Number(text)) ? Number(text) : text),
  boolean: (text) => text === "true",
  string: (text) => text,
};

const row = (form) =>
  Object.fromEntries([...form.elements].filter((one) => one.name).map((one) => [
    one.name, one.value === "" ? null : READ[one.dataset.type](one.value),
  ]));

const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;

for (const form of document.forms) {
  const section = form.closest("section");
  const call = section.querySelector(".call");
  const answer = section.querySelector(".answer");
  const body = () => JSON.stringify({ rows: [row(form)] });
  const show = () => {
    const address = new URL(form.dataset.predict, location).href;
    call.textContent = `curl -X POST ${quote(address)} -H 'Content-Type: application/json' -d ${quote(body())}`;
  };
  form.addEventListener("input", show);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const address = form.dataset[event.submitter?.value ?? "predict"];
    try {
      const reply = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body: body() });
      answer.classList.toggle("fault", !reply.ok);
      answer.textContent = JSON.stringify(await reply.json(), null, 2);
    } catch (error) {
      answer.classList.add("fault");
      answer.textContent = `The server does not answer (${error.message}). Is 'mantic serve' still running?`;
    }
  });
  show();
}
