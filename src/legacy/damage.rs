//! What may be wrong with the old system's rows: a code for each, how grave it is, and what the import does about it.

use std::fmt;

/// How much a finding matters, the gravest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gravity {
    /// Worth knowing; nothing is changed for it.
    Note,
    /// Something was replaced or left open, and nothing of value with it.
    Mended,
    /// Credits or rows: somebody should look before the import.
    Grave,
}

impl Gravity {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Mended => "mended",
            Self::Grave => "grave",
        }
    }
}

impl fmt::Display for Gravity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! damages {
    ($($name:ident $code:literal $gravity:ident $leaving:literal $what:literal => $treatment:literal)+) => {
        /// One kind of damage.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Damage {
            $($name,)+
        }

        impl Damage {
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            pub const fn gravity(self) -> Gravity {
                match self { $(Self::$name => Gravity::$gravity,)+ }
            }

            /// Whether a row that has it can't be imported.
            pub const fn leaves_out(self) -> bool {
                match self { $(Self::$name => $leaving,)+ }
            }

            pub const fn what(self) -> &'static str {
                match self { $(Self::$name => $what,)+ }
            }

            pub const fn treatment(self) -> &'static str {
                match self { $(Self::$name => $treatment,)+ }
            }
        }
    };
}

damages! {
    BalanceDiffers "balance_differs" Grave false
        "a balance is not what its history sums to"
        => "the balance that people saw counts (--trust history: the sum of the history)"
    BalanceNegative "balance_negative" Grave false
        "a balance is below zero"
        => "begins with 0 credits; nothing is owed"
    BalanceUnreadable "balance_unreadable" Grave false
        "a balance is no whole number up to 10^12"
        => "the sum of the history counts, or 0 where that is no balance either"
    BalanceMoved "balance_moved" Grave false
        "a balance is another than when it was imported"
        => "nothing: credits that moved there since the import stay there"
    EmailUnusable "email_unusable" Grave false
        "a profile has no usable email"
        => "imported under an address that no mail reaches (…@address.invalid): nobody can sign in, the credits are kept"
    EmailDoubled "email_doubled" Grave false
        "a profile has another one's email, but for capitals"
        => "becomes one person with the first of them; each balance is an opening lot of its own"
    ProfileDoubled "profile_doubled" Grave true
        "a profile's id stands there again"
        => "the first one counts, later ones are left out"
    IdUnusable "id_unusable" Grave true
        "a row has no id, or one of more than 120 characters"
        => "left out"
    OrderDoubled "order_doubled" Grave true
        "an order's id stands there again"
        => "the first one counts, later ones are left out"
    OrderOfNobody "order_of_nobody" Grave true
        "an order names a profile that isn't there"
        => "left out"
    OrderUnreadable "order_unreadable" Grave true
        "an order's credits are no whole number from 1 to 10^12"
        => "left out"
    OrderNotCredited "order_not_credited" Grave false
        "an approved order that no transaction credited"
        => "imported as approved; nothing is credited for it: look, and give credits by hand"
    OrderCreditedTwice "order_credited_twice" Grave false
        "an approved order that several transactions credited"
        => "imported as approved; the balance stays as it is"
    OrderStateUnknown "order_state_unknown" Mended false
        "an order's status is none that we know"
        => "imported as requested, so that a person looks at it"
    PlanUnknown "plan_unknown" Mended false
        "an order's plan is none of ours"
        => "kept with its own name under the plan “legacy”, which is not on sale (--plan OLD=SLUG names ours)"
    PriceUnreadable "price_unreadable" Mended false
        "an order's price is no amount of money"
        => "imported without a price"
    TransactionDoubled "transaction_doubled" Grave true
        "a transaction's id stands there again"
        => "the first one counts, later ones are left out"
    TransactionOfNobody "transaction_of_nobody" Grave true
        "a transaction names a profile that isn't there"
        => "left out"
    AmountUnreadable "amount_unreadable" Grave true
        "a transaction's amount is no whole number up to 10^15"
        => "left out; the balance stays as it is"
    ChainBroken "chain_broken" Note false
        "a transaction's balance does not follow from the one before"
        => "kept as it was told; history moves no credits"
    KindUnknown "kind_unknown" Note false
        "a transaction's type is none that we know"
        => "kept as it was told"
    TimeUnreadable "time_unreadable" Mended false
        "a time can't be read"
        => "people and orders get the time of the import, transactions none"
    TimeInFuture "time_in_future" Mended false
        "a time lies in the future"
        => "people and orders get the time of the import, transactions none"
    TextRepaired "text_repaired" Mended false
        "a text has zero bytes, control characters, or is no UTF-8"
        => "what can't be kept is replaced by \u{fffd}"
    TextTooLong "text_too_long" Mended false
        "a text is longer than we keep (names 80, descriptions 500, notes 2,000 characters)"
        => "cut"
    KnownHere "known_here" Note false
        "a profile whose email or id somebody here has"
        => "that person gets the balance and the history"
    WasStaff "was_staff" Note false
        "a profile that was an admin"
        => "imported as a buyer; `atlas user role` gives roles"
}

impl Damage {
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|damage| damage.code() == code)
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_damage_has_a_code_of_its_own_that_says_what_is_done() {
        let codes: std::collections::BTreeSet<&str> = Damage::ALL.iter().map(|damage| damage.code()).collect();
        assert_eq!(codes.len(), Damage::ALL.len());
        for damage in Damage::ALL {
            assert!(damage.code().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{damage}");
            assert!(!damage.leaves_out() || damage.treatment().contains("left out"), "{damage}");
        }
    }
}
