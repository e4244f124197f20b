# How it ends: what is in flight is finished, then the exit code is 0.

# not_listening PORT
not_listening() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# has_size BYTES FILE
has_size() { [[ -f $2 && $(stat -c %s "$2") == "$1" ]]; }

drained() {
    launch draining "$program" --listen 127.0.0.1:0 --log-format json
    local number=$pid port=$port client
    curl -q -sS -N --max-time 120 -x "http://127.0.0.1:$port" -o "$work/drained" \
        "$http/slow?n=1000000&gate=drained&id=drained" >"$work/drained.said" 2>&1 &
    client=$!
    await 30 "the first half of the download" has_size 500000 "$work/drained"
    kill -TERM "$number"
    await 30 "the port to be closed" not_listening "$port"
    # Straight to the origin: the second half may come now.
    curl -q -sS --max-time 30 "$http/open?gate=drained" >/dev/null
    finish "$client" 60
    same 0 "$status"
    has_size 1000000 "$work/drained" || same 'a whole download' "$(cat "$work/drained.said")"
    finish "$number" 40
    same 0 "$status"
    python3 "$here/fixtures/access_log.py" "$work/draining.out" \
        find event=close target~id=drained status=200 bytes_out=1000000
}

# A tunnel may last for hours: Ctrl-C does not wait for its end. A shell starts what it starts in
# the background with SIGINT ignored, hence `env`.
interrupted() {
    launch interrupted env --default-signal=INT "$program" --listen 127.0.0.1:0 --log-format json
    local number=$pid host=${http#http://} tunnel line
    exec {tunnel}<>"/dev/tcp/127.0.0.1/$port"
    printf 'CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n' "$host" "$host" >&"$tunnel"
    read -r -t 30 line <&"$tunnel"
    contains ' 200' "$line"
    kill -INT "$number"
    finish "$number" 25
    same 0 "$status"
    python3 "$here/fixtures/access_log.py" "$work/interrupted.out" tunnels
}

check "SIGTERM: a download in flight is finished, then the exit code is 0" drained
check "Ctrl-C: an open tunnel does not hold it up, the exit code is 0" interrupted
