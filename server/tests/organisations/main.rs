//! Several organisations on one server: made, renamed, suspended and resumed over HTTP, and nothing of one reachable from
//! another.

#[path = "../support/floor.rs"]
mod floor;
#[path = "../support/instance.rs"]
mod instance;
mod isolation;
mod life;
#[path = "../support/organisation.rs"]
mod organisation;
mod phones;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/telephone.rs"]
mod telephone;

use organisation::Api;
use support::{Running, User};

impl Running {
    fn api(&self) -> Api {
        Api { client: self.client.clone(), base: self.url("/api/v1") }
    }

    /// Somebody who has only a token.
    fn bearer(&self, token: &str) -> User {
        User::with_token(self.client.clone(), self.url("/api/v1"), token)
    }
}
