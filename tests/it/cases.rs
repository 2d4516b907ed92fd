//! Property tests whose body is async: proptest makes and shrinks the cases, the test's own runtime runs them.

use std::fmt::Debug;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// How many cases to run: `PROPTEST_CASES` if it is set, else `usual`.
#[expect(clippy::disallowed_methods, reason = "proptest reads its variable itself, but does not say whether it is set")]
pub fn count(usual: u32) -> u32 {
    if std::env::var("PROPTEST_CASES").is_ok() { Config::default().cases } else { usual }
}

/// Makes the values of the case with this number, the same each time.
pub fn numbered(number: u64) -> TestRunner {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

/// For tests that are not async: as many cases, and no file written beside the sources when one fails.
pub fn config(usual: u32) -> Config {
    Config { cases: count(usual), failure_persistence: None, ..Config::default() }
}

/// How often a failing case is made smaller before it is shown.
const SHRINKS: usize = 200;

/// Runs `check` on `usual` cases (or `PROPTEST_CASES`). A failing case is shrunk, then shown with what was wrong.
pub async fn for_all<S, F>(usual: u32, strategy: S, mut check: F)
where
    S: Strategy,
    S::Value: Debug + Clone,
    F: AsyncFnMut(S::Value) -> Result<(), String>,
{
    let mut runner = TestRunner::new(Config::default());
    for _ in 0..count(usual) {
        let mut case = strategy.new_tree(&mut runner).unwrap();
        let Err(mut wrong) = check(case.current()).await else { continue };
        let mut smallest = case.current();
        let mut moved = case.simplify();
        for _ in 0..SHRINKS {
            if !moved {
                break;
            }
            moved = match check(case.current()).await {
                Err(still) => {
                    (smallest, wrong) = (case.current(), still);
                    case.simplify()
                }
                Ok(()) => case.complicate(),
            };
        }
        panic!("{wrong}\nfor {smallest:#?}");
    }
}

/// Every order in which the items can come.
pub fn permutations<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (place, first) in items.iter().enumerate() {
        let rest: Vec<T> =
            items.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, item)| item.clone()).collect();
        all.extend(permutations(&rest).into_iter().map(|mut rest| {
            rest.insert(0, first.clone());
            rest
        }));
    }
    all
}
