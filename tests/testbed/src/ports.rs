//! Free loopback ports, each handed out once in a process: a stopped API server drains on its port for some seconds.

use std::{
    net::{Ipv4Addr, TcpListener},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use crate::error::{Error, Result};

// Below what Linux (32768) and macOS (49152) give to outgoing connections, so nothing takes a port between its choice and its use.
const FIRST: u32 = 20_000;
const COUNT: u32 = 12_000;

static TAKEN: AtomicU32 = AtomicU32::new(0);

/// A port on 127.0.0.1 that nobody listens on and that this process has not handed out before.
pub fn free_port() -> Result<u16> {
    // Processes that run side by side start far apart.
    let start = process::id().wrapping_mul(7919);
    for _ in 0..COUNT {
        let step = TAKEN.fetch_add(1, Ordering::Relaxed);
        if step >= COUNT {
            break;
        }
        let port = FIRST + start.wrapping_add(step) % COUNT;
        let port = u16::try_from(port).expect("the range ends below 65536");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(Error::Other(format!(
        "no free port on 127.0.0.1 between {FIRST} and {}",
        FIRST + COUNT
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_free_and_never_given_twice() {
        let ports: Vec<u16> = (0..50).map(|_| free_port().unwrap()).collect();
        let mut distinct = ports.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), ports.len());
        assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, ports[0])).is_ok());
    }
}
