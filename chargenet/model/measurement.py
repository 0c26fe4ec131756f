"""One normalised sampled value. Decided here: base units, names of measurands, and that a value is finite."""

from __future__ import annotations

import msgspec

ENERGY_REGISTER = "Energy.Active.Import.Register"
POWER = "Power.Active.Import"
POWER_OFFERED = "Power.Offered"
CURRENT = "Current.Import"
CURRENT_OFFERED = "Current.Offered"
VOLTAGE = "Voltage"
TEMPERATURE = "Temperature"
SOC = "SoC"


class Measurement(msgspec.Struct, frozen=True, gc=False):
    """A sampled value in a base unit (Wh, W, A, V, VA, var, varh, VAh, Celsius, Percent, Hertz, RPM or as the charge point said).

    `measurand` is the standard's name, or the charge point's own where it is not standard; `phase` and `location` as in OCPP,
    defaults filled in (location Outlet, context Sample.Periodic). `value` is finite.
    """

    measurand: str
    value: float
    unit: str
    phase: str | None = None
    location: str = "Outlet"
    context: str = "Sample.Periodic"


class SignedMeterValue(msgspec.Struct, frozen=True):
    """Signed meter data exactly as it came, for whoever must verify it (OCMF, EDL). Never re-serialised, rounded or trimmed."""

    data: str
    encoding_method: str | None = None
    signing_method: str | None = None
    public_key: str | None = None
    context: str | None = None
