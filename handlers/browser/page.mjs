// Loads the model while the form is filled in; the form's own script, which is run after this one, asks by `flyweightSend`.
import { load } from "./flyweight.mjs";

const told = document.getElementById("told"), ready = told.textContent;
told.textContent = "Python and the model are being loaded …";
const loading = load();
loading.then(
  () => { if (told.textContent !== ready && !told.childElementCount) told.textContent = ready; },
  (error) => { told.textContent = "Python and the model can't be loaded: " + String(error.message).slice(0, 300); },
);

globalThis.flyweightSend = async (body) => {
  const model = await loading;
  return model.fetch("/predict", { method: "POST", headers: { "content-type": "application/json" }, body });
};
