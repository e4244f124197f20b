# A real browser: headless Chromium.

for name in chromium chromium-browser google-chrome; do
    if browser=$(command -v "$name"); then break; fi
done

set_up=(--proxy-server="$proxy" --proxy-bypass-list='<-loopback>')

# browse URL : the page as it stands when all of it is loaded, by a browser with this set-up.
#
# `<-loopback>` takes back the rule that loopback addresses need no proxy. A fresh profile each
# time: no cache, no connection kept from an earlier page.
browse() {
    local home
    home=$(mktemp -d -p "$work")
    HOME=$home timeout --kill-after 5 120 "${browser:?no Chromium found}" \
        --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic \
        --no-first-run --disable-background-networking --disable-component-update --disable-sync \
        "${set_up[@]}" --ignore-certificate-errors \
        --user-data-dir="$home/profile" --timeout=90000 --dump-dom "$1" 2>"$home/err" ||
        tail -n 20 "$home/err"
}

# $1 is the origin, $2 the id of the page.
subresources() {
    contains '20 of 20 came' "$(browse "$1/pages/subresources.html?id=$2")"
}

plain_page() {
    local i
    logged page 200
    for i in {0..19}; do logged "page-$i" 200; done
    subresources "$http" page
}

tunnelled_page() {
    subresources "$https" tunnelled-page
    access_log find event=open kind=tunnel target~"${https#https://}"
}

# Chromium opens a tunnel for ws:// as well, to the plain port.
websocket_page() {
    contains 'echoed: there and back' "$(browse "$1/pages/websocket.html?id=$2")"
    access_log find event=open kind=tunnel target~"${1##*/}"
}

# Loopback is left out by Chromium itself then, so it is a name that does not exist: the page is the
# proxy's.
set_up_by_file() {
    launch pac "$program" --listen 127.0.0.1:0 --pac
    local number=$pid file=http://127.0.0.1:$port/proxy.pac code
    local set_up=(--proxy-pac-url="$file")
    contains "return \"PROXY 127.0.0.1:$port\";" "$(curl -q -sS "$file")"
    same application/x-ns-proxy-autoconfig \
        "$(curl -q -sS -o /dev/null -w '%{content_type}' "${file%proxy.pac}wpad.dat")"
    code=$(curl -q -sS -o /dev/null -w '%{http_code}' "${file%proxy.pac}")
    same 400 "$code"
    contains dns_failed "$(browse http://no.such.host.invalid/)"
    kill -TERM "$number"
    finish "$number" 40
    same 0 "$status"
    contains "http://no.such.host.invalid/ dns_failed" "$(<"$work/pac.out")"
}

check "Chromium: a page and the 20 resources that its script fetches" plain_page
check "Chromium: the same over HTTPS" tunnelled_page
check "Chromium: a WebSocket, ws" websocket_page "$http" ws-page
check "Chromium: a WebSocket, wss" websocket_page "$https" wss-page
check "Chromium: set up by /proxy.pac" set_up_by_file
