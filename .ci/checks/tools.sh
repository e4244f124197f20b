# Tools that find the proxy in the environment: git and pip.

git_clone() {
    local settings=(
        GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
        GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@localhost
        GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@localhost
    )
    local git=(env "${settings[@]}" "http_proxy=$proxy" timeout 120 git)
    local source=$work/source bare=$work/files/cloned.git i
    "${git[@]}" init -q "$source"
    for i in {1..5}; do
        echo "revision $i" >"$source/file"
        "${git[@]}" -C "$source" add file
        "${git[@]}" -C "$source" commit -q -m "revision $i"
    done
    "${git[@]}" clone -q --bare "$source" "$bare"
    # The files by which a server that knows nothing of git can be cloned from.
    "${git[@]}" -C "$bare" update-server-info
    "${git[@]}" clone -q "$http/files/cloned.git" "$work/clone"
    same 'revision 5' "$(cat "$work/clone/file")"
    same 5 "$("${git[@]}" -C "$work/clone" rev-list --count HEAD)"
    access_log find event=close target~cloned.git/info/refs status=200
}

pip_install() {
    python3 "$here/fixtures/package_index.py" "$work/files/simple"
    env PIP_CONFIG_FILE=/dev/null timeout 120 \
        python3 -m pip --isolated --disable-pip-version-check --no-cache-dir --proxy "$proxy" \
        install -q --no-deps --target "$work/site" \
        --index-url "$http/files/simple/" --trusted-host 127.0.0.1 proxied
    same 'came through' "$(PYTHONPATH=$work/site python3 -c 'import proxied; print(proxied.WORD)')"
    access_log find event=close target~proxied-1.0-py3-none-any.whl status=200
}

check "git clones over HTTP" git_clone
check "pip installs from an index over HTTP" pip_install
