//! The start of a watch: the one read that is not asked again, not recorded and never answered from files.

use super::super::ClusterError;
use super::Transport;
use http::Request;
use kube::client::Body;

impl Transport {
    /// A stream of a watch's lines. The request's bound holds for its start; the caller bounds each read.
    pub(in crate::cluster) async fn watch(&self, path: &str) -> Result<Body, ClusterError> {
        let client = self.client(path)?;
        self.count();
        let request = Request::get(path)
            .header(http::header::ACCEPT, "application/json")
            // One gzip member per event is more than the decoder reads.
            .header(http::header::ACCEPT_ENCODING, "identity")
            .body(Body::empty())
            .map_err(|e| {
                ClusterError::Other(format!("the path {path} cannot be asked for: {e}"))
            })?;
        let start = async {
            #[expect(clippy::disallowed_methods, reason = "a watch's GET")]
            let response = client
                .send(request)
                .await
                .map_err(|e| ClusterError::from_kube(e, &self.server))?;
            let (parts, body) = response.into_parts();
            if parts.status.is_success() {
                return Ok(body);
            }
            let body = self.body(parts.status, body).await?;
            Err(self.refused(parts.status, &parts.headers, &body))
        };
        let answer = self.bound(start).await;
        self.log(|base| {
            let outcome = match &answer {
                Ok(_) => "200 OK, a watch".to_owned(),
                Err(e) => e.clause(),
            };
            format!("GET {base}{path} {outcome}")
        });
        answer
    }
}
