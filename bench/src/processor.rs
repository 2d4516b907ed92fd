//! How much processor time a program has taken so far, from /proc: what a page costs, whoever else uses the machine.

use std::time::Duration;

use anyhow::{Context as _, Result};

/// `USER_HZ`, the unit of times in /proc, is 100 on Linux (proc(5), time(7)).
const TICK: Duration = Duration::from_millis(10);

/// What a process took itself, all its threads together.
pub fn time_of(process: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    Ok(read(&stat).with_context(|| format!("/proc/{process}/stat: {stat}"))?.1)
}

/// What the running processes took that `parent` started.
pub fn time_of_children(parent: u32) -> Result<Duration> {
    let mut all = Duration::ZERO;
    for entry in std::fs::read_dir("/proc")? {
        // A process may end while we look; other entries are none.
        let Ok(stat) = std::fs::read_to_string(entry?.path().join("stat")) else { continue };
        all += read(&stat).filter(|(of, _)| *of == parent).map_or(Duration::ZERO, |(_, took)| took);
    }
    Ok(all)
}

/// The parent and the time of the process that a line of /proc/PID/stat tells of. Its name may hold anything, so the
/// fields are counted from the bracket that closes it.
fn read(stat: &str) -> Option<(u32, Duration)> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    let parent = fields.nth(1)?.parse().ok()?;
    let user: u32 = fields.nth(9)?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some((parent, TICK * (user + system)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_line_is_read_whatever_the_process_is_called() {
        let line = "7 (a) b (c)) S 42 7 7 0 -1 4194560 2137 0 0 0 250 50 0 0 20 0 3 0 1100 1 1";
        assert_eq!(read(line), Some((42, Duration::from_secs(3))));
        assert_eq!(read("7 (short) S 42"), None);
    }

    #[test]
    fn our_own_time_only_grows() {
        let me = std::process::id();
        let before = time_of(me).unwrap();
        let began = std::time::Instant::now();
        // Busy until it shows: how much of a processor we get meanwhile is not ours to say.
        while time_of(me).unwrap() <= before && began.elapsed() < Duration::from_secs(10) {}
        assert!(time_of(me).unwrap() > before);
    }
}
