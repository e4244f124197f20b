# Throttles and quotas: requests, connections, bytes both ways and in tunnels, over restarts.
#
# Each check has a proxy of its own.

throttled_proxies=0

# throttles LINES… : starts a proxy with such a configuration; sets `number`, `throttled` and `output`,
# where what it says goes to.
throttles() {
    throttled_proxies=$((throttled_proxies + 1)) output=$work/throttles-$BASHPID-$throttled_proxies
    printf '%s\n' 'listen = "127.0.0.1:0"' 'log-format = "json"' 'time-zone = "UTC"' "$@" \
        >"$work/throttles.toml"
    launch "${output##*/}" "$program" --config "$work/throttles.toml"
    number=$pid throttled=http://127.0.0.1:$port
}

end_throttles() {
    kill -TERM "$number"
    finish "$number" 40
    same 0 "$status"
}

# statuses TIMES : of so many requests.
statuses() {
    local time
    for ((time = 0; time < $1; time++)); do
        proxy=$throttled fetch -o /dev/null -w '%{http_code} ' "$http/hello" || true
    done
}

# within RATE BURST BYTES SECONDS : whether so many bytes in so much time are what the rate allows. That
# they never come faster holds on any machine; slower by less than 5 % on one that is not held up.
within() {
    awk -v rate="$1" -v burst="$2" -v bytes="$3" -v took="$4" 'BEGIN {
        measured = (bytes - burst) / took / rate
        printf "%.3f of the rate\n", measured
        exit !(measured < 1.02 && measured > 0.95)
    }' || { printf '%s bytes in %s s\n' "$3" "$4"; return 1; }
}

# thrice COMMAND… : it may fail twice, for want of a core.
thrice() { "$@" || "$@" || "$@"; }

too_many_requests() {
    throttles '[[throttle]]' 'name = "few"' 'for = "client"' 'requests = "3/h burst 3"'
    same '200 200 200 429 ' "$(statuses 4)"
    local head
    head=$(proxy=$throttled fetch -i "$http/hello")
    contains 'HTTP/1.1 429 Too Many Requests' "$head"
    contains 'reason: rate_limited' "$head"
    grep -qi '^retry-after: 1[0-9][0-9][0-9]' <<<"$head"
    same 429 "$(proxy=$throttled fetch -s -o /dev/null -w '%{http_connect}' "$https/hello" || true)"
    end_throttles
    contains '"reason":"rate_limited"' "$(<"$output.out")"
    contains '"rule":"few"' "$(<"$output.out")"
}

delayed_and_dropped_and_reported() {
    throttles '[[throttle]]' 'name = "slow"' 'for = "client"' 'requests = "5/s burst 1"' \
        'over = "delay"' 'delay = "20s"'
    same '200 200 200 200 200 200 ' "$(statuses 6)"
    end_throttles
    # The last of them came a second after the first.
    python3 - "$output.out" <<'PYTHON'
import datetime, json, sys
times = [json.loads(line) for line in open(sys.argv[1])]
ends = [datetime.datetime.fromisoformat(r["time"].replace("Z", "+00:00")).timestamp() for r in times]
assert ends[-1] - ends[0] > 0.7, ends
PYTHON
    throttles '[[throttle]]' 'name = "once"' 'for = "all"' 'requests = "1/h"' 'over = "drop"'
    same '200 000 ' "$(statuses 2 2>/dev/null)"
    end_throttles
    throttles '[[throttle]]' 'name = "trial"' 'for = "host"' 'requests = "1/h"' 'mode = "report"'
    same '200 200 ' "$(statuses 2)"
    end_throttles
    contains '"reported":"trial"' "$(<"$output.out")"
}

downloads_have_a_rate() {
    local url
    for url in "$http/bytes?n=1600000" "$https/bytes?n=1600000"; do
        throttles '[[throttle]]' 'name = "down"' 'for = "client"' 'download = "1 MB/s"'
        within 1000000 100000 1600000 "$(proxy=$throttled fetch -o /dev/null -w '%{time_total}' "$url")"
        end_throttles
    done
}

uploads_have_a_rate() {
    head -c 800000 /dev/zero >"$work/throttles.body"
    throttles '[[throttle]]' 'name = "up"' 'for = "all"' 'upload = "500 KB/s"'
    within 500000 50000 800000 "$(proxy=$throttled fetch -o /dev/null -w '%{time_total}' -H 'Expect:' \
        --data-binary "@$work/throttles.body" "$http/echo")"
    end_throttles
}

