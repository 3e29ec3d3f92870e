"""Git as the source of truth for the configuration of Pacemaker clusters."""

__version__ = "0.1.0"
