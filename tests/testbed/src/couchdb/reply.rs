//! Puts answers on the wire: CouchDB's headers, and bodies that a fault cuts short.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::{Body, Bytes, Frame};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, SERVER};
use hyper::{Response, StatusCode};

use super::answer::Answer;

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type ResponseBody = BoxBody<Bytes, BoxError>;

/// The response for an answer; the caller adds [`stamp`].
pub(crate) fn response(answer: &Answer) -> Response<ResponseBody> {
    let body = Full::new(Bytes::from(format!("{}\n", answer.body)));
    let mut response = Response::new(body.map_err(|never| match never {}).boxed());
    *response.status_mut() =
        StatusCode::from_u16(answer.status).expect("answers have statuses of HTTP");
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The same response with only half of its body behind a head that promises all of it.
pub(crate) async fn cut(
    response: Response<ResponseBody>,
) -> Result<Response<ResponseBody>, BoxError> {
    let (mut parts, body) = response.into_parts();
    let whole = body.collect().await?.to_bytes();
    parts
        .headers
        .insert(CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let half = whole.slice(..whole.len() / 2);
    Ok(Response::from_parts(parts, Half::Whole(half).boxed()))
}

/// CouchDB's headers on every response.
pub(crate) fn stamp(response: &mut Response<ResponseBody>, version: &str, otp: u32) {
    let headers = response.headers_mut();
    if let Ok(server) = HeaderValue::from_str(&format!("CouchDB/{version} (Erlang OTP/{otp})")) {
        headers.insert(SERVER, server);
    }
    if let Ok(id) = HeaderValue::from_str(&hex(5)) {
        headers.insert("x-couch-request-id", id);
    }
}

/// That many bytes as hex digits, others each time.
pub(crate) fn hex(bytes: usize) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let mut seed = COUNT.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
    let mut text = String::new();
    while text.len() < 2 * bytes {
        seed = (seed ^ (seed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        text.push_str(&format!("{seed:016x}"));
    }
    text.truncate(2 * bytes);
    text
}

/// A body that breaks off: what it has, then an error, on which hyper closes the connection.
enum Half {
    Whole(Bytes),
    /// One pause between the two, in which hyper writes what it has.
    Sent,
    Over,
}

impl Body for Half {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match std::mem::replace(&mut *self, Half::Over) {
            Half::Whole(half) => {
                *self = Half::Sent;
                Poll::Ready(Some(Ok(Frame::data(half))))
            }
            Half::Sent => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Half::Over => Poll::Ready(Some(Err("cut short".into()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_differ_and_have_ten_digits() {
        let ids: std::collections::BTreeSet<String> = (0..100).map(|_| hex(5)).collect();
        assert_eq!(ids.len(), 100);
        assert!(
            ids.iter()
                .all(|id| id.len() == 10 && id.bytes().all(|b| b.is_ascii_hexdigit()))
        );
    }
}
