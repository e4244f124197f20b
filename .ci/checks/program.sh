# The program itself: its flags, what it prints.

tells_about_itself() {
    contains --listen "$(timeout 20 "$program" --help)"
    [[ $(timeout 20 "$program" --version) =~ [0-9]+\.[0-9]+\.[0-9]+ ]]
}

# Exit code 2, and the flag is named.
unknown_flag() {
    local said result=0
    said=$(timeout 20 "$program" --no-such-flag 2>&1) || result=$?
    same 2 "$result"
    contains no-such-flag "$said"
}

two_ports() { [[ $(announced text | sort -u | wc -l) == 2 ]]; }

# The human format, and two ports at once.
text_log() {
    launch text "$program" --listen 127.0.0.1:0 --listen 127.0.0.1:0
    local number=$pid ports one
    await 20 "both ports to be told" two_ports
    mapfile -t ports < <(announced text)
    for one in "${ports[@]}"; do
        same hello "$(proxy=http://127.0.0.1:$one fetch "$http/hello?port=$one")"
    done
    kill -TERM "$number"
    finish "$number" 40
    same 0 "$status"
    for one in "${ports[@]}"; do
        same 1 "$(grep -c "GET .*/hello?port=$one" "$work/text.out")"
    done
}

check "--help and --version" tells_about_itself
check "an unknown flag is refused by name, with exit code 2" unknown_flag
check "two ports, and a log for people" text_log
