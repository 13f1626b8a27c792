// Stands in for the runtime of Workers: `node serve.mjs PYODIDE` in a built folder answers HTTP on the port of the variable PORT.
// Python is Pyodide's, requests and responses are those of node, and modules are where Cloudflare puts them. Variables of the
// environment are the Worker's own, and those of Python's interpreter are passed on to it.
import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

const PLACE = "/session/metadata";
const SDK = "class WorkerEntrypoint:\n    def __init__(self, ctx, env):\n        self.ctx, self.env = ctx, env\n";
const folder = process.argv[2] + "/";
const of = (begin) => Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith(begin)));
const write = (stream) => ({ batched: (line) => stream.write(line + "\n") });

const { loadPyodide } = await import(pathToFileURL(join(folder, "pyodide.mjs")));
const pyodide = await loadPyodide({ indexURL: folder, env: { HOME: "/session", ...of("PYTHON") } });
pyodide.setStdout(write(process.stdout));
pyodide.setStderr(write(process.stderr));
for (const entry of readdirSync(".", { recursive: true, withFileTypes: true })) {
  const name = join(entry.parentPath ?? entry.path, entry.name), goal = join(PLACE, name);
  if (!entry.isFile() || !/\.(py|safetensors|sig)$/.test(name)) continue;
  pyodide.FS.mkdirTree(dirname(goal));
  pyodide.FS.writeFile(goal, new Uint8Array(readFileSync(name)));
}
pyodide.FS.writeFile(join(PLACE, "workers.py"), SDK);
pyodide.runPython(`import sys; sys.path.insert(0, "${PLACE}")`);
const { main } = JSON.parse(readFileSync("wrangler.json", "utf8"));
const worker = pyodide.pyimport(main.replace(/\.py$/, ""));
const env = of("FLYWEIGHT_");

async function answer(message) {
  const parts = [];
  for await (const part of message) parts.push(part);
  const body = parts.length ? Buffer.concat(parts) : undefined;
  const request = new Request("http://localhost" + message.url, { method: message.method, headers: message.headers, body });
  return await worker.Default({}, env).fetch(request);
}

createServer(async (message, reply) => {
  try {
    const response = await answer(message);
    const body = Buffer.from(await response.arrayBuffer());
    reply.writeHead(response.status, { "content-length": body.length, ...Object.fromEntries(response.headers) });
    reply.end(body);
  } catch (error) {
    console.error(String(error).slice(-2000)); // an error of Pyodide prints its whole source
    reply.destroy();
  }
}).listen(Number(process.env.PORT), "127.0.0.1");
