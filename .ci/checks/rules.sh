# Rules: each condition and each verdict, for plain requests and for tunnels; what users and the log
# are told; `explain`; lists that are read anew.
#
# Each check has a proxy of its own. Denied names need not be resolved.

echo '127.0.0.0/8' >"$work/here.txt"
echo '192.0.2.0/24' >"$work/away.txt"
printf '# who advertises\n0.0.0.0 blocked.test\n' >"$work/blocked.txt"

plain_url=$http/hello tunnel_url=$https/hello ruled_proxies=0

# rules LINES… : starts a proxy with such a configuration; sets `number`, `rules` and `output`, where
# what it says goes to. Each has a name of its own.
rules() {
    ruled_proxies=$((ruled_proxies + 1)) output=$work/rules-$BASHPID-$ruled_proxies
    printf '%s\n' 'listen = ["127.0.0.1:0", "127.0.0.1:0"]' 'log-format = "json"' \
        "time-zone = \"${rules_zone:-UTC}\"" "$@" >"$work/rules.toml"
    launch "${output##*/}" "$program" --config "$work/rules.toml"
    number=$pid rules=http://127.0.0.1:$port
}

stop() {
    kill -TERM "$number"
    finish "$number" 40
    same 0 "$status"
}

# What a request and a tunnel are answered with.
plain() { proxy=$rules fetch -o "$work/rules.body" -w '%{http_code}' "$@" "$plain_url"; }
tunnel() { proxy=$rules fetch -s -o /dev/null -w '%{http_connect}' "$@" "$tunnel_url" 2>/dev/null || true; }

# A rule that denies under a condition: what comes of a request and of a tunnel.
#
# holds PLAIN TUNNEL CONDITION CURL-ARGUMENTS…
holds() {
    local expected="$3: $1 $2" condition=$3 found
    shift 3
    rules '[list.here]' 'networks = "here.txt"' '[list.away]' 'networks = "away.txt"' \
        '[list.blocked]' 'domains = "blocked.txt"' \
        '[[rule]]' 'name = "it"' 'verdict = "deny"' "$condition"
    found="$condition: $(plain "$@") $(tunnel "$@")"
    stop
    same "$expected" "$found"
}

of_the_client() {
    holds 403 403 'client = "127.0.0.1"'
    holds 200 200 'client = ["192.0.2.0/24", "::1"]'
    holds 403 403 'client-list = "here"'
    holds 200 200 'client-list = "away"'
    holds 403 403 'listener = 1'
    holds 200 200 'listener = 2'
}

of_the_request() {
    local websocket=(-H 'Connection: Upgrade' -H 'Upgrade: websocket')
    holds 403 200 'kind = "plain"'
    holds 200 403 'kind = "connect"'
    holds 200 200 'kind = "websocket"'
    holds 403 200 'kind = "websocket"' "${websocket[@]}"
    holds 403 200 'method = ["GET", "HEAD"]'
    holds 200 403 'method = "CONNECT"'
    holds 403 200 'scheme = "http"'
    holds 403 200 "port = ${http##*:}"
    holds 200 403 "port = [25, \"${https##*:}-${https##*:}\"]"
    holds 403 200 'url = "http://127.0.0.1:*/hello"'
    holds 200 200 'url = "http://127.0.0.1:*/bye"'
    holds 403 200 "url-regex = '/hel+o\$'"
    holds 200 200 'header = "X-Mark: a*"'
    holds 403 200 'header = "X-Mark: a*"' -H 'X-Mark: abc'
    # Of a tunnel, the fields of the request for it; of what is inside, none.
    holds 403 403 'header = "X-Mark: a*"' --proxy-header 'X-Mark: abc'
}

of_the_host() {
    holds 403 403 'host = "127.0.0.1"'
    holds 403 403 'host = "127.*.?"'
    holds 200 200 'host = ["localhost", ".test"]'
    holds 200 200 'domain-list = "blocked"'
    local plain_url=http://www.blocked.test/ tunnel_url=https://www.blocked.test/
    holds 403 403 'domain-list = "blocked"'
    holds 403 403 'host = ".blocked.test"'
    holds 403 403 'host = "www.blocked.test"'
    holds 502 502 'host = "blocked.test"'
}

