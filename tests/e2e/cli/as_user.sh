#!/bin/sh
# as_user.sh COMMAND...: runs it as an ordinary user, if we are root; else it is skipped, being run as one anyway.
set -eu
[ "$(id -u)" = 0 ] || exit 77
exec setpriv --reuid 65534 --regid 65534 --clear-groups env -u HOME -u XDG_RUNTIME_DIR "$@"
