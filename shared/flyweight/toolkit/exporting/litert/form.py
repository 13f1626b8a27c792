"""Write a plan as a LiteRT file.

The input is one table `X` of float32. Outputs have the model's names; the index of a class is left to the caller, as the place
of the largest probability. A forest gives `leaves`, and `NAME.npz` beside the file has what makes answers of them: `tables.py`.
"""

from __future__ import annotations

import io

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from flyweight import __version__
from flyweight.toolkit.exporting.litert.flat import IDENTIFIER, Flat
from flyweight.toolkit.exporting.litert.nodes import value_of
from flyweight.toolkit.exporting.planned import NotExported, Planned


class LiteRT:
    """The form of LiteRT files."""

    title = "LiteRT"
    suffix = ".tflite"
    needs = ("ai_edge_litert", "flatbuffers")
    install = 'python -m pip install "flyweight[litert]"'
    precise = False

    def write(self, planned: Planned) -> dict[str, bytes]:
        """Make the file, and the tables of a forest.

        :raises NotExported: an op has no form in LiteRT, or a feature is a text.
        """
        if "s" in planned.kinds[0]:
            raise NotExported(
                "a feature is a text, and LiteRT takes float32", "export to ONNX, or encode texts outside of the model"
            )
        flat = Flat(len(planned.kinds[0]))
        flat.model.description = f"{planned.name}, exported by flyweight {__version__}".encode()
        values = {0: flat.input}
        for step in planned.steps:
            values[step.slot] = value_of(flat, step, [values[slot] for slot in step.reads])
        for name, slot in planned.outputs.items():
            if name == "index":
                continue
            if values[slot] == flat.leaves:
                flat.tables["output"] = name
            else:
                flat.output(values[slot], name)
        if flat.leaves >= 0:
            flat.output(flat.leaves, "leaves")
        if not flat.tables:
            return {self.suffix: flat.content()}
        packed = io.BytesIO()
        np.savez(packed, allow_pickle=False, **{name: np.asarray(value) for name, value in flat.tables.items()})
        return {self.suffix: flat.content(), ".npz": packed.getvalue()}

    def annotate(self, files: dict[str, bytes], about: dict[str, str]) -> dict[str, bytes]:
        """Add the texts as metadata, each in a buffer of its name."""
        import flatbuffers

        model = schema.ModelT.InitFromPackedBuf(files[self.suffix], 0)
        for key, text in about.items():
            buffer, entry = schema.BufferT(), schema.MetadataT()
            buffer.data = np.frombuffer(text.encode(), dtype=np.uint8)
            model.buffers.append(buffer)
            entry.name, entry.buffer = key.encode(), len(model.buffers) - 1
            model.metadata = [*(model.metadata or []), entry]
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(model.Pack(builder), IDENTIFIER)
        return {**files, self.suffix: bytes(builder.Output())}


FORM = LiteRT()
