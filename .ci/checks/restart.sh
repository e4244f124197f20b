# Another process takes its place, and no client notices: on Linux, where that is possible.

restarts() { timeout 120 python3 "$here/fixtures/restarts.py" "$1" 5 "$program" "$http/hello"; }

# What it would be started with, by a service manager, on a socket that others can reach.
open_by_a_socket() {
    local said result=0
    said=$(python3 -c '
import os, socket, sys
listener = socket.socket()
listener.bind(("0.0.0.0", 0))
listener.listen()
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[1], sys.argv[1:])' "$program" 2>&1) || result=$?
    same 2 "$result"
    contains --allow-client "$said"
}

# The units, for a program that is where this one is.
units() {
    local unit said
    mkdir "$work/units"
    sed "s#^ExecStart=/usr/bin/proxy-cli#ExecStart=$program#" \
        "$here/../proxy-cli/packaging/proxy-cli.service" >"$work/units/proxy-cli.service"
    cp "$here/../proxy-cli/packaging/socket/proxy-cli.socket" "$work/units"
    for unit in service socket; do
        # It ends with 0 also where a line is not understood.
        said=$(systemd-analyze verify "$work/units/proxy-cli.$unit" 2>&1)
        same '' "$said"
    done
}

if [[ $(uname) == Linux ]]; then
    check "restarts at a socket that is passed: no client notices" restarts passed
    check "restarts at a port that is shared: no client notices" restarts shared
    check "a passed socket makes no open proxy" open_by_a_socket
    if command -v systemd-analyze >/dev/null; then
        check "systemd understands the units" units
    fi
fi
