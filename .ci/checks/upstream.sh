# One fixed upstream in front of which the proxy stands.

launch front "$program" --listen 127.0.0.1:0 --log-format json --upstream "$http"
front_pid=$pid front=127.0.0.1:$port

host_kept() {
    local seen
    seen=$(curl -q -sS --max-time 60 -H 'Host: shop.example' "http://$front/headers")
    contains '"host": "shop.example"' "$seen"
}

front_bodies() {
    local to="http://$front"
    same "$big_digest" "$(curl -q -sS --max-time 120 "$to/bytes?n=$big" | digest)"
    same "$big_digest $big length" "$(curl -q -sS --max-time 120 -T "$work/big" "$to/echo")"
    same "$middling_digest 3000000 chunked" \
        "$(curl -q -sS --max-time 120 -T - "$to/echo" <"$work/middling")"
}

websocket_upgrade() {
    local text
    text=$(head -c 60000 "$work/big" | base64 -w 0)
    same "$text" "$(python3 "$here/fixtures/websocket.py" "$front" /ws "$text")"
}

# It fronts one server and is not a way to others.
no_tunnels() {
    local code
    code=$(http_proxy=http://$front https_proxy=http://$front curl -q -sS --max-time 60 \
        -o /dev/null -w '%{http_connect}' "$https/hello" 2>&1) || true
    contains 501 "$code"
    python3 "$here/fixtures/access_log.py" "$work/front.out" \
        find event=close method=CONNECT status=501 reason=connect_not_allowed
}

dead_upstream() {
    launch orphan "$program" --listen 127.0.0.1:0 --log-format json --upstream "http://$refusing"
    local number=$pid
    same 502 "$(curl -q -sS --max-time 60 -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/")"
    kill -TERM "$number"
    finish "$number" 40
    same 0 "$status"
    python3 "$here/fixtures/access_log.py" "$work/orphan.out" \
        find event=close status=502 reason=connect_refused
}

front_ends() {
    same 0 "$status"
    python3 "$here/fixtures/access_log.py" "$work/front.out" find event=close method=GET target~/ws status=101
}

check "fixed upstream: the client's Host is kept" host_kept
check "fixed upstream: 50 MB down, 50 MB up, a chunked body" front_bodies
check "fixed upstream: a WebSocket upgrade" websocket_upgrade
check "fixed upstream: CONNECT is refused" no_tunnels
check "fixed upstream: a dead one gives 502" dead_upstream
kill -TERM "$front_pid"
finish "$front_pid" 40
check "fixed upstream: it ends with exit code 0, and the upgrade is in the log" front_ends
