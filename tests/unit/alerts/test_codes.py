"""Error codes in plain words: where they are looked for, and what a wrong table says."""

from __future__ import annotations

import pytest

from alerts.codes import translate, translate_component
from alerts.codes.table import parse, table

Names = list[tuple[str, bool]]


@pytest.mark.parametrize(
    ("said", "names"),
    [
        (("OtherError", "CX002;CX017"), [("GroundFailure", True), ("EVSEContactorFault", True)]),
        (("OtherError", "CX009; CX022 ;"), [("ResistanceFault", True), ("AuthorizationTimeout", False)]),
        (("GroundFailure", "CX002"), [("GroundFailure", True)]),
        (("OtherError", "evse_board_support/MREC24ConnectorVoltageHigh"), [("ConnectorVoltageHigh", True)]),
        (
            ("OtherError", "F003,A001,F0AA", "com.evgo.mrec"),
            [("PilotVoltageLow", True), ("F0AA", True), ("PartialInsertion", False)],
        ),
        (("OtherError", "F003"), [("F003", False)]),
        (("OtherError", "NoPPDetected", None, None, "CTEK"), [("ProximityFault", False)]),
        (("PowerSwitchFailure", None, None, "Contactor welded", "Bender"), [("PowerSwitchFailure", True)]),
        (("OtherError", "GroundFailure"), [("GroundFailure", True)]),
        (("OtherError", None), [("OtherError", False)]),
        (("OtherError", "E-4711"), [("E-4711", False)]),
        (("Error", None), [("Error", False)]),
        (("NoError", "AMINA_INFO", "amina"), []),
        (("NoError", "0"), []),
        ((None, None), []),
    ],
)
def test_codes_in_words(said: tuple[str | None, ...], names: Names) -> None:
    """Several at once, each once, those of safety first; a vendor's own only for that vendor; what is unknown as it was said."""
    assert [(code.name, code.safety) for code in translate(*said)] == names


def test_a_component_tells_too() -> None:
    """OCPP 2.x: the same thing by code and by component is one."""
    assert [code.code for code in translate_component("RCD", "CX002")] == ["CX002"]
    assert [code.name for code in translate_component("PowerContactor", None)] == ["PowerSwitchFailure"]
    assert translate_component("Display", None) == ()


def test_the_table_is_whole() -> None:
    """26 ChargeX codes, the errors of OCPP 1.6 but NoError; each says what it means; what it is the same as exists."""
    families = table().families
    assert [code.code for code in families["chargex"].codes] == [f"CX{number:03}" for number in range(1, 27)]
    assert len(families["ocpp16"].codes) == 15
    every = [code for family in families.values() for code in family.codes]
    known = {code.code for code in every} | {code.name for code in every}
    for code in every:
        assert code.means.endswith(".") and (not code.same_as or code.same_as in known), code
        assert not code.safety or code.check, f"{code.code}: somebody could be hurt, and nothing says where to look"
    assert all(family.source for family in families.values())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[x]\nsource="s"\ncodes=[{code="A",name="a"}]', "codes.toml: x: A: Object missing required field `means`"),
        ('[x]\nsource="s"\ncodes=[{code="A",name="a",means="m",safe=true}]', "codes.toml: x: A: safe is not known"),
        (
            '[x]\nsource="s"\ncodes=[{code="A",name="a",means="m"},{code="a",name="b",means="m"}]',
            "codes.toml: x: a is there twice",
        ),
    ],
)
def test_a_wrong_table_names_its_row(text: str, sentence: str) -> None:
    """At load, and not when somebody is woken."""
    with pytest.raises(ValueError) as wrong:
        parse(text)
    assert str(wrong.value) == sentence
