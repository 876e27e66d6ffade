//! Faults that a test plants: the next matching request fails, hangs, comes late, or its answer is cut.

use std::time::Duration;

use serde_json::Value;

use super::answer::Answer;

/// What happens to a matching request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Answer(Answer),
    Hang,
    Slow(Duration),
    Cut,
    Drop,
}

/// One planted fault. It strikes once unless [`Fault::times`] says otherwise.
#[derive(Clone, Debug)]
pub struct Fault {
    method: String,
    path: String,
    pub(crate) act: Act,
    pub(crate) carried_out: bool,
    left: u32,
}

impl Fault {
    fn new(method: &str, path: &str, act: Act) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            act,
            carried_out: false,
            left: 1,
        }
    }

    /// Answers with this status and body in the place of the real answer. `path` has no query; a trailing `*` matches
    /// any rest. Method `*` is any method.
    pub fn answer(method: &str, path: &str, status: u16, body: Value) -> Self {
        Self::new(method, path, Act::Answer(Answer::new(status, body)))
    }

    /// Never answers; the connection stays open until the client or the front goes.
    pub fn hang(method: &str, path: &str) -> Self {
        Self::new(method, path, Act::Hang)
    }

    /// Carries the request out at once and answers it so much later.
    pub fn slow(method: &str, path: &str, pause: Duration) -> Self {
        Self {
            carried_out: true,
            ..Self::new(method, path, Act::Slow(pause))
        }
    }

    /// Carries the request out, sends the head and half of the body, then closes the connection.
    pub fn cut(method: &str, path: &str) -> Self {
        Self {
            carried_out: true,
            ..Self::new(method, path, Act::Cut)
        }
    }

    /// Closes the connection without an answer.
    pub fn drop_connection(method: &str, path: &str) -> Self {
        Self::new(method, path, Act::Drop)
    }

    /// The lockout of 3.4: also the right password gets this 403.
    pub fn lockout(times: u32) -> Self {
        Self::new(
            "*",
            "*",
            Act::Answer(Answer::error(
                403,
                "forbidden",
                "Account is temporarily locked due to multiple authentication failures",
            )),
        )
        .times(times)
    }

    /// The request takes effect before the fault strikes: a deletion that answers 500 and yet happened.
    #[must_use]
    pub fn after_it_happened(mut self) -> Self {
        self.carried_out = true;
        self
    }

    /// Strikes this many requests.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.left = times;
        self
    }

    fn strikes(&self, method: &str, path: &str) -> bool {
        (self.method == "*" || self.method == method)
            && match self.path.strip_suffix('*') {
                Some(start) => path.starts_with(start),
                None => self.path == path,
            }
    }
}

/// The first fault that strikes this request; its count goes down.
pub(crate) fn take(faults: &mut Vec<Fault>, method: &str, path: &str) -> Option<Fault> {
    let at = faults.iter().position(|f| f.strikes(method, path))?;
    faults[at].left = faults[at].left.saturating_sub(1);
    let fault = faults[at].clone();
    if fault.left == 0 {
        faults.remove(at);
    }
    Some(fault)
}

/// Whether a database's own GET would be answered with a failure of CouchDB: asked for many at once, CouchDB then says `not_found` for it.
pub(crate) fn is_unserved(faults: &[Fault], name: &str) -> bool {
    let path = format!("/{name}");
    faults.iter().any(|fault| {
        matches!(&fault.act, Act::Answer(answer) if answer.status >= 500)
            && fault.strikes("GET", &path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_its_request_as_often_as_planted() {
        let mut faults = vec![
            Fault::hang("DELETE", "/x_y").times(2),
            Fault::cut("*", "/_node/*"),
        ];
        assert!(take(&mut faults, "GET", "/x_y").is_none());
        assert!(take(&mut faults, "DELETE", "/x_yz").is_none());
        assert!(take(&mut faults, "DELETE", "/x_y").is_some());
        assert!(take(&mut faults, "DELETE", "/x_y").is_some());
        assert!(take(&mut faults, "DELETE", "/x_y").is_none());
        assert!(take(&mut faults, "GET", "/_node/a/_dbs/x_y").is_some_and(|f| f.carried_out));
        assert!(faults.is_empty());
    }
}
