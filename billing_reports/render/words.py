"""Numbers, times and words in a reader's language. Decided here: formats by babel, patterns cached; the texts are in words_*.py."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, get_day_names, get_month_names
from babel.numbers import format_decimal, get_currency_symbol

from billing_reports.render.words_de import GERMAN
from billing_reports.render.words_en import ENGLISH

TEXTS: Mapping[str, Mapping[str, str]] = {"en": ENGLISH, "de": GERMAN}
_LOCALES = {"en": "en_GB", "de": "de_DE"}
_GROUPED = "#,##0"


class Words:
    """One language. An unknown one is English: a document in another language beats none."""

    def __init__(self, language: str) -> None:
        self.language = language if language in TEXTS else "en"
        self.locale = Locale.parse(_LOCALES[self.language])
        self._texts = TEXTS[self.language]

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key. Raises KeyError for one that is not there: a document never shows a key."""
        return self._texts[key].format(**values)

    def number(self, value: float | Decimal, places: int = 0) -> str:
        """With this language's separators and exactly so many decimals, half up."""
        exact = Decimal(str(value)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
        return str(format_decimal(exact, format=_pattern(places), locale=self.locale))

    def percent(self, share: float | None, places: int = 1) -> str:
        """A share of 1; a dash where it is not known."""
        return "–" if share is None else f"{self.number(share * 100, places)} %"

    def energy(self, energy_wh: float) -> str:
        """In kWh or MWh, as is readable."""
        return f"{self.number(energy_wh / 1e6, 1)} MWh" if energy_wh >= 1e7 else f"{self.number(energy_wh / 1000, 1)} kWh"

    def kwh(self, energy_wh: int) -> str:
        """All of a bill's digits: kWh with three decimals."""
        return self.number(Decimal(energy_wh) / 1000, 3)

    def money(self, amount: Decimal, currency: str, places: int = 2) -> str:
        """Amount and symbol, e.g. `1.234,50 €`; the code where there is no symbol."""
        symbol = get_currency_symbol(currency, locale=self.locale)
        text = self.number(amount, places)
        if self.language == "en" and len(symbol) == 1:
            return f"-{symbol}{text[1:]}" if text.startswith("-") else f"{symbol}{text}"
        return f"{text} {symbol}"

    def duration(self, seconds: float | None) -> str:
        """`3:05 h`, or days where it is long."""
        if seconds is None:
            return "–"
        whole = round(seconds)
        if whole >= 10 * 86_400:
            return f"{self.number(whole / 86_400, 1)} {self('days')}"
        return f"{whole // 3600}:{whole % 3600 // 60:02} h"

    def day(self, day: date, form: str = "medium") -> str:
        """A day."""
        return str(format_date(day, form, locale=self.locale))

    def moment(self, at: datetime, zone: ZoneInfo, *, offset: bool = False) -> str:
        """Day and minute of an instant in a zone; with its UTC offset where an hour comes twice."""
        local = at.astimezone(zone)
        text = str(format_datetime(local, "short", tzinfo=zone, locale=self.locale))
        return f"{text} ({local:%z})" if offset else text

    def clock(self, at: datetime, zone: ZoneInfo) -> str:
        """Hour and minute."""
        return f"{at.astimezone(zone):%H:%M}"

    def month(self, month: date) -> str:
        """`March 2026`."""
        return str(format_date(month, "LLLL yyyy", locale=self.locale))

    def weekdays(self) -> list[str]:
        """Short names, Monday first."""
        names = get_day_names("abbreviated", locale=self.locale)
        return [str(names[day]).rstrip(".") for day in range(7)]

    def span(self, minutes: float) -> str:
        """Hours; minutes where it is little."""
        return f"{self.number(minutes, 1)} min" if abs(minutes) < 600 else f"{self.number(minutes / 60, 1)} h"

    def month_short(self, year_month: str) -> str:
        """`Mar 26` of YYYY-MM, `5.` of a day, `17` of an hour."""
        if len(year_month) > 7:
            return f"{year_month[11:]}:00" if len(year_month) > 10 else f"{int(year_month[8:])}/{int(year_month[5:7])}"
        names = get_month_names("abbreviated", locale=self.locale)
        return f"{str(names[int(year_month[5:7])]).rstrip('.')} {year_month[2:4]}"


@lru_cache(maxsize=16)
def _pattern(places: int) -> str:
    return _GROUPED + ("." + "0" * places if places else "")


@lru_cache(maxsize=8)
def words(language: str) -> Words:
    """The words of a language (ISO 639-1)."""
    return Words(language)
