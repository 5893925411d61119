//! The inquiry form that everybody may fill in: which forms were given out, and how much comes by them. No third party is
//! asked whether somebody is a person: a form must be asked for first and kept a moment, it makes one inquiry, and each
//! address, service and organisation has so much.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::http::Problem;

/// Nobody fills a form in faster, in milliseconds.
pub(super) const WAIT_MS: u64 = 3_000;
/// How long a form is good: 12 hours.
const GOOD_MS: u64 = 12 * 3_600_000;
/// Sent from one address: at once, and how soon there is one more.
const OF_ADDRESS: (u32, Duration) = (10, Duration::from_secs(60));
/// Kept for one service.
const OF_SERVICE: (u32, Duration) = (200, Duration::from_secs(5));
/// Files kept for one organisation, in KiB: 512 MiB at once and in a day.
const FILES: (u32, Duration) = (512 << 10, Duration::from_millis(164));
/// Addresses that are remembered before those who sent nothing lately are forgotten.
const REMEMBERED: usize = 20_000;

/// What is known of forms; they do not outlive the process, and the page asks for another by itself.
#[derive(Debug)]
pub(super) struct Forms {
    secret: [u8; 32],
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    services: DefaultKeyedRateLimiter<(String, u16)>,
    files: DefaultKeyedRateLimiter<String>,
}

fn quota((burst, each): (u32, Duration)) -> Quota {
    let burst = NonZeroU32::new(burst).expect("a positive number");
    Quota::with_period(each).expect("a positive time").allow_burst(burst)
}

impl Default for Forms {
    fn default() -> Self {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).expect("the system gives random bytes");
        Self {
            secret,
            addresses: RateLimiter::keyed(quota(OF_ADDRESS)),
            services: RateLimiter::keyed(quota(OF_SERVICE)),
            files: RateLimiter::keyed(quota(FILES)),
        }
    }
}

fn too_many(detail: &str, wait: Duration) -> Problem {
    let seconds = u32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX).max(1);
    let detail = format!("{detail}: send it again in {seconds} s");
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-inquiries", detail).retry_after(seconds)
}

impl Forms {
    fn code(&self, of: &str) -> Hmac<Sha256> {
        let mut code = <Hmac<Sha256> as hmac::Mac>::new_from_slice(&self.secret).expect("any key is right");
        code.update(of.as_bytes());
        code
    }

    /// Another form: `WHEN.RANDOM.CODE`.
    pub(super) fn give(&self, organisation: &str, service: u16, now_ms: u64) -> String {
        let mut random = [0; 16];
        getrandom::fill(&mut random).expect("the system gives random bytes");
        let form = format!("{now_ms}.{}", URL_SAFE_NO_PAD.encode(random));
        let code = self.code(&format!("{organisation}/{service}/{form}")).finalize().into_bytes();
        format!("{form}.{}", URL_SAFE_NO_PAD.encode(code))
    }

    /// Whether a form is one of ours, and neither too young nor too old.
    ///
    /// # Errors
    /// `stale-form`: ask for another; `too-fast`: wait.
    pub(super) fn is_good(&self, form: &str, organisation: &str, service: u16, now_ms: u64) -> Result<(), Problem> {
        let stale =
            || Problem::conflict("stale-form", "this form is no longer good: ask for another one and send it again");
        let (form, code) = form.rsplit_once('.').ok_or_else(stale)?;
        let code = URL_SAFE_NO_PAD.decode(code).map_err(|_| stale())?;
        let right = self.code(&format!("{organisation}/{service}/{form}"));
        right.verify_slice(&code).map_err(|_| stale())?;
        let given: u64 = form.split('.').next().and_then(|given| given.parse().ok()).ok_or_else(stale)?;
        let age = now_ms.saturating_sub(given);
        if age > GOOD_MS {
            return Err(stale());
        }
        if age < WAIT_MS {
            let detail = "this form was asked for a moment ago: send it again in 3 s";
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-fast", detail).retry_after(3));
        }
        Ok(())
    }

