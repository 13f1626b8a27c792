"""Score one table by Ray Data, and print as JSON how the answers compare with those of the scorer itself.

python ray_score.py MODEL TABLE.parquet FOLDER
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import ray
import ray.data

import flyweight


def collected(dataset: Any) -> pa.Table:
    """Collect the blocks of a data set, in its order."""
    return pa.concat_tables(ray.get(dataset.to_arrow_refs())).combine_chunks()


def main(model: str, path: str, folder: str) -> dict[str, Any]:
    ray.init(_node_ip_address="127.0.0.1", include_dashboard=False, num_cpus=2, log_to_driver=False)
    own = pq.read_table(path)
    rows, ids = flyweight.Scorer(model, keep=["id"])(own).to_pylist(), own.column("id").to_pylist()
    birds = ray.data.from_arrow([own.slice(0, 50), own.slice(50, 0), own.slice(50, 7), own.slice(57)])

    found: dict[str, Any] = {"rows": len(ids)}
    found["blocks"] = collected(flyweight.ray.score(birds, model, keep=["id"], batch_size=64)).to_pylist() == rows
    found["files"] = collected(flyweight.ray.score(ray.data.read_parquet(path), model, keep=["id"])).to_pylist() == rows
    found["bytes"] = collected(flyweight.ray.score(birds, Path(model).read_bytes(), keep=["id"])).to_pylist() == rows
    found["actors"] = (
        collected(flyweight.ray.score(birds, model, keep=["id"], batch_size=30, num_cpus=0.5, concurrency=2)).to_pylist() == rows
    )
    found["empty"] = flyweight.ray.score(birds.filter(lambda row: row["id"] < 0), model).count()

    year = pc.if_else(pc.equal(pc.bit_wise_and(own.column("id"), 15), 0), float("inf"), own.column("year"))
    broken = ray.data.from_arrow(own.set_column(own.column_names.index("year"), "year", year))
    told = collected(flyweight.ray.score(broken, model, keep=["id"], on_error="column")).to_pylist()
    found["failed ids"] = [row["id"] for row in told if row["error"]]
    found["others as before"] = all(row["error"] or row.items() >= own.items() for row, own in zip(told, rows, strict=True))
    try:
        flyweight.ray.score(broken, model).materialize()
    except Exception as error:
        found["raised"] = str(error)[-3000:]

    def killed(table: pa.Table) -> pa.Table:
        """End the worker's process at the first batch with a certain row, once."""
        mark = Path(folder, "killed")
        if 100 in table.column("id").to_pylist() and not mark.exists():
            mark.touch()
            os._exit(137)
        return table

    several = ray.data.from_arrow([own.slice(begin, 40) for begin in range(0, len(ids), 40)])
    survived = several.map_batches(killed, batch_format="pyarrow", batch_size=40)
    found["killed"] = (
        collected(flyweight.ray.score(survived, model, keep=["id"])).to_pylist() == rows and Path(folder, "killed").exists()
    )
    ray.shutdown()
    return found


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
