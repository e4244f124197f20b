# The address at which the proxy is looked at and told what to do.

# administrated NAME ARGUMENTS… : starts a proxy with an admin address; sets `number`, `to` and `admin`.
administrated() {
    local name=$1
    launch "$name" "$program" --listen 127.0.0.1:0 --admin 127.0.0.1:0 --log-format off "${@:2}"
    number=$pid to=$port
    await 30 "the admin address of $name" grep -q "^administration at " "$work/$name.err"
    admin=$(sed -nE 's,^administration at http://(.*)/; .*,\1,p' "$work/$name.err")
}

# ask PATH CURL-ARGUMENTS…
ask() { curl -q -sS --max-time 60 "http://$admin$1" "${@:2}"; }

# asked PATH CURL-ARGUMENTS… : the status alone.
asked() { ask "$1" -o /dev/null -w '%{http_code}' "${@:2}"; }

# told COMMAND… : a subcommand of the program, asked there.
told() { "$program" "$1" --admin "$admin" "${@:2}"; }

# json KEY TEXT : the value behind a path of keys, as `connections.open`.
json() {
    python3 -c '
import functools, json, sys
step = lambda value, key: value[int(key)] if isinstance(value, list) else value[key]
print(functools.reduce(step, sys.argv[1].split("."), json.loads(sys.argv[2])))' "$1" "$2"
}

meant=(-H 'Admin-Request: 1')

end_admin() {
    kill -TERM "$number"
    finish "$number" 60
    same 0 "$status"
}

each_endpoint() {
    printf 'listen = "127.0.0.1:0"\nmax-connections-is-no-setting = 1\n' >"$work/admin.bad"
    printf 'workers = 9\nauthenticator = ["/bin/cat", "s3cret"]\nno-login-from = "127.0.0.0/8"\n' \
        >"$work/admin.toml"
    administrated admin --config "$work/admin.toml"
    local about answer
    same ok "$(ask /healthz)"
    same ready "$(ask /readyz)"
    contains '<title>proxy</title>' "$(ask /)"
    contains EventSource "$(ask /live.js)"
    contains '# TYPE proxy_' "$(ask /metrics)"
    about=$(ask /status.json)
    same "127.0.0.1:$to" "$(json listeners.0 "$about")"
    same False "$(json draining "$about")"
    same 0 "$(json connections.open "$about")"
    answer=$(ask /config)
    contains 'workers = 9' "$answer"
    contains 'authenticator = ["/bin/cat", "(hidden)"]' "$answer"
    lacks s3cret "$answer"
    same warn "$(json level "$(ask /loglevel)")"
    same debug "$(json level "$(ask '/loglevel?level=debug' -X PUT "${meant[@]}")")"
    visit "$to" >/dev/null
    curl -q -s -o /dev/null -x "http://127.0.0.1:$to" http://no.such.host.invalid/ || true
    # The client has its answer first.
    await 20 "the story" grep -q dns_failed "$work/admin.err"
    same off "$(json level "$(ask '/loglevel?level=off' -X POST "${meant[@]}")")"
    # Wrong, then right.
    cp "$work/admin.toml" "$work/admin.good"
    cp "$work/admin.bad" "$work/admin.toml"
    answer=$(ask /reload -X POST "${meant[@]}" -w ' %{http_code}')
    contains 'admin.toml:2:1: unknown setting' "$answer"
    contains ' 422' "$answer"
    same 9 "$(ask /config | sed -n 's/^workers = //p')"
    sed 's/workers = 9/workers = 10/' "$work/admin.good" >"$work/admin.toml"
    answer=$(ask /reload -X POST "${meant[@]}")
    contains 'at the next start only: workers' "$(json notes.0 "$answer")"
    same 10 "$(ask /config | sed -n 's/^workers = //p')"
    same 404 "$(asked /nothing)"
    same 405 "$(asked /reload)"
    contains 'Allow: POST' "$(ask /reload -o /dev/null -D -)"
    contains 'X-Content-Type-Options: nosniff' "$(ask /status.json -o /dev/null -D -)"
    contains 'Cache-Control: no-store' "$(ask /status.json -o /dev/null -D -)"
    end_admin
}

