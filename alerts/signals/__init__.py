"""Signals: what facts say of each charge point now, and just enough of its past to judge it. Pure; nothing is judged here.

`NetworkSignals.apply(fact)` folds facts in journal order into one `PointSignals` per charge point, of bounded size.
"""

from alerts.signals.connector import ConnectorSignals as ConnectorSignals
from alerts.signals.connector import OpenTransaction as OpenTransaction
from alerts.signals.network import NetworkSignals as NetworkSignals
from alerts.signals.network import SignalsOutdated as SignalsOutdated
from alerts.signals.point import PointSignals as PointSignals
