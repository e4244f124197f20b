//! Unix sockets of others, covered so that a command does not find them.
//!
//! A network namespace has no say in sockets of the file system, and behind many of them somebody
//! would use the network in the command's place: a container engine, a session bus that starts
//! programs, a resolver that asks whatever name server a name leads to.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::mount::{MountPropagationFlags, mount_bind, mount_change};

/// All that have a place in the file system. To be called in the network namespace they are in.
///
/// # Errors
/// If the system does not tell.
pub fn sockets() -> io::Result<Vec<PathBuf>> {
    Ok(listed(&fs::read("/proc/net/unix")?))
}

/// Lays a file over each that is no socket, in the mount namespace of this process, which must be
/// its own. Whoever connects to one is refused then.
///
/// # Errors
/// If one cannot be covered that could be connected to.
pub fn cover(sockets: &[PathBuf]) -> Result<(), String> {
    // What is mounted here is to be seen nowhere else.
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .map_err(|error| format!("mounts of its own are refused: {error}"))?;
    for path in sockets {
        // Who cannot get there to cover it cannot connect to it either. Many are gone already.
        if !fs::metadata(path).is_ok_and(|it| it.file_type().is_socket()) {
            continue;
        }
        match mount_bind("/dev/null", path) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(format!("{} cannot be covered: {error}", path.display())),
        }
    }
    Ok(())
}

/// The paths in the kernel's list: lines of eight columns, the last of them the path. One that
/// begins with `@` is no file but a name, and ends at the border of the network namespace.
fn listed(list: &[u8]) -> Vec<PathBuf> {
    let path = |line: &[u8]| {
        let mut rest = line;
        for _ in 0..7 {
            rest = rest.trim_ascii_start();
            rest = &rest[rest.iter().position(|byte| *byte == b' ')?..];
        }
        // One column's space: the path may begin with more of them only if it is relative, and
        // then nobody knows to what.
        let path = Path::new(OsStr::from_bytes(rest.strip_prefix(b" ")?));
        path.is_absolute().then(|| path.to_owned())
    };
    let mut paths: Vec<_> = list.split(|byte| *byte == b'\n').filter_map(path).collect();
    paths.sort();
    paths.dedup();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_are_found_in_the_list() {
        let list = b"Num       RefCount Protocol Flags    Type St Inode Path\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 21533 /run/a b.sock\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 21534\n\
            0000000000000000: 00000003 00000000 00000000 0001 03   534 /run/a b.sock\n\
            0000000000000000: 00000002 00000000 00000000 0002 01 21535 @abstract\n\
            0000000000000000: 00000002 00000000 00000000 0002 01 21536 relative.sock\n\
            0000000000000000: 00000002 00000000 00000000 0002 01 21537 /dev/log\n";
        assert_eq!(listed(list), [Path::new("/dev/log"), Path::new("/run/a b.sock")]);
    }

    #[test]
    fn a_socket_of_this_process_is_in_the_list() {
        let path = std::env::temp_dir().join(format!("proxy-cli-covered-{}", std::process::id()));
        let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let found = sockets().unwrap().contains(&path);
        fs::remove_file(&path).unwrap();
        assert!(found);
    }
}