quotas_last() {
    rm -f "$work/usage.txt"*
    local section=('usage-file = "'"$work"'/usage.txt"' '[[throttle]]' 'name = "month"' 'for = "client"' \
        'volume = "100 KB/month"')
    throttles "${section[@]}"
    same 200 "$(proxy=$throttled fetch -o /dev/null -w '%{http_code}' "$http/bytes?n=60000")"
    end_throttles
    grep -qE '^month [0-9]{4}-[0-9]{2} 60[0-9]{3} 127.0.0.1$' "$work/usage.txt"
    # Another run goes on from there; the one that is too long is cut, and after it there is nothing.
    throttles "${section[@]}"
    proxy=$throttled fetch -s -o /dev/null "$http/bytes?n=1000000" && return 1
    same 429 "$(proxy=$throttled fetch -o "$work/throttles.answer" -w '%{http_code}' "$http/hello")"
    contains 'reason: quota_exceeded' "$(<"$work/throttles.answer")"
    # A reload with more of it.
    sed -i 's/100 KB/10 MB/' "$work/throttles.toml"
    kill -HUP "$number"
    await 40 "the reload" grep -q "^reloaded" "$output.err"
    same '200 ' "$(statuses 1)"
    end_throttles
    contains '"reason":"quota_exceeded"' "$(<"$output.out")"
    # What is broken is told and put aside.
    printf 'month 2026-13 7 -\n' >"$work/usage.txt"
    throttles "${section[@]}"
    same '200 ' "$(statuses 1)"
    end_throttles
    contains 'usage.txt:1: expected a throttle' "$(<"$output.err")"
    same 'month 2026-13 7 -' "$(<"$work/usage.txt.broken")"
    grep -qE '^month ' "$work/usage.txt"
}

# As PROXY-USER : the status of a request.
as_user() { proxy=$throttled fetch -s -o /dev/null -w '%{http_code}' --proxy-user "$1:right" "$2" || true; }

users_have_their_own() {
    local name
    for name in ann bob; do printf 'right\n' | "$program" hash-password "$name"; done >"$work/throttled-users"
    printf 'guests: bob\n' >"$work/throttled-groups"
    throttles "users = \"$work/throttled-users\"" "groups = \"$work/throttled-groups\"" \
        '[[throttle]]' 'name = "guests"' 'for = "user"' 'groups = ["guests"]' 'requests = "2/h burst 2"' \
        '[[throttle]]' 'name = "each"' 'for = "user"' 'volume = "100 KB/month"'
    same 200 "$(as_user bob "$http/hello")"
    same 200 "$(as_user bob "$http/hello")"
    same 429 "$(as_user bob "$http/hello")"
    same 200 "$(as_user ann "$http/hello")"
    # In a tunnel, and then no more.
    proxy=$throttled fetch -s -o /dev/null --proxy-user ann:right "$https/bytes?n=1000000" && return 1
    same 429 "$(as_user ann "$http/hello")"
    end_throttles
    contains '"reason":"rate_limited"' "$(grep '"user":"bob"' "$output.out")"
    contains '"rule":"guests"' "$(grep '"user":"bob"' "$output.out")"
    contains '"reason":"quota_exceeded"' "$(grep '"user":"ann"' "$output.out")"
    # What it says beforehand.
    contains '`each`: 100 KB/month, both ways together, of the user bob; more is refused with 429' \
        "$("$program" explain --config "$work/throttles.toml" --user bob GET http://a.test/ | tr -s '\n ' ' ')"
    sed -i 's/"guests"\]/"gests"]/' "$work/throttles.toml"
    "$program" --config "$work/throttles.toml" --test 2>"$work/throttles.said" && return 1
    contains 'did you mean `guests`?' "$(<"$work/throttles.said")"
}

a_full_disk() {
    rm -f "$work/usage.full"*
    ln -s /dev/full "$work/usage.full.new"
    throttles "usage-file = \"$work/usage.full\"" '[[throttle]]' 'name = "month"' 'for = "all"' \
        'volume = "1 GB/month"'
    same '200 ' "$(statuses 1)"
    end_throttles
    same 1 "$(grep -c 'usage.full cannot be written.*No space left' "$output.err")"
    [[ ! -e $work/usage.full ]]
}

what_is_wrong_with_one() {
    printf '%s\n' '[[throttle]]' 'name = "a"' 'for = "client"' 'download = "1 Mbit/s"' >"$work/throttles.toml"
    local told
    told=$("$program" --config "$work/throttles.toml" --test 2>&1) && return 1
    contains 'throttles.toml:4:12: throttle `a`: download: a size such as 4096 or "32 KiB"' "$told"
}

check "throttles: too many requests are refused, and told when to ask again" too_many_requests
check "throttles: requests are delayed, dropped and reported" delayed_and_dropped_and_reported
check "throttles: downloads have a rate, in tunnels, too" thrice downloads_have_a_rate
check "throttles: uploads have a rate" thrice uploads_have_a_rate
check "throttles: quotas last over restarts and reloads" quotas_last
check "throttles: users have their own, in groups and in tunnels, and explain tells of it" users_have_their_own
check "throttles: a full disk is told once, and all goes on" a_full_disk
check "throttles: what is wrong is shown where it stands" what_is_wrong_with_one
