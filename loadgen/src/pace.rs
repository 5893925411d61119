//! At what pace customers come: at the scenario's own instants, or at a rate that is asked for.

use std::fmt;

/// When customers come.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Pace {
    /// At the scenario's instants, divided by the speed.
    #[default]
    Scenario,
    /// At these rates, one after another, evenly spaced; who comes is the scenario's mix. Real time, whatever the speed.
    Rates(Vec<Leg>),
}

/// A part of a run in which the rate is constant or changes evenly.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Leg {
    /// How long it lasts, in microseconds of real time.
    pub length_us: u64,
    /// Contacts a second at its start.
    pub from_per_s: f64,
    /// Contacts a second at its end.
    pub to_per_s: f64,
}

impl Leg {
    /// Contacts in the whole leg.
    #[must_use]
    pub fn contacts(&self) -> f64 {
        (self.from_per_s + self.to_per_s) / 2.0 * seconds(self.length_us)
    }

    /// Microseconds after its start at which `contacts` have come.
    fn at(&self, contacts: f64) -> u64 {
        let slope = (self.to_per_s - self.from_per_s) / seconds(self.length_us);
        let root = (self.from_per_s * self.from_per_s + 2.0 * slope * contacts).max(0.0).sqrt();
        // Without cancellation: contacts = from·t + slope·t²/2.
        let t = if contacts <= 0.0 { 0.0 } else { 2.0 * contacts / (self.from_per_s + root) };
        callfloor_sim::arrival::micros(t).min(self.length_us)
    }
}

fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

impl Pace {
    /// The same rate for so long.
    #[must_use]
    pub fn constant(per_s: f64, length_us: u64) -> Self {
        Self::Rates(vec![Leg { length_us, from_per_s: per_s, to_per_s: per_s }])
    }

    /// How long the rates last, where they decide, in microseconds.
    #[must_use]
    pub fn length_us(&self) -> Option<u64> {
        let Self::Rates(legs) = self else { return None };
        Some(legs.iter().map(|leg| leg.length_us).sum())
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Rates(legs) = self else { return f.write_str("the scenario's instants") };
        for (place, leg) in legs.iter().enumerate() {
            let separator = if place == 0 { "" } else { ", then " };
            if leg.from_per_s.to_bits() == leg.to_per_s.to_bits() {
                write!(f, "{separator}{} a second for {} s", leg.from_per_s, seconds(leg.length_us))?;
            } else {
                let Leg { from_per_s, to_per_s, length_us } = leg;
                write!(f, "{separator}{from_per_s} to {to_per_s} a second over {} s", seconds(*length_us))?;
            }
        }
        Ok(())
    }
}

/// The instants of a list of legs, in order: contact number n comes when n have come before it.
#[derive(Debug, Clone)]
pub(crate) struct Instants {
    legs: std::vec::IntoIter<Leg>,
    leg: Option<Leg>,
    start_us: u64,
    /// Contacts of the leg so far, and those that the legs before left over: less than one.
    next: f64,
}

impl Instants {
    pub(crate) fn new(legs: Vec<Leg>) -> Self {
        let mut legs = legs.into_iter();
        let leg = legs.next();
        Self { legs, leg, start_us: 0, next: 0.0 }
    }
}

impl Iterator for Instants {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        loop {
            let leg = self.leg?;
            let all = leg.contacts();
            // The end belongs to the next leg; a whole number of contacts ends a little before or after it by rounding.
            if self.next < all - 1e-9 {
                let at = self.start_us + leg.at(self.next);
                self.next += 1.0;
                return Some(at);
            }
            self.next = (self.next - all).max(0.0);
            self.start_us += leg.length_us;
            self.leg = self.legs.next();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leg(length_s: u64, from_per_s: f64, to_per_s: f64) -> Leg {
        Leg { length_us: length_s * 1_000_000, from_per_s, to_per_s }
    }

    #[test]
    fn a_constant_rate_is_evenly_spaced() {
        let times: Vec<u64> = Instants::new(vec![leg(2, 50.0, 50.0)]).collect();
        assert_eq!(times.len(), 100);
        assert!(times.iter().enumerate().all(|(n, at)| *at == n as u64 * 20_000));
    }

    #[test]
    fn a_ramp_has_as_many_contacts_as_its_area_and_they_get_denser() {
        let times: Vec<u64> = Instants::new(vec![leg(10, 0.0, 20.0)]).collect();
        assert_eq!(times.len(), 100);
        // Contact n comes at the instant at which t² of the slope 2/s² is n.
        assert!(times.iter().enumerate().all(|(n, at)| (*at as f64 / 1e6 - (n as f64).sqrt()).abs() < 1e-5));
    }

    #[test]
    fn legs_follow_each_other_without_a_gap() {
        let spike = vec![leg(1, 10.0, 10.0), leg(1, 100.0, 100.0), leg(1, 0.5, 0.5), leg(1, 0.5, 0.5)];
        let times: Vec<u64> = Instants::new(spike).collect();
        assert_eq!(times.len(), 111);
        assert_eq!((times[9], times[10], times[110]), (900_000, 1_000_000, 2_000_000));
        assert!(times.is_sorted());
        assert_eq!(Instants::new(vec![leg(5, 0.0, 0.0)]).count(), 0);
    }
}
