"""Git remotes: sending refs to one, within bounds and without anybody being asked.

The part of a :class:`~cibgit.repository.Repository` that talks to other repositories.
"""

import re
from collections.abc import Sequence

from .errors import NoInputError, UnreachableError
from .gitcall import IsOver
from .runner import Runner

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_CREDENTIALS = re.compile(r"://[^/@\s]*@")
_UNATTENDED = "-o BatchMode=yes -o ConnectTimeout=20"


class Remotes(Runner):
    """Runs git by what its subclass provides."""

    def has_remote(self, name: str) -> bool:
        """Say whether git knows a remote of that name; an URL is no name."""
        if not _NAME.fullmatch(name):
            return False
        return self._run("config", "--get", f"remote.{name}.url", ok=None).code == 0

    def send(
        self, remote: str, refspecs: Sequence[str], ssh: str, is_over: IsOver
    ) -> None:
        """Push refs to a remote. Nobody is asked for a password, neither by git nor by ssh.

        ``ssh`` is the ssh command that people want (``GIT_SSH_COMMAND``), or "". Raises
        :class:`~cibgit.errors.UnreachableError` with what git said, without credentials.
        """
        if not self.has_remote(remote):
            raise NoInputError(
                f"there is no git remote {remote!r} in {self.root}",
                "See which there are: git remote",
            )
        wanted = ssh or self._run("config", "--get", "core.sshCommand", ok=None).text
        env = {
            "GIT_ASKPASS": "",  # not even by a window: git takes "" for nobody
            "GIT_SSH_COMMAND": f"{wanted or 'ssh'} {_UNATTENDED}",
        }
        words = ("push", "--quiet", "--no-follow-tags", "--recurse-submodules=no")
        answer = self._run(*words, remote, *refspecs, ok=None, env=env, is_over=is_over)
        if answer.code:
            said = _CREDENTIALS.sub("://", answer.words())
            raise UnreachableError(f"git push {remote}: {said}")
