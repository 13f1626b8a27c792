"""The script of the page: it reads the form, asks, shows the answer, and writes the lines to copy.

All texts of a model or of an answer become text nodes, and none becomes HTML.
"""

SCRIPT = r"""
"use strict";
const MOST_ROWS = 20;
const at = (id) => document.getElementById(id);
const data = JSON.parse(at("data").textContent);
const folder = location.pathname.replace(/\/+$/, "").replace(/[^/]*$/, "");
const address = location.origin + folder + "predict";
const form = at("form"), whole = at("whole");
const places = data.features.map((_, place) => place).filter((place) => at("f" + place));
// a page without an endpoint answers by what it has loaded before this script
const send = globalThis.flyweightSend || ((body) =>
  fetch(address + location.search, { method: "POST", headers: { "content-type": "application/json" }, body }));
let busy = false;

function made(tag, text, attributes) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  return element;
}

function control(place) {
  const chosen = at("f" + place);
  return chosen.tagName === "SELECT" && chosen.value === "" ? at("o" + place) : chosen;
}

function valueOf(place) {
  const feature = data.features[place], element = control(place), text = element.value;
  if (element.tagName === "SELECT") return JSON.parse(text);
  if (element.type === "checkbox") return element.checked;
  if (text === "") return feature.kind === "string" && !feature.nullable ? "" : null;
  if (feature.kind === "number") return Number(text);
  return element.type === "datetime-local" && feature.zone === "UTC" ? text + "Z" : text;
}

function fill(row) {
  for (const place of places) {
    const value = row[place], chosen = at("f" + place), other = at("o" + place);
    if (chosen.type === "checkbox") { chosen.checked = value === true; continue; }
    if (chosen.tagName === "SELECT") {
      const known = [...chosen.options].find((option) => option.value && JSON.parse(option.value) === value);
      chosen.value = known ? known.value : "";
      if (other) { other.hidden = Boolean(known); other.value = known || value === null ? "" : value; }
      continue;
    }
    const text = value === null || value === undefined ? "" : String(value);
    chosen.value = chosen.type === "datetime-local" ? text.replace(/(Z|\+00:00)$/, "") : text;
  }
}

function question() {
  if (whole) return { instances: [JSON.parse(whole.value)] };
  return { instances: [Object.fromEntries(places.map((place) => [data.features[place].name, valueOf(place)]))] };
}

function python(value) {
  if (value === null) return "None";
  if (value === true || value === false) return value ? "True" : "False";
  if (Array.isArray(value)) return "[" + value.map(python).join(", ") + "]";
  if (typeof value === "object")
    return "{" + Object.entries(value).map(([name, one]) => JSON.stringify(name) + ": " + python(one)).join(", ") + "}";
  return JSON.stringify(value);
}

// one feature a line, unless they are many
function lines(text, rows) {
  if (whole || places.length > 30) return text(rows);
  const pairs = Object.entries(rows[0]).map(([name, value]) => "  " + JSON.stringify(name) + ": " + text(value));
  return "[{\n" + pairs.join(",\n") + "\n}]";
}

const quoted = (text) => "'" + text.replaceAll("'", "'\\''") + "'";

function writeLines() {
  if (!at("curl")) return;
  let asked;
  try { asked = question(); } catch { return; }
  at("curl").textContent = ["curl " + quoted(address), "--header 'content-type: application/json'",
    "--data " + quoted('{"instances": ' + lines(JSON.stringify, asked.instances) + "}")].join(" \\\n  ");
  at("python").textContent = ["import json, urllib.request", "", 'body = {"instances": ' + lines(python, asked.instances) + "}",
    "request = urllib.request.Request(", "    " + JSON.stringify(address) + ",", "    json.dumps(body).encode(),",
    '    {"content-type": "application/json"},', ")", "print(json.load(urllib.request.urlopen(request)))"].join("\n");
}

function clear() {
  for (const note of document.querySelectorAll("form .problem")) { note.hidden = true; note.textContent = ""; }
  for (const element of form.querySelectorAll("[aria-invalid]")) element.removeAttribute("aria-invalid");
  at("problem").hidden = true;
  at("problem").textContent = "";
}

function blame(element, note, text) {
  note.textContent = note.textContent ? note.textContent + "; " + text : text;
  note.hidden = false;
  element.setAttribute("aria-invalid", "true");
}

function refuse(text) {
  at("answer").replaceChildren();
  at("told").textContent = "No answer.";
  at("problem").textContent = text;
  at("problem").hidden = false;
  const first = form.querySelector("[aria-invalid]");
  if (first) first.focus();
}

function showProblem(status, told) {
  const rest = [];
  const errors = told && Array.isArray(told.errors) ? told.errors : [];
  for (const fault of errors) {
    const place = data.features.findIndex((feature) => feature.name === fault.feature);
    const text = "expected " + fault.expected + ", got " + fault.actual + (fault.hint ? " (" + fault.hint + ")" : "");
    if (place >= 0 && !whole && at("f" + place)) blame(control(place), at("e" + place), text);
    else if (whole) blame(whole, at("ew"), (fault.feature ? fault.feature + ": " : "") + text);
    else rest.push((fault.feature ? fault.feature + ": " : "") + text);
  }
  const named = errors.length - rest.length;
  const title = "Status " + status + ": " + ((told && (told.title || told.message)) || "the endpoint refused the request");
  const detail = errors.length ? rest.join("; ") : (told && told.detail) || "";
  const fields = named ? (named > 1 ? named + " fields are marked" : "one field is marked") : "";
  refuse([title, detail, fields].filter(Boolean).join(". "));
}

function share(value) {
  const percent = 100 * value;
  if (percent > 0 && percent < 0.1) return "< 0.1 %";
  return (percent < 100 && percent > 99.9 ? "> 99.9" : percent.toFixed(1)) + " %";
}

function number(value) {
  return typeof value === "number" ? String(Number(value.toPrecision(8))) : String(value);
}

function table(title, labels, values, isShare) {
  let rows = values.map((value, place) => [labels ? String(labels[place]) : String(place), value]);
  if (isShare) rows.sort((one, other) => other[1] - one[1]);
  const left = rows.length - MOST_ROWS;
  rows = rows.slice(0, MOST_ROWS);
  const shown = made("table");
  shown.append(made("caption", title + (left > 0 ? ", the first " + MOST_ROWS + " of " + (left + MOST_ROWS) : "")));
  const body = made("tbody");
  for (const [label, value] of rows) {
    const row = made("tr");
    row.append(made("th", label, { scope: "row" }));
    if (isShare) {
      const cell = made("td", undefined, { class: "bar", "aria-hidden": "true" }), bar = made("i");
      bar.style.width = 100 * Math.min(1, Math.max(0, value)) + "%";
      cell.append(bar);
      row.append(cell);
    }
    row.append(made("td", isShare ? share(value) : number(value), { class: "number", title: String(value) }));
    body.append(row);
  }
  shown.append(body);
  return shown;
}

function showAnswer(answer, headers) {
  const shown = at("answer"), prediction = answer.predictions ? answer.predictions[0] : undefined;
  const several = Array.isArray(prediction), labels = answer.classes;
  const nested = Boolean(labels) && Array.isArray(labels[0]);
  const row = (name) => (answer[name] ? answer[name][0] : undefined);
  shown.replaceChildren();
  const [shares, scores] = [row("probabilities"), row("scores")];
  let words = several ? prediction.map(number).slice(0, MOST_ROWS).join(", ") : number(prediction);
  if (shares && labels && !nested) {
    const place = labels.indexOf(prediction);
    if (place >= 0) words += ", probability " + share(shares[place]);
  }
  at("told").textContent = "";
  at("told").append(made("span", "Answer: ", { class: "unseen" }), made("strong", words));
  if (several && !labels) shown.append(table("Numbers", null, prediction, false));
  const one = (title, values, isShare) => {
    if (!values) return;
    if (nested) values.forEach((part, place) =>
      shown.append(table(title + " of output " + place, labels[place], [].concat(part), isShare)));
    else {
      const flat = [].concat(values), fits = labels && labels.length === flat.length;
      shown.append(table(title, fits ? labels : null, flat, isShare));
    }
  };
  one("Probabilities", shares, true);
  one("Scores", scores, false);
  const details = made("details"), id = headers.get("x-request-id");
  details.append(made("summary", "The answer as JSON"), made("pre", JSON.stringify(answer, null, 1), { tabindex: "0" }));
  shown.append(details);
  const spent = /(?:^|, )predict;dur=([\d.]+)/.exec(headers.get("server-timing") || "");
  const notes = [spent ? "answered in " + spent[1] + " ms" : "", id ? "request " + id : ""].filter(Boolean);
  if (notes.length) shown.append(made("p", notes.join(", "), { class: "note" }));
}

function unreadable() {
  for (const place of places)
    if (control(place).validity.badInput) blame(control(place), at("e" + place), "this is no " + data.features[place].kind);
  if (whole) try { JSON.parse(whole.value); } catch (error) { blame(whole, at("ew"), "this is not JSON: " + error.message); }
  return form.querySelector("[aria-invalid]");
}

async function ask() {
  clear();
  if (unreadable()) return refuse("The request was not sent: a field can't be read.");
  at("told").textContent = "Asking …";
  let reply, told = null;
  try {
    reply = await send(JSON.stringify(question()));
  } catch { return refuse("The endpoint can't be reached."); }
  try { told = await reply.json(); } catch { }
  if (reply.ok && told) showAnswer(told, reply.headers);
  else showProblem(reply.status, told);
}

async function copy(button) {
  const source = at(button.dataset.copies);
  let done = true;
  try { await navigator.clipboard.writeText(source.textContent); }
  catch {
    getSelection().selectAllChildren(source);
    done = document.execCommand("copy");
  }
  at("copied").textContent = done ? "Copied." : "The text is selected; copy it with the keyboard.";
}

if (form) {
  let sample = 0;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    try { await ask(); } finally { busy = false; }
  });
  form.addEventListener("input", (event) => {
    const other = at("o" + event.target.dataset.place);
    if (other && event.target !== other) {
      other.hidden = event.target.value !== "";
    }
    writeLines();
  });
  at("next").addEventListener("click", () => {
    sample = (sample + 1) % data.samples.length;
    clear();
    const row = data.samples[sample], read = (_, place) => data.features[place].kind !== "unread";
    const pairs = data.features.map((one, place) => [one.name, row[place]]);
    if (whole) whole.value = JSON.stringify(Object.fromEntries(pairs.filter(read)), null, 1);
    else fill(row);
    writeLines();
    at("told").textContent = "Sample row " + (sample + 1) + " of " + data.samples.length + " is filled in.";
    at("answer").replaceChildren();
  });
  for (const button of document.querySelectorAll("[data-copies]")) button.addEventListener("click", () => copy(button));
  writeLines();
}
"""
