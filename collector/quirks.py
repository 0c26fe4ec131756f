"""What charge points get wrong, as a table. Decided here: how a deviation is named and what public evidence there is for it.

Nothing here changes a value: salvage, repair, instants and measurements do that and describe what they met as a `Deviation`; the
first row that matches gives the FrameDeviated its name, and a deviation that no row knows is named `schema`.
"""

from __future__ import annotations

from chargenet.events import FrameDeviated
from collector.deviations import Deviation, Quirk, phased, rule, said

QUIRKS: tuple[Quirk, ...] = (
    Quirk(
        "json-empty-value",
        rule("json-empty-value"),
        '`"transactionId":,`: the property is read as absent',
        ("lbbrhzn/ocpp#2032 (AEFA Home)",),
    ),
    Quirk(
        "json-stray-comma",
        rule("json-stray-comma"),
        "a comma before the first or after the last element is dropped",
        ("lbbrhzn/ocpp#1078 (ZJ Beny)",),
    ),
    Quirk(
        "json-not-a-number",
        rule("json-not-a-number"),
        "NaN and Infinity are no JSON; such a value is read as absent",
        ("RFC 8259 §6",),
    ),
    Quirk(
        "json-control-character",
        rule("json-control-character"),
        "a raw line break or tab in a string is kept as that character",
        ("RFC 8259 §7",),
    ),
    Quirk(
        "json-utf8",
        rule("json-utf8"),
        "bytes that are not UTF-8 are read as U+FFFD",
        ("RFC 6455 §8.1",),
    ),
    Quirk(
        "json-surrogate",
        rule("json-surrogate"),
        "half of a surrogate pair is read as U+FFFD",
        ("RFC 8259 §8.2",),
    ),
    Quirk(
        "json-wrapped",
        rule("json-wrapped"),
        "a byte order mark or a trailing NUL is dropped",
        ("RFC 8259 §8.1",),
    ),
    Quirk(
        "json-repeated-key",
        rule("json-repeated-key"),
        "the last one counts, as in every JSON decoder",
        ("dallmann-consulting/OCPP.Core#36",),
    ),
    Quirk(
        "message-id-number",
        rule("id-number"),
        "echoed as the number that it is",
        ("OCPP-J 1.6 §4.1.4",),
    ),
    Quirk(
        "message-id-long",
        rule("id-long"),
        "echoed whole",
        ("mobilityhouse/ocpp#230 (Phihong EA702)",),
    ),
    Quirk(
        "message-id-empty",
        rule("id-empty"),
        "echoed empty; repeats cannot be told apart",
        ("lorenzodonini/ocpp-go#267",),
    ),
    Quirk(
        "frame-without-payload",
        rule("frame-short"),
        "read as an empty payload",
        ("OCPP-J 1.6 §4.2.1",),
    ),
    Quirk(
        "frame-with-more",
        rule("frame-long"),
        "what follows the payload is ignored",
        ("OCPP-J 1.6 §4.2.1",),
    ),
    Quirk(
        "id-tag-long",
        rule("too-long", ends="idTag"),
        "kept whole; it matches no token that the standard allows",
        ("lbbrhzn/ocpp#1803 (Sigenergy)",),
    ),
    Quirk(
        "id-tag-null",
        rule("null", ends="idTag"),
        "nobody was named",
        ("steve-community/steve DeserializerTest",),
    ),
    Quirk(
        "property-null",
        rule("null"),
        "read as absent",
        ("lbbrhzn/ocpp#2032 (AEFA Home)", "steve-community/steve DeserializerTest"),
    ),
    Quirk(
        "serial-number-long",
        rule("too-long", ends="erialNumber"),
        "kept whole",
        ("lbbrhzn/ocpp#213 (Schneider EVlink)",),
    ),
    Quirk(
        "info-long",
        rule("too-long", ends="info"),
        "kept whole",
        ("lbbrhzn/ocpp#987 (Etrel)",),
    ),
    Quirk(
        "status-unknown",
        rule("not-in-enum", ends="status", action="StatusNotification"),
        "the connector's status is Unknown",
        ("steve-community/steve DeserializerTest",),
    ),
    Quirk(
        "error-code-unknown",
        rule("not-in-enum", ends="errorCode"),
        "kept as said: an error all the same",
        ("lbbrhzn/ocpp#1248 (Legrand)",),
    ),
    Quirk(
        "firmware-status-signed",
        rule("not-in-enum", ends="status", action="FirmwareStatusNotification"),
        "statuses of the signed form in the plain one: kept as said",
        ("mobilityhouse/ocpp v16 FirmwareStatusNotification.json refuses InstallRebooting",),
    ),
    Quirk(
        "firmware-request-id",
        rule("unexpected", ends="requestId", action="FirmwareStatusNotification"),
        "the signed form's property in the plain one: ignored",
        ("mobilityhouse/ocpp v16 FirmwareStatusNotification.json refuses requestId",),
    ),
    Quirk(
        "unit-hz",
        rule("not-in-enum", ends=".unit", value=said("hz")),
        "Hertz",
        ("lbbrhzn/ocpp#1576 (ChargeAmps)",),
    ),
    Quirk(
        "measurand-with-phase",
        rule("not-in-enum", ends=".measurand", value=phased),
        "the phase is split off",
        ("lbbrhzn/ocpp#19 (Alfen names them so)",),
    ),
    Quirk(
        "measurand-unknown",
        rule("not-in-enum", ends=".measurand"),
        "kept under the name that was said",
        ("mobilityhouse/ocpp#54",),
    ),
    Quirk(
        "sampled-value-empty",
        rule("empty-list", ends=".sampledValue"),
        "nothing was measured",
        (
            "lbbrhzn/ocpp#466 (Vestel)",
            "evcc-io/evcc#25708 (sonnen, Etrel)",
        ),
    ),
    Quirk(
        "sampled-value-missing",
        rule("missing", ends=".sampledValue"),
        "nothing was measured",
        ("steve-community/steve DeserializerTest",),
    ),
    Quirk(
        "value-as-number",
        rule("wrong-type", ends=".value"),
        "a number where text belongs: read as that number",
        (
            "lbbrhzn/ocpp#210 (OpenEVSE)",
            "mobilityhouse/ocpp#582 (Scame)",
        ),
    ),
    Quirk(
        "object-for-list",
        rule("not-a-list"),
        "read as a list of one",
        ("lbbrhzn/ocpp#1144 (Huawei)",),
    ),
    Quirk(
        "reason-capital",
        rule("key-case", value=said("reason")),
        "`Reason` is read as `reason`",
        ("steve-community/steve#858",),
    ),
    Quirk(
        "authorize-connector",
        rule("unexpected", ends="connectorId", action="Authorize"),
        "ignored: who asks counts, not where",
        ("steve-community/steve#1916",),
    ),
    Quirk(
        "stop-connector",
        rule("unexpected", ends="connectorId", action="StopTransaction"),
        "ignored: the transaction knows its connector",
        ("road-labs/chargestation-one#61",),
    ),
    Quirk(
        "stop-disconnect-reason",
        rule("unexpected", ends="disconnectReason", action="StopTransaction"),
        "ignored",
        ("road-labs/chargestation-one#61",),
    ),
    Quirk(
        "property-unexpected",
        rule("unexpected"),
        "ignored",
        ("dallmann-consulting/OCPP.Core#36",),
    ),
    Quirk(
        "transaction-id-text",
        rule("text-id"),
        "kept as said; the ledger matches by content",
        ("OCPP 1.6 StopTransaction.req: transactionId is an integer",),
    ),
    Quirk(
        "transaction-id-none",
        rule("transaction-id-none"),
        "-1, 0 or a local negative id: matched by content",
        (
            "steve-community/steve#292",
            "EVerest/libocpp#495",
            "dallmann-consulting/OCPP.Core#55",
        ),
    ),
    Quirk(
        "transaction-id-missing",
        rule("transaction-id-missing"),
        "an event of no transaction",
        ("OCPP 2.0.1 TransactionEventRequest: transactionInfo is required",),
    ),
    Quirk(
        "event-type-unknown",
        rule("event-type-unknown"),
        "taken as Updated",
        ("OCPP 2.0.1 TransactionEventRequest: eventType is required",),
    ),
    Quirk(
        "register-negative",
        rule("register-negative"),
        "kept as said",
        ("lbbrhzn/ocpp#1069 (Wallbox)",),
    ),
    Quirk(
        "timestamp-missing",
        rule("missing", ends="timestamp"),
        "only our clock is known",
        ("matth-x/MicroOcpp#88",),
    ),
    Quirk(
        "zone-missing",
        rule("zone-missing"),
        "taken as UTC; it may be local time",
        (
            "lbbrhzn/ocpp#1514 (Growatt)",
            "evcc-io/evcc#10399",
        ),
    ),
    Quirk(
        "offset-short",
        rule("offset-short"),
        "`+02` or `+0200`: legal ISO 8601, not RFC 3339",
        ("monta-app/ocpp-emulator#5",),
    ),
    Quirk(
        "instant-spelling",
        rule("instant-spelling"),
        "blanks, one-digit parts or the like",
        ("RFC 3339 §5.6",),
    ),
    Quirk(
        "clock-unset",
        rule("clock-unset"),
        "before 2010: the device's clock was not set",
        (
            "matth-x/MicroOcpp#311",
            "matth-x/MicroOcpp#354",
        ),
    ),
    Quirk(
        "instant-unreadable",
        rule("not-an-instant"),
        "only our clock is known",
        ("RFC 3339 §5.6",),
    ),
    Quirk(
        "value-empty",
        rule("value-empty"),
        "dropped",
        ("evcc-io/evcc charger/ocpp/connector_core.go",),
    ),
    Quirk(
        "value-blanks",
        rule("value-blanks"),
        "blanks around a number are dropped",
        ("evcc-io/evcc charger/ocpp/connector_core.go",),
    ),
    Quirk(
        "value-not-a-number",
        rule("value-not-a-number"),
        "dropped",
        ("OCPP 1.6 SampledValue: value is a number as text",),
    ),
    Quirk(
        "unit-missing",
        rule("unit-missing"),
        "the standard's default Wh would turn it into energy: the measurand's own unit is taken",
        ("lbbrhzn/ocpp#1742 (Wallbox Pulsar Plus)",),
    ),
    Quirk(
        "unit-unlikely",
        rule("unit-unlikely"),
        "a unit that cannot belong to the measurand: kept as said",
        ("OCPP 1.6 UnitOfMeasure",),
    ),
    Quirk(
        "signed-without-format",
        rule("signed-without-format"),
        "kept verbatim as signed data",
        ("OCPP 1.6 ValueFormat: SignedData",),
    ),
    Quirk(
        "signed-not-json",
        rule("signed-not-json"),
        "kept verbatim; nothing could be read beside it",
        ("OCPP 1.6 ValueFormat: SignedData",),
    ),
)


def flag(kind: str, path: str, detail: str, value: object = None, action: str | None = None) -> FrameDeviated:
    """The event for one deviation, named by the first row that knows it."""
    deviation = Deviation(kind, path, detail, value, action)
    name = next((row.name for row in QUIRKS if row.match(deviation)), "schema")
    return FrameDeviated(quirk=name, detail=f"{path}: {detail}" if path else detail, action=action)
