//! The currencies that Whop settles in, each with the decimals it carries.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Whop's list (Python SDK 2.6.0) without `btc eth ape xau`, whose units do not fit into cents.
const CODES: &str = "usd sgd inr aud brl cad dkk eur nok gbp sek chf hkd huf jpy mxn myr pln czk nzd aed cop ron thb bgn \
    idr dop php try krw twd vnd pkr clp uyu ars zar dzd tnd mad kes kwd jod all xcd amd bsd bhd bob bam khr crc xof egp \
    etb gmd ghs gtq gyd ils jmd mop mga mur mdl mnt nad ngn mkd omr pyg pen qar rwf sar rsd lkr tzs ttd uzs rub cny usdt \
    kzt awg whop_usd";

/// A currency code in lower case.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(&'static str);

impl Currency {
    pub const USD: Self = Self("usd");

    /// Finds a currency by its code, in either case.
    pub fn find(code: &str) -> Option<Self> {
        CODES.split_whitespace().find(|known| known.eq_ignore_ascii_case(code)).map(Self)
    }

    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// Decimals of the smallest unit (ISO 4217).
    pub fn decimals(self) -> u32 {
        match self.0 {
            "jpy" | "krw" | "vnd" | "clp" | "pyg" | "rwf" | "xof" => 0,
            "kwd" | "jod" | "bhd" | "omr" | "tnd" => 3,
            _ => 2,
        }
    }

    /// Decimals to show; fewer where nobody uses the small coins any more.
    pub fn display_decimals(self) -> u32 {
        match self.0 {
            "cop" | "idr" | "huf" => 0,
            _ => self.decimals(),
        }
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::find(&code).ok_or_else(|| serde::de::Error::custom(format!("{code} is not a supported currency")))
    }
}
