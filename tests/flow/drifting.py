"""Twelve situations of drift: each way in which a change stands to git, by weight."""

from dataclasses import dataclass
from pathlib import Path

from cibgit.compare.change import Weight
from cibgit.flow.drift import Standing
from cibgit.flow.export import export

from .embedded import CIB, Embedded

STANDBY = (
    '<node id="2" uname="bob"><instance_attributes id="bob-attributes">'
    '<nvpair id="bob-standby" name="standby" value="off"/></instance_attributes></node>'
)
QUORUM = '<nvpair id="o-quorum" name="no-quorum-policy" value="stop"/>'
PLAIN = CIB.replace('<node id="2" uname="bob"/>', STANDBY).replace(
    '<nvpair id="o-dc', f'{QUORUM}\n<nvpair id="o-dc'
)


@dataclass(frozen=True)
class Edit:
    """One attribute and three values of it: as applied, and two others."""

    weight: Weight
    element: str
    attribute: str
    applied: str
    one: str
    other: str


EDITS = (
    Edit(Weight.OPERATIONAL, "bob-standby", "value", "off", "on", "true"),
    Edit(Weight.CONFIGURATION, "vip-monitor", "interval", "30s", "10s", "20s"),
    Edit(Weight.DANGEROUS, "o-quorum", "value", "stop", "freeze", "demote"),
)


@dataclass(frozen=True)
class Situation:
    """What one edit came to on both sides."""

    standing: Standing
    edit: Edit

    @property
    def live(self) -> str:
        moved = self.standing is not Standing.NOT_PUSHED
        return self.edit.one if moved else self.edit.applied

    @property
    def desired(self) -> str:
        match self.standing:
            case Standing.LIVE_MOVED:
                return self.edit.applied
            case Standing.CONFLICT:
                return self.edit.other
        return self.edit.one

    def __str__(self) -> str:
        return f"{self.standing.value}, {self.edit.weight.name.lower()}"

    def created(self, folder: Path) -> Embedded:
        """Return the cluster in this situation.

        Something else waits in git too: else what both did equally is no situation.
        """
        embedded = Embedded.create(folder, PLAIN)
        export(embedded.site())
        if self.desired != self.edit.applied:
            set_desired(embedded, self.edit, self.desired)
            if self.standing is Standing.EQUAL:
                embedded.edit('score="100"', 'score="7"')
            embedded.commit()
        if self.live != self.edit.applied:
            embedded.change_live(
                f"{self.edit.element}@{self.edit.attribute}", self.live
            )
        return embedded


SITUATIONS = [Situation(standing, edit) for standing in Standing for edit in EDITS]


def set_desired(embedded: Embedded, edit: Edit, value: str) -> None:
    """Edit one attribute in the work tree."""
    lines = embedded.file.read_text().splitlines(keepends=True)
    old = f'{edit.attribute}="{edit.applied}"'
    [place] = [n for n, line in enumerate(lines) if f'id="{edit.element}"' in line]
    assert old in lines[place]
    lines[place] = lines[place].replace(old, f'{edit.attribute}="{value}"')
    embedded.file.write_text("".join(lines))


def value(text: str, edit: Edit) -> str:
    """Return what a document says of the edited attribute."""
    from lxml import etree

    found = etree.fromstring(text.encode()).find(f".//*[@id='{edit.element}']")
    assert found is not None
    return str(found.get(edit.attribute))
