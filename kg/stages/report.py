"""What the run did, written beside its record for people and for programs."""

from __future__ import annotations

import json

from kg import report
from kg.run import write_whole
from kg.stage import Night, Result, Stage


def _report(night: Night) -> Result:
    summary = {
        "run_id": night.run_id,
        "as_of": night.moment.as_of.isoformat(),
        "began": f"was committed as {night.run_id}",
        "sources": night.sources,
        "results": {name: result for name, result in night.results.items() if isinstance(result, dict)},
        "seconds": {},
    }
    folder = night.runs.root / night.run_id
    write_whole(folder / "report.json", json.dumps(summary, ensure_ascii=False, indent=1, sort_keys=True, default=str))
    write_whole(folder / "report.txt", report.text(summary))
    return {"folder": f"{night.runs.root.name}/{night.run_id}"}


STAGE = Stage("report", _report, after=True)
