"""Rules: thresholds on what charge points said, judged at once or after a stated time. Pure.

`judge` (or a `Survey`, some charge points at a time) looks at the whole network and alone can see outages; `judge_point` looks at
one charge point right after a fact of it.
"""

from alerts.detectors.rules.heard import Heard as Heard
from alerts.detectors.rules.judge import Survey as Survey
from alerts.detectors.rules.judge import judge as judge
from alerts.detectors.rules.judge import judge_point as judge_point
from alerts.detectors.rules.peers import Peers as Peers
from alerts.detectors.rules.peers import peers_of as peers_of
from alerts.detectors.rules.settings import RuleSettings as RuleSettings
from alerts.detectors.rules.table import NETWORK_KINDS as NETWORK_KINDS
from alerts.detectors.rules.table import POINT_KINDS as POINT_KINDS
