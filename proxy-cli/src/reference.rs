//! `docs/settings.md`, made from the table of settings. The test here compares the two.

use std::fmt::Write;

use crate::settings::{GROUPS, Kind, Setting};

const INTRODUCTION: &str = "\
# Settings

Each setting can stand in a TOML file, `name = value`, that is named with `--config FILE`, and
each is a flag of the same name, `--name value`. A flag beats the file, the file beats the
default. `proxy-cli --print-config` shows what is in effect, as a file to begin with:

<!-- run -->
```sh
proxy-cli --upstream http://127.0.0.1:3000 --connect-timeout 2s --print-config > proxy.toml
proxy-cli --config proxy.toml --test
```

<!-- serve -->
```sh
proxy-cli --config proxy.toml
```

Rules, and the lists and routes that they name, stand below the settings in sections of their own:
[rules.md](rules.md). So do [throttles](limits-and-users.md#throttles-and-quotas), and
[access logs](logs.md#where-it-goes) where one is not enough.

What each [user](limits-and-users.md#the-file-of-users) may do stands in sections, `[user.NAME]`, and so in a
file only.

Times have a unit: `\"250ms\"`, `\"30s\"`, `\"5m\"`, `\"1h\"`, `\"1d\"`. Sizes are bytes, or have a unit:
`32768`, `\"32 KiB\"`, `\"5 MB\"`. In a file, text stands in quotes. Whatever is unknown or cannot
work is refused before anything is started, with the place and what was most likely meant:

```text
proxy.toml:2:1: unknown setting `conect-timeout`
    2 | conect-timeout = \"2s\"
      | ^^^^^^^^^^^^^^ did you mean `connect-timeout`?
```

The program ends with 0 when it was stopped as asked, or found the configuration good (`--test`);
with 1 when it could not start or go on, such as for a port in use; with 2 for wrong usage or a
wrong configuration; with 130 when a second Ctrl-C or SIGTERM ended it at once, in which case what
was under way does not stand in the access log.

In the library, limits and timeouts are the fields of `proxy_core::Limits` and
`proxy_core::Timeouts`: the same names with `_`, timeouts without `-timeout`. Words in the last
column, such as `dns_timeout`, are the reason that stands in the log and in the answer.

<!-- This table is made from proxy-cli/src/settings/. After a change there:
     UPDATE_DOCS=1 cargo test -p proxy-cli settings_md -->

| setting | flag | what it is | default | possible | why this default | at the limit |
|---|---|---|---|---|---|---|
";

fn reference() -> String {
    let mut text = INTRODUCTION.to_owned();
    for setting in GROUPS.iter().flat_map(|group| group.settings) {
        row(setting, &mut text).expect("writing to a string does not fail");
    }
    text
}

fn row(setting: &Setting, text: &mut String) -> std::fmt::Result {
    let Setting { name, kind, help, unset, reason, at_limit } = setting;
    let default =
        if unset.is_empty() { format!("`{}`", setting.default()) } else { (*unset).to_owned() };
    let possible = kind.range().unwrap_or_default();
    let value = match kind {
        // To name it is to turn it on.
        Kind::Switch(_) if setting.default() == "true" => "=false".to_owned(),
        Kind::Switch(_) => String::new(),
        // A bar would be taken for the end of the cell, also in code.
        _ => format!(" {}", kind.value_name().replace('|', "\\|")),
    };
    writeln!(
        text,
        "| `{name}` | `--{name}{value}` | {help} | {default} | {possible} | {reason} | {at_limit} |"
    )
}

#[test]
fn settings_md_is_what_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/settings.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, reference()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        written == reference(),
        "docs/settings.md is out of date: UPDATE_DOCS=1 cargo test -p proxy-cli settings_md"
    );
}
