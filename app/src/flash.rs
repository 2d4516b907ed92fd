//! What a form's answer leaves for the next page, once: a message, or what was wrong together with what was typed.

use std::collections::BTreeMap;

use atlas::{Error, Result};
use domain::FieldErrors;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::request::Request;

const KEY: &str = "flash";
/// Apart from the messages, which the page in between shows.
const KEPT: &str = "kept_form";
/// Longer inputs are not worth keeping; nobody types them again by hand.
const VALUE_BYTES_MAX: usize = 4_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Flash {
    /// Something was done.
    Done(String),
    /// Something was refused, in a sentence that says what to do.
    Refused(String),
    /// A form has to be mended.
    Mend(Form),
}

/// A form as it was sent, and what is wrong with it. Never holds a password.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// Which form: a page may have several.
    pub name: String,
    pub values: BTreeMap<String, String>,
    pub errors: FieldErrors,
    /// The field at which a refusal is shown, where the eye is; none: above the page.
    #[serde(skip)]
    pub refused_beside: Option<&'static str>,
}

impl Form {
    pub fn new(name: &str, values: &[(&str, &str)], errors: FieldErrors) -> Self {
        let values = values
            .iter()
            .filter(|(_, value)| value.len() <= VALUE_BYTES_MAX)
            .map(|(field, value)| ((*field).to_owned(), value.replace('\0', "")))
            .collect();
        Self { name: name.to_owned(), values, errors, refused_beside: None }
    }

    /// Shows a refusal at this field.
    #[must_use]
    pub fn refused_beside(self, field: &'static str) -> Self {
        Self { refused_beside: Some(field), ..self }
    }

    /// Whether it was sent, and is here again to be mended or sent once more.
    pub fn came_back(&self) -> bool {
        !self.values.is_empty() || !self.errors.is_empty()
    }

    pub fn value(&self, field: &str) -> String {
        self.values.get(field).cloned().unwrap_or_default()
    }

    pub fn error(&self, field: &str) -> Option<String> {
        self.errors.of(field).map(ToOwned::to_owned)
    }
}

/// Leaves a message for the next page of this session.
pub async fn leave(request: &Request, flash: Flash) -> Result<()> {
    request.session()?.insert(KEY, flash).await.map_err(Error::unavailable)
}

/// Keeps a form while its sender confirms that it is them: what they typed stands in it again when they are back.
pub async fn keep(request: &Request, form: Form) -> Result<()> {
    request.session()?.insert(KEPT, form).await.map_err(Error::unavailable)
}

/// Takes the message, or else the form that was kept, if there is one.
pub async fn take(request: &Request) -> Result<Option<Flash>> {
    match take_message(request).await? {
        Some(message) => Ok(Some(message)),
        None => Ok(taken(request, KEPT).await?.map(Flash::Mend)),
    }
}

/// The message alone: for the page where people confirm that it is them.
pub async fn take_message(request: &Request) -> Result<Option<Flash>> {
    taken(request, KEY).await
}

async fn taken<T: DeserializeOwned>(request: &Request, key: &str) -> Result<Option<T>> {
    // It is for whoever signed in, not for the pages that they look at.
    if request.viewing().is_some() {
        return Ok(None);
    }
    let session = request.session()?;
    // Removing marks the session as changed even where nothing was, and reading a page must not write.
    let left = session.get(key).await.map_err(Error::unavailable)?;
    if left.is_some() {
        session.remove_value(key).await.map_err(Error::unavailable)?;
    }
    Ok(left)
}

/// The form named `name` out of a flash, or an empty one.
pub fn form_of(flash: Option<&Flash>, name: &str) -> Form {
    match flash {
        Some(Flash::Mend(form)) if form.name == name => form.clone(),
        _ => Form { name: name.to_owned(), ..Form::default() },
    }
}
