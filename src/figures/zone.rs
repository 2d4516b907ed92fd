//! The time zones that somebody may choose: those of the IANA database that most people live in, by name. Which hours they have is
//! PostgreSQL's to say.

/// A name out of [`Zone::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(&'static str);

impl Zone {
    pub const UTC: Self = Self("UTC");

    pub const ALL: &[Self] = &[
        Self("UTC"),
        Self("Africa/Cairo"),
        Self("Africa/Johannesburg"),
        Self("Africa/Lagos"),
        Self("Africa/Nairobi"),
        Self("America/Anchorage"),
        Self("America/Argentina/Buenos_Aires"),
        Self("America/Bogota"),
        Self("America/Chicago"),
        Self("America/Denver"),
        Self("America/Halifax"),
        Self("America/Los_Angeles"),
        Self("America/Mexico_City"),
        Self("America/New_York"),
        Self("America/Phoenix"),
        Self("America/Santiago"),
        Self("America/Sao_Paulo"),
        Self("America/St_Johns"),
        Self("America/Toronto"),
        Self("America/Vancouver"),
        Self("Asia/Almaty"),
        Self("Asia/Bangkok"),
        Self("Asia/Dhaka"),
        Self("Asia/Dubai"),
        Self("Asia/Hong_Kong"),
        Self("Asia/Jakarta"),
        Self("Asia/Jerusalem"),
        Self("Asia/Kabul"),
        Self("Asia/Karachi"),
        Self("Asia/Kathmandu"),
        Self("Asia/Kolkata"),
        Self("Asia/Manila"),
        Self("Asia/Riyadh"),
        Self("Asia/Seoul"),
        Self("Asia/Shanghai"),
        Self("Asia/Singapore"),
        Self("Asia/Taipei"),
        Self("Asia/Tehran"),
        Self("Asia/Tokyo"),
        Self("Asia/Yangon"),
        Self("Atlantic/Azores"),
        Self("Atlantic/Reykjavik"),
        Self("Australia/Adelaide"),
        Self("Australia/Brisbane"),
        Self("Australia/Perth"),
        Self("Australia/Sydney"),
        Self("Europe/Amsterdam"),
        Self("Europe/Athens"),
        Self("Europe/Berlin"),
        Self("Europe/Dublin"),
        Self("Europe/Helsinki"),
        Self("Europe/Istanbul"),
        Self("Europe/Kyiv"),
        Self("Europe/Lisbon"),
        Self("Europe/London"),
        Self("Europe/Madrid"),
        Self("Europe/Moscow"),
        Self("Europe/Paris"),
        Self("Europe/Prague"),
        Self("Europe/Rome"),
        Self("Europe/Stockholm"),
        Self("Europe/Vienna"),
        Self("Europe/Warsaw"),
        Self("Europe/Zurich"),
        Self("Pacific/Auckland"),
        Self("Pacific/Chatham"),
        Self("Pacific/Honolulu"),
        Self("Pacific/Kiritimati"),
    ];

    /// None: not a zone that is offered.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|zone| zone.0 == name)
    }

    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// `Los Angeles`.
    pub fn place(self) -> String {
        self.0.rsplit('/').next().unwrap_or(self.0).replace('_', " ")
    }
}
