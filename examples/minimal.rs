//! The fewest lines that make a forward proxy.

use std::time::Duration;

use proxy_core::{BuildError, Proxy};

fn main() -> Result<(), BuildError> {
    let proxy = Proxy::builder().listen("127.0.0.1:0").start()?;
    let address = proxy.local_addrs()[0];
    println!("listening on {address}");
    println!("try: curl -x http://{address} http://example.com/");
    examples::until_enter();
    proxy.shutdown(Duration::from_secs(5));
    Ok(())
}
