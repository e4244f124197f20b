# Never an open proxy by accident, never a way inside, no credentials where they do not belong.

# Exit code 2, and it is told what to do.
open_by_accident() {
    local said result=0
    said=$(timeout 20 "$program" --listen 0.0.0.0:0 2>&1) || result=$?
    same 2 "$result"
    contains --allow-client "$said"
    contains --allow-open-proxy "$said"
}

metadata() {
    local code
    code=$(fetch -o /dev/null -w '%{http_code}' "http://169.254.169.254/latest/meta-data/?id=metadata")
    same 403 "$code"
    access_log find event=close target~id=metadata status=403 reason=destination_not_allowed
    code=$(fetch -o /dev/null -w '%{http_connect}' "https://[::ffff:169.254.169.254]/" 2>&1) || true
    contains 403 "$code"
    access_log find event=close method=CONNECT status=403 reason=destination_not_allowed
}

# As beyond loopback, but on loopback: the rules are the same ones.
ruled() {
    launch ruled "$program" --listen 127.0.0.1:0 --allow-client 127.0.0.0/8 --connect-port 443 \
        --deny-destination loopback --allow-destination 127.0.0.1 --deny-destination private
    local number=$pid rules=http://127.0.0.1:$port url code
    same hello "$(proxy=$rules fetch "$http/hello")"
    for url in 127.0.0.2 '[::1]' 10.1.2.3 '[64:ff9b::10.1.2.3]'; do
        code=$(proxy=$rules fetch -o /dev/null -w '%{http_code}' "http://$url/")
        same "$url 403" "$url $code"
    done
    code=$(proxy=$rules fetch -o /dev/null -w '%{http_connect}' "$https/hello" 2>&1) || true
    contains 403 "$code"
    kill -TERM "$number"
    finish "$number" 40
    same 0 "$status"
    contains port_not_allowed "$(<"$work/ruled.out")"
}

not_served() {
    launch closed "$program" --listen 127.0.0.1:0 --allow-client 192.0.2.0/24
    local number=$pid code
    code=$(proxy=http://127.0.0.1:$port fetch -o /dev/null -w '%{http_code}' "$http/hello")
    same 403 "$code"
    kill -TERM "$number"
    finish "$number" 40
    contains client_not_allowed "$(<"$work/closed.out")"
}

credentials() {
    local sent
    sent=$(fetch --proxy-user somebody:secret "$http/headers?id=credentials")
    contains user-agent "$sent"
    [[ $sent != *proxy-authorization* && $sent != *c29tZWJvZHk6c2VjcmV0* ]]
    logged credentials 200
    sent=$(curl -q -sS -x "$proxy" -X TRACE -H 'Max-Forwards: 0' -H 'Cookie: secret' \
        -H 'Authorization: Basic secret' --proxy-user a:secret "$http/traced")
    contains "TRACE $http/traced" "$sent"
    [[ $sent != *secret* && $sent != *YTpzZWNyZXQ=* ]]
    [[ $(<"$work/proxy.out") != *c29tZWJvZHk6c2VjcmV0* ]]
}

check "listening beyond loopback without saying whom it serves: exit code 2" open_by_accident
check "cloud secrets are out of reach: 403, and the reason in the log" metadata
check "destinations and tunnel ports by rule" ruled
check "a client that is not served: 403, and the reason in the log" not_served
check "credentials for the proxy end here" credentials
