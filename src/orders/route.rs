//! By which path somebody orders: at a provider's checkout, or by a request that an admin answers.

use domain::{PersonId, Provider};
use sha2::{Digest as _, Sha256};

use crate::people::Owner;
use crate::providers::Providers;
use crate::settings::rollout::Percent;

/// Nothing else is hashed with this in front, so that whoever is in this rollout is not by that in another.
const LABEL: &[u8] = b"atlas payment path rollout\0";
/// A percentage is a hundred of them.
const BUCKETS: u64 = 10_000;

/// What holds for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    pub default: Provider,
    /// While there is one, it decides for everybody: whoever is in it pays at Whop, all others order by request.
    pub rollout: Option<Percent>,
}

/// By which path this person orders now. Orders that exist keep theirs.
pub fn of(providers: &Providers, rules: Rules, person: &Owner) -> Provider {
    choose(rules, person.payment_path(), |provider| providers.get(provider).is_some(), person.id())
}

/// A person's own path wins over the rollout, the rollout over the default. What isn't set up here can't be chosen.
pub fn choose(rules: Rules, own: Option<Provider>, is_set_up: impl Fn(Provider) -> bool, person: PersonId) -> Provider {
    let wanted = match (own, rules.rollout) {
        (Some(own), _) => own,
        (None, Some(percent)) if bucket(person) < percent.buckets() => Provider::Whop,
        (None, Some(_)) => Provider::Manual,
        (None, None) => rules.default,
    };
    if is_set_up(wanted) { wanted } else { Provider::Manual }
}

impl Percent {
    fn buckets(self) -> u64 {
        u64::from(self.get()) * BUCKETS / 100
    }
}

/// The same for ever and everywhere, so a percentage that grows only adds people.
fn bucket(person: PersonId) -> u64 {
    let digest = Sha256::new().chain_update(LABEL).chain_update(person.uuid().as_bytes()).finalize();
    let first = digest.iter().take(8).fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
    first % BUCKETS
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const BOTH: [Provider; 2] = [Provider::Whop, Provider::Manual];

    fn percent(number: u8) -> Percent {
        Percent::new(number).unwrap()
    }

    fn at(number: u8, person: PersonId) -> Provider {
        let rules = Rules { default: Provider::Manual, rollout: Some(percent(number)) };
        choose(rules, None, |_| true, person)
    }

    fn people() -> impl Strategy<Value = PersonId> {
        any::<u128>().prop_map(|number| PersonId::from_uuid(Uuid::from_u128(number)))
    }

    proptest! {
        #[test]
        fn a_greater_percentage_takes_nobody_off_whop(person in people(), low in 0..=100_u8, high in 0..=100_u8) {
            let (low, high) = (low.min(high), low.max(high));
            prop_assert!(at(low, person) != Provider::Whop || at(high, person) == Provider::Whop);
            prop_assert_eq!(at(low, person), at(low, person));
            prop_assert_eq!((at(0, person), at(100, person)), (Provider::Manual, Provider::Whop));
        }

        #[test]
        fn a_persons_own_path_wins_over_the_rollout_and_that_over_the_default(
            person in people(), own in 0..3_usize, default in 0..2_usize, rollout in prop::option::of(0..=100_u8),
        ) {
            let rules = Rules { default: BOTH[default], rollout: rollout.map(percent) };
            let chosen = choose(rules, BOTH.get(own).copied(), |_| true, person);
            let expected = match (BOTH.get(own), rollout) {
                (Some(own), _) => *own,
                (None, Some(number)) => at(number, person),
                (None, None) => BOTH[default],
            };
            prop_assert_eq!(chosen, expected);
            let nothing_set_up = choose(rules, BOTH.get(own).copied(), |_| false, person);
            prop_assert_eq!(nothing_set_up, Provider::Manual);
        }
    }

    #[test]
    fn the_percentage_is_that_of_the_people() {
        let ids = (0..20_000_u128).map(|number| PersonId::from_uuid(Uuid::from_u128(number << 64 | number)));
        let on_whop = ids.filter(|person| at(10, *person) == Provider::Whop).count();
        assert!((1_800..2_200).contains(&on_whop), "{on_whop} of 20,000");
    }

    /// Written down, so that no later version puts people elsewhere.
    #[test]
    fn a_person_stays_in_their_bucket() {
        let buckets = [0, 1, u128::MAX].map(|number| bucket(PersonId::from_uuid(Uuid::from_u128(number))));
        assert_eq!(buckets, [5_917, 906, 5_286]);
    }
}
