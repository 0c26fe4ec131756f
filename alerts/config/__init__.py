"""Who is told of what: alerts.toml, checked in full when it is loaded. `load` gives a `Config` or names the first mistake."""

from alerts.config.load import load as load
from alerts.config.load import parse as parse
from alerts.config.model import NOBODY as NOBODY
from alerts.config.model import Config as Config
