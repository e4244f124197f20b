# Clients that are kept out for a while.

# visit PORT : the status that a client gets; 000 if it is turned away.
visit() { curl -q -s --max-time 60 -o /dev/null -w '%{http_code}' -x "http://127.0.0.1:$1" "$http/hello" || true; }

# offend PORT TIMES : sends what is no HTTP.
offend() {
    local time
    for ((time = 0; time < $2; time++)); do
        timeout 10 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1"; printf "x\r\n\r\n" >&3; cat <&3' - "$1" || true
    done
}

end_banning() {
    kill -TERM "$1"
    finish "$1" 40
}

for_offences() {
    launch bans "$program" --listen 127.0.0.1:0 --log-format json --ban-malformed 3/1m --ban-refused 5/1m \
        --deny-destination 127.0.0.2 --ban-file "$work/bans.txt"
    local number=$pid to=$port code
    same 200 "$(visit "$to")"
    offend "$to" 3 >/dev/null
    same 000 "$(visit "$to")"
    same 000 "$(visit "$to")"
    contains "127.0.0.1/32 is banned for" "$(<"$work/bans.err")"
    end_banning "$number"
    contains "127.0.0.1/32 " "$(<"$work/bans.txt")"
    contains " 1 malformed" "$(<"$work/bans.txt")"
}

over_restarts() {
    launch bans-again "$program" --listen 127.0.0.1:0 --ban-file "$work/bans.txt"
    local number=$pid
    same 000 "$(visit "$port")"
    end_banning "$number"
    contains " 1 malformed" "$(<"$work/bans.txt")"
    printf 'this is no ban\n' >"$work/bans.txt"
    launch bans-forgiven "$program" --listen 127.0.0.1:0 --ban-file "$work/bans.txt"
    number=$pid
    same 200 "$(visit "$port")"
    contains "bans.txt:1: expected a network" "$(<"$work/bans-forgiven.err")"
    end_banning "$number"
}

refusals() {
    launch banning-refused "$program" --listen 127.0.0.1:0 --ban-refused 5/1m --deny-destination 127.0.0.2
    local number=$pid to=$port time
    for time in 1 2 3 4 5; do
        same 403 "$(curl -q -s -o /dev/null -w '%{http_code}' -x "http://127.0.0.1:$to" http://127.0.0.2:9/ || true)"
    done
    same 000 "$(visit "$to")"
    end_banning "$number"
}

by_configuration() {
    printf 'listen = "127.0.0.1:0"\nban = ["127.0.0.0/8"]\n' >"$work/bans.toml"
    launch banning "$program" --config "$work/bans.toml"
    local number=$pid to=$port
    same 000 "$(visit "$to")"
    printf 'listen = "127.0.0.1:0"\nban = ["127.0.0.0/8"]\nnever-ban = ["127.0.0.1"]\nban-malformed = "1/1m"\n' \
        >"$work/bans.toml"
    kill -HUP "$number"
    await 40 "the reload" grep -q "^reloaded" "$work/banning.err"
    offend "$to" 3 >/dev/null
    same 200 "$(visit "$to")"
    end_banning "$number"
}

growing() {
    printf '%s\n' 'listen = "127.0.0.1:0"' 'ban-malformed = "1/1m"' 'ban-time = "1s"' 'ban-longest = "1h"' \
        >"$work/growing.toml"
    launch growing "$program" --config "$work/growing.toml"
    local number=$pid to=$port
    offend "$to" 1 >/dev/null
    await 20 "a ban" grep -q 'is banned for 1 s, the 1. time' "$work/growing.err"
    served_again() { [[ $(visit "$to") == 200 ]]; }
    await 40 "its end" served_again
    kill -HUP "$number"
    await 40 "the reload" grep -q "^reloaded" "$work/growing.err"
    offend "$to" 1 >/dev/null
    await 20 "a longer one" grep -q 'is banned for 2 s, the 2. time' "$work/growing.err"
    same 000 "$(visit "$to")"
    end_banning "$number"
}

full_disk() {
    # What is written goes to a disk that is full.
    ln -s /dev/full "$work/bans.full.new"
    launch full "$program" --listen 127.0.0.1:0 --ban-malformed 1/1m --ban-file "$work/bans.full"
    local number=$pid
    offend "$port" 1 >/dev/null
    same 000 "$(visit "$port")"
    end_banning "$number"
    same 0 "$status"
    same 1 "$(grep -c 'bans.full cannot be written.*No space left' "$work/full.err")"
    [[ ! -e $work/bans.full ]]
}

check "bans: for malformed requests, told once, kept in a file" for_offences
check "bans: over restarts; a broken line is told" over_restarts
check "bans: for refused requests" refusals
check "bans: for good and never, by configuration and reload" by_configuration
check "bans: longer with each repetition, over a reload, too" growing
check "bans: a file that cannot be written is told, and all goes on" full_disk
