# Starting processes, waiting for what they say, ending them: sourced by `e2e` and `examples`.
#
# Whatever is started here is ended when the script ends, however it ends. Every wait is for a
# condition and has a bound.

# Python would leave compiled files beside the fixtures.
export PYTHONDONTWRITEBYTECODE=1

work=$(mktemp -d)
mkdir "$work/running"
trap end_all EXIT

# await SECONDS WHAT COMMAND… : until the command succeeds.
await() {
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        if ((SECONDS >= deadline)); then
            echo "waited in vain for $what"
            return 1
        fi
        sleep 0.02
    done
}

gone() { ! kill -0 "$1" 2>/dev/null; }

# launch NAME COMMAND… : starts a server and waits until it tells its port; sets `pid` and `port`.
# Its output is in $work/NAME.out and $work/NAME.err, its standard input is the caller's.
launch() {
    local name=$1
    shift
    "$@" <&0 >"$work/$name.out" 2>"$work/$name.err" &
    pid=$!
    touch "$work/running/$pid"
    await 30 "$name to tell its port" settled "$name"
    port=$(announced "$name" | head -n 1)
    if [[ -z $port ]]; then
        echo "$name ended without telling a port:"
        cat "$work/$name.out" "$work/$name.err"
        return 1
    fi
}

announced() {
    sed -nE 's/^.*listening on [0-9a-f.:]*[].0-9a-f]:([0-9]+).*$/\1/p' "$work/$1.err" "$work/$1.out"
}

settled() { [[ -n $(announced "$1") ]] || gone "$pid"; }

# finish PID SECONDS : waits for a child to end; sets `status` to its exit code.
finish() {
    if await "$2" "process $1 to end" gone "$1"; then
        status=0
        wait "$1" || status=$?
        rm -f "$work/running/$1"
    else
        status="none: still running"
    fi
}

end_all() {
    local mark
    for mark in "$work"/running/*; do
        kill "${mark##*/}" 2>/dev/null || true
    done
    for mark in "$work"/running/*; do
        await 5 "${mark##*/} to end" gone "${mark##*/}" || kill -KILL "${mark##*/}" || true
    done
    rm -rf "$work"
}
