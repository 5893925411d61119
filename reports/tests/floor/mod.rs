//! A small floor that makes results to print: two queues, one pool, first come first served, drawn by a plain generator.

use callfloor_measure::{
    Bound, Channel, Grid, Group, HandlePart, Header, Metric, Queue, Results, Status, Tally, Threshold,
};

const SECOND: u64 = 1_000_000;
const HALF_HOUR: u64 = 1_800 * SECOND;
const OPEN: u64 = 8 * 3_600 * SECOND;
const INTERVALS: usize = 24;

struct Dice(u64);

impl Dice {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((z ^ (z >> 31)) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive seconds")]
    fn exponential_us(&mut self, mean_s: f64) -> u64 {
        (-self.uniform().ln() * mean_s * 1e6) as u64
    }
}

pub(crate) fn header(name: &str) -> Header {
    Header {
        grid: Grid { open_end: true, ..Grid::new(OPEN, HALF_HOUR, INTERVALS) },
        interval_labels: (0..INTERVALS).map(|at| format!("{:02}:{:02}", 8 + at / 2, 30 * (at % 2))).collect(),
        queues: vec![
            Queue { target_level: Some(0.8), ..Queue::new("billing", Channel::Phone) },
            Queue { target_level: Some(0.8), ..Queue::new("support <b>", Channel::Phone) },
        ],
        groups: vec![Group { name: "day shift".into() }, Group { name: "noon shift".into() }],
        thresholds: vec![
            Threshold {
                metric: Metric::Abandonment,
                of: None,
                every_interval: false,
                bound: Bound::AtMost,
                limit: 0.05,
            },
            Threshold {
                metric: Metric::ServiceLevel,
                of: Some("billing".into()),
                every_interval: true,
                bound: Bound::AtLeast,
                limit: 0.6,
            },
        ],
        notes: vec!["Data: a made-up floor.".into()],
        ..Header::new(name, 7)
    }
}

/// `days` replications with so many operators in the day shift; 6 more come from 11:00 to 15:00.
pub(crate) fn results(name: &str, operators: usize, days: u32) -> Results {
    let mut results = Results::new(header(name));
    (0..days).for_each(|day| results.add(day, &replication(&header(name), operators, day)));
    results
}

fn replication(header: &Header, operators: usize, day: u32) -> Tally {
    let mut tally = Tally::new(header);
    // When each operator is next free, and until when they stay.
    let mut staff: Vec<(u64, u64, usize)> = vec![(OPEN, OPEN + 24 * HALF_HOUR, 0); operators];
    staff.extend(vec![(OPEN + 6 * HALF_HOUR, OPEN + 14 * HALF_HOUR, 1); 6]);
    let mut waiting: Vec<(usize, u64, u64)> = Vec::new();
    let mut clock = OPEN;
    let mut number = 0;
    loop {
        let hour = (clock - OPEN) as f64 / 3.6e9;
        let per_hour = 150.0 + 90.0 * (-(hour - 4.0) * (hour - 4.0) / 3.0).exp();
        number += 1;
        // A stream for each call: the same customers whatever the staffing.
        let mut dice = Dice(u64::from(day) << 32 | number);
        clock += dice.exponential_us(3_600.0 / per_hour);
        if clock >= OPEN + 24 * HALF_HOUR {
            break;
        }
        let queue = usize::from(dice.uniform() < 0.4);
        let (patience, talk, work) = (dice.exponential_us(90.0), dice.exponential_us(200.0), dice.exponential_us(40.0));
        let arrived = tally.interval_of(clock);
        tally.offered(queue, arrived);
        tally.calls += 1;
        tally.engine_commands += 6;
        let free = staff.iter_mut().filter(|(_, until, _)| clock < *until).min_by_key(|(free, ..)| *free);
        let Some((free, _, group)) = free.filter(|(free, ..)| *free <= clock + patience) else {
            tally.abandoned(queue, arrived, tally.interval_of(clock + patience), patience);
            waiting.push((queue, clock, clock + patience));
            continue;
        };
        let answer = clock.max(*free);
        let wait = answer - clock;
        waiting.push((queue, clock, answer));
        tally.answered(queue, arrived, tally.interval_of(answer), wait);
        tally.handled(queue, HandlePart::Talk, answer, answer + talk);
        tally.handled(queue, HandlePart::AfterCall, answer + talk, answer + talk + work);
        let (from, group) = (*free, *group);
        *free = answer + talk + work;
        tally.in_status(group, Status::Ready, from, answer);
        tally.in_status(group, Status::Talking, answer, answer + talk);
        tally.in_status(group, Status::AfterCallWork, answer + talk, answer + talk + work);
    }
    for (free, until, group) in staff {
        tally.in_status(group, Status::Ready, free, until);
        let from = if group == 0 { OPEN } else { OPEN + 6 * HALF_HOUR };
        tally.paid(group, from, until);
    }
    for edge in 0..=INTERVALS {
        let at = OPEN + edge as u64 * HALF_HOUR;
        // The last edge takes in what ends after closing time: the grid's end is open.
        let end = edge == INTERVALS;
        for queue in 0..2 {
            let there = |(q, from, to): &&(usize, u64, u64)| *q == queue && *from < at && *to >= at && !end;
            let count = waiting.iter().filter(there).count() as u64;
            tally.waiting_at_edge(queue, edge, count);
        }
    }
    tally
}
