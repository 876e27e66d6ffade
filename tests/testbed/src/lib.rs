//! A real control plane on loopback, for the tests of `kubectl-skvs` and for `cargo sandbox`.
//!
//! [`Sandbox`] is the way in. It builds the control plane's programs once (etcd, kube-apiserver, kube-controller-manager, kube-scheduler,
//! kubectl, Flux's source-controller and helm-controller, helm, and a node whose pods are processes of this host), runs them on free
//! ports of 127.0.0.1, and ends every process when it is dropped, or when this process ends in any way.
//!
//! Nothing here fakes a component of Kubernetes, Flux or Helm. Everything blocks; nothing is async.

use std::io::Write as _;

mod api;
mod binaries;
mod charts;
mod cluster;
mod controllers;
pub mod couchdb;
mod error;
mod etcd;
mod exec_proxy;
mod http;
mod kubeconfig;
mod pki;
mod poll;
mod ports;
mod process;
mod process_list;
mod random;
mod recipe;
mod run_dir;
mod sandbox;
mod seed;
mod toolchain;
pub mod tour;
mod users;

pub use binaries::{Binaries, ENVTEST, PREBUILT};
pub use cluster::Cluster;
pub use error::{Error, Result};
pub use exec_proxy::{Act, BrokenList, Direction, ExecProxy, Point, Strike, Which};
pub use http::serve_folder;
pub use poll::wait;
pub use ports::free_port;
pub use process::Process;
pub use process_list::ProcessWatch;
pub use run_dir::RunDir;
pub use sandbox::{Options, Sandbox};
pub use toolchain::cache;

/// One line on stderr about long work. Written directly, so that a test harness that captures output shows it too.
pub(crate) fn progress(line: &str) {
    let _ = writeln!(std::io::stderr(), "testbed: {line}");
}
