"""`chargewatch detect`: the detectors, asked by hand."""

from __future__ import annotations

import msgspec
import typer

from alerts.judgement import Judged, Judgement
from chargewatch.cli.detect_evaluate import evaluate
from chargewatch.cli.http import path
from chargewatch.cli.output import console, facts, note, print_json
from chargewatch.cli.session import Api, ApiKey, Config, Data, Json, Target

app = typer.Typer(no_args_is_help=True, help="Detectors: run, evaluate.")
app.command("evaluate")(evaluate)


@app.command()
def run(json: Json = False, data: Data = None, api: Api = None, key: ApiKey = None, config: Config = None) -> None:
    """Run every detector on the running platform now and print what they find, with the evidence.

    What planned work hides, or another case explains, is here too and says so.

    Example: chargewatch detect run
    """
    with Target(data, api, key, config).client() as client:
        answer = client.call("POST", path("cases", "judge"), json={})
    if json:
        print_json(msgspec.json.decode(answer))
        return
    judgement = msgspec.json.decode(answer, type=Judgement)
    for each in judgement.findings:
        _print(each)
    note(
        f"{len(judgement.findings)} findings about {judgement.charge_points} charge points with {judgement.connectors} connectors, "
        f"judged in {judgement.took_s:.1f} s"
    )


def _print(judged: Judged) -> None:
    finding = judged.finding
    plug = f" connector {finding.connector}" if finding.connector is not None else ""
    console().print(
        facts(
            (
                (finding.severity, f"{finding.kind}: {finding.group or finding.charge_point_id}{plug}"),
                ("what", finding.summary),
                ("since", finding.began_at),
                ("how sure", f"{finding.score:.0%}"),
                *(("evidence", f"{each.what} {_records(each.sequences)}".strip()) for each in finding.evidence),
                ("what to do", finding.action),
                ("case", _case(judged)),
            )
        )
    )
    console().print()


def _case(judged: Judged) -> str:
    hidden = [f"hidden by {judged.masked_by}"] if judged.masked_by is not None else []
    hidden += [f"explained by case {judged.suppressed_by}"] if judged.suppressed_by is not None else []
    number = "none yet: not sure enough" if judged.case_id is None else f"{judged.case_id} ({judged.state})"
    return "; ".join([number, *hidden])


def _records(sequences: tuple[int, ...]) -> str:
    return f"(records {', '.join(map(str, sequences))})" if sequences else ""
