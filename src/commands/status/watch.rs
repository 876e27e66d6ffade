//! `status -w`: the status again and again until Ctrl-C: drawn in place on a terminal, else printed whenever it has changed.
//!
//! Everything is read whole each time.

use super::couchdb::Asking;
use super::{Args, look, print, style};
use crate::app::App;
use crate::cluster::Cluster;
use crate::cluster::reread;
use crate::error::Result;
use crate::exit::Code;
use crate::render::output::StatusFormat;
use crate::text::shown;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;
use std::time::Instant;

/// Shows it, then follows.
pub(super) async fn run(
    app: &mut App,
    args: &Args,
    cluster: &Cluster,
    asking: &mut Asking,
) -> Result<Code> {
    crate::interrupt::watch(follow(app, args, cluster, asking)).await
}

/// Reads again and again. The first time that the onboardings cannot be read ends it.
async fn follow(
    app: &mut App,
    args: &Args,
    cluster: &Cluster,
    asking: &mut Asking,
) -> Result<Code> {
    let mut last: Option<Value> = None;
    loop {
        let started = Instant::now();
        // Ages are counted from the moment of the drawing.
        app.now = Timestamp::now();
        let status = look(app, args, cluster, asking).await?;
        let took = started.elapsed();
        if args.format.output == StatusFormat::Text && app.ui.draws() {
            let (style, now) = (style(app, args), app.now);
            let time = now.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
            app.ui.draw(|screen| {
                screen.line(shown!("{time}, Ctrl-C ends it"))?;
                screen.line("")?;
                crate::render::status::write(screen, &status, style, now)
            })?;
        } else {
            let now = serde_json::to_value(&status).ok();
            if now.is_none() || now != last {
                show(app, args, &status, last.is_some())?;
                last = now;
            }
        }
        reread::pause(took).await;
    }
}

/// One more document.
fn show(
    app: &mut App,
    args: &Args,
    status: &crate::view::status::Status,
    again: bool,
) -> Result<()> {
    match args.format.output {
        StatusFormat::Yaml => app.ui.result("---")?,
        StatusFormat::Text if again => app.ui.result("")?,
        StatusFormat::Text | StatusFormat::Json | StatusFormat::Html => {}
    }
    print(app, args, status)?;
    app.ui.flush()
}
