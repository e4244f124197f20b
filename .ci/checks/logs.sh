# Access logs for the programs that read them: several at once, syslog, logrotate, goaccess, calamaris.

# asked PORT TIMES : so many requests, one after another, on as many connections as curl likes.
asked() {
    local urls
    mapfile -t urls < <(seq "$2" | sed "s#^#$http/hello?token=secret\\&n=#")
    curl -q -sS --max-time 100 -x "http://127.0.0.1:$1" "${urls[@]}" >/dev/null
}

end_logging() {
    kill -TERM "$1"
    finish "$1" 40
    same 0 "$status"
}

lines() { cat "$@" | wc -l; }
has_lines() { [[ $(lines "${@:2}" 2>/dev/null) -ge $1 ]]; }

several_at_once() {
    cat >"$work/several.toml" <<END
listen = "127.0.0.1:0"
deny-destination = "127.0.0.2"

[[log]]
to = "stdout"
format = "json"

[[log]]
to = "$work/several.refused"
format = "logfmt"
only = "refusals"

[[log]]
to = "$work/several.template"
template = '{client.ip} "{request.method} {request.target}" {status} {reason} {time.first_byte}'
hide-parameters = "token"
addresses = "truncated"

[[log]]
to = "$work/several.combined"
format = "combined"
queries = "hidden"

[[log]]
to = "$work/several.squid"
format = "squid"
END
    launch several "$program" --config "$work/several.toml"
    local number=$pid to=$port
    asked "$to" 20
    curl -q -sS --max-time 60 -o /dev/null -x "http://127.0.0.1:$to" "http://127.0.0.2:${http##*:}/"
    curl -q -sS --max-time 60 -o /dev/null --cacert "$work/cert.pem" -x "http://127.0.0.1:$to" "$https/hello"
    end_logging "$number"
    # A tunnel has two records; formats that know only ends have one line of it.
    same 22 "$(grep -c '"event":"close"' "$work/several.out")"
    same 1 "$(grep -c '"event":"open"' "$work/several.out")"
    same 1 "$(lines "$work/several.refused")"
    contains 'status=403 reason=destination_not_allowed' "$(<"$work/several.refused")"
    same 22 "$(lines "$work/several.template")"
    same 20 "$(grep -cE '^127\.0\.0\.0 "GET http://[^ ]*\?token=\*\*\*&n=[0-9]+" 200 - [0-9.]+$' "$work/several.template")"
    same 22 "$(lines "$work/several.combined")"
    same 20 "$(grep -c 'hello?\*\*\* HTTP/1.1" 200 ' "$work/several.combined")"
    same 20 "$(grep -cE '^[0-9.]+ +[0-9]+ 127\.0\.0\.1 TCP_MISS/200 [0-9]+ GET [^ ]+ - HIER_DIRECT/127\.0\.0\.1 -$' "$work/several.squid")"
    same 1 "$(grep -c ' TCP_DENIED/403 ' "$work/several.squid")"
    same 1 "$(grep -c ' TCP_TUNNEL/200 .* CONNECT 127.0.0.1:' "$work/several.squid")"
}

# understood LOG FORMAT… : goaccess reads every line of it.
understood() {
    goaccess "$work/$1" --no-global-config "${@:2}" -o "$work/$1.json" >/dev/null 2>"$work/$1.said"
    python3 - "$work/$1.json" "$(lines "$work/$1")" <<'END'
import json, sys
general = json.load(open(sys.argv[1]))["general"]
seen = general["total_requests"], general["valid_requests"], general["failed_requests"]
wanted = int(sys.argv[2]), int(sys.argv[2]), 0
sys.exit(seen != wanted and f"total, valid, failed: {seen}, not {wanted}")
END
}

# What goaccess calls SQUID has the words of syslog before it. This is the rest of it.
squid=(--log-format='%x.%^ %~%L %h %^/%s %b %m %U' --datetime-format=%s --date-format=%s --time-format=%s)

# An analyser of Squid's own logs.
understood_by_calamaris() {
    local report
    report=$(calamaris -a "$work/several.squid")
    [[ $report =~ invalid\ lines:\ +lines\ +0 ]]
    [[ $report =~ Total\ amount:\ +requests\ +22 ]]
}

