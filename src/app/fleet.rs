//! Several clusters in one run: each context is asked with an [`App`] of its own, in parallel, and bounded.
//!
//! Keeps contexts apart: an error, a time-out or a message of one does not affect another, and results keep the order in which the contexts
//! were named.

use super::App;
use crate::advice::Origin;
use crate::cluster::{Cluster, Contexts};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::text::shown;
use crate::ui::Ui;
use futures::StreamExt;

/// Clusters that are asked at the same time.
const AT_ONCE: usize = 32;

/// The clusters of a run.
pub(crate) struct Fleet {
    contexts: Contexts,
}

/// The result of one context.
pub(crate) struct Answer<T> {
    pub(crate) context: String,
    /// What leads to its cluster.
    pub(crate) origin: Origin,
    /// What was read, or why nothing is known.
    pub(crate) seen: Result<T, String>,
    code: Code,
    /// Its messages, until they are printed.
    ui: Option<Ui>,
}

/// The result of each context, in the order in which they were named.
pub(crate) struct Answers<T>(Vec<Answer<T>>);

impl Fleet {
    pub(crate) fn new(contexts: Contexts) -> Self {
        Self { contexts }
    }

    /// The contexts, in the order in which they are asked.
    pub(crate) fn names(&self) -> &[String] {
        self.contexts.names()
    }

    /// Asks only some of the contexts, and returns the names of the others.
    pub(crate) fn keep(&mut self, is_kept: impl Fn(&str) -> bool) -> Vec<String> {
        self.contexts.keep(is_kept)
    }

    /// Reads each cluster. Messages of `read` on its `App`'s stderr are kept until [`Answers::end`]; its code is that of its cluster.
    ///
    /// # Errors
    /// The user ended the run. What a cluster says is its answer.
    pub(crate) async fn ask<T>(
        &self,
        app: &mut App,
        read: impl AsyncFn(&mut App, &Cluster) -> Result<(T, Code)>,
    ) -> Result<Answers<T>> {
        let names = self.contexts.names();
        let apps: Vec<App> = names.iter().map(|name| app.of_context(name)).collect();
        let asked = futures::stream::iter(apps.into_iter().enumerate())
            .map(async |(at, mut app)| (at, self.one(&mut app, &read).await, app.ui))
            .buffer_unordered(AT_ONCE);
        let gathered = async {
            tokio::pin!(asked);
            let mut all = Vec::new();
            while let Some((at, (seen, code), ui)) = asked.next().await {
                let origin = ui.origin().clone();
                let context = names[at].clone();
                all.push((
                    at,
                    Answer {
                        context,
                        origin,
                        seen,
                        code,
                        ui: Some(ui),
                    },
                ));
                let (answered, of) = (all.len(), names.len());
                app.ui.live(shown!("{answered} of {of} contexts done"));
            }
            app.ui.end_live();
            all.sort_by_key(|(at, _)| *at);
            Answers(all.into_iter().map(|(_, answer)| answer).collect())
        };
        let interrupt = crate::interrupt::any();
        tokio::pin!(interrupt);
        tokio::select! {
            biased;
            answers = gathered => Ok(answers),
            () = &mut interrupt => Err(Error::new("interrupted").with_code(Code::Interrupted)),
        }
    }

    /// Reads one cluster, and prints its error.
    async fn one<T>(
        &self,
        app: &mut App,
        read: &impl AsyncFn(&mut App, &Cluster) -> Result<(T, Code)>,
    ) -> (Result<T, String>, Code) {
        let read = async {
            let terminal = app.ui.terminal().stdin;
            let connection = &app.global.connection;
            let cluster = self.contexts.connect(connection, terminal).await?;
            app.ui.set_origin(cluster.origin().clone());
            read(app, &cluster).await
        };
        let outcome: Result<(T, Code)> = read.await;
        match outcome {
            Ok((seen, code)) => (Ok(seen), code),
            Err(error) => {
                app.ui.error(&error);
                (Err(error.message().to_owned()), error.code())
            }
        }
    }
}

impl<T> Answers<T> {
    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Answer<T>> {
        self.0.iter()
    }

    /// What was read, with the context it was read in.
    pub(crate) fn seen(&self) -> impl Iterator<Item = (&Answer<T>, &T)> {
        let all = self.0.iter();
        all.filter_map(|answer| Some((answer, answer.seen.as_ref().ok()?)))
    }

    /// Takes a part of each result, with its context and what leads to its cluster.
    pub(crate) fn take<P>(
        &mut self,
        part: impl Fn(&mut T) -> P,
    ) -> impl Iterator<Item = (String, Origin, P)> {
        let all = self.0.iter_mut();
        all.filter_map(move |answer| {
            let part = part(answer.seen.as_mut().ok()?);
            Some((answer.context.clone(), answer.origin.clone(), part))
        })
    }

    /// The contexts that were not read, and why. `lacks`: why a part is missing of what was read.
    pub(crate) fn unread<'a>(
        &'a self,
        lacks: impl Fn(&'a T) -> Option<&'a str>,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |answer| {
            let why = match &answer.seen {
                Ok(seen) => lacks(seen)?,
                Err(why) => why,
            };
            Some((&*answer.context, why))
        })
    }

    /// Prints the messages of each context and returns the worst code, also if the reader has closed the pipe. `found` is the code of
    /// everything else that was found.
    ///
    /// # Errors
    /// The answer cannot be written, or the run failed and has said so.
    pub(crate) fn end(&mut self, app: &mut App, printed: Result<()>, found: Code) -> Result<Code> {
        let codes = self.0.iter().map(|answer| answer.code);
        let code = codes.fold(found, Code::worse);
        let printed = printed.and_then(|()| app.ui.flush());
        let uis = self.0.iter_mut().filter_map(|answer| answer.ui.take());
        uis.for_each(|ui| app.ui.tell(ui));
        printed.map_err(|error| error.of_output(code))?;
        Ok(code)
    }
}

/// How the run ends: a failure has been printed.
pub(crate) fn ended(code: Code) -> Result<Code> {
    match code {
        Code::Failed => Err(Error::silent(Code::Failed)),
        code => Ok(code),
    }
}

impl App {
    /// What the cluster of one context is asked with.
    fn of_context(&self, name: &str) -> Self {
        let mut global = self.global.clone();
        global.connection.context = Some(name.to_owned());
        let mut ui = self.ui.apart(name);
        ui.set_origin(global.connection.origin(None, None));
        Self {
            ui,
            global,
            grammar: self.grammar.clone(),
            settings: self.settings.clone(),
            input: self.input,
            now: self.now,
            everywhere: self.everywhere,
        }
    }
}
