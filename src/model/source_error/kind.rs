//! The kinds of what can be wrong with a chart or its source.

/// What is wrong with a chart or its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceError {
    /// No version of the chart is in the wanted range.
    NoVersion,
    /// The repository has no chart of that name.
    NoChart,
    /// An OCI registry has no such repository, tag or digest, or a repository no archive that its index names.
    NotInRegistry,
    /// The server has nothing under the URL.
    NotFound,
    /// The bucket is in another region than the endpoint.
    Region,
    /// The Git repository has no such branch, tag or commit.
    NoRef,
    /// The certificate, or the lack of one.
    Tls,
    /// No connection: DNS, network, nobody listens.
    Unreachable,
    /// The server answers 5xx or 429, or not in time.
    Server,
    /// The index is not a Helm index.
    Index,
    /// The URL cannot be one.
    Url,
    /// A Secret with credentials or certificates is missing or lacks what it must hold.
    Secret,
    /// The server answers 401 or 403.
    Unauthorized,
    /// The cloud gives the controller no credentials.
    CloudLogin,
    /// The source object does not exist.
    NoSource,
    /// The kind of source is none.
    Kind,
    /// The source has not been fetched yet.
    NoArtifact,
    /// source-controller has not processed the present spec.
    NotLooked,
    /// What source-controller had stored is gone or spoilt.
    ArtifactGone,
    /// source-controller cannot write to its own disk.
    Storage,
    /// A file of `valuesFiles` is missing or unreadable.
    ValuesFiles,
    /// The signature is missing or another one.
    Signature,
    /// A dependency of the chart is missing or cannot be got.
    Dependency,
    /// The chart's archive cannot be read.
    Archive,
    /// The artifact's revision is not the chart's version.
    Revision,
}
