"""A CIB with other options in cibgit's own property set; all else stays as it is."""

from lxml import etree

from .canonical import arrange, with_configuration
from .document import Cib
from .owned import MARKER_SET, set_marker


def marked(cib: Cib, options: dict[str, str], instead_of: tuple[str, ...]) -> Cib:
    """Return a CIB with options in its marker, in place of some that are there."""
    result = with_configuration(cib, cib.configuration, cib.source)
    sets = result.configuration.find("crm_config")
    if sets is None:
        sets = etree.SubElement(result.configuration, "crm_config")
    set_marker(sets, options, instead_of)
    marker = sets.find(f"cluster_property_set[@id='{MARKER_SET}']")
    if marker is not None:
        arrange(marker)
    return result