# decided CONDITION RESULTS : what comes of a request and of a tunnel of ann, who is of the staff, of
# bob, who is not, and of somebody who need not log in, under a rule that denies.
decided() {
    local found
    rules 'users = "rules.users"' 'groups = "rules.groups"' 'no-login-from = "127.0.0.0/8"' \
        '[[rule]]' 'name = "it"' 'verdict = "deny"' "$1"
    found="$(plain -U ann:right) $(tunnel -U ann:right), $(plain -U bob:right) $(tunnel -U bob:right)"
    found+=", $(plain) $(tunnel)"
    stop
    same "$1: $2" "$1: $found"
}

of_the_user() {
    local name
    for name in ann bob; do echo right | "$program" hash-password "$name"; done >"$work/rules.users"
    echo 'staff: ann' >"$work/rules.groups"
    decided 'user = "ann"' '403 403, 200 200, 200 200'
    decided 'user = ["bob", "ann"]' '403 403, 403 403, 200 200'
    decided 'group = "staff"' '403 403, 200 200, 200 200'
    decided 'group = "staff"
        user = "bob"' '200 200, 200 200, 200 200'
}

# Who asks is part of the question, and of the line of the log.
users_are_explained() {
    local told result=0
    rules 'users = "rules.users"' 'groups = "rules.groups"' \
        '[[rule]]' 'name = "staff"' 'group = "staff"' 'verdict = "allow"' \
        '[[rule]]' 'name = "rest"' 'verdict = "deny"'
    same "407 200 403" "$(plain) $(plain -U ann:right) $(plain -U bob:right)"
    same "407 200 403" "$(tunnel) $(tunnel -U ann:right) $(tunnel -U bob:right)"
    stop
    told=$(grep '"status":403' "$output.out" | head -1 | "$program" explain --config "$work/rules.toml") ||
        result=$?
    same 3 "$result"
    contains "from 127.0.0.1, user bob" "$told"
    contains "no      staff  group none does not match staff" "$told"
    told=$("$program" explain --config "$work/rules.toml" --user ann CONNECT a.test:443)
    contains "yes     staff  group staff matches staff" "$told"
    result=0
    told=$("$program" explain --config "$work/rules.toml" --json CONNECT a.test:443) || result=$?
    same "3 proxy_authentication_required" "$result $(sed -nE 's/^ *"reason": "(.*)",$/\1/p' <<<"$told")"
}

