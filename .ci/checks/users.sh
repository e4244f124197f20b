# Users and their passwords.

# enter PORT CURL-ARGUMENTS… : the status that a client gets from the proxy at a port; of a tunnel, that
# of the CONNECT.
enter() {
    curl -q -s --max-time 60 -o /dev/null -w '%{http_code} %{http_connect}' -x "http://127.0.0.1:$1" \
        --cacert "$work/cert.pem" "${@:2}" || true
}

end_users() {
    kill -TERM "$1"
    finish "$1" 40
}

# become NAME PASSWORD : a line of the file of users.
become() { printf '%s\n' "$2" | "$program" hash-password "$1"; }

proxy_users() {
    become ann right >"$work/users"
    become bob 'ü: x' >>"$work/users"
    launch users "$program" --listen 127.0.0.1:0 --log-format json --users "$work/users" --realm office \
        --login-free-failures 1000
    local number=$pid to=$port
    same "407 000" "$(enter "$to" "$http/hello")"
    same "407 000" "$(enter "$to" -0 "$http/hello")"
    same "000 407" "$(enter "$to" "$https/hello")"
    same "407 000" "$(enter "$to" -U ann:wrong "$http/hello")"
    same "000 407" "$(enter "$to" -U ann:wrong "$https/hello")"
    same "407 000" "$(enter "$to" -U nobody:right "$http/hello")"
    same "200 000" "$(enter "$to" -U ann:right "$http/hello")"
    same "200 000" "$(enter "$to" -0 -U ann:right "$http/hello")"
    same "200 200" "$(enter "$to" -U ann:right "$https/hello")"
    same "200 000" "$(enter "$to" -U 'bob:ü: x' "$http/hello")"
    # A tunnel that is asked for in HTTP/1.0.
    local old=(--proxy1.0 "127.0.0.1:$to")
    same "000 407" "$(enter "$to" "${old[@]}" "$https/hello")"
    same "200 200" "$(enter "$to" "${old[@]}" -U ann:right "$https/hello")"
    # As clients do that send no password before they are asked.
    same "200 000" "$(enter "$to" --proxy-anyauth -U ann:right "$http/hello")"
    contains 'Proxy-Authenticate: Basic realm="office"' "$(curl -q -s -i -x "http://127.0.0.1:$to" "$http/hello")"
    end_users "$number"
    contains '"user":"ann"' "$(<"$work/users.out")"
    contains '"user":"bob"' "$(<"$work/users.out")"
    contains '"reason":"proxy_authentication_failed"' "$(<"$work/users.out")"
    lacks 'right|wrong|cmlnaHQ' "$(<"$work/users.out")"
}

server_users() {
    launch server-users "$program" --listen 127.0.0.1:0 --upstream "$http" --users "$work/users"
    local number=$pid at=http://127.0.0.1:$port
    answers() { curl -q -s --max-time 60 -o /dev/null -w '%{http_code}' "$@" "$at/hello" || true; }
    same 401 "$(answers)"
    same 401 "$(answers -u ann:wrong)"
    same 200 "$(answers -u ann:right)"
    same 200 "$(answers --anyauth -u ann:right)"
    end_users "$number"
}

users_reloaded() {
    become ann right >"$work/users-changing"
    printf 'listen = "127.0.0.1:0"\nusers = "%s"\n' "$work/users-changing" >"$work/users.toml"
    launch users-changing "$program" --config "$work/users.toml"
    local number=$pid to=$port
    same "200 000" "$(enter "$to" -U ann:right "$http/hello")"
    become bob right >"$work/users-changing"
    # Until then the file may change as it likes.
    same "200 000" "$(enter "$to" -U ann:right "$http/hello")"
    kill -HUP "$number"
    await 20 "the reload" grep -q '^reloaded' "$work/users-changing.err"
    same "407 000" "$(enter "$to" -U ann:right "$http/hello")"
    same "200 000" "$(enter "$to" -U bob:right "$http/hello")"
    printf 'bob:right\n' >"$work/users-changing"
    kill -HUP "$number"
    await 20 "the refusal" grep -q '^not reloaded' "$work/users-changing.err"
    contains "users-changing:1: it is the password itself" "$(<"$work/users-changing.err")"
    same "200 000" "$(enter "$to" -U bob:right "$http/hello")"
    end_users "$number"
}

brute_force() {
    launch guessed "$program" --listen 127.0.0.1:0 --log-format json --users "$work/users" \
        --login-failures-per-client 20 --login-free-failures 1000 --ban-failed-logins 30/1h
    local number=$pid to=$port guess statuses=
    for ((guess = 0; guess < 25; guess++)); do
        statuses+=$(enter "$to" -U "ann:guess$guess" "$http/hello")
    done
    same "20 5" "$(grep -o 407 <<<"$statuses" | wc -l) $(grep -o 429 <<<"$statuses" | wc -l)"
    same "429 000" "$(enter "$to" -U ann:right "$http/hello")"
    for ((guess = 0; guess < 4; guess++)); do enter "$to" -U ann:right "$http/hello" >/dev/null; done
    same "000 000" "$(enter "$to" -U ann:right "$http/hello")"
    contains "is banned for" "$(<"$work/guessed.err")"
    end_users "$number"
}

