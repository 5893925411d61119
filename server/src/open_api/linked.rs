//! Systems of the organisation that are asked: whether a member's token is right, and what is known of a customer. Each
//! question is signed as those to us are, with a secret of the link's own.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Method, Url};
use serde::{Deserialize, Serialize};

use super::outgoing::{Answer, Asked, Trouble};
use super::signature::{self, Signed, sha256};
use crate::document::{Document, Read};
use crate::http::{App, Problem};
use crate::storage::Kind;
use crate::tenant::Tenant;

/// For what a system is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum LinkName {
    /// Whether a member's token is right.
    MemberAuthentication,
    /// What is known of a customer.
    CustomerInformation,
}

impl LinkName {
    pub(super) const ALL: [Self; 2] = [Self::MemberAuthentication, Self::CustomerInformation];

    /// As it stands in addresses, and as `Callfloor-Key` of what we ask.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::MemberAuthentication => "member-authentication",
            Self::CustomerInformation => "customer-information",
        }
    }

    const fn number(self) -> u64 {
        match self {
            Self::MemberAuthentication => 1,
            Self::CustomerInformation => 2,
        }
    }

    /// For the vault and the log.
    pub(super) fn known_as(self) -> String {
        format!("linked system {}", self.word())
    }
}

/// How a system is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum AskBy {
    /// In the address.
    Get,
    /// In a body of JSON.
    Post,
}

/// A linked system, as an administrator sets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkSettings {
    /// Where it is asked: `https://…`, at most 500 characters.
    pub address: String,
    /// How.
    pub method: AskBy,
    /// It must have answered after so long: 100 to 10,000 ms, 2,000 unless said.
    #[serde(default = "time_limit")]
    pub time_limit_ms: u32,
}

const fn time_limit() -> u32 {
    2_000
}

/// A linked system, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Link {
    pub name: LinkName,
    /// As the vault keeps it; `None` until an administrator has one made.
    pub secret: Option<String>,
    pub settings: LinkSettings,
}

impl Document for Link {
    const KIND: Kind = "linked-system";

    fn id(&self) -> u64 {
        self.name.number()
    }
}

impl Link {
    /// The number of a link's document.
    pub(super) const fn number(name: LinkName) -> u64 {
        name.number()
    }
}

/// Asks a linked system; `None` where none is set.
///
/// # Errors
/// That the store does not answer, or why the system does not.
pub(super) async fn ask(
    app: &App,
    tenant: &Tenant,
    name: LinkName,
    says: Vec<(&'static str, String)>,
) -> Result<Option<Result<Answer, Trouble>>, Problem> {
    let link = tenant.host.read(move |reader| Ok::<_, Problem>(reader.document::<Link>(name.number())?)).await?;
    let Some(link) = link else { return Ok(None) };
    let limit = Duration::from_millis(link.settings.time_limit_ms.into());
    let asked = match signed(app, &tenant.name, &link, says) {
        Ok(asked) => app.open.outgoing.ask(&tenant.name, asked, limit).await,
        Err(problem) => Err(Trouble::Failed(problem)),
    };
    if let Err(trouble) = &asked {
        tracing::warn!(organisation = tenant.name, link = name.word(), %trouble, "a linked system did not answer");
    }
    Ok(Some(asked))
}

/// The question, signed at this moment.
fn signed(app: &App, organisation: &str, link: &Link, says: Vec<(&'static str, String)>) -> Result<Asked, String> {
    let name = link.name;
    let missing = || format!("the link has no secret: POST /linked-systems/{}/secret makes one", name.word());
    let secret = app.open.vault.open(&name.known_as(), link.secret.as_ref().ok_or_else(missing)?)?;
    let mut url: Url = app.open.outgoing.address(&link.settings.address)?;
    let (method, body) = match link.settings.method {
        AskBy::Get => {
            url.query_pairs_mut().extend_pairs(&says);
            (Method::GET, None)
        }
        AskBy::Post => {
            let body: serde_json::Map<_, _> =
                says.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
            (Method::POST, Some(serde_json::Value::from(body).to_string().into_bytes()))
        }
    };
    let mut random = [0u8; 18];
    getrandom::fill(&mut random).expect("the system gives random bytes");
    let signed = Signed {
        organisation,
        key: name.word(),
        method: method.as_str(),
        path: url.path(),
        query: url.query().unwrap_or_default(),
        body_hash: &sha256(body.as_deref().unwrap_or_default()),
        timestamp: u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or(0),
        nonce: &URL_SAFE_NO_PAD.encode(random),
    };
    let mut headers = vec![
        (signature::ORGANISATION, organisation.to_owned()),
        (signature::KEY, name.word().to_owned()),
        (signature::TIMESTAMP, signed.timestamp.to_string()),
        (signature::NONCE, signed.nonce.to_owned()),
        (signature::BODY_HASH, signed.body_hash.to_owned()),
        (signature::SIGNATURE, signed.sign(&secret)),
        ("accept", "application/json".to_owned()),
    ];
    if body.is_some() {
        headers.push(("content-type", "application/json".to_owned()));
    }
    Ok(Asked { method, url, headers, body })
}

/// Text of another system as people may see it: no control characters, not longer than this.
pub(super) fn tame(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control() || *c == '\n').take(most).collect()
}
