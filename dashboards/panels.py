"""Panels as Grafana's classic model wants them. Decided here: how each kind is drawn, the same way on every board.

Typed by grafana-foundation-sdk; it has no query type for InfluxDB, so `InfluxQuery` is one of ours, as its documentation advises.
"""

from __future__ import annotations

from grafana_foundation_sdk.cog.variants import Dataquery

from chargenet.observe.names import LIVE_HORIZON_S
from dashboards.sdk import bargauge, common, stat, statetimeline, table, text, timeseries
from dashboards.sdk import dashboard as d
from dashboards.sdk import prometheus as p
from dashboards.spec import INFLUX, PLAIN, PLUGIN, Colours, Column, Kind, Panel, Query, Words

REFERENCES = "ABCDEFGHIJKLMNOP"
LAST = common.ReduceDataOptions(calcs=["last"], fields="", values=False)
UNKNOWN = "no data"
JOINED_MS = LIVE_HORIZON_S * 1000
"""Readings further apart are not of one charge: their line is broken."""


def source(name: str) -> common.DataSourceRef:
    """The data source that the board's variable names."""
    return common.DataSourceRef(type_val=PLUGIN[name], uid=f"${{{name}}}")


class InfluxQuery(Dataquery):
    """An InfluxQL question as text."""

    def __init__(self, text: str, alias: str, reference: str, as_table: bool) -> None:
        self.text, self.alias, self.reference, self.as_table = text, alias, reference, as_table

    def to_json(self) -> dict[str, object]:
        """The names of Grafana's InfluxDB plugin."""
        return {
            "datasource": source(INFLUX),
            "refId": self.reference,
            "query": self.text,
            "rawQuery": True,
            "resultFormat": "table" if self.as_table else "time_series",
            "alias": self.alias,
        }


def target(query: Query, reference: str, kind: Kind, spark: bool = False) -> Dataquery:
    """One query of a panel.

    A figure shows what is so now. Asked over time for its line, it would go on showing the last value of a series that is gone; so
    gaps are filled with NaN, which is shown as no data.
    """
    if query.source == INFLUX:
        return InfluxQuery(query.text, query.legend, reference, kind is Kind.TABLE)
    instant = kind not in (Kind.GRAPH, Kind.STATES) and not spark
    return p.Dataquery(
        datasource=source(query.source),
        editor_mode=p.QueryEditorMode.CODE,
        expr=f"({query.text}) or vector(NaN)" if spark else query.text,
        format_val=p.PromQueryFormat.TABLE if kind is Kind.TABLE else p.PromQueryFormat.TIME_SERIES,
        instant=instant,
        range_val=not instant,
        legend_format=query.legend or "__auto",
        ref_id=reference,
    )


def thresholds(colours: Colours) -> d.ThresholdsConfig:
    """Steps of colour."""
    steps = [d.Threshold(value=value, color=colour) for value, colour in colours]
    return d.ThresholdsConfig(mode=d.ThresholdsMode.ABSOLUTE, steps=steps)


def panel(spec: Panel, x: int, y: int) -> d.Panel:
    """The panel at column `x` and row `y` of the grid."""
    return d.Panel(
        type_val=spec.kind.value,
        id_val=spec.id,
        title=spec.title,
        description=spec.description,
        datasource=source(spec.queries[0].source) if spec.queries else None,
        targets=[target(query, REFERENCES[number], spec.kind, spec.spark) for number, query in enumerate(spec.queries)],
        grid_pos=d.GridPos(h=spec.height, w=spec.width, x=x, y=y),
        transformations=_transformations(spec),
        options=_options(spec),
        field_config=d.FieldConfigSource(defaults=_defaults(spec), overrides=_overrides(spec)),
    )


def _defaults(spec: Panel) -> d.FieldConfig:
    by_threshold = spec.colours is not PLAIN or spec.kind in (Kind.STAT, Kind.BARS, Kind.TABLE, Kind.STATES)
    mode = d.FieldColorModeId.THRESHOLDS if by_threshold and spec.kind is not Kind.GRAPH else d.FieldColorModeId.PALETTE_CLASSIC
    words: list[d.ValueMapping] = [_words(spec.words)] if spec.words else []
    if spec.spark:
        unknown = d.ValueMappingResult(text=UNKNOWN, color="red", index=len(spec.words))
        options = d.DashboardSpecialValueMapOptions(match=d.SpecialValueMatch.NA_N, result=unknown)
        words.append(d.SpecialValueMap(options=options))
    return d.FieldConfig(
        unit=spec.unit.value,
        decimals=spec.decimals,
        min_val=spec.least,
        max_val=spec.most,
        mappings=words,
        thresholds=thresholds(spec.colours),
        color=d.FieldColor(mode=mode),
        no_value=spec.nothing or None,
        links=[link(spec.link)] if spec.link else None,
        custom=_custom(spec),
    )


def _words(words: Words) -> d.ValueMap:
    shown = {value: d.ValueMappingResult(text=word, color=colour, index=n) for n, (value, word, colour) in enumerate(words)}
    return d.ValueMap(options=shown)


def link(url: str, title: str = "Look closer") -> d.DashboardLink:
    """A link from a value."""
    return d.DashboardLink(title=title, url=url)


