//! In which order the messages are delivered: most as they were written, some late, many more than once, some never.

use super::dice::Dice;
use super::world::{Change, Due, Standing, World};

const LOST_PERCENT: u64 = 10;
const REORDERED_PERCENT: u64 = 20;
/// Reordered messages come this many steps later, at most.
const REORDERED_WITHIN: u64 = 500;
/// A repetition comes at once, or up to so many steps later.
const REPEATED_WITHIN: u64 = 2_000;
/// Of the payments with a refund or dispute, so many are told of only after it.
const AFTERTHOUGHT_PERCENT: u64 = 50;

/// One thing that is done, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// At the provider it has now happened.
    Happens(usize),
    /// Its message goes out.
    Deliver(usize),
}

#[derive(Debug)]
pub struct Script {
    pub steps: Vec<Step>,
    pub deliveries: usize,
    /// By message: it is never delivered.
    pub lost: Vec<bool>,
}

/// As many deliveries as wanted, if the messages alone are not more.
pub fn script(seed: u64, world: &World, deliveries: usize) -> Script {
    let mut dice = Dice::new(seed, 2);
    let late = afterthoughts(world, &mut dice);
    let mut lost = vec![false; world.messages.len()];
    // Sorted by place; what happens at a place comes before what is delivered there.
    let mut placed: Vec<(u64, u8, Step)> = Vec::new();
    let mut sent = 0;
    for (number, message) in world.messages.iter().enumerate() {
        let at = number as u64;
        placed.push((at, 0, Step::Happens(number)));
        if message.due == Due::Applied && dice.chance(LOST_PERCENT) {
            lost[number] = true;
            continue;
        }
        let mut first = at;
        if late[number] {
            first += 2 * REORDERED_WITHIN + dice.below(REORDERED_WITHIN);
        } else if dice.chance(REORDERED_PERCENT) {
            first += dice.below(REORDERED_WITHIN);
        }
        placed.push((first, 1, Step::Deliver(number)));
        sent += 1;
        for _ in 0..dice.heads() {
            placed.push((repeated(first, &mut dice), 1, Step::Deliver(number)));
            sent += 1;
        }
    }
    while sent < deliveries && !world.messages.is_empty() {
        let number = dice.index(world.messages.len());
        if !lost[number] {
            placed.push((repeated(number as u64, &mut dice), 1, Step::Deliver(number)));
            sent += 1;
        }
    }
    placed.sort_by_key(|(at, kind, _)| (*at, *kind));
    Script { steps: placed.into_iter().map(|(_, _, step)| step).collect(), deliveries: sent, lost }
}

const fn repeated(first: u64, dice: &mut Dice) -> u64 {
    if dice.chance(40) { first } else { first + dice.below(REPEATED_WITHIN) }
}

/// By message: it tells of the payment, and goes out only when what took it back has gone out.
fn afterthoughts(world: &World, dice: &mut Dice) -> Vec<bool> {
    let mut taken_back = vec![false; world.payments.len()];
    for message in &world.messages {
        if matches!(message.change, Change::Refund(_) | Change::Dispute(_)) {
            taken_back[message.payment] = true;
        }
    }
    let chosen: Vec<bool> = taken_back.iter().map(|taken| *taken && dice.chance(AFTERTHOUGHT_PERCENT)).collect();
    let tells = |change: &Change| matches!(change, Change::Payment(Standing::Paid) | Change::Nothing);
    world.messages.iter().map(|message| chosen[message.payment] && tells(&message.change)).collect()
}

#[cfg(test)]
mod tests {
    use sqlx::types::time::OffsetDateTime;

    use super::*;
    use crate::chaos::world::generate;

    #[test]
    fn nothing_is_delivered_before_it_happened_and_the_numbers_are_right() {
        let world = generate::world(5, 2_000, generate::BUYERS, "biz_Test", OffsetDateTime::UNIX_EPOCH);
        let script = script(5, &world, 6_000);
        let (mut happened, mut delivered) = (vec![false; world.messages.len()], 0);
        for step in &script.steps {
            match *step {
                Step::Happens(number) => happened[number] = true,
                Step::Deliver(number) => {
                    assert!(happened[number] && !script.lost[number]);
                    delivered += 1;
                }
            }
        }
        assert!(happened.iter().all(|happened| *happened));
        assert_eq!((delivered, script.deliveries), (6_000, 6_000));
        let lost = script.lost.iter().filter(|lost| **lost).count() * 100 / world.messages.len();
        assert!((8..=12).contains(&lost), "{lost} %");
    }
}
