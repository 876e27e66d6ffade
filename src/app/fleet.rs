//! Several clusters in one run: each context is asked with an [`App`] of its own, in parallel, and bounded.
//!
//! Owns what one context cannot do to another: its error, its silence and its messages are its own, and everything keeps the order in
//! which the contexts were asked for.

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

/// What came of one context.
pub(crate) struct Answer<T> {
    pub(crate) context: String,
    /// What leads to its cluster.
    pub(crate) origin: Origin,
    /// What was read, or why nothing is known.
    pub(crate) seen: Result<T, String>,
    code: Code,
    /// Its messages, until they are told.
    ui: Option<Ui>,
}

/// What came of each context, in the order in which they were asked for.
pub(crate) struct Answers<T>(Vec<Answer<T>>);

impl Fleet {
    pub(crate) fn new(contexts: Contexts) -> Self {
        Self { contexts }
    }

    /// Reads each cluster. What `read` says on its `App`'s stderr is kept until [`Answers::end`]; the code is that of its cluster.
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
                app.ui
                    .live(shown!("{answered} of {of} contexts have answered"));
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

    /// One cluster's answer, its error told.
    async fn one<T>(
        &self,
        app: &mut App,
        read: &impl AsyncFn(&mut App, &Cluster) -> Result<(T, Code)>,
    ) -> (Result<T, String>, Code) {
        let read = async {
            let cluster = self.contexts.connect(&app.global.connection).await?;
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

    /// Takes something out of what was read, with its context.
    pub(crate) fn take<P>(
        &mut self,
        part: impl Fn(&mut T) -> P,
    ) -> impl Iterator<Item = (String, P)> {
        let all = self.0.iter_mut();
        all.filter_map(move |answer| {
            Some((answer.context.clone(), part(answer.seen.as_mut().ok()?)))
        })
    }

    /// The contexts of which nothing is known, and why.
    pub(crate) fn unread(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.0.iter();
        all.filter_map(|answer| Some((&*answer.context, &**answer.seen.as_ref().err()?)))
    }

    /// Tells the messages of each context and gives the worst code. A reader that goes away takes the answer, not the
    /// verdict.
    ///
    /// # Errors
    /// The answer could not be written, or the run failed, which was told.
    pub(crate) fn end(&mut self, app: &mut App, printed: Result<()>) -> Result<Code> {
        let codes = self.0.iter().map(|answer| answer.code);
        let code = codes.fold(Code::Ok, Code::worse);
        let printed = printed.and_then(|()| app.ui.flush());
        printed.map_err(|error| match error.is_silent() {
            true => error.with_code(code),
            false => error,
        })?;
        let uis = self.0.iter_mut().filter_map(|answer| answer.ui.take());
        uis.for_each(|ui| app.ui.tell(ui));
        Ok(code)
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
