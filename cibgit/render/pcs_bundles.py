"""Bundles as commands of pcs 0.11."""

import copy
from dataclasses import replace

from ..cib.document import Element, attributes
from ..compare.aspects import OtherPart, PairPart, Part, own_children
from ..compare.steps import Step
from . import pcs_resources
from .script import InexpressibleError, Script, Word

CONTAINERS = ("docker", "podman", "rkt")
_MAPPINGS = {"port-mapping": "port-map", "storage-mapping": "storage-map"}


def creation(script: Script, bundle: Element) -> list[Word]:
    """Return the command that creates a bundle, without the resource in it."""
    words: list[Word] = ["pcs", "resource", "bundle", "create", bundle.get("id", "")]
    containers = [one.tag for one in own_children(bundle) if one.tag in CONTAINERS]
    return [*words, "container", *containers[:1], *_content(script, bundle)[1:]]


def edit(script: Script, step: Step) -> Step:
    """Add one command that gives a bundle its new content; return the step for the rest.

    ``reset`` replaces container, network and storage, so the order of options and
    mappings comes out as it is wanted; it replaces the meta attributes, too.
    """
    assert step.old is not None and step.new is not None
    if not any(
        isinstance(part, OtherPart) and not part.only_ids and part.what in _CONTENT
        for part in step.parts
    ):
        return step
    try:
        if _container(step.old) != _container(step.new):
            raise InexpressibleError("another kind of container")
        words = _content(script, step.new)
    except InexpressibleError as error:
        script.cannot(step.address, str(error))
        return step
    script.command("pcs", "resource", "bundle", "reset", step.name, *words)
    rest = (part for part in step.parts if not _is_reset(part))
    return replace(step, parts=tuple(rest))


_CONTENT = frozenset({*CONTAINERS, "network", "storage"})


def _is_reset(part: Part) -> bool:
    if isinstance(part, PairPart):
        return part.kind == "meta_attributes"
    return isinstance(part, OtherPart) and part.what in _CONTENT


def _container(bundle: Element) -> str:
    found = [one.tag for one in own_children(bundle) if one.tag in CONTAINERS]
    return found[0] if found else ""


def _content(script: Script, bundle: Element) -> list[Word]:
    words: list[Word] = ["container"]
    for part in own_children(bundle):
        if part.tag in CONTAINERS:
            words += _options(part)
    for part in own_children(bundle):
        if part.tag == "network":
            options = _options(part)
            words += ["network", *options] if options else []
        if part.tag in ("network", "storage"):
            for mapping in own_children(part):
                words += [_MAPPINGS[mapping.tag], f"id={mapping.get('id')}"]
                words += _options(mapping)
    meta = pcs_resources.meta_of(script, _without_content(bundle))
    return words + (["meta", *meta] if meta else [])


def _without_content(bundle: Element) -> Element:
    rest = copy.deepcopy(bundle)
    for part in own_children(rest):
        if part.tag in _CONTENT:
            rest.remove(part)
    return rest


def _options(element: Element) -> list[Word]:
    found = [(name, value) for name, value in attributes(element) if name != "id"]
    for name, value in found:
        if not value:
            raise InexpressibleError(f"the empty value of {name}")
    return [f"{name}={value}" for name, value in found]