# It may become another day, and another hour, meanwhile.
of_the_time() {
    local today tomorrow later days=(sun mon tue wed thu fri sat)
    today=$(date -u +%w)
    tomorrow=${days[(today + 1) % 7]} later=$(date -u -d '6 hours' +%H)
    holds 403 403 "weekday = [\"${days[today]}\", \"$tomorrow\"]"
    holds 200 200 "weekday = \"${days[(today + 2) % 7]}-${days[(today + 5) % 7]}\""
    holds 403 403 'time = ["00:00-12:00", "12:00-24:00"]'
    holds 200 200 "time = \"$later:00-$later:59\""
    # Where it is twelve hours later, the same hours are others.
    local there next
    there=$(TZ='<there>-12' date +%H)
    next=$(printf %02d $(((10#$there + 2) % 24)))
    holds 200 200 "time = \"$there:00-$next:00\""
    rules_zone=Etc/GMT-12 holds 403 403 "time = \"$there:00-$next:00\""
}

of_the_response() {
    holds 403 200 'response-status = [404, "200-299"]'
    holds 200 200 'response-status = 404'
    holds 403 200 'response-type = "text/*"'
    holds 200 200 'response-type = "video/*"'
    holds 403 200 'response-longer-than = 5'
    holds 200 200 'response-longer-than = "6 B"'
}

# What comes through a tunnel has no response here.
refuses_responses() {
    local result=0
    rules '[[rule]]' 'name = "late"' 'response-type = "text/*"' 'url = "*/hello"' 'verdict = "deny"' \
        'status = 451' 'message = "No texts."' \
        '[[rule]]' 'name = "gone"' 'response-status = 200' 'verdict = "silent_drop"'
    same 451 "$(plain)"
    contains "No texts." "$(<"$work/rules.body")"
    same 200 "$(tunnel)"
    plain_url=$http/headers
    plain >/dev/null 2>&1 || result=$?
    [[ $result == 52 || $result == 56 ]] || same "52 or 56" "$result"
    stop
    same 1 "$(grep -c '"status":451,"reason":"denied_by_rule".*"rule":"late"' "$output.out")"
    same 1 "$(grep -c '"status":null,"reason":"closed_by_handler".*"rule":"gone"' "$output.out")"
}

allows() {
    rules 'default = "deny"' '[[rule]]' 'name = "own"' 'host = "127.0.0.1"' 'verdict = "allow"'
    same "200 200" "$(plain) $(tunnel)"
    plain_url=http://other.test/ tunnel_url=https://other.test/
    same "403 403" "$(plain) $(tunnel)"
    stop
}

denies() {
    rules '[[rule]]' 'name = "first"' 'url = "*/hello"' 'verdict = "deny"' 'status = 451' \
        '[[rule]]' 'name = "second"' 'verdict = "deny"' 'redirect = "http://intranet.test/why"'
    same "451 302" "$(plain) $(tunnel)"
    plain_url=$http/headers
    same "302 http://intranet.test/why" "$(plain) $(plain -w '%{redirect_url}')"
    stop
}

routes() {
    rules '[route.plain]' "upstream = \"$http\"" '[route.secure]' "upstream = \"${https#https://}\"" \
        '[[rule]]' 'name = "plain"' 'kind = "plain"' 'verdict = "route"' 'to = "plain"' \
        '[[rule]]' 'name = "secure"' 'verdict = "route"' 'to = "secure"'
    same hello "$(proxy=$rules fetch http://elsewhere.test/hello)"
    # The certificate is one for this name.
    same hello "$(proxy=$rules fetch https://localhost:1/hello)"
    stop
}

# waits CURL-FUNCTION : how long it took is at least a second.
waits() {
    local began=${EPOCHREALTIME/[.,]/} answered
    answered=$("$1")
    same 403 "$answered"
    ((${EPOCHREALTIME/[.,]/} - began >= 1000000)) || { echo "$1 did not wait"; return 1; }
}

tarpits() {
    rules '[[rule]]' 'name = "slow"' 'verdict = "tarpit"' 'delay = "1s"'
    waits plain
    waits tunnel
    stop
}

drops() {
    local result=0
    rules '[[rule]]' 'name = "gone"' 'verdict = "silent_drop"'
    plain >/dev/null 2>&1 || result=$?
    same "52, nothing in the answer" "$result, nothing in the answer"
    same 000 "$(tunnel)"
    stop
    same 2 "$(grep -c '"status":null,"reason":"closed_by_handler".*"rule":"gone"' "$output.out")"
}

reports() {
    rules '[[rule]]' 'name = "trial"' 'mode = "report"' 'verdict = "deny"'
    same "200 200" "$(plain) $(tunnel)"
    stop
    same 2 "$(grep -c '"event":"close".*"status":200.*"rule":"default","reported":"trial"' "$output.out")"
}

in_front_of_an_upstream() {
    rules "upstream = \"$http\"" '[[rule]]' 'name = "it"' 'url = "*/headers"' 'verdict = "deny"'
    same hello "$(curl -q -sS --max-time 60 "$rules/hello")"
    same 403 "$(curl -q -sS --max-time 60 -o /dev/null -w '%{http_code}' "$rules/headers")"
    stop
}

# What a user is told of a refused tunnel; curl shows nothing of it.
refused_tunnel() {
    local connection
    exec {connection}<>"/dev/tcp/127.0.0.1/${rules##*:}"
    printf 'CONNECT x.test:443 HTTP/1.1\r\nHost: x.test:443\r\nConnection: close\r\n\r\n' >&"$connection"
    timeout 60 cat <&"$connection"
    exec {connection}>&-
}

# The number in the page leads to the log, and its line to the rule.
refusals_are_explained() {
    local page id line result
    rules '[[rule]]' 'name = "no-tests"' 'host = ".test"' 'verdict = "deny"' 'message = "Not <here>."'
    for page in "$(proxy=$rules fetch http://x.test/)" "$(refused_tunnel)"; do
        contains "Not <here>." "$page"
        id=$(sed -nE 's/^request: ([0-9]+)\r?$/\1/p' <<<"$page")
        [[ -n $id ]] || { echo "no number in $page"; return 1; }
        python3 "$here/fixtures/access_log.py" "$output.out" find "id=$id" status=403 \
            reason=denied_by_rule rule=no-tests
        line=$(grep "\"id\":$id," "$output.out")
        result=0
        page=$("$program" explain --config "$work/rules.toml" <<<"$line") || result=$?
        same 3 "$result"
        contains "yes     no-tests  host x.test matches .test" "$page"
        contains "message Not <here>." "$page"
    done
    page=$(proxy=$rules fetch -H 'Accept: text/html' http://x.test/)
    contains "<p>Not &lt;here&gt;.</p>" "$page"
    stop
}

# reload WORDS : has the lists read anew, and waits for what is said then.
reload() {
    local before
    before=$(grep -c "$1" "$output.err") || true
    kill -HUP "$number"
    await 30 "$1" said_again "$1" "$before"
}

said_again() { (($(grep -c "$1" "$output.err") > $2)); }

# Requests go on meanwhile: none is lost.
lists_are_reloaded() {
    echo 'a.test' >"$work/changing.txt"
    rules '[list.changing]' 'domains = "changing.txt"' \
        '[[rule]]' 'name = "it"' 'domain-list = "changing"' 'verdict = "deny"'
    local many="$http/hello?n=[1-2000]" requests local_url=${http/127.0.0.1/localhost}/hello
    proxy=$rules fetch -o /dev/null -w '%{http_code}\n' "$many" >"$work/rules.codes" &
    requests=$!
    plain_url=$local_url
    same 200 "$(plain)"
    echo 'localhost' >"$work/changing.txt"
    reload '^reloaded: '
    same 403 "$(plain)"
    echo 'local host' >"$work/changing.txt"
    reload '^not reloaded: '
    contains "changing.txt:1:1: two words" "$(<"$output.err")"
    same 403 "$(plain)"
    echo 'b.test' >"$work/changing.txt"
    reload '^reloaded: '
    same 200 "$(plain)"
    wait "$requests"
    same "2000 200" "$(sort "$work/rules.codes" | uniq -c | xargs)"
    stop
}

rules_are_reloaded() {
    rules '[[rule]]' 'name = "it"' 'host = "a.test"' 'verdict = "deny"'
    same "200 200" "$(plain) $(tunnel)"
    sed -i 's/a\.test/127.0.0.1/' "$work/rules.toml"
    reload '^reloaded: '
    same "403 403" "$(plain) $(tunnel)"
    sed -i 's/deny/dney/' "$work/rules.toml"
    reload '^not reloaded: '
    contains "did you mean \`deny\`?" "$(<"$output.err")"
    same "403 403" "$(plain) $(tunnel)"
    stop
}

warns() {
    local said
    printf '%s\n' '[[rule]]' 'name = "it"' 'url = "*/x"' 'verdict = "deny"' >"$work/rules.toml"
    said=$(timeout 20 "$program" --config "$work/rules.toml" --test 2>&1)
    contains "rules.toml:3:7: warning: rule \`it\`: it sees the URLs of plain requests only" "$said"
    contains "the configuration is good" "$said"
    printf '%s\n' '[[rule]]' 'name = "it"' 'group = "staff"' 'verdict = "deny"' >"$work/rules.toml"
    said=$(timeout 20 "$program" --config "$work/rules.toml" --test 2>&1) && return 1
    contains "rules.toml:3:9: rule \`it\`: group: nobody is known" "$said"
    contains "      |         ^^^^^^^" "$said"
}

check "rules about the client and the listener" of_the_client
check "rules about the request: kind, method, scheme, port, URL, field" of_the_request
check "rules about users and groups" of_the_user
check "what becomes of a user's request is explained" users_are_explained
check "rules about the host, by pattern and by list" of_the_host
check "rules about the hour and the day" of_the_time
check "rules about the response: status, type, length" of_the_response
check "verdicts about responses: deny, silent_drop" refuses_responses
check "verdict allow, with a default that denies" allows
check "verdict deny, with a status and with a redirection" denies
check "verdict route, plain and through a tunnel" routes
check "verdict tarpit" tarpits
check "verdict silent_drop" drops
check "a rule that only reports stands in the log" reports
check "rules in front of a fixed upstream" in_front_of_an_upstream
check "who is refused is told why, and the log's line is explained" refusals_are_explained
check "a list that is read anew changes decisions, and no request is lost" lists_are_reloaded
check "rules that are read anew decide, and those with a mistake do not" rules_are_reloaded
check "rules that see less than one might think are warned of" warns
