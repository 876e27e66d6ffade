//! Collected objects in the formats that print them as they are: custom columns, JSON, YAML, JSONPath.

use crate::error::{Error, Result};
use crate::render::output::Output;
use crate::render::{PrintError, json, yaml};
use crate::ui::Ui;
use crate::view::contexts::{self, Unread};
use crate::view::object_list;
use serde_json::Value;

/// The document around the objects in JSON and YAML.
#[derive(Clone, Copy)]
pub(crate) enum Form<'u> {
    /// A list.
    List,
    /// Nothing, as by kubectl: one object was requested by name.
    Single,
    /// A list of several clusters, with those that could not be asked.
    Contexts(&'u [Unread]),
}

impl Form<'_> {
    /// Whether one object was requested by name.
    pub(crate) fn single(is_single: bool) -> Self {
        match is_single {
            true => Self::Single,
            false => Self::List,
        }
    }
}

/// Prints them; nothing in another format.
pub(crate) fn print(
    ui: &mut Ui,
    output: &Output,
    mut objects: Vec<Value>,
    no_headers: bool,
    form: Form<'_>,
) -> Result<()> {
    if let Output::CustomColumns(columns) = output {
        let mut printer = columns.printer(no_headers);
        let screen = &mut ui.screen();
        printer.write_page(screen, &objects).map_err(printing)?;
        return Ok(printer.finish(screen)?);
    }
    let whole = match (form, objects.len()) {
        (Form::Single, 1) => objects.swap_remove(0),
        (Form::Single | Form::List, _) => object_list::list(objects),
        (Form::Contexts(unread), _) => contexts::list(objects, unread),
    };
    let mut out = ui.machine();
    match output {
        Output::Json => json::write_value(&mut out, &whole)?,
        Output::Yaml => yaml::write_value(&mut out, &whole)?,
        Output::JsonPath(template) => template.write(&mut out, &whole).map_err(printing)?,
        Output::CustomColumns(_) | Output::Table | Output::Wide | Output::Name => {}
    }
    Ok(())
}

/// Prints one object of a watch: JSON as it is, YAML as a document of its own; nothing in another format.
pub(crate) fn changed(ui: &mut Ui, output: &Output, object: &Value) -> Result<()> {
    match output {
        Output::Json => json::write_value(&mut ui.machine(), object)?,
        Output::Yaml => {
            ui.result("---")?;
            yaml::write_value(&mut ui.machine(), object)?;
        }
        _ => {}
    }
    Ok(())
}

/// The user's error of a format that cannot be filled in.
fn printing(error: PrintError) -> Error {
    match error {
        PrintError::Render(e) => Error::new(e.to_string()),
        PrintError::Output(e) => e.into(),
    }
}
