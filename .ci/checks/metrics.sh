# What Prometheus says of our metrics, of the alerts and of the dashboard.

metrics_docs=$here/../docs/metrics

# The page of examples/metrics, by a proxy that has served something.
page() {
    local example log=$work/metrics-example
    example=$(cargo build --quiet --manifest-path "$here/../Cargo.toml" --package examples \
        --example metrics --message-format json | python3 -c '
import json, sys
made = [json.loads(line) for line in sys.stdin]
print(*[m["executable"] for m in made if m.get("executable")], sep="\n")')
    mkfifo "$log.in"
    exec {keep}<>"$log.in"
    launch metrics-example "$example" <&"$keep"
    local url to=http://127.0.0.1:$port number=$pid
    url=$(sed -n 's/^the metrics are at //p' "$work/metrics-example.out")
    curl -q -sS --max-time 60 -o /dev/null -x "$to" "$http/hello"
    curl -q -sS --max-time 60 -o /dev/null -x "$to" "http://$refusing/"
    curl -q -sS --max-time 60 -o /dev/null -x "$to" --cacert "$work/cert.pem" "$https/hello"
    # A tunnel counts when both of its ends have ended.
    await 30 "the tunnel to count" counts_tunnel "$url"
    printf '\n\n' >&"$keep"
    finish "$number" 40
    exec {keep}>&-
    same 0 "$status"
}

counts_tunnel() {
    curl -q -sS --max-time 60 -D "$work/metrics.head" -o "$work/metrics.txt" "$1"
    grep -q 'method="CONNECT",status="2xx"} 1$' "$work/metrics.txt"
}

# promtool complains of names, units and texts, too, and not only of what cannot be read.
accepted() {
    contains "Content-Type: text/plain; version=0.0.4" "$(<"$work/metrics.head")"
    promtool check metrics <"$work/metrics.txt"
    contains 'proxy_requests_total{method="GET",status="2xx"} 1' "$(<"$work/metrics.txt")"
    contains 'proxy_failures_total{reason="connect_refused",side="upstream"} 1' "$(<"$work/metrics.txt")"
}

alerts_are_well_formed() {
    promtool check rules "$metrics_docs/alerts.yml"
    promtool check config "$metrics_docs/prometheus.yml"
}

# Each alert fires where it should, and only there.
alerts_fire() {
    cp "$metrics_docs/alerts.yml" "$here/fixtures/alerts_test.yml" "$work/"
    promtool test rules "$work/alerts_test.yml"
}

# Each expression of the dashboard, as a rule.
dashboard_is_well_formed() {
    python3 - "$metrics_docs/dashboard.json" >"$work/dashboard.yml" <<'END'
import json, sys
board = json.load(open(sys.argv[1]))
exprs = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
exprs += [mark["expr"] for mark in board["annotations"]["list"]]
assert len(exprs) > 30, len(exprs)
rules = [{"record": f"panel:{n}", "expr": expr.replace("$__rate_interval", "5m")}
         for n, expr in enumerate(exprs)]
json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, sys.stdout)
END
    promtool check rules "$work/dashboard.yml"
}

check "a page with metrics is served beside a proxy" page
check "promtool accepts the metrics" accepted
check "promtool accepts the alerts and the configuration" alerts_are_well_formed
check "the alerts fire where they should" alerts_fire
check "promtool accepts the expressions of the dashboard" dashboard_is_well_formed
