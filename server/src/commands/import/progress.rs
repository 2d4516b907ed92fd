//! How far it is: a bar on a terminal, a line now and then elsewhere. On the error output, for the report goes to the other.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const SPINS_EACH: Duration = Duration::from_millis(120);

pub struct Progress {
    what: &'static str,
    bar: ProgressBar,
    is_watched: bool,
    /// The tenths that were told.
    told: u64,
}

impl Progress {
    /// Without a total, only that it goes on.
    pub fn begin(what: &'static str, total: Option<u64>) -> Self {
        let is_watched = std::io::stderr().is_terminal();
        let target = if is_watched { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(total, target);
        let template = match total {
            Some(_) => "{msg:10} {wide_bar} {percent:>3} %  {eta} left",
            None => "{msg:10} {spinner} {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what);
        if total.is_none() && is_watched {
            bar.enable_steady_tick(SPINS_EACH);
        }
        let progress = Self { what, bar, is_watched, told: 0 };
        if !is_watched {
            progress.say("begins");
        }
        progress
    }

    /// It is at this place now.
    pub fn at(&mut self, place: u64) {
        self.bar.set_position(place);
        if self.is_watched {
            return;
        }
        let tenths = self.bar.length().filter(|total| *total > 0).map_or(0, |total| place.saturating_mul(10) / total);
        if tenths > self.told && tenths < 10 {
            self.told = tenths;
            self.say(&format!("{tenths}0 %"));
        }
    }

    /// So many more lie behind.
    pub fn passed(&mut self, rows: i64) {
        self.at(self.bar.position() + u64::try_from(rows).unwrap_or_default());
    }

    pub fn end(self) {
        self.bar.finish_and_clear();
        if !self.is_watched {
            self.say("done");
        }
    }

    /// What can't be told is not worth stopping for.
    fn say(&self, how_far: &str) {
        let _ = writeln!(std::io::stderr(), "{}: {how_far}", self.what);
    }
}