def _joined_ms(spec: Panel) -> float:
    """How far apart points of one line may be; 0: only neighbours."""
    if spec.joined_s is not None:
        return spec.joined_s * 1000
    return JOINED_MS if any(query.source == INFLUX for query in spec.queries) else 0


def _custom(spec: Panel) -> object:
    if spec.kind is Kind.GRAPH:
        stacking = common.StackingConfig(mode=common.StackingMode.NORMAL if spec.stacked else common.StackingMode.NONE, group="A")
        lines = common.GraphThresholdsStyleMode.DASHED if spec.threshold_lines else common.GraphThresholdsStyleMode.OFF
        return timeseries.FieldConfig(
            draw_style=common.GraphDrawStyle.LINE,
            line_width=1 if spec.stacked else 2,
            line_interpolation=common.LineInterpolation.STEP_AFTER if spec.stepped else common.LineInterpolation.LINEAR,
            fill_opacity=60 if spec.stacked else spec.filled,
            show_points=common.VisibilityMode.NEVER,
            span_nulls=_joined_ms(spec) or False,
            stacking=stacking,
            axis_soft_min=0 if spec.from_zero else None,
            thresholds_style=common.GraphThresholdsStyleConfig(mode=lines),
        )
    if spec.kind is Kind.STATES:
        return statetimeline.FieldConfig(line_width=0, fill_opacity=80)
    return None


def _options(spec: Panel) -> object:
    legend = common.VizLegendOptions(
        display_mode=common.LegendDisplayMode.LIST, placement=common.LegendPlacement.BOTTOM, show_legend=True, calcs=[]
    )
    tooltip = common.VizTooltipOptions(mode=common.TooltipDisplayMode.MULTI, sort=common.SortOrder.DESCENDING)
    match spec.kind:
        case Kind.STAT:
            return stat.Options(
                graph_mode=common.BigValueGraphMode.AREA if spec.spark else common.BigValueGraphMode.NONE,
                color_mode=common.BigValueColorMode.VALUE,
                text_mode=common.BigValueTextMode.AUTO,
                reduce_options=LAST,
            )
        case Kind.BARS:
            return bargauge.Options(
                display_mode=common.BarGaugeDisplayMode.BASIC,
                orientation=common.VizOrientation.HORIZONTAL,
                value_mode=common.BarGaugeValueMode.TEXT,
                reduce_options=LAST,
            )
        case Kind.GRAPH:
            return timeseries.Options(legend=legend, tooltip=tooltip)
        case Kind.TABLE:
            sort = [common.TableSortByFieldState(display_name=spec.sort[0], desc=spec.sort[1])] if spec.sort else None
            return table.Options(show_header=True, cell_height=common.TableCellHeight.SM, sort_by=sort)
        case Kind.STATES:
            return statetimeline.Options(show_value=common.VisibilityMode.AUTO, merge_values=True, legend=legend, tooltip=tooltip)
        case Kind.TEXT:
            return text.Options(mode=text.TextMode.MARKDOWN, content=spec.text)


def _transformations(spec: Panel) -> list[d.DataTransformerConfig]:
    if spec.kind is not Kind.TABLE:
        return []
    wanted = [column.field for column in spec.columns]
    merged = [d.DataTransformerConfig(id_val="merge", options={})] if len(spec.queries) > 1 else []
    shown = d.DataTransformerConfig(id_val="filterFieldsByName", options={"include": {"names": wanted}})
    order = {name: number for number, name in enumerate(wanted)}
    organized = d.DataTransformerConfig(id_val="organize", options={"indexByName": order, "excludeByName": {}, "renameByName": {}})
    return [*merged, shown, organized]


def _overrides(spec: Panel) -> list[d.DashboardFieldConfigSourceOverrides]:
    named = [(name, [_property("color", {"mode": "fixed", "fixedColor": colour})]) for name, colour in spec.line_colours]
    named += [
        (name, [_property("unit", unit.value), _property("custom.axisPlacement", "right"), _property("custom.fillOpacity", 0)])
        for name, unit in spec.second_axis
    ]
    named += [(column.field, _column(column)) for column in spec.columns]
    return [
        d.DashboardFieldConfigSourceOverrides(matcher=d.MatcherConfig(id_val="byName", options=name), properties=properties)
        for name, properties in named
    ]


def _property(name: str, value: object) -> d.DynamicConfigValue:
    return d.DynamicConfigValue(id_val=name, value=value)


def _column(column: Column) -> list[d.DynamicConfigValue]:
    said = [_property("displayName", column.title)]
    if column.unit is not None:
        said.append(_property("unit", column.unit.value))
    if column.decimals is not None:
        said.append(_property("decimals", column.decimals))
    if column.width is not None:
        said.append(_property("custom.width", column.width))
    if column.colours:
        said.append(_property("thresholds", thresholds(column.colours)))
        shown = {"type": "gauge", "mode": "basic"} if column.bar else {"type": "color-text"}
        said.append(_property("custom.cellOptions", shown))
    if column.words:
        said.append(_property("mappings", [_words(column.words)]))
    if column.bar:
        said += [_property("min", 0), *([] if column.most is None else [_property("max", column.most)])]
    if column.link:
        said.append(_property("links", [link(column.link)]))
    return said
