"""Error codes of charge points in plain words. The data is in codes.toml; here it is read and looked up."""

from alerts.codes.table import Code as Code
from alerts.codes.table import table as table
from alerts.codes.translate import translate as translate
from alerts.codes.translate import translate_component as translate_component
