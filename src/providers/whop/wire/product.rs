//! Products: what plans belong to (Whop API, products).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::Reference;
use super::lenient::{self, Metadata};
use super::plan::Visibility;

/// A product to be made.
#[derive(Debug, Clone, Serialize)]
pub struct NewProduct<'a> {
    pub account_id: &'a str,
    pub title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headline: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
    pub visibility: Visibility,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<&'a str, String>,
}

/// What is to change; what is none stays.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ProductChanges<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headline: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<&'a str, String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Product {
    pub id: String,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub account: Option<Reference>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub title: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub headline: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub description: Option<String>,
    /// The last part of its page's address.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub route: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub visibility: Option<Visibility>,
    #[serde(default)]
    pub metadata: Metadata,
    #[serde(default, deserialize_with = "lenient::time")]
    pub created_at: Option<OffsetDateTime>,
    #[serde(default, deserialize_with = "lenient::time")]
    pub updated_at: Option<OffsetDateTime>,
}
