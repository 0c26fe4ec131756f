"""Where a click leads. Decided here: the way down, network → site → charge point → connector → frames, with the same time range."""

from __future__ import annotations

from dashboards import uids

RANGE = "${__url_time_range}"
WEB = "${web}"
"""Text variable: where chargewatch's own web port is, for the frames behind a picture."""


def _board(uid: str, **variables: str) -> str:
    return "&".join([f"/d/{uid}?{RANGE}", *(f"var-{name}={value}" for name, value in variables.items())])


def field(name: str) -> str:
    """A cell of the clicked row, fit for a URL."""
    return f"${{__data.fields.{name}:percentencode}}"


def label(name: str) -> str:
    """A label of the clicked line."""
    return f"${{__field.labels.{name}:percentencode}}"


def chosen(name: str) -> str:
    """The value of a variable."""
    return f"${{{name}:percentencode}}"


SITE = _board(uids.SITE, site=field("site"))
SITE_OF_LINE = _board(uids.SITE, site=label("site"))
CHARGE_POINT = _board(uids.CHARGE_POINT, site=field("site"), charge_point=field("charge_point"))
CHARGE_POINT_HERE = _board(uids.CHARGE_POINT, site=chosen("site"), charge_point=field("charge_point"))
CONNECTOR = _board(uids.CONNECTOR, site=field("site"), charge_point=field("charge_point"), connector=field("connector"))
CONNECTOR_HERE = _board(
    "chargewatch-connector", site=chosen("site"), charge_point=chosen("charge_point"), connector=field("connector")
)
CASES = _board(uids.CASES)
CASES_OF_KIND = _board(uids.CASES, kind=field("kind"))
FLEET = _board(uids.FLEET)
TRAFFIC = _board(uids.TRAFFIC)
PLATFORM = _board(uids.PLATFORM)
SESSIONS = _board(uids.SESSIONS)
FRAMES = f"{WEB}/api/v1/charge-points/{chosen('charge_point')}/frames"
ENERGY = _board(uids.ENERGY)
AVAILABILITY = _board(uids.AVAILABILITY)
ALERTS = _board(uids.ALERTS)