    /// Somebody at an address sends a form, whatever is in it.
    ///
    /// # Errors
    /// Where more comes from there than people send.
    pub(super) fn sends(&self, network: IpAddr) -> Result<(), Problem> {
        if self.addresses.len() > REMEMBERED {
            self.addresses.retain_recent();
            self.addresses.shrink_to_fit();
        }
        let now = DefaultClock::default().now();
        let sent = self.addresses.check_key(&network);
        sent.map_err(|until| too_many("too many inquiries from this address", until.wait_time_from(now)))
    }

    /// An inquiry with files of so many bytes is about to be kept for a service.
    ///
    /// # Errors
    /// Where more comes than a service, or an organisation's store, is meant to take.
    pub(super) fn keeps(&self, organisation: &str, service: u16, bytes: u64) -> Result<(), Problem> {
        let now = DefaultClock::default().now();
        let kept = self.services.check_key(&(organisation.to_owned(), service));
        kept.map_err(|until| too_many("too many inquiries to this service", until.wait_time_from(now)))?;
        let Some(kib) = u32::try_from(bytes.div_ceil(1 << 10)).ok().and_then(NonZeroU32::new) else { return Ok(()) };
        match self.files.check_key_n(&organisation.to_owned(), kib) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => {
                let detail = "no more files are taken at present: send the inquiry without them";
                Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-files", detail).retry_after(3_600))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000_000;

    #[test]
    fn a_form_is_good_where_and_when_it_was_given() {
        let forms = Forms::default();
        let form = forms.give("main", 1, NOW);
        let rule = |form: &str, organisation, service, now| {
            forms.is_good(form, organisation, service, now).map_err(|problem| problem.rule)
        };
        assert_eq!(rule(&form, "main", 1, NOW + WAIT_MS), Ok(()));
        assert_eq!(rule(&form, "main", 1, NOW + GOOD_MS), Ok(()));
        assert_eq!(rule(&form, "main", 1, NOW + WAIT_MS - 1).unwrap_err(), "too-fast");
        assert_eq!(rule(&form, "main", 1, NOW + GOOD_MS + 1).unwrap_err(), "stale-form");
        assert_eq!(rule(&form, "main", 0, NOW + WAIT_MS).unwrap_err(), "stale-form");
        assert_eq!(rule(&form, "acme", 1, NOW + WAIT_MS).unwrap_err(), "stale-form");
        let earlier = form.replacen(&NOW.to_string(), &(NOW - WAIT_MS).to_string(), 1);
        for wrong in ["", ".", "1.2.3", &earlier, &form[..form.len() - 2]] {
            assert_eq!(rule(wrong, "main", 1, NOW + WAIT_MS).unwrap_err(), "stale-form", "{wrong}");
        }
        assert_ne!(form, forms.give("main", 1, NOW), "each is another");
    }

    #[test]
    fn an_address_a_service_and_a_store_have_so_much() {
        let forms = Forms::default();
        let sent = |last| (0..100).filter(|_| forms.sends([192, 0, 2, last].into()).is_ok()).count();
        assert_eq!((sent(1), sent(2)), (10, 10));
        let problem = forms.sends([192, 0, 2, 1].into()).unwrap_err();
        assert!((1..=60).contains(&problem.retry_after_s.unwrap()), "{problem}");
        assert_eq!((0..300).filter(|_| forms.keeps("main", 0, 0).is_ok()).count(), 200);
        let with_files = |organisation| (0..100).filter(|_| forms.keeps(organisation, 1, 10 << 20).is_ok()).count();
        assert_eq!((with_files("main"), with_files("acme")), (51, 51), "512 MiB");
        assert_eq!(forms.keeps("main", 1, 10 << 20).unwrap_err().rule, "too-many-files");
        assert!(forms.keeps("main", 1, 0).is_ok(), "without files it is taken");
    }
}
