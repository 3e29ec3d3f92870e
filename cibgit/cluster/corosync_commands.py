"""Corosync's tools and the shell that runs them: exact arguments, and what answers mean.

Whatever runs on a node is one shell program on standard input: nothing of a file or of
its path is ever an argument. It is one function, so that a connection that breaks in the
middle of it runs nothing. It answers in parts, ``= NAME`` and lines below; without
``= end`` it did not come to its end.
"""

import base64
import re
import shlex

SHELL = ("sh", "-s")
"""Run the program on standard input; behind ``reach`` it does so on another node."""

RELOAD = ("corosync-cfgtool", "-R")
"""Have every node read its own file again.

Exit 0 says that *this* node could; nothing is said of the others, and none of the states
in cmap tells that a node could not parse its file (experiment, 3.1.7). 7: this node
could not.
"""

QUORUM = ("corosync-quorumtool", "-s")
"""Print the state of the quorum: 0 quorate, 2 not, 1 no daemon (experiment, 3.1.7)."""

QUORATE = 0
NOT_QUORATE = 2

_TOOLS = (
    "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export PATH; LC_ALL=C; export LC_ALL"
)

_PROGRAM = """\
main() {{
{tools}
file=$(readlink -f -- {path}) || file={path}
new=$file.cibgit-new
kept=$file.cibgit
{body}
echo '= end'
}}
main < /dev/null
"""

_KEY = re.compile(rb"^[ \t]*([\w.]*\.)?key[ \t]*:", re.MULTILINE | re.IGNORECASE)

_READ = """\
if [ ! -e "$file" ]; then echo '= missing'
elif [ ! -r "$file" ]; then echo '= unreadable'
else echo '= file'; base64 < "$file"; fi
code=0; said=$(corosync-cmapctl 2>&1) || code=$?
if [ "$code" = 0 ]; then echo '= cmap'; else echo '= silent'; fi
printf '%s\\n' "$said" | base64
"""

# -t tests a configuration. Releases that know no -c take the name of the file from the
# environment; without -t there is nothing to ask. Where the file sends its messages to a
# log only, a copy that sends them here says why it is refused: it goes through a pipe, as
# it may hold a key (coroparse.c prints what is wrong with a line, and logs all else).
_STAGE = """\
set -e
umask 077
rm -f -- "$kept-copy" "$kept-before"
printf %s {data} | base64 -d > "$new"
if [ -e "$file" ]; then
chown --reference="$file" -- "$new"; chmod --reference="$file" -- "$new"
fi
{protect}
sync -- "$new"
tried() {{
COROSYNC_MAIN_CONFIG_FILE=$1; export COROSYNC_MAIN_CONFIG_FILE
code=0; said=$(corosync -t -c "$1" 2>&1) || code=$?
case $said in *'invalid option'*) code=0; said=$(corosync -t 2>&1) || code=$? ;; esac
case $said in *'invalid option'*) code=0 ;; esac
}}
tried "$new"
if [ "$code" != 0 ]; then
if [ -z "$said" ]; then
said=$(sed 's/\\(to_stderr[ \t]*:\\).*/\\1 yes/' "$new" | {{
tried /dev/stdin; printf %s "$said"; }})
fi
rm -f -- "$new"; echo '= rejected'; printf '%s\\n' "$said" | base64
else echo '= staged'; fi
"""

_SUM = """\
sum=missing
if [ -e "$file" ]; then sum=$(sha256sum < "$file"); sum=${{sum%% *}}; fi
"""

# What was kept until now stays aside until the push is done (discard), or is taken back
# (restore). A copy that does not fit on the disk leaves nothing.
_INSTALL = (
    "set -e\n"
    + _SUM
    + """\
if [ "$sum" != {expected} ]; then rm -f -- "$new"; echo '= moved'
else
if [ -e "$file" ]; then
cp -p -- "$file" "$kept-copy" || {{ rm -f -- "$kept-copy"; return 1; }}
chmod go= -- "$kept-copy"
if [ -e "$kept" ]; then mv -f -- "$kept" "$kept-before"; fi
mv -f -- "$kept-copy" "$kept"
fi
mv -f -- "$new" "$file"
sync -- "$file" "${{file%/*}}"
echo '= installed'
fi
"""
)

_RESTORE = (
    "set -e\n"
    + _SUM
    + """\
if [ "$sum" = {new} ]; then
if [ {old} = missing ]; then rm -f -- "$file"
else
sum=$(sha256sum < "$kept"); [ "${{sum%% *}}" = {old} ]
chmod --reference="$file" -- "$kept"
mv -f -- "$kept" "$file"
fi
fi
if [ -e "$kept-before" ]; then mv -f -- "$kept-before" "$kept"; fi
rm -f -- "$new" "$kept-copy"
sync -- "${{file%/*}}"
echo '= restored'
"""
)

_DISCARD = 'rm -f -- "$new" "$kept-copy" "$kept-before"\n'


def read(path: str) -> bytes:
    """Print the file and the map of keys, or that there is none."""
    return _program(path, _READ)


def stage(path: str, data: bytes) -> bytes:
    """Lay a new file beside the old one, and have the installed Corosync test it.

    It gets the old one's owner and mode; one with a key is for its owner only.
    """
    text = base64.b64encode(data).decode()
    protect = 'chmod go= -- "$new"' if _KEY.search(data) else ":"
    return _program(path, _STAGE.format(data=shlex.quote(text), protect=protect))


def install(path: str, expected: str) -> bytes:
    """Put the new file in the place of the old one, if that is still as expected.

    ``expected`` is the SHA-256 of the old one, or ``missing``.
    """
    return _program(path, _INSTALL.format(expected=shlex.quote(expected)))


def restore(path: str, new: str, old: str) -> bytes:
    """Put back what an installation replaced, if the new file is what stands there.

    Both are SHA-256, ``old`` may be ``missing``. What was kept beside the file before that
    installation is kept again.
    """
    digests = {"new": shlex.quote(new), "old": shlex.quote(old)}
    return _program(path, _RESTORE.format(**digests))


def discard(path: str) -> bytes:
    """Take away what a push that is over, or is not begun, has laid beside the file."""
    return _program(path, _DISCARD)


def _program(path: str, body: str) -> bytes:
    text = _PROGRAM.format(tools=_TOOLS, path=shlex.quote(path), body=body)
    return text.encode()


def parts(answer: bytes) -> dict[str, bytes]:
    """Return the parts of an answer by name, decoded; raises ``ValueError``."""
    found: dict[str, bytes] = {}
    name = ""
    for line in answer.splitlines():
        if line.startswith(b"= "):
            name = line[2:].decode()
            found[name] = b""
        elif name:
            found[name] += line
    return {name: base64.b64decode(text, validate=True) for name, text in found.items()}
