# What goes wrong, and how the client and the log are told.

refused() {
    logged refused 502
    same 502 "$(fetch -o /dev/null -w '%{http_code}' "http://$refusing/?id=refused")"
    access_log find event=close target~id=refused status=502 reason=connect_refused
}

refused_tunnel() {
    local code
    code=$(fetch -o /dev/null -w '%{http_connect}' "https://$refusing/" 2>&1) || true
    contains 502 "$code"
    access_log find event=close method=CONNECT target~"$refusing" status=502 reason=connect_refused
}

# A resolver that cannot be reached lets the time run out: then it is 504.
dead_name() {
    local code
    code=$(fetch -o /dev/null -w '%{http_code}' "http://dead-name.invalid/?id=dead-name")
    if [[ $code == 504 ]]; then
        access_log find event=close target~id=dead-name status=504 reason=dns_timeout
    else
        same 502 "$code"
        access_log find event=close target~id=dead-name status=502 reason=dns_failed
    fi
}

# $1 is the path, $2 the id. The client can tell: the end is missing (curl: 18), or a reset (56).
cut_short() {
    local result=0
    fetch -o /dev/null "$http/$1?n=100000&id=$2" || result=$?
    [[ $result == 18 || $result == 56 ]] || same "18 or 56" "$result"
    access_log find event=close target~"id=$2" reason=upstream_closed_early
}

# More than all buffers on the way can hold: the proxy has to notice.
client_leaves() {
    fetch "$http/bytes?n=1000000000&id=leaves" 2>/dev/null | head -c 1000 >/dev/null || true
    access_log find event=close target~id=leaves reason=client_closed
}

taken_for_a_server() {
    local answer
    answer=$(curl -q -sS -w '%{http_code}' "$proxy/")
    contains 400 "$answer"
    contains 'forward proxy' "$answer"
    access_log find event=close status=400 reason=not_a_proxy_request
}

tls_to_plain_port() {
    local said
    said=$(timeout 30 openssl s_client -connect "${proxy#http://}" 2>&1) || true
    [[ $said =~ 'SSL handshake has read '[1-9] ]] || same 'an answer to the handshake' "$said"
    access_log find event=close reason=tls_to_plain_port
}

rubbish() {
    local connection answer
    exec {connection}<>"/dev/tcp/127.0.0.1/${proxy##*:}"
    printf 'one two\r\n\r\n' >&"$connection"
    # Until the proxy closes: after such a request it cannot know where the next one begins.
    answer=$(timeout 30 cat <&"$connection")
    contains 'HTTP/1.1 400' "$answer"
    access_log find event=close status=400 reason=bad_request_line
}

# What -v tells of a request that failed: the steps in order, and a mark below what is malformed.
story() {
    launch told "$program" --listen 127.0.0.1:0 --verbose
    local number=$pid to=$port told connection
    same 502 "$(curl -q -s --max-time 60 -o /dev/null -w '%{http_code}' -x "http://127.0.0.1:$to" "http://$refusing/")"
    exec {connection}<>"/dev/tcp/127.0.0.1/$to"
    printf 'GET / HTTP/1.1\r\nHost: a\x01b\r\n\r\n' >&"$connection"
    contains bad_request_field "$(timeout 60 cat <&"$connection")"
    exec {connection}>&-
    kill -TERM "$number"
    finish "$number" 40
    told=$(sed -nE 's/^debug: request [0-9]+: (accepted|read|dialed|failed|told|what) .*/\1/p' "$work/told.err" | xargs)
    same "accepted read dialed failed told what accepted read failed told what" "$told"
    contains ": connect_refused: The server refused the connection." "$(<"$work/told.err")"
    told=$(grep -A 1 'at byte 23: ' "$work/told.err" | sed -E 's/^debug: request [0-9]+: //')
    same 'at byte 23: Host: a\x01b\r\n
                   ^' "$told"
}

check "a refused connection: 502, and the reason in the log" refused
check "a refused connection for a tunnel: 502, and the reason in the log" refused_tunnel
check "a dead name: 502, and the reason in the log" dead_name
check "a response that is cut short does not look whole" cut_short cut cut
check "a chunked response that is cut short does not look whole" cut_short cut-chunked cut-chunked
check "a client that leaves is logged as such" client_leaves
check "a browser sent to the proxy as to a web server: 400, and help" taken_for_a_server
check "TLS to the plain port is answered, and the reason in the log" tls_to_plain_port
check "rubbish: 400, and the reason in the log" rubbish
check "the proxy serves on after all this" get "$http" after-failures
check "a failed request has its story told" story
