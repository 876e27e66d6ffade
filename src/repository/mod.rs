//! The manifests of a GitOps repository: what a folder holds, where each value is in its file, and safe edits.
//!
//! Owns every read and write of such a folder. Nothing outside a named folder is read or written, and a file that cannot be read or
//! parsed is not known: it is named with the reason and never counts as absent. What the manifests should say is for others.

pub mod clusters;
pub mod edit;
pub mod folder;
pub mod git;
pub mod kustomization;
pub mod layout;
mod listed;
pub mod manifest;
pub mod node;
pub mod removal;
pub mod tree;
pub mod write;

pub use folder::Files;
pub use kustomization::Kustomization;
pub use layout::Layout;
pub use manifest::Manifest;
pub use node::{Node, Place};
pub use tree::{NotKnown, Tree};
