//! source-controller's objects: where they are.

/// API group of Flux's sources.
pub const GROUP: &str = "source.toolkit.fluxcd.io";

/// Versions that this plugin reads, in the order in which they are tried. The beta one is what Flux before 2.3 serves, and later ones beside
/// the other until 2.8.
pub const VERSIONS: [&str; 2] = ["v1", "v1beta2"];