connections_and_bans() {
    administrated admin-connections
    local id listed
    curl -q -f -sS -N --max-time 60 -o "$work/admin.slow" -x "http://127.0.0.1:$to" "$http/wait?gate=admin-cut" &
    local slow=$!
    await 30 "the slow request" waits_for_upstream
    listed=$(ask /connections)
    same 1 "$(json total "$listed")"
    contains gate=admin-cut "$(json connections.0.request.target "$listed")"
    id=$(json connections.0.id "$listed")
    contains gate=admin-cut "$(told connections)"
    same "$id" "$(json closed "$(ask "/connections/$id" -X DELETE "${meant[@]}")")"
    wait "$slow" && return 1
    same 404 "$(asked "/connections/$id" -X DELETE "${meant[@]}")"
    same 200 "$(visit "$to")"
    same 201 "$(asked '/bans?network=127.0.0.0%2F8&time=1h' -X POST "${meant[@]}")"
    same 000 "$(visit "$to")"
    same by_hand "$(json bans.0.cause "$(ask /bans)")"
    same 200 "$(asked '/bans?network=127.0.0.0/8' -X DELETE "${meant[@]}")"
    same 200 "$(visit "$to")"
    end_admin
}

waits_for_upstream() { [[ $(ask /connections) == *'"state":"waiting"'* ]]; }

# Of a page that somebody else has written, in a browser on this machine.
foreign_pages() {
    administrated admin-foreign
    same 200 "$(asked /status.json -H 'Host: localhost:9901')"
    same 421 "$(asked /status.json -H 'Host: rebinding.example')"
    same 421 "$(asked /drain -X POST "${meant[@]}" -H 'Host: rebinding.example')"
    same 403 "$(asked /events -H 'Origin: http://evil.example')"
    same 403 "$(asked /status.json -H 'Origin: null')"
    same 403 "$(asked /status.json -H 'Sec-Fetch-Site: same-site')"
    # What a form can send.
    same 403 "$(asked /drain -d '')"
    same 403 "$(asked /drain -F a=b)"
    same 403 "$(asked /drain -d '{}' -H 'Content-Type: text/plain')"
    lacks '[Aa]ccess-[Cc]ontrol' "$(ask /status.json -o /dev/null -D - -H "Origin: http://$admin")"
    # It is no proxy, and what is one does not lead to it.
    same 421 "$(curl -q -s -o /dev/null -w '%{http_code}' -x "http://$admin" http://example.com/)"
    same 421 "$(curl -q -s -o /dev/null -w '%{http_connect}' -x "http://$admin" https://127.0.0.1:1/ || true)"
    same 403 "$(curl -q -s -o /dev/null -w '%{http_code}' -x "http://127.0.0.1:$to" "http://$admin/status.json")"
    same 403 "$(curl -q -s -o /dev/null -w '%{http_connect}' -p -x "http://127.0.0.1:$to" "http://$admin/" || true)"
    end_admin
}

with_a_token() {
    local time
    head -c 24 /dev/urandom | base64 | tr -d '+/' >"$work/token"
    if "$program" --admin 0.0.0.0:0 --test 2>"$work/admin-open.err"; then return 1; fi
    contains '--admin-token-file' "$(<"$work/admin-open.err")"
    printf 'short\n' >"$work/token.short"
    if "$program" --admin 127.0.0.1:0 --admin-token-file "$work/token.short" --test 2>"$work/admin-open.err"; then return 1; fi
    contains 'at least 16 characters' "$(<"$work/admin-open.err")"
    administrated admin-token --admin-token-file "$work/token"
    same ok "$(ask /healthz)"
    same 401 "$(asked /status.json)"
    contains 'WWW-Authenticate: Bearer' "$(ask /status.json -o /dev/null -D -)"
    same 200 "$(asked /status.json -H "Authorization: Bearer $(<"$work/token")")"
    contains "listens on" "$(told status --token-file "$work/token")"
    told status 2>"$work/admin-open.err" && return 1
    contains 'a token is needed' "$(<"$work/admin-open.err")"
    # Whatever it is, nobody hears it from here.
    lacks "$(<"$work/token")" "$(ask /config -H "Authorization: Bearer $(<"$work/token")")"
    for time in {1..10}; do asked /status.json -H 'Authorization: Bearer 0123456789abcdef' >/dev/null; done
    same 000 "$(asked /status.json -H "Authorization: Bearer $(<"$work/token")" 2>/dev/null || true)"
    end_admin
}

