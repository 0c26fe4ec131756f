"""The door to Grafana's HTTP API: grafana-client asks. Decided here: how asking is bounded, and what each answer means.

Requests are those of Grafana's HTTP API documentation: "Folder API" (GET /api/folders/:uid, POST /api/folders) and "Dashboard API"
(GET /api/dashboards/uid/:uid, POST /api/dashboards/db). The token travels in a header alone, and to the address that was given: no
redirect is followed. Blocking.

To an Editor Grafana says 403, not 404, of a folder or a board that does not exist, since the right to read one is given with it
(seen in 10.0). So a read that is forbidden finds nothing, and whether the token may do its work is told by the first write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from grafana_client import GrafanaApi
from grafana_client.client import GrafanaException, GrafanaServerError

from chargenet.errors import ChargewatchError, SettingsError, Unavailable

FOLDER_UID, FOLDER_TITLE = "chargewatch", "chargewatch"
TIMEOUT_S = 30.0
"""To connect, and between two pieces of an answer."""
MOST_BYTES = 16 * 1024 * 1024
"""Of one answer, unpacked; our largest board has a hundredth."""
UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404
UNSEEN = (FORBIDDEN, NOT_FOUND)
REMEDIES: Mapping[int, str] = {
    UNAUTHORIZED: "the token must be one of this Grafana, of a service account with role Editor",
    FORBIDDEN: "the token must be of a service account with role Editor",
}
_IS_IT_HERE = "is this where Grafana is?"
_TOLD_CHARACTERS = 500


class GrafanaRefused(ChargewatchError):
    """Grafana will not do it; asking again will not help. `status`: of its answer, None where that was none of Grafana's."""

    def __init__(self, sentence: str, status: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status


class Grafana:
    """One Grafana. `token`: of a service account that may write boards and folders (role Editor). Raises SettingsError."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url.rstrip("/"), token
        self._api = GrafanaApi(auth=token, timeout=TIMEOUT_S, **address(url))
        self._http: requests.Session = self._api.client.s
        self._http.headers["Accept"] = "application/json"
        self._http.max_redirects = 0
        self._http.hooks["response"].append(_bounded)

    def __repr__(self) -> str:
        return f"Grafana({self._url!r})"

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def folder_is_there(self) -> bool:
        """Whether our folder is, as far as the token may see."""
        return self._seen(f"/api/folders/{FOLDER_UID}", lambda: self._api.folder.get_folder(FOLDER_UID)) is not None

    def make_folder(self) -> None:
        """Make our folder."""
        self._asked("/api/folders", lambda: self._api.folder.create_folder(FOLDER_TITLE, uid=FOLDER_UID))

    def board(self, uid: str) -> tuple[Mapping[str, Any], str] | None:
        """(the board as it is stored, uid of its folder), None where there is none that the token may see."""
        path = f"/api/dashboards/uid/{uid}"
        found = self._seen(path, lambda: self._api.dashboard.get_dashboard(uid))
        match found:
            case None:
                return None
            case {"dashboard": dict() as board, "meta": dict() as meta}:
                return board, meta.get("folderUid", "")
        raise self._strange(path)

    def write(self, board: Mapping[str, Any]) -> None:
        """Create or replace the board in our folder."""
        body = {
            "dashboard": {**board, "id": None},
            "folderUid": FOLDER_UID,
            "message": "chargewatch dashboards push",
            "overwrite": True,
        }
        self._asked("/api/dashboards/db", lambda: self._api.dashboard.update_dashboard(body))

    def _seen(self, path: str, ask: Callable[[], Any]) -> Mapping[str, Any] | None:
        try:
            return self._asked(path, ask)
        except GrafanaRefused as refused:
            if refused.status in UNSEEN:
                return None
            raise

    def _asked(self, path: str, ask: Callable[[], Any]) -> Mapping[str, Any]:
        """The answer; `path` is only told. The client's errors hold the request with its header: none is shown whole."""
        where = f"{self._url}{path}"
        try:
            answer = ask()
        except GrafanaServerError as error:
            raise Unavailable(f"{where}: {error.status_code}") from error
        except GrafanaException as error:
            said = _message(error.response).replace(self._token, "(the token)")
            raise _refusal(where, error.status_code, _printable(said)) from error
        except requests.TooManyRedirects as error:
            raise _elsewhere(where, error.response) from error
        except requests.JSONDecodeError:
            answer = None
        except requests.RequestException as error:
            raise Unavailable(f"{self._url}: {_cause(error)}; {_IS_IT_HERE}") from error
        if not isinstance(answer, dict):
            raise self._strange(path)
        return answer

    def _strange(self, path: str) -> GrafanaRefused:
        return GrafanaRefused(f"{self._url}{path}: the answer is not Grafana's; {_IS_IT_HERE}")


class _Bounded:
    """The body of an answer, which ends in an error where it grows beyond MOST_BYTES."""

    def __init__(self, raw: Any, url: str) -> None:
        self._raw, self._url = raw, url

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def stream(self, *given: Any, **named: Any) -> Iterator[bytes]:
        """What requests reads a body by."""
        count = 0
        for piece in self._raw.stream(*given, **named):
            count += len(piece)
            if count > MOST_BYTES:
                raise GrafanaRefused(f"{self._url}: the answer has more than {MOST_BYTES} bytes; {_IS_IT_HERE}")
            yield piece


def _bounded(response: requests.Response, **_: Any) -> None:
    response.raw = _Bounded(response.raw, response.url)


def address(url: str) -> dict[str, Any]:
    """A URL as grafana-client takes it; raises SettingsError.

    It can read a URL itself, but loses the brackets of IPv6, and would leave certificates unchecked for a `?verify=no`.
    """
    wrong = SettingsError("--url", "", "must be the address of a Grafana and nothing else, e.g. https://grafana.example")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError as error:
        raise wrong from error
    if "@" in parts.netloc:
        raise SettingsError("--url", "", "must name no user and no password: the token in the file says who asks")
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise wrong
    path = parts.path.strip("/")
    return {
        "protocol": parts.scheme,
        "host": f"[{host}]" if ":" in host else host,
        "port": port,
        "url_path_prefix": f"{path}/" if path else "",
    }


def _refusal(where: str, status: int, message: str) -> GrafanaRefused:
    said = [str(status), message.rstrip("."), REMEDIES.get(status, "")]
    return GrafanaRefused(f"{where}: {': '.join(part for part in said if part)}", status)


def _elsewhere(where: str, response: requests.Response | None) -> GrafanaRefused:
    """A redirect is not followed: the token is for the address that was given."""
    if response is None:
        return GrafanaRefused(f"{where}: it points elsewhere; {_IS_IT_HERE}")
    place = _printable(response.headers.get("Location", "elsewhere"))
    return GrafanaRefused(f"{where}: {response.status_code}: it points to {place}; {_IS_IT_HERE}", response.status_code)


def _message(answer: Any) -> str:
    """What an error's body says: Grafana's are objects with a message, another server's are any text."""
    return str(answer.get("message", "")) if isinstance(answer, dict) else str(answer)


def _printable(text: str) -> str:
    """One line, for a terminal."""
    return "".join(each for each in " ".join(text.split()) if each.isprintable())[:_TOLD_CHARACTERS]


def _cause(error: BaseException) -> str:
    """What was in the way: requests tells it as a chain of its own words around the one that says it."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT_S:g} s"
    return _printable(getattr(error, "strerror", None) or str(error) or type(error).__name__)