to_syslog() {
    launch syslog python3 "$here/fixtures/syslog_receiver.py" "$work/syslog.sock"
    local receiver=$pid at=$port way
    for way in "udp://127.0.0.1:$at" "tcp://127.0.0.1:$at" "syslog:$work/syslog.sock"; do
        printf '[[log]]\nto = "%s"\nformat = "json"\nfacility = "local3"\napp-name = "checked"\n' "$way"
    done >"$work/syslog.toml"
    launch to-syslog "$program" --listen 127.0.0.1:0 --config "$work/syslog.toml"
    local number=$pid
    asked "$port" 20
    end_logging "$number"
    await 20 "all messages" has_lines 61 "$work/syslog.out"
    same 0 "$(grep -c ^wrong "$work/syslog.out")"
    for way in udp tcp unix; do
        same 20 "$(grep -c "^$way 19 checked {\"event\":\"close\"" "$work/syslog.out")"
    done
    kill "$receiver"
    finish "$receiver" 20
}

# A server that is used in earnest.
to_rsyslog() {
    cat >"$work/rsyslog.conf" <<END
global(workDirectory="$work")
module(load="imtcp")
module(load="imuxsock" SysSock.Use="off")
input(type="imtcp" address="127.0.0.1" port="0" listenPortFileName="$work/rsyslog.port")
input(type="imuxsock" Socket="$work/rsyslog.sock" UseSpecialParser="off" UseSysTimeStamp="off")
template(name="told" type="string" string="%protocol-version% %syslogfacility-text% %syslogseverity-text% %app-name% %msgid% %msg%\n")
action(type="omfile" file="$work/rsyslog.log" template="told")
END
    rsyslogd -n -f "$work/rsyslog.conf" -i "$work/rsyslog.pid" >"$work/rsyslog.err" 2>&1 &
    local server=$!
    touch "$work/running/$server"
    await 20 "rsyslogd to listen" test -s "$work/rsyslog.port" -a -S "$work/rsyslog.sock"
    cat >"$work/to-rsyslog.toml" <<END
[[log]]
to = "tcp://127.0.0.1:$(<"$work/rsyslog.port")"
format = "squid"
[[log]]
to = "syslog:$work/rsyslog.sock"
format = "logfmt"
END
    launch to-rsyslog "$program" --listen 127.0.0.1:0 --config "$work/to-rsyslog.toml"
    local number=$pid
    asked "$port" 20
    end_logging "$number"
    await 20 "all messages" has_lines 40 "$work/rsyslog.log"
    same 20 "$(grep -cE '^1 daemon info proxy-cli access [0-9.]+ +[0-9]+ 127\.0\.0\.1 TCP_MISS/200 ' "$work/rsyslog.log")"
    same 20 "$(grep -c '^1 daemon info proxy-cli access event=close kind=exchange ' "$work/rsyslog.log")"
    kill "$server"
    finish "$server" 20
}

# Files are renamed while requests come, by logrotate, which sends SIGUSR1.
with_logrotate() {
    launch rotated "$program" --listen 127.0.0.1:0 --log-format json --log-file "$work/rotated.log"
    local number=$pid to=$port time
    cat >"$work/logrotate.conf" <<END
$work/rotated.log {
    rotate 100
    size 1
    delaycompress
    compress
    missingok
    postrotate
        kill -USR1 $number
    endscript
}
END
    chmod 600 "$work/logrotate.conf"
    local client
    for ((time = 0; time < 5; time++)); do
        asked "$to" 80 &
        client=$!
        await 20 "lines" has_lines 1 "$work/rotated.log"
        logrotate --state "$work/logrotate.state" "$work/logrotate.conf"
        await 20 "the new file" test -e "$work/rotated.log"
        wait "$client"
    done
    end_logging "$number"
    # Every line is whole, and of each request there is one.
    cat <(zcat "$work"/rotated.log.*.gz) "$work"/rotated.log.1 "$work/rotated.log" | python3 -c '
import json, sys
numbers = sorted(json.loads(line)["id"] for line in sys.stdin)
sys.exit(len(numbers) != 400 or len(set(numbers)) != 400)'
}

