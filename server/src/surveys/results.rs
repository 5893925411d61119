//! What answers say: how many, their mean with a confidence interval, how they are distributed.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{Given, Question, QuestionKind};

/// What customers answered to one question.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub(super) struct QuestionResult {
    /// What was asked.
    text: String,
    /// Answers.
    n: u64,
    /// Of scores: their mean.
    mean: Option<f64>,
    /// Of scores: the ends of the 95 % confidence interval of the mean (Student's t), from two answers on.
    interval: Option<[f64; 2]>,
    /// Answers of each score from 1 to 5, or of each choice in order; empty for texts.
    distribution: Vec<u64>,
}

/// Gathers the answers to one question.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    distribution: Vec<u64>,
    texts: u64,
}

impl Tally {
    pub(super) fn new(question: &Question) -> Self {
        let kinds = match &question.kind {
            QuestionKind::Score => 5,
            QuestionKind::Choice(choices) => choices.len(),
            QuestionKind::Text => 0,
        };
        Self { distribution: vec![0; kinds], texts: 0 }
    }

    pub(super) fn add(&mut self, given: &Given) {
        let at = match given {
            Given::Score(score) => usize::from(*score).checked_sub(1),
            Given::Choice(choice) => Some(usize::from(*choice)),
            Given::Text(_) => {
                self.texts += 1;
                None
            }
        };
        if let Some(count) = at.and_then(|at| self.distribution.get_mut(at)) {
            *count += 1;
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of answers are far below 2^53")]
    pub(super) fn result(self, question: &Question) -> QuestionResult {
        let n = self.texts + self.distribution.iter().sum::<u64>();
        let scores = || (1u32..).map(f64::from).zip(self.distribution.iter().map(|&count| count as f64));
        let of_scores = question.kind == QuestionKind::Score && n > 0;
        let mean = of_scores.then(|| scores().map(|(score, count)| score * count).sum::<f64>() / n as f64);
        let interval = mean.filter(|_| n > 1).map(|mean| {
            let squares: f64 = scores().map(|(score, count)| (score - mean).powi(2) * count).sum();
            let freedom = (n - 1) as f64;
            let t = StudentsT::new(0.0, 1.0, freedom).expect("a positive freedom").inverse_cdf(0.975);
            let half = t * (squares / freedom / n as f64).sqrt();
            [mean - half, mean + half]
        });
        QuestionResult { text: question.text.clone(), n, mean, interval, distribution: self.distribution }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores 3, 4, 5, 5: mean 4.25, s² = 2.75/3, t(0.975; 3) = 3.182446 (tables).
    #[test]
    fn the_interval_is_students() {
        let question = Question { text: "How was it?".into(), kind: QuestionKind::Score, required: true };
        let mut tally = Tally::new(&question);
        for score in [3, 4, 5, 5] {
            tally.add(&Given::Score(score));
        }
        let result = tally.result(&question);
        assert_eq!((result.n, result.mean, result.distribution), (4, Some(4.25), vec![0, 0, 1, 1, 2]));
        let half = 3.182_446 * (2.75f64 / 3.0 / 4.0).sqrt();
        let [low, high] = result.interval.unwrap();
        assert!((low - (4.25 - half)).abs() < 1e-5 && (high - (4.25 + half)).abs() < 1e-5, "{low} {high}");
        let mut one = Tally::new(&question);
        one.add(&Given::Score(2));
        assert_eq!(one.result(&question).interval, None, "one answer has no spread");
    }
}
