# The log of the proxy that had all these clients, read once it has ended and can add nothing.

kill -TERM "$proxy_pid"
finish "$proxy_pid" 40

no_panic() { ! grep -i panic "$work/proxy.err"; }

check "the proxy ends with exit code 0" same 0 "$status"
check "all $(wc -l <"$work/expected") requests are in the log exactly once, with their status" \
    access_log requests "$work/expected"
check "each tunnel that was opened was closed, exactly once" access_log tunnels
check "nothing panicked" no_panic