by_itself() {
    printf '[[log]]\nto = "%s"\nrotate = "8 KiB"\nkeep = 100\ncompress = true\n' "$work/own.log" >"$work/own.toml"
    launch own "$program" --listen 127.0.0.1:0 --config "$work/own.toml"
    local number=$pid to=$port
    asked "$to" 100
    asked "$to" 100
    asked "$to" 100
    await 20 "compressed files" compgen -G "$work/own.log.*Z.gz" >/dev/null
    end_logging "$number"
    same '' "$(find "$work" -maxdepth 1 -name 'own.log*' -size +8k)"
    # What was being compressed at the end stands there as it was.
    same 300 "$({ zcat -f "$work"/own.log.*Z "$work"/own.log.*Z.gz; cat "$work/own.log"; } | grep -c 'GET .*token=secret&n=')"
}

# In /proc nothing can be renamed, by nobody. The file there is standard output.
cannot_be_put_away() {
    ln -s /proc/self/fd "$work/stuck"
    printf '[[log]]\nto = "%s"\nformat = "json"\nrotate = "4 KiB"\nkeep = 100\n' "$work/stuck/1" >"$work/stuck.toml"
    launch stuck "$program" --listen 127.0.0.1:0 --config "$work/stuck.toml"
    local number=$pid to=$port
    asked "$to" 50
    await 20 "the first lines" has_lines 50 "$work/stuck.out"
    asked "$to" 50
    await 20 "more lines" has_lines 100 "$work/stuck.out"
    same 1 "$(grep -c "$work/stuck/1 cannot be put away, and grows: " "$work/stuck.err")"
    same 0 "$(grep -c "can be put away again" "$work/stuck.err")"
    # The same file, where it can be.
    mkdir "$work/stuck.mended"
    ln "$work/stuck.out" "$work/stuck.mended/1"
    ln -sfn "$work/stuck.mended" "$work/stuck"
    asked "$to" 50
    end_logging "$number"
    same 1 "$(grep -c "$work/stuck/1 can be put away again" "$work/stuck.err")"
    same 1 "$(grep -c "cannot be put away" "$work/stuck.err")"
    same 1 "$(find "$work/stuck.mended" -name '1*' -size +8 | wc -l)"
    same 150 "$(lines "$work"/stuck.mended/1*)"
}

full_disk() {
    launch full "$program" --listen 127.0.0.1:0 --log-file /dev/full
    local number=$pid
    asked "$port" 20
    same hello "$(proxy=http://127.0.0.1:$port fetch "$http/hello")"
    end_logging "$number"
    same 1 "$(grep -c 'the access log cannot be written, its lines are lost: /dev/full' "$work/full.err")"
}

# Nobody listens there. Requests are answered, and the other log has all of them.
dead_sink() {
    printf '[[log]]\nto = "tcp://%s"\n[[log]]\nto = "%s"\n' "$refusing" "$work/alive.log" >"$work/dead.toml"
    launch dead "$program" --listen 127.0.0.1:0 --config "$work/dead.toml" --log-overflow block
    local number=$pid
    asked "$port" 50
    end_logging "$number"
    same 50 "$(lines "$work/alive.log")"
    same 1 "$(grep -c "cannot be written, its lines are lost: syslog at tcp://$refusing" "$work/dead.err")"
}

wrong_template() {
    printf '[[log]]\nto = "stdout"\ntemplate = "{stats}"\n' >"$work/wrong.toml"
    local said result=0
    said=$(timeout 20 "$program" --config "$work/wrong.toml" --test 2>&1) || result=$?
    same 2 "$result"
    contains 'did you mean `status`?' "$said"
}

check "logs: several at once, each with its format, its selection and its silence" several_at_once
check "logs: goaccess reads the combined format" understood several.combined --log-format=COMBINED
check "logs: goaccess reads Squid's format" understood several.squid "${squid[@]}"
check "logs: calamaris reads it, too" understood_by_calamaris
check "logs: syslog by UDP, by TCP and at a Unix socket" to_syslog
check "logs: rsyslog takes them" to_rsyslog
check "logs: logrotate and SIGUSR1 cost no line" with_logrotate
check "logs: files put away by size, and compressed, cost no line" by_itself
if [[ -e /proc/self/fd/1 ]]; then
    check "logs: a file that cannot be put away grows, which is told once, and its end, too" cannot_be_put_away
fi
if [[ -e /dev/full ]]; then
    check "logs: a full disk is told of once and stops nobody" full_disk
fi
check "logs: a server of syslog that is not there is told of once and stops nobody" dead_sink
check "logs: a wrong template is refused, with what was meant" wrong_template