by_subcommands() {
    printf 'listen = "127.0.0.1:0"\n' >"$work/ask.toml"
    administrated ask --config "$work/ask.toml"
    contains "127.0.0.1:$to" "$(told status)"
    same "127.0.0.1:$to" "$(json listeners.0 "$(told status --json)")"
    contains 'nobody is banned' "$(told bans)"
    contains 'is banned for 60 min' "$("$program" bans add 127.0.0.9 --time 1h --admin "$admin")"
    contains '127.0.0.9/32' "$(told bans)"
    contains 'is not banned any more' "$("$program" bans lift 127.0.0.9 --admin "$admin")"
    told events --host 127.0.0.1 >"$work/ask.events" &
    local watching=$!
    await 30 "the first event" an_event
    contains "$http/hello" "$(<"$work/ask.events")"
    contains 'reloaded: ' "$(told reload)"
    printf 'listn = 1\n' >"$work/ask.toml"
    told reload 2>"$work/ask.told" && return 1
    contains 'did you mean `listen`?' "$(<"$work/ask.told")"
    contains 'it drains' "$(told drain)"
    finish "$number" 60
    same 0 "$status"
    wait "$watching"
    told status 2>"$work/ask.told" && return 1
    contains "nothing listens at $admin: was proxy-cli started with --admin?" "$(<"$work/ask.told")"
    local code=0
    "$program" status --no-such-flag 2>/dev/null || code=$?
    same 2 "$code"
}

an_event() {
    visit "$to" >/dev/null
    [[ -s $work/ask.events ]]
}

drains() {
    administrated admin-drain
    curl -q -sS --max-time 60 -o "$work/admin.slow" -x "http://127.0.0.1:$to" "$http/wait?gate=admin-drain" &
    local slow=$!
    await 30 "the slow request" waits_for_upstream
    same 202 "$(asked /drain -X POST "${meant[@]}")"
    await 30 "the drain" not_ready
    same ok "$(ask /healthz)"
    curl -q -sS -o /dev/null --max-time 60 "$http/open?gate=admin-drain"
    wait "$slow"
    finish "$number" 60
    same 0 "$status"
}

not_ready() { [[ $(asked /readyz) == 503 ]]; }

# seen STEP… : the page in a browser, while requests come for as long as that is open.
seen() {
    (while ! gone "$number"; do
        visit "$to" >/dev/null || true
        sleep 0.2
    done) &
    local visitor=$! result=0
    python3 "$here/fixtures/live_page.py" "${browser:?no Chromium found}" "http://$admin/" "$@" || result=1
    end_admin
    wait "$visitor" || true
    return "$result"
}

# What is not counted is not told to be 0, and tools still read the rest.
without_metrics() {
    administrated no-metrics --metrics=false
    visit "$to" >/dev/null
    local metrics
    metrics=$(ask /metrics)
    contains '# Metrics are off' "$metrics"
    contains 'proxy_connections_limit ' "$metrics"
    lacks 'proxy_(requests|failures|content_bytes)_total' "$metrics"
    promtool check metrics <<<"$metrics"
    same False "$(json metrics "$(ask /status.json)")"
    contains 'off: requests are not counted' "$(told status)"
    end_admin
}

# The page has an EventSource of its own.
in_a_browser() {
    administrated admin-browser
    seen "up for" "$http/hello"
}

# An EventSource cannot send a token: the page reads the same stream by `fetch` then.
in_a_browser_with_a_token() {
    head -c 24 /dev/urandom | base64 | tr -d '+/' >"$work/token"
    administrated admin-browser-token --admin-token-file "$work/token"
    seen 'a token is needed' --type=0123456789abcdef 'the token is wrong' \
        --type="$(<"$work/token")" "up for" "$http/hello"
}

check "admin: each endpoint, types and methods" each_endpoint
check "admin: connections are listed and closed, bans added and lifted" connections_and_bans
check "admin: pages of other sites, forms, and other names are refused; it is no proxy" foreign_pages
check "admin: a token, from a file; guessing ends" with_a_token
check "admin: by subcommands of the program" by_subcommands
check "admin: not ready while it drains" drains
check "admin: Chromium's EventSource reads /events" in_a_browser
check "admin: Chromium shows the same once a token is entered" in_a_browser_with_a_token
check "admin: where metrics are off that is said" without_metrics
