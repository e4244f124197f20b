# What upstreams and the log get to know of clients.

telling=(
    -H 'User-Agent: Browser/1.0 (my system)' -H 'Referer: http://search.test/find?q=secret'
    -H 'From: me@mail.test' -H 'Sec-CH-UA: "Browser"' -H 'Sec-CH-UA-Model: "Phone 12"'
    -H 'X-Forwarded-For: 192.0.2.7' -H 'X-UIDH: 0123456789' -H 'Via: 1.1 inner.test'
)

# told LEVEL FLAG… : what an upstream is told of one who tells all of the above, one field a line.
told() {
    launch "private-$1" "$program" --listen 127.0.0.1:0 --privacy "$@"
    local seen number=$pid
    seen=$(curl -q -sS --max-time 60 -x "http://127.0.0.1:$port" "${telling[@]}" "$http/headers")
    kill -TERM "$number"
    finish "$number" 40
    tr ',' '\n' <<<"$seen"
}

levels() {
    local seen
    seen=$(told off)
    contains 'Phone 12' "$seen"
    contains 'find?q=secret' "$seen"
    seen=$(told standard)
    contains 'Browser/1.0 (my system)' "$seen"
    contains '"referer": "http://search.test/"' "$seen"
    lacks 'secret|me@mail|Phone 12|192\.0\.2\.7|0123456789' "$seen"
    seen=$(told strict)
    contains '"user-agent": "Mozilla/5.0"' "$seen"
    lacks 'my system|search\.test|sec-ch|me@mail|192\.0\.2\.7' "$seen"
}

switches() {
    local seen
    seen=$(told strict --privacy-user-agent keep --privacy-referer origin --privacy-claims keep)
    contains 'Browser/1.0 (my system)' "$seen"
    contains '"referer": "http://search.test/"' "$seen"
    contains 192.0.2.7 "$seen"
    lacks 'me@mail|Phone 12' "$seen"
}

# Each by itself: told where everything else is not, and not told where everything else is.
each_switch() {
    local name mark
    while read -r name mark; do
        contains "$mark" "$(told strict "--privacy-$name" keep)"
        lacks "$mark" "$(told off "--privacy-$name" hide)"
    done <<'END'
claims 0123456789
hops inner.test
from me@mail.test
referer q=secret
user-agent my system
client-hints Phone 12
END
}

# An upstream sees what `check --privacy` says it does.
check_tells() {
    printf 'privacy = "strict"\n' >"$work/private.toml"
    local shown
    shown=$("$program" check --privacy --config "$work/private.toml")
    contains '~ User-Agent                 Mozilla/5.0' "$shown"
    contains '- X-Forwarded-For            nothing' "$shown"
}

veiled() {
    local kind
    for kind in truncated pseudonyms; do
        launch "veiled-$kind" "$program" --listen 127.0.0.1:0 --log-format combined \
            --log-addresses "$kind"
        local number=$pid
        curl -q -sS --max-time 60 -o /dev/null -x "http://127.0.0.1:$port" "$http/hello"
        curl -q -sS --max-time 60 -o /dev/null -x "http://127.0.0.1:$port" "$http/hello"
        kill -TERM "$number"
        finish "$number" 40
        lacks '^127\.0\.0\.1 ' "$(<"$work/veiled-$kind.out")"
    done
    same 2 "$(grep -c '^127\.0\.0\.0 ' "$work/veiled-truncated.out")"
    same 1 "$(cut -d' ' -f1 "$work/veiled-pseudonyms.out" | grep '^100::' | sort -u | wc -l)"
}

check "privacy: off tells all, standard what nobody misses, strict what an answer needs" levels
check "privacy: each thing has a switch of its own" switches
check "privacy: each switch by itself" each_switch
check "privacy: check --privacy shows it" check_tells
check "privacy: addresses in the log are truncated, or have pseudonyms" veiled
