# curl: every way to send and to receive, plain and inside a tunnel.

big=50000000
curl -q -sS "$http/bytes?n=$big" -o "$work/big"
head -c 3000000 "$work/big" >"$work/middling"

digest() { sha256sum | cut -d ' ' -f 1; }
big_digest=$(digest <"$work/big")
middling_digest=$(digest <"$work/middling")

# In all of these $1 is where to, $2 the word that the request ids begin with.

get() {
    logged "$2-get" 200
    same hello "$(fetch "$1/hello?id=$2-get")"
}

post() {
    logged "$2-post" 200
    local sum
    sum=$(printf 'a=1&b=2' | digest)
    same "$sum 7 length" "$(fetch -d 'a=1&b=2' "$1/echo?id=$2-post")"
}

# A proxy that waited for a body would hang here.
head_only() {
    logged "$2-head" 200
    local head
    head=$(fetch --head "$1/bytes?n=1234&id=$2-head")
    contains 'Content-Length: 1234' "$head"
}

not_found() {
    logged "$2-404" 404
    same 404 "$(fetch -o /dev/null -w '%{http_code}' "$1/nothing?id=$2-404")"
}

chunked_up() {
    logged "$2-chunked-up" 200
    same "$middling_digest 3000000 chunked" \
        "$(fetch -T - "$1/echo?id=$2-chunked-up" <"$work/middling")"
}

chunked_down() {
    logged "$2-chunked-down" 200
    same "$middling_digest" "$(fetch "$1/chunked?n=3000000&id=$2-chunked-down" | digest)"
}

# curl sends the field by itself with bodies of this size, and then would wait 60 seconds.
expect_continue() {
    logged "$2-expect" 200
    local answer
    answer=$(fetch -v --expect100-timeout 60 -T "$work/middling" "$1/echo?id=$2-expect" 2>&1)
    contains '100 Continue' "$answer"
    contains "$middling_digest 3000000 length" "$answer"
}

big_down() {
    logged "$2-big-down" 200
    same "$big_digest" "$(fetch "$1/bytes?n=$big&id=$2-big-down" | digest)"
}

big_up() {
    logged "$2-big-up" 200
    same "$big_digest $big length" "$(fetch -T "$work/big" "$1/echo?id=$2-big-up")"
}

kept_alive() {
    local i
    for i in {1..30}; do logged "$2-kept-$i" 200; done
    local connects
    connects=$(fetch -o /dev/null -w '%{num_connects}\n' "$1/hello?id=$2-kept-[1-30]" | paste -s -d +)
    same 1 $((connects))
}

at_once() {
    local i
    for i in {1..200}; do logged "$2-at-once-$i" 200; done
    same 200 "$(fetch --parallel --parallel-max 25 -o /dev/null -w '%{http_code}\n' \
        "$1/hello?id=$2-at-once-[1-200]" | grep -c '^200$')"
}

for where in http https; do
    check "$where: GET" get "${!where}" "$where"
    check "$where: POST" post "${!where}" "$where"
    check "$where: HEAD" head_only "${!where}" "$where"
    check "$where: a 404 of the origin's" not_found "${!where}" "$where"
    check "$where: a chunked request body" chunked_up "${!where}" "$where"
    check "$where: a chunked response body" chunked_down "${!where}" "$where"
    check "$where: Expect: 100-continue" expect_continue "${!where}" "$where"
    check "$where: 50 MB down" big_down "${!where}" "$where"
    check "$where: 50 MB up" big_up "${!where}" "$where"
    check "$where: 30 requests on one connection" kept_alive "${!where}" "$where"
    check "$where: 200 requests, 25 at once" at_once "${!where}" "$where"
done

# RFC 9112 §6.1: a recipient of HTTP/1.0 must not be sent chunks.
old_client() {
    logged old-client 200
    same "$middling_digest" "$(fetch -0 "$http/chunked?n=3000000&id=old-client" | digest)"
}

# RFC 9110 §7.6.1: what `Connection` names is for this hop only.
hop_by_hop() {
    logged hop-by-hop 200
    local seen
    seen=$(fetch -H 'Connection: X-Private' -H 'X-Private: 1' -H 'X-Public: 2' \
        "$http/headers?id=hop-by-hop")
    contains '"x-public": "2"' "$seen"
    [[ $seen != *x-private* && $seen != *proxy-connection* ]] || same "no field of the hop's" "$seen"
}

check "http: an HTTP/1.0 client gets a chunked response whole" old_client
check "http: fields of the hop stay on it" hop_by_hop
