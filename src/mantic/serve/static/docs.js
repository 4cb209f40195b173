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

const text = (value) => JSON.stringify(value);
const inPython = (value) => (value === null ? "None" : value === true ? "True" : value === false ? "False" : text(value));

const CALLS = {
  curl: (address, row) =>
    `curl -X POST ${quote(address)} -H 'Content-Type: application/json' -d ${quote(text({ rows: [row] }))}`,
  python: (address, row) => [
    "import json, urllib.request",
    "",
    `row = {${Object.entries(row).map(([name, value]) => `${text(name)}: ${inPython(value)}`).join(", ")}}`,
    `request = urllib.request.Request(${text(address)}, json.dumps({"rows": [row]}).encode(), {"Content-Type": "application/json"})`,
    'print(json.load(urllib.request.urlopen(request))["predictions"][0])',
  ].join("\n"),
  javascript: (address, row) => [
    `const answer = await fetch(${text(address)}, {`,
    '  method: "POST",',
    '  headers: { "Content-Type": "application/json" },',
    `  body: JSON.stringify({ rows: [${text(row)}] }),`,
    "});",
    "console.log((await answer.json()).predictions[0]);",
  ].join("\n"),
  excel: (address, row) => [
    "let",
    `  body = Text.ToBinary("${text({ rows: [row] }).replaceAll('"', '""')}"),`,
    `  answer = Json.Document(Web.Contents("${address}", [Headers = [#"Content-Type" = "application/json"], Content = body]))`,
    "in",
    "  Table.FromRecords(answer[predictions])",
  ].join("\n"),
};

for (const form of document.forms) {
  const section = form.closest("section");
  const calls = section.querySelectorAll(".call");
  const answer = section.querySelector(".answer");
  const body = () => JSON.stringify({ rows: [row(form)] });
  const show = () => {
    const address = new URL(form.dataset.predict, location).href;
    for (const call of calls) call.textContent = CALLS[call.dataset.language](address, row(form));
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
