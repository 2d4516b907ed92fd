//! What one person may not do alone: above these limits a second admin confirms.

use domain::{Credits, Money};

/// Of a refund, in major units of whatever currency it is in: no exchange rate decides who may do what. All that is asked
/// back of one payment counts together.
pub const REFUND_ALONE_MAX: i64 = 500;
/// Of credits given, taken or forgiven by hand, and of an approved request.
pub const CREDITS_ALONE_MAX: Credits = Credits::new(100_000);

pub const fn refund_takes_two(in_all: Money) -> bool {
    in_all.minor > REFUND_ALONE_MAX * 10_i64.pow(in_all.currency.decimals())
}

pub const fn credits_take_two(credits: Credits) -> bool {
    credits.get() > CREDITS_ALONE_MAX.get()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_limits_themselves_are_within() {
        let of = |minor, code: &str| refund_takes_two(Money::new(minor, code.parse().unwrap()));
        assert_eq!((of(50_000, "usd"), of(50_001, "usd")), (false, true));
        assert_eq!((of(500, "jpy"), of(501, "jpy")), (false, true));
        assert_eq!((of(500_000, "kwd"), of(500_001, "kwd")), (false, true));
        assert!(!credits_take_two(Credits::new(100_000)) && credits_take_two(Credits::new(100_001)));
    }
}
