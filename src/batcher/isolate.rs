//! Keeps one item that can't be worked on from spoiling its batch.

use std::sync::Arc;

use crate::{Error, Result};

/// Works on all items at once. If that fails, on each half, and so on until those that fail stand alone: one bad item
/// among a thousand costs some twenty rounds, and only it is answered with the failure. `work` is all or nothing (one
/// transaction) and gives an answer for each item in order, refusals among them, or fails as a whole.
///
/// When it fails with [`Error::Unavailable`], smaller parts would fare no better: that is the answer to all that is left.
pub async fn isolate<'a, Item, Answer, Doing>(
    items: &'a [Item],
    work: impl Fn(&'a [Item]) -> Doing,
) -> Vec<Result<Answer>>
where
    Doing: Future<Output = Result<Vec<Result<Answer>>>>,
{
    let mut answers = Vec::with_capacity(items.len());
    // The next part is the last of them.
    let mut parts = vec![items];
    while let Some(part) = parts.pop() {
        match work(part).await {
            Ok(done) if done.len() == part.len() => answers.extend(done),
            Ok(done) => {
                let miscounted = format!("{} answers for {} items", done.len(), part.len());
                answers.extend(part.iter().map(|_| Err(Error::broken(miscounted.clone()))));
            }
            Err(Error::Unavailable(cause)) => {
                let away = Away(Arc::from(cause));
                let left = items.len() - answers.len();
                answers.extend(std::iter::repeat_with(|| Err(Error::unavailable(away.clone()))).take(left));
                break;
            }
            Err(error) if part.len() <= 1 => answers.extend(part.first().map(|_| Err(error))),
            Err(error) => {
                tracing::warn!(items = part.len(), error = ?error, "a batch failed; trying its halves");
                let (first, second) = part.split_at(part.len() / 2);
                parts.extend([second, first]);
            }
        }
    }
    answers
}

/// Why a whole batch could not be worked on, told to each of its items.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the batch could not be worked on")]
struct Away(#[source] Arc<dyn std::error::Error + Send + Sync>);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::sync::Mutex;

    use super::*;
    use crate::Refusal;

    /// Adds up what is done in transactions that fail as a whole on one of the numbers.
    async fn run(items: Vec<u32>, fails_on: fn(u32) -> Option<Error>) -> (Vec<Result<u32>>, Vec<Vec<u32>>, usize) {
        let (committed, rounds) = (Mutex::new(Vec::new()), Mutex::new(0));
        let (committed_by, counted_by) = (&committed, &rounds);
        let answers = isolate(&items, |part| async move {
            *counted_by.lock().unwrap() += 1;
            if let Some(error) = part.iter().find_map(|item| fails_on(*item)) {
                return Err(error);
            }
            committed_by.lock().unwrap().push(part.to_vec());
            // Every fifth is refused, which is an answer.
            Ok(part
                .iter()
                .map(|item| if item % 5 == 0 { Err(Refusal::NotEnoughCredits.into()) } else { Ok(item * 10) })
                .collect())
        })
        .await;
        (answers, committed.into_inner().unwrap(), rounds.into_inner().unwrap())
    }

    #[tokio::test]
    async fn a_good_batch_is_one_round_with_its_refusals() {
        let (answers, committed, rounds) = run((1..=10).collect(), |_| None).await;
        assert_eq!((committed.len(), rounds), (1, 1));
        for (item, answer) in (1..=10).zip(answers) {
            match answer {
                Ok(done) => assert_eq!(done, item * 10),
                Err(error) => assert!(matches!(error, Error::Refused(_)) && item % 5 == 0, "{item}: {error:?}"),
            }
        }
        let (answers, ..) = run(Vec::new(), |_| Some(Error::broken("empty"))).await;
        assert!(answers.is_empty());
    }

    #[tokio::test]
    async fn two_bad_items_spoil_none_of_a_thousand() {
        let bad = |item| (item == 17 || item == 801).then(|| Error::broken(format!("item {item}")));
        let (answers, committed, rounds) = run((0..1_000).collect(), bad).await;
        assert_eq!(answers.len(), 1_000);
        for (item, answer) in (0..1_000).zip(&answers) {
            assert_eq!(matches!(answer, Err(Error::Broken(_))), bad(item).is_some(), "{item}: {answer:?}");
        }
        assert_eq!(committed.concat(), (0..1_000).filter(|item| bad(*item).is_none()).collect::<Vec<u32>>());
        assert!(rounds <= 40, "{rounds} rounds");
    }

    #[tokio::test]
    async fn when_the_database_goes_away_what_is_done_keeps_its_answer() {
        // The first half holds a bad item; the second meets an outage.
        let trouble = |item| match item {
            1 => Some(Error::broken("bad")),
            6 => Some(Error::unavailable("gone")),
            _ => None,
        };
        let (answers, committed, rounds) = run((1..=8).collect(), trouble).await;
        assert_eq!(committed, [vec![2], vec![3, 4]]);
        let words: Vec<&str> = answers
            .iter()
            .map(|answer| match answer {
                Ok(_) => "done",
                Err(Error::Broken(_)) => "broken",
                Err(Error::Unavailable(_)) => "unavailable",
                Err(_) => "refused",
            })
            .collect();
        let expected = ["broken", "done", "done", "done", "unavailable", "unavailable", "unavailable", "unavailable"];
        assert_eq!(words, expected);
        assert_eq!(rounds, 7, "8, its halves down to 1, 2, 3 and 4, and the second half once");
    }

    #[tokio::test]
    async fn a_miscount_is_broken_for_all_of_its_part() {
        let answers: Vec<Result<u32>> = isolate(&[1, 2, 3], async |_| Ok(vec![Ok(1)])).await;
        assert_eq!(answers.iter().filter(|answer| matches!(answer, Err(Error::Broken(_)))).count(), 3);
    }
}
