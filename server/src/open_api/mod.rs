//! The open API, for the customer's own systems: what a service tells of itself, inquiries and their history, members.
//! Every request is signed. The other way round, the organisation's own systems are asked who a member is and what is
//! known of a customer.

mod article;
mod article_admin;
mod attachment;
mod content;
mod desk;
mod door;
mod form;
mod help_centre;
mod inquiries;
mod inquiry;
mod key;
mod linked;
mod linked_admin;
mod members;
mod nonce;
mod outgoing;
mod room;
mod signature;

use std::sync::Arc;

use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Required, Type};
use utoipa_axum::router::OpenApiRouter;

pub use attachment::Attachment;
pub(crate) use attachment::{forget as forget_attachments, of as attachments};
pub(crate) use door::admit;
pub use inquiry::Inquiry;
pub use key::{Grant, OpenScope};
pub(crate) use members::record_of_member;
pub use outgoing::Outgoing;

use crate::auth::Row;
use crate::http::App;
use crate::secrets::Vault;

/// Where the open API begins.
pub const PREFIX: &str = "/open/v1";

/// How a request is signed, as a refused one is told (RFC 9110, section 11.6.1).
pub(crate) const CHALLENGE: &str = "Callfloor-HMAC-SHA256";

/// What the open API needs beside the organisations.
#[derive(Clone, Debug)]
pub struct OpenApi {
    /// How secrets are kept.
    pub(crate) vault: Arc<Vault>,
    /// Asks the organisations' own systems.
    pub(crate) outgoing: Arc<Outgoing>,
    rates: Arc<door::Rates>,
    room: Arc<room::Room>,
    forms: Arc<form::Forms>,
}

impl OpenApi {
    /// With secrets kept so, and systems asked so.
    #[must_use]
    pub fn new(vault: Vault, outgoing: Outgoing) -> Self {
        Self {
            vault: Arc::new(vault),
            outgoing: Arc::new(outgoing),
            rates: Arc::default(),
            room: Arc::default(),
            forms: Arc::default(),
        }
    }
}

/// Rows of this module's routes; those of the open API itself begin with [`PREFIX`].
pub(crate) fn permissions() -> impl Iterator<Item = &'static Row> {
    [
        article_admin::PERMISSIONS,
        content::PERMISSIONS,
        desk::PERMISSIONS,
        help_centre::PERMISSIONS,
        inquiries::PERMISSIONS,
        key::PERMISSIONS,
        linked_admin::PERMISSIONS,
        members::PERMISSIONS,
    ]
    .into_iter()
    .flatten()
}

/// Routes for people.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(article_admin::router())
        .merge(desk::router())
        .merge(help_centre::router())
        .merge(key::router())
        .merge(linked_admin::router())
}

/// Routes for the customer's systems, under [`PREFIX`].
pub(crate) fn open_router() -> OpenApiRouter<App> {
    OpenApiRouter::new().merge(content::router()).merge(inquiries::router()).merge(members::router())
}

/// Says in the OpenAPI document which headers every request of the open API has.
pub(crate) fn document_signatures(document: &mut utoipa::openapi::OpenApi) {
    let headers = [
        ("Callfloor-Organisation", "the organisation's name", Required::True),
        ("Callfloor-Key", "the key's number", Required::True),
        ("Callfloor-Timestamp", "seconds since 1970, within 300 s of the server's clock", Required::True),
        ("Callfloor-Nonce", "16 to 64 letters, digits, - and _; new for each request", Required::True),
        ("Callfloor-Content-SHA256", "SHA-256 of the body in hexadecimal; not needed without one", Required::False),
        ("Callfloor-Signature", "HMAC-SHA-256 in hexadecimal: see docs/open-api.md", Required::True),
    ];
    let of_open_api = document.paths.paths.iter_mut().filter(|(path, _)| path.starts_with(PREFIX));
    let operations = of_open_api.flat_map(|(_, path)| [&mut path.get, &mut path.post].into_iter().flatten());
    for operation in operations {
        let parameters = operation.parameters.get_or_insert_default();
        parameters.extend(headers.iter().map(|(name, description, required)| {
            ParameterBuilder::new()
                .name(*name)
                .parameter_in(ParameterIn::Header)
                .required(required.clone())
                .description(Some(*description))
                .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
                .build()
                .into()
        }));
    }
}
