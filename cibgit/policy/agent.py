"""What a resource agent says about itself, as a value."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Parameter:
    """One parameter of an agent.

    ``replaces`` names the older parameters in whose stead it stands.
    """

    name: str
    is_required: bool = False
    is_reloadable: bool = False
    is_deprecated: bool = False
    replaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Agent:
    """The metadata of one agent: its full name and its parameters by name.

    ``timeouts`` are the least that it advises for its actions, in milliseconds, by the
    name of the action; of several of one name the smallest.
    """

    name: str
    parameters: dict[str, Parameter] = field(default_factory=dict)
    timeouts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class NotAsked:
    """Why nobody could say what an agent is."""

    reason: str


@dataclass(frozen=True)
class Missing:
    """An agent that is not installed on this machine; ``similar`` names those like it."""

    similar: tuple[str, ...] = ()
