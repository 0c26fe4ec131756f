"""Statistical tests per signal. `judge(history, now, settings)` gives all findings that are true now; `History` is what it knows,
`take` and `restore` are its pieces for a store."""

from alerts.detectors.statistics.history import History as History
from alerts.detectors.statistics.judge import judge as judge
from alerts.detectors.statistics.pieces import restore as restore
from alerts.detectors.statistics.pieces import take as take
from alerts.detectors.statistics.settings import StatisticsSettings as StatisticsSettings
