// The model of this folder in JavaScript:
//
//   import { load } from "./flyweight.mjs";
//   const model = await load();
//   const response = model.fetch("/predict", { method: "POST", headers: { "content-type": "application/json" }, body: "[[1, 2]]" });
//   console.log(await response.json());
//
// Nothing is asked of a network once it is loaded. Paths, bodies and errors are those of flyweight's server, as `/model`.

const PLACE = "/flyweight";

async function fetched(name) {
  const response = await fetch(new URL(name, import.meta.url));
  if (!response.ok) throw new Error(`${name} can't be read: status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

// read: returns the bytes of a file of this folder; index: the folder of Pyodide, else that of pyodide.json
export async function load({ read = fetched, index } = {}) {
  const [settings, core, model] = await Promise.all(["pyodide.json", "core.zip", "model.safetensors"].map(read));
  const place = new URL(index ?? JSON.parse(new TextDecoder().decode(settings)).address, import.meta.url);
  const { loadPyodide } = await import(new URL("pyodide.mjs", place));
  const pyodide = await loadPyodide({ indexURL: place.protocol === "file:" ? decodeURIComponent(place.pathname) : place.href });
  pyodide.unpackArchive(core, "zip", { extractDir: PLACE });
  pyodide.FS.writeFile(PLACE + "/model.safetensors", model);
  pyodide.runPython(`import sys; sys.path.insert(0, "${PLACE}")`);
  const { answer } = pyodide.pyimport("browser_main");
  return {
    fetch(path, { method = "GET", headers = {}, body = "" } = {}) {
      const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
      const parts = answer(method, path, headers, bytes);
      const [status, named, content] = parts.toJs({ dict_converter: Object.fromEntries });
      parts.destroy();
      return new Response(content.length ? content : null, { status, headers: named });
    },
  };
}
