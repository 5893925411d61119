//! Secrets that are shown once: made here, kept as a hash or sealed, and shown in the answer to whoever had them made.

use std::sync::Arc;

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

use super::token::hex_of_hash;
use super::{Account, Caller, SignInLimits, Token};
use crate::host::Turn;
use crate::http::Problem;
use crate::secrets::Vault;

/// A new secret. It is not copied, printed, or written as JSON: what is kept of it comes by [`hash`](Self::hash),
/// [`sealed`](Self::sealed) and [`password_hash`](Self::password_hash), and its one way out is [`keep`](Self::keep), then
/// [`Kept::show`].
pub(crate) struct NewSecret(Arc<str>);

/// A secret that is kept, to be shown to whoever had it made.
pub(crate) struct Kept(Option<NewSecret>);

/// A secret in the one answer that shows it.
pub(crate) struct Shown(NewSecret);

impl std::fmt::Debug for NewSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewSecret(…)")
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.0)
    }
}

/// A password to be shown once: 20 characters of 64.
pub(crate) fn random_password() -> String {
    let mut bytes = [0u8; 15];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    URL_SAFE_NO_PAD.encode(bytes)
}

impl NewSecret {
    /// The key of a machine of an organisation.
    pub(crate) fn key(organisation: &str) -> Self {
        Self(Token::random_key(organisation).reveal().into())
    }

    /// One that signs requests, with 256 random bits: `cfo_…`, 47 plain characters.
    pub(crate) fn signing() -> Self {
        let mut bytes = [0u8; 32];
        getrandom::fill(&mut bytes).expect("the system gives random bytes");
        Self(format!("cfo_{}", URL_SAFE_NO_PAD.encode(bytes)).into())
    }

    /// A password.
    pub(crate) fn password() -> Self {
        Self(random_password().into())
    }

    /// What is kept of one that is sent to be compared.
    pub(crate) fn hash(&self) -> String {
        hex_of_hash(self.0.as_bytes())
    }

    /// What is kept of one that the server uses again.
    pub(crate) fn sealed(&self, vault: &Vault, of: &str) -> String {
        vault.seal(of, &self.0)
    }

    /// What is kept of a password. Takes tens of milliseconds, in its turn among all passwords.
    ///
    /// # Errors
    /// 429, where too many others wait for their turn.
    pub(crate) async fn password_hash(&self, limits: &SignInLimits) -> Result<String, Problem> {
        let text = Arc::clone(&self.0);
        limits.in_turn(move || Account::hash(&text)).await?
    }

    /// Runs a job in the loop that keeps it, once for each idempotency key: where the request was done before, the answer is
    /// that of before, whose secret was another.
    ///
    /// # Errors
    /// The job's, or that there is no answer at present.
    pub(crate) async fn keep<T: Serialize + DeserializeOwned + Send + 'static>(
        self,
        caller: &Caller,
        job: impl FnOnce(&mut Turn<'_>, &Self) -> Result<T, Problem> + Send + 'static,
    ) -> Result<(T, Kept), Problem> {
        let own = Self(Arc::clone(&self.0));
        // An answer is kept for a repeated request: the secret is not in it, but a trace that tells whose it is.
        let (answer, trace) = caller.write(move |turn| Ok((job(turn, &own)?, own.hash()))).await?;
        let is_own = trace == self.hash();
        Ok((answer, Kept(is_own.then_some(self))))
    }
}

impl Kept {
    /// Shows it. Where it was shown before, `again` says what to do instead.
    ///
    /// # Errors
    /// 409, where the request was done before.
    pub(crate) fn show(self, again: impl FnOnce() -> String) -> Result<Shown, Problem> {
        let shown_before = || {
            let detail = format!("this request was done before, and its secret is shown once: {}", again());
            Problem::new(StatusCode::CONFLICT, "secret-shown-once", detail)
        };
        self.0.map(Shown).ok_or_else(shown_before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_new_each_time_and_is_not_printed() {
        let made: [fn() -> NewSecret; 3] = [|| NewSecret::key("acme"), NewSecret::signing, NewSecret::password];
        for (make, length) in made.into_iter().zip([4 + 5 + 43, 47, 20]) {
            let (one, other) = (make(), make());
            assert!(one.0.len() == length && one.0 != other.0 && one.hash() != other.hash());
            assert_eq!(format!("{one:?}"), "NewSecret(…)");
        }
    }

    #[test]
    fn what_is_kept_of_it_fits_it() {
        let key = NewSecret::key("acme");
        assert_eq!(Token::sent(&key.0).hash(), key.hash());
        let (vault, signing) = (Vault::default(), NewSecret::signing());
        assert_eq!(vault.open("it", &signing.sealed(&vault, "it")).as_deref(), Ok(&*signing.0));
    }

    #[test]
    fn it_is_shown_to_whoever_had_it_made() {
        let secret = NewSecret::signing();
        let text = secret.0.to_string();
        let Ok(shown) = Kept(Some(secret)).show(|| unreachable!("it is the first time")) else {
            panic!("it is not shown")
        };
        assert_eq!(serde_json::to_value(shown).unwrap(), text.as_str());
        let Err(again) = Kept(None).show(|| "make another".into()) else { panic!("it is shown again") };
        assert_eq!((again.status, again.rule.as_str()), (409, "secret-shown-once"));
        assert!(again.detail.ends_with("make another"));
    }
}
