// Runs a built folder in node: `node run.mjs FOLDER PYODIDE` reads a line of JSON with the parts of a request from standard input,
// [METHOD, PATH, HEADERS, BODY], and writes one with those of the response, [STATUS, HEADERS, BODY], until the input ends. A letter
// of a body is a byte.
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [folder, index] = process.argv.slice(2).map((path) => pathToFileURL(path + "/"));
const { load } = await import(new URL("flyweight.mjs", folder));
const read = async (name) => new Uint8Array(await readFile(new URL(name, folder)));
const model = await load({ read, index });
for await (const line of createInterface({ input: process.stdin })) {
  const [method, path, headers, body] = JSON.parse(line);
  const response = model.fetch(path, { method, headers, body: new Uint8Array(Buffer.from(body, "latin1")) });
  const answer = Buffer.from(await response.arrayBuffer()).toString("latin1");
  process.stdout.write(JSON.stringify([response.status, Object.fromEntries(response.headers), answer]) + "\n");
}
