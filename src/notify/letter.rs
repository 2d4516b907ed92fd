//! A mail's words: written once, shown as plain text and as HTML.

use std::fmt::Write as _;

/// What a mail says, from top to bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    subject: String,
    blocks: Vec<Block>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Block {
    Sentence(String),
    /// Names and their values, in two columns.
    Facts(Vec<(String, String)>),
    Items(Vec<String>),
    Link {
        label: String,
        url: String,
    },
}

impl Letter {
    pub fn new(subject: impl Into<String>) -> Self {
        Self { subject: one_line(&subject.into()), blocks: Vec::new() }
    }

    pub fn sentence(self, text: impl Into<String>) -> Self {
        self.with(Block::Sentence(text.into()))
    }

    pub fn facts(self, facts: Vec<(&str, String)>) -> Self {
        self.with(Block::Facts(facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
    }

    pub fn items(self, items: Vec<String>) -> Self {
        self.with(Block::Items(items))
    }

    pub fn link(self, label: &str, url: String) -> Self {
        self.with(Block::Link { label: label.to_owned(), url })
    }

    fn with(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }

    /// One line, without control characters.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    pub fn text(&self) -> String {
        let blocks: Vec<String> = self.blocks.iter().map(Block::text).collect();
        blocks.join("\n\n") + "\n"
    }

    /// A whole document. Everything that somebody typed is escaped.
    pub fn html(&self) -> String {
        let blocks: String = self.blocks.iter().map(Block::html).collect();
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title></head>\n\
            <body style=\"font:16px/1.5 system-ui,sans-serif;max-width:36em;margin:2em auto;padding:0 1em\">\n\
            <h1 style=\"font-size:1.25em\">{}</h1>\n{blocks}</body></html>\n",
            escaped(&self.subject),
            escaped(&self.subject)
        )
    }
}

impl Block {
    fn text(&self) -> String {
        match self {
            Self::Sentence(text) => one_line(text),
            Self::Facts(facts) => {
                let lines = facts.iter().map(|(name, value)| format!("{name}: {}", one_line(value)));
                lines.collect::<Vec<_>>().join("\n")
            }
            Self::Items(items) => {
                items.iter().map(|item| format!("- {}", one_line(item))).collect::<Vec<_>>().join("\n")
            }
            Self::Link { label, url } => format!("{label}:\n{url}"),
        }
    }

    fn html(&self) -> String {
        match self {
            Self::Sentence(text) => format!("<p>{}</p>\n", escaped(text)),
            Self::Facts(facts) => {
                facts.iter().fold("<table>\n".to_owned(), |mut html, (name, value)| {
                    let _ = writeln!(
                        html,
                        "<tr><th style=\"text-align:left;padding-right:1em\">{}</th><td>{}</td></tr>",
                        escaped(name),
                        escaped(value)
                    );
                    html
                }) + "</table>\n"
            }
            Self::Items(items) => {
                items.iter().fold("<ul>\n".to_owned(), |mut html, item| {
                    let _ = writeln!(html, "<li>{}</li>", escaped(item));
                    html
                }) + "</ul>\n"
            }
            Self::Link { label, url } => {
                format!("<p><a href=\"{}\">{}</a></p>\n", escaped(url), escaped(label))
            }
        }
    }
}

/// Line breaks and other control characters become spaces, so that nothing typed can look like our own lines.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_typed_is_text_and_nothing_else() {
        let letter = Letter::new("Plan\r\nBcc: all@example.com")
            .sentence("<script>alert('x')</script>")
            .facts(vec![("Plan", "A & \"B\"\nPaid: 0".to_owned())])
            .items(vec!["<b>".to_owned()])
            .link("Open", "https://a.example/?x=\"><i>&y".to_owned());
        assert_eq!(letter.subject(), "Plan  Bcc: all@example.com");
        let html = letter.html();
        assert!(!html.contains("<script>") && !html.contains("<b>") && !html.contains("<i>"), "{html}");
        assert!(html.contains("&lt;script&gt;alert(&#39;x&#39;)") && html.contains("A &amp; &quot;B&quot; Paid: 0"));
        assert!(html.contains("href=\"https://a.example/?x=&quot;&gt;&lt;i&gt;&amp;y\""), "{html}");
        assert_eq!(
            letter.text(),
            "<script>alert('x')</script>\n\nPlan: A & \"B\" Paid: 0\n\n- <b>\n\nOpen:\nhttps://a.example/?x=\"><i>&y\n"
        );
    }
}
