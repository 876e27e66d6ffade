//! Objects out of files instead of a cluster: what `kubectl get -o yaml` saved, and bundles.
//!
//! A bundle is a folder, or the same folder in a .tar.gz, with every request that the rules made and its answer. Nothing here
//! asks a cluster: what is not in the files is "not saved", never absent. What is written passes [`kept`], the one door.

mod answer;
mod archive;
mod files;
mod kept;
mod logs;
pub mod manifest;
pub mod record;
pub mod request;
#[cfg(test)]
pub(crate) mod scene;
mod store;
pub mod write;

pub use answer::{Answer, NotSaved};
pub use archive::{Archive, get_helm_releases};