# What a section [user.NAME] says, for requests and for tunnels.
limited_users() {
    for name in ann bob cy; do become "$name" right; done >"$work/limited-users"
    printf '%s\n' 'listen = "127.0.0.1:0"' 'users = "limited-users"' '[user.ann]' 'to = "127.0.0.1"' \
        '[user.bob]' 'expires = 2020-12-31' '[user.cy]' 'from = "192.0.2.0/24"' >"$work/limited.toml"
    launch limited "$program" --config "$work/limited.toml"
    local number=$pid to=$port
    same "200 000" "$(enter "$to" -U ann:right "$http/hello")"
    same "200 200" "$(enter "$to" -U ann:right "$https/hello")"
    same "403 000" "$(enter "$to" -U ann:right "${http/127.0.0.1/localhost}/hello")"
    same "000 403" "$(enter "$to" -U ann:right "${https/127.0.0.1/localhost}/hello")"
    same "403 000" "$(enter "$to" -U bob:right "$http/hello")"
    same "000 403" "$(enter "$to" -U bob:right "$https/hello")"
    same "403 000" "$(enter "$to" -U cy:right "$http/hello")"
    same "000 403" "$(enter "$to" -U cy:right "$https/hello")"
    end_users "$number"
    same 6 "$(grep -c user_not_allowed "$work/limited.out")"
}

# Files as others make them.
others_files() {
    htpasswd -bcB -C 4 "$work/others" ann 'right' 2>/dev/null
    htpasswd -bB "$work/others" bob 'ü: x' 2>/dev/null
    printf 'cy:%s\n' "$(openssl passwd -6 right)" >>"$work/others"
    launch others "$program" --listen 127.0.0.1:0 --users "$work/others"
    local number=$pid to=$port
    same "200 000" "$(enter "$to" -U ann:right "$http/hello")"
    same "200 000" "$(enter "$to" -U 'bob:ü: x' "$http/hello")"
    same "200 000" "$(enter "$to" -U cy:right "$http/hello")"
    same "407 000" "$(enter "$to" -U ann:wrong "$http/hello")"
    end_users "$number"
    # What is too weak is refused, whoever made it.
    local kind told
    for kind in -m -s -d; do
        htpasswd -bc "$kind" "$work/weak" ann right 2>/dev/null
        told=$("$program" --users "$work/weak" --test 2>&1) && return 1
        contains "weak:1: " "$told"
        lacks "$(cut -d: -f2 "$work/weak" | sed 's/[][\\.*^$+?(){}|]/\\&/g')" "$told"
    done
}

other_program() {
    cat >"$work/helper" <<'SCRIPT'
#!/bin/sh
while IFS= read -r line; do
    echo "$line" >>"$0.asked"
    case $line in
    'ann p%20w') echo OK ;;
    'broken '*) echo BH ;;
    'dying '*) exit 1 ;;
    *) echo ERR ;;
    esac
done
SCRIPT
    chmod +x "$work/helper"
    launch helped "$program" --listen 127.0.0.1:0 --authenticator "$work/helper" --authenticator-processes 1
    local number=$pid to=$port
    for _ in 1 2 3; do same "200 000" "$(enter "$to" -U 'ann:p w' "$http/hello")"; done
    # What was right is remembered.
    same 1 "$(wc -l <"$work/helper.asked")"
    same "407 000" "$(enter "$to" -U ann:wrong "$http/hello")"
    same "503 000" "$(enter "$to" -U broken:x "$http/hello")"
    same "503 000" "$(enter "$to" -U dying:x "$http/hello")"
    served_again() { [[ $(enter "$to" -U bob:x "$http/hello") == "407 000" ]]; }
    await 20 "another helper" served_again
    end_users "$number"
}

typed_password() {
    python3 - "$program" <<'PYTHON'
import os, pty, sys

# Somebody types at a terminal of their own.
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "hash-password", "ann"])
shown = b""
def expect(words):
    global shown
    while words not in shown:
        shown += os.read(terminal, 1024)
expect(b"password: ")
os.write(terminal, b"wrong\x15secrex\x7ft\r")
expect(b"the same again: ")
os.write(terminal, b"secret\r")
expect(b"ann:$argon2id$")
assert b"secret" not in shown and b"wrong" not in shown, shown
while True:
    try:
        if not os.read(terminal, 1024):
            break
    except OSError:
        break
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PYTHON
}

check "a proxy asks for passwords" proxy_users
check "a server asks for passwords" server_users
check "the file of users is read again" users_reloaded
check "guessing ends soon" brute_force
check "users may go where their sections say, and as long" limited_users
check "files of users are taken as htpasswd and openssl make them" others_files
check "another program tells whether a password is right" other_program
check "a password is typed and not shown" typed_password
