# `proxy-cli exec`: commands behind a proxy of their own.
#
# The origins are on loopback, which commands are told to ask without a proxy; here they are told
# otherwise.

behind() { timeout 120 "$program" exec "${flags[@]}" -- env no_proxy= NO_PROXY= "$@"; }

# Each finds the proxy in a way of its own: by variables in lower case, in upper case, by either.
clients_find_it() {
    local flags=(--log "$work/exec.log") get='
import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1]).read().decode(), end="")'
    same hello "$(behind curl -q -sS "$http/hello?by=curl")"
    same hello "$(behind curl -q -sS --cacert "$work/cert.pem" "$https/hello")"
    same hello "$(behind python3 -c "$get" "$http/hello?by=python")"
    contains "http://127.0.0.1:" "$(behind sh -c 'echo "$HTTP_PROXY $https_proxy $ALL_PROXY"')"
    if command -v wget >/dev/null; then
        same hello "$(behind wget -q -O - "$http/hello?by=wget")"
        contains by=wget "$(<"$work/exec.log")"
    fi
    contains by=curl "$(<"$work/exec.log")"
    contains by=python "$(<"$work/exec.log")"
    contains " CONNECT " "$(<"$work/exec.log")"
}

tools_work() {
    local flags=(--allow "${http#http://}") settings=(
        GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
        PIP_CONFIG_FILE=/dev/null
    )
    behind env "${settings[@]}" git clone -q "$http/files/cloned.git" "$work/exec-clone"
    same 'revision 5' "$(<"$work/exec-clone/file")"
    behind env "${settings[@]}" python3 -m pip --disable-pip-version-check --no-cache-dir install -q \
        --no-deps --target "$work/exec-site" --index-url "$http/files/simple/" \
        --trusted-host 127.0.0.1 proxied
    same 'came through' "$(PYTHONPATH=$work/exec-site python3 -c 'import proxied; print(proxied.WORD)')"
}

# By a list, plainly and by CONNECT; with the reason in the answer, in the log and in the table.
goes_where_it_may() {
    local flags=(--allow "${http#http://}" --log "$work/exec-rules.log") code
    same hello "$(behind curl -q -sS "$http/hello" 2>"$work/exec.err")"
    contains "proxy-cli: 1 request, 0 B sent, 6 B received" "$(<"$work/exec.err")"
    code=$(behind curl -q -sS -o /dev/null -w '%{http_code}' http://elsewhere.test/ 2>"$work/exec.err")
    same 403 "$code"
    contains "1 denied_by_rule" "$(<"$work/exec.err")"
    contains "http://elsewhere.test/ denied_by_rule" "$(<"$work/exec-rules.log")"
    code=$(behind curl -q -s -o /dev/null -w '%{http_connect}' "$https/hello" 2>/dev/null) || true
    same 403 "$code"
    flags=(--deny-all)
    contains "reason: denied_by_rule" "$(behind curl -q -sS "$http/hello")"
}

no_cloud_secrets() {
    local flags=(--allow 169.254.169.254)
    contains "reason: destination_not_allowed" "$(behind curl -q -sS http://169.254.169.254/)"
}

learns() {
    local flags=(--deny-all --quiet --learn "$work/exec.list") code
    behind curl -q -sS -o /dev/null "$http/hello"
    contains "${http#http://}  # 1 request, refused in this run" "$(<"$work/exec.list")"
    flags=(--quiet --allow-from "$work/exec.list")
    same hello "$(behind curl -q -sS "$http/hello")"
    code=$(behind curl -q -s -o /dev/null -w '%{http_connect}' "$https/hello") || true
    same 403 "$code"
}

passes_on() {
    local flags=(--quiet) result=0
    same in "$(echo in | behind cat)"
    behind sh -c 'exit 42' || result=$?
    same 42 "$result"
    result=0
    behind sh -c 'kill -TERM $$' || result=$?
    same 143 "$result"
    # One, of the terminal, and not another one of the proxy's.
    same 1 "$(timeout 60 python3 "$here/fixtures/terminal.py" "$program")"
}

# Each ignores its variables, in a way of its own.
isolated() {
    local flags=(--isolate --quiet) host=${http#http://} result=0 raw='
import socket, sys
host, port = sys.argv[1].split(":")
try:
    socket.create_connection((host, int(port)), 5)
except OSError:
    sys.exit(9)'
    same hello "$(behind curl -q -sS "$http/hello")"
    same hello "$(behind curl -q -sS --cacert "$work/cert.pem" "$https/hello")"
    behind curl -q -s --max-time 5 --noproxy '*' "$http/hello" || result=$?
    same 7 "$result"
    result=0
    behind python3 -c "$raw" "$host" || result=$?
    same 9 "$result"
    # It is the way that is missing, not the origin.
    python3 -c "$raw" "$host"
    flags+=(--deny-all)
    contains "reason: denied_by_rule" "$(behind curl -q -sS "$http/hello")"
}

# What the command may do to its surroundings gets it nowhere: as root in there, even.
stays_isolated() {
    local flags=(--isolate --quiet) result attempt
    same 1 "$(behind sh -c 'tail -n +3 /proc/net/dev | wc -l')"
    for attempt in 'nsenter -t $PPID -n true' 'nsenter -t 1 -n true' 'cat /proc/$PPID/environ'; do
        result=0
        behind sh -c "$attempt" || result=$?
        [[ $result != 0 ]] || { echo "succeeded: $attempt"; return 1; }
    done
}

check "exec: curl, Python and others find the proxy in their variables" clients_find_it
check "exec: git and pip work behind it" tools_work
check "exec: a command gets where it may: 403 elsewhere, and why" goes_where_it_may
check "exec: cloud secrets stay out of reach" no_cloud_secrets
check "exec: what was learned is enough for the same run" learns
check "exec: streams, exit codes, and one Ctrl-C" passes_on
if [[ $(uname) == Linux ]]; then
    # The system may have none: then exec says so, with exit code 125.
    if unshare --user --map-root-user --net --mount true 2>/dev/null; then
        check "exec --isolate: who ignores the proxy gets nowhere" isolated
        check "exec --isolate: there is no way back" stays_isolated
    else
        echo "# no namespaces for users here: exec --isolate is not checked"
    fi
fi
