//! Lists, page by page (Whop API, pagination).

use std::collections::HashSet;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use super::{Call, Client};
use crate::providers::whop::error::WhopError;
use crate::providers::whop::wire::page::Page;

/// What Whop gives at most at once.
pub const PAGE_ITEMS_MAX: u8 = 100;

/// A list that is fetched while it is read: to its end, unless fewer pages are wanted.
#[derive(Debug)]
pub struct Pages<'a, T> {
    client: &'a Client,
    call: Call<'a>,
    /// None when the last page was read.
    next: Option<Cursor>,
    /// None: all.
    still_wanted: Option<u32>,
    seen: HashSet<String>,
    item: PhantomData<T>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Cursor {
    Start,
    After(String),
}

impl<'a, T: DeserializeOwned> Pages<'a, T> {
    pub(super) fn new(client: &'a Client, call: Call<'a>) -> Self {
        Self { client, call, next: Some(Cursor::Start), still_wanted: None, seen: HashSet::new(), item: PhantomData }
    }

    /// Reads no more than so many pages.
    pub fn at_most(mut self, pages: u32) -> Self {
        self.still_wanted = Some(pages);
        self
    }

    /// Goes on where an earlier list ended.
    pub fn after(mut self, cursor: Option<&str>) -> Self {
        if let Some(cursor) = cursor {
            self.next = Some(Cursor::After(cursor.to_owned()));
        }
        self
    }

    /// What to go on with, once a page was read and there is another.
    pub fn cursor(&self) -> Option<&str> {
        match &self.next {
            Some(Cursor::After(cursor)) => Some(cursor),
            Some(Cursor::Start) | None => None,
        }
    }

    /// The next page. None when there is none, or none more was wanted.
    ///
    /// Errors: what asking can end in, and [`WhopError::Unreadable`] for a list that goes round: half a list must not
    /// pass for the whole.
    pub async fn next(&mut self) -> Result<Option<Vec<T>>, WhopError> {
        if self.still_wanted == Some(0) {
            return Ok(None);
        }
        let Some(cursor) = self.next.take() else { return Ok(None) };
        self.still_wanted = self.still_wanted.map(|pages| pages - 1);
        let call = self.call.clone().query("first", PAGE_ITEMS_MAX.to_string());
        let call = match &cursor {
            Cursor::Start => call,
            Cursor::After(cursor) => call.query("after", cursor),
        };
        let page: Page<T> = self.client.ask(call).await?;
        if let Cursor::After(cursor) = cursor {
            self.seen.insert(cursor);
        }
        let end = page.page_info.end_cursor.filter(|end| page.page_info.has_next_page && !end.is_empty());
        if end.as_ref().is_some_and(|end| self.seen.contains(end)) {
            return Err(WhopError::Unreadable("a list goes round".to_owned()));
        }
        self.next = end.map(Cursor::After);
        Ok(Some(page.data))
    }

    /// Whether there is more than what was read.
    pub const fn has_more(&self) -> bool {
        self.next.is_some()
    }

    /// All items of all pages, as far as they were wanted.
    pub async fn collect(mut self) -> Result<Vec<T>, WhopError> {
        let mut items = Vec::new();
        while let Some(page) = self.next().await? {
            items.extend(page);
        }
        Ok(items)
    }
}
