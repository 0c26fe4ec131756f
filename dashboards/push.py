"""Boards into a Grafana that cannot read files, by its HTTP API. Decided here: when a board is written, what each answer means.

Requests are those of Grafana's HTTP API documentation: "Folder API" (GET /api/folders/:uid, POST /api/folders) and "Dashboard API"
(GET /api/dashboards/uid/:uid, POST /api/dashboards/db). Idempotent: a board is written only where it differs from what is there.
The token travels in a header alone. Blocking.

To an Editor Grafana says 403, not 404, of a folder or a board that does not exist, since the right to read one is given with it
(seen in 10.0). So a read that is forbidden finds nothing, and whether the token may do its work is told by the first write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import msgspec

from chargenet.errors import ChargewatchError, Unavailable

FOLDER_UID, FOLDER_TITLE = "chargewatch", "chargewatch"
TIMEOUT_S = 30.0
GIVEN_BY_GRAFANA = ("id", "version")
"""What Grafana adds to a board that it stores."""
UNSEEN = (httpx.codes.NOT_FOUND, httpx.codes.FORBIDDEN)
REMEDIES: Mapping[int, str] = {
    httpx.codes.UNAUTHORIZED: "the token must be one of this Grafana, of a service account with role Editor",
    httpx.codes.FORBIDDEN: "the token must be of a service account with role Editor",
}


class Pushed(msgspec.Struct, frozen=True):
    """What became of one board; with a dry run, what would. `what`: created, updated or unchanged."""

    uid: str
    title: str
    what: str


class GrafanaRefused(ChargewatchError):
    """Grafana will not do it; asking again will not help."""


class Grafana:
    """One Grafana. `token`: of a service account that may write boards and folders (role Editor)."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._http = httpx.Client(timeout=TIMEOUT_S, headers=headers, follow_redirects=False)

    def __repr__(self) -> str:
        return f"Grafana({self._url!r})"

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def folder_is_there(self) -> bool:
        """Whether our folder is, as far as the token may see."""
        return self._get(f"/api/folders/{FOLDER_UID}") is not None

    def make_folder(self) -> None:
        """Make our folder."""
        self._send("POST", "/api/folders", {"uid": FOLDER_UID, "title": FOLDER_TITLE})

    def board(self, uid: str) -> tuple[Mapping[str, Any], str] | None:
        """(the board as it is stored, uid of its folder), None where there is none that the token may see."""
        found = self._get(f"/api/dashboards/uid/{uid}")
        return None if found is None else (found["dashboard"], found["meta"].get("folderUid", ""))

    def write(self, board: Mapping[str, Any]) -> None:
        """Create or replace the board in our folder."""
        body = {
            "dashboard": {**board, "id": None},
            "folderUid": FOLDER_UID,
            "message": "chargewatch dashboards push",
            "overwrite": True,
        }
        self._send("POST", "/api/dashboards/db", body)

    def _get(self, path: str) -> Any:
        response = self._request("GET", path, None)
        return None if response.status_code in UNSEEN else self._checked(path, response)

    def _send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        return self._checked(path, self._request(method, path, body))

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None) -> httpx.Response:
        try:
            return self._http.request(method, self._url + path, json=body)
        except httpx.HTTPError as error:
            raise Unavailable(f"{self._url}: {error}; is this where Grafana is?") from error

    def _checked(self, path: str, response: httpx.Response) -> Any:
        if remedy := REMEDIES.get(response.status_code):
            said = [str(response.status_code), _message(response).rstrip("."), remedy]
            raise GrafanaRefused(f"{self._url}{path}: {': '.join(part for part in said if part)}")
        if response.status_code >= 500:
            raise Unavailable(f"{self._url}{path}: {response.status_code}")
        if not response.is_success:
            raise GrafanaRefused(f"{self._url}{path}: {response.status_code}: {_message(response)}")
        try:
            return response.json()
        except ValueError as error:
            raise GrafanaRefused(f"{self._url}{path}: the answer is not JSON; is this where Grafana is?") from error


def push(boards: Sequence[Mapping[str, Any]], grafana: Grafana, *, dry_run: bool) -> list[Pushed]:
    """Bring every board to Grafana. Raises Unavailable, GrafanaRefused; what was written before stays."""
    if not grafana.folder_is_there() and not dry_run:
        grafana.make_folder()
    done = []
    for board in boards:
        what = _due(board, grafana.board(board["uid"]))
        if what != "unchanged" and not dry_run:
            grafana.write(board)
        done.append(Pushed(board["uid"], board["title"], what))
    return done


def _due(board: Mapping[str, Any], there: tuple[Mapping[str, Any], str] | None) -> str:
    if there is None:
        return "created"
    stored, folder = there
    same = {name: value for name, value in stored.items() if name not in GIVEN_BY_GRAFANA} == dict(board)
    return "unchanged" if same and folder == FOLDER_UID else "updated"


def _message(response: httpx.Response) -> str:
    try:
        return str(response.json().get("message", ""))[:500]
    except (ValueError, AttributeError):
        return response.text[:500]
