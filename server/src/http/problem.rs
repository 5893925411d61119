//! What a refused request is told: RFC 9457 problem details, with the rule's name. The one place that maps refusals to
//! HTTP.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use callfloor_engine::Rejection;
use serde::{Deserialize, Serialize};

use crate::host::Unavailable;
use crate::storage::StorageError;

/// A problem as RFC 9457 has it; `rule` is stable and meant for programs, `detail` for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Problem {
    /// `urn:callfloor:problem:` and the rule.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What was asked, of which object, what was found, what would be right.
    pub detail: String,
    /// The rule that refused: `wrong-status`, `ticket-version`.
    pub rule: String,
    /// When it is worth asking again, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
    /// Another way that is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<Instead>,
}

/// A way that is open where another is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Instead {
    /// The inquiry form: it is answered later.
    InquiryForm,
}

impl Problem {
    /// A problem of this rule.
    pub fn new(status: StatusCode, rule: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:callfloor:problem:{rule}"),
            title: status.canonical_reason().unwrap_or("Problem").to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            rule: rule.to_owned(),
            retry_after_s: None,
            instead: None,
        }
    }

    /// 400: the request itself is wrong.
    pub fn wrong(rule: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, rule, detail)
    }

    /// 404: there is no such thing, or not for the one who asks.
    pub fn unknown(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "unknown", detail)
    }

    /// 409: not in the state that things are in.
    pub fn conflict(rule: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, rule, detail)
    }

    /// 403: not for this role, or not for somebody else's.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 401: nobody is signed in.
    pub fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
    }

    /// 403: the organisation is suspended, or cannot be served at present.
    pub fn not_served(organisation: &str) -> Self {
        let detail = format!("the organisation {organisation:?} is not served at present: ask who runs this server");
        Self::new(StatusCode::FORBIDDEN, "organisation-not-served", detail)
    }

    /// With another way that is open.
    #[must_use]
    pub const fn instead(mut self, way: Instead) -> Self {
        self.instead = Some(way);
        self
    }

    /// With a time after which to ask again.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.rule, self.detail)
    }
}

impl std::error::Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if matches!(status, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT) {
            // The rest of the body is thrown away: who would ask on this connection again is told before.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let (status, rule) = rule(&rejection);
        Self::new(status, rule, rejection.to_string())
    }
}

/// The status and the name of the rule that refused a command.
fn rule(rejection: &Rejection) -> (StatusCode, &'static str) {
    use StatusCode as S;
    match rejection {
        Rejection::TimeRanBack { .. } => (S::INTERNAL_SERVER_ERROR, "time-ran-back"),
        Rejection::Unknown(_) => (S::NOT_FOUND, "unknown"),
        Rejection::NoPhoneRight(_) => (S::FORBIDDEN, "no-phone-right"),
        Rejection::NoCtiId(_) => (S::CONFLICT, "no-cti-id"),
        Rejection::NoCtiNumber(_) => (S::CONFLICT, "no-cti-number"),
        Rejection::WrongStatus { .. } => (S::CONFLICT, "wrong-status"),
        Rejection::OfferOver { .. } => (S::CONFLICT, "offer-over"),
        Rejection::OtherOperatorsOffer { .. } => (S::FORBIDDEN, "other-operators-offer"),
        Rejection::NoOutboundContract(_) => (S::FORBIDDEN, "no-outbound-contract"),
        Rejection::OutgoingNumber { .. } => (S::FORBIDDEN, "outgoing-number"),
        Rejection::NotOfService { .. } => (S::FORBIDDEN, "not-of-service"),
        Rejection::TargetNotReady { .. } => (S::CONFLICT, "target-not-ready"),
        Rejection::TargetFull(_) => (S::CONFLICT, "target-full"),
        Rejection::TargetIsSelf(_) => (S::CONFLICT, "target-is-self"),
        Rejection::TargetServesNoChats(_) => (S::CONFLICT, "target-serves-no-chats"),
        Rejection::TargetNotThereForChats { .. } => (S::CONFLICT, "target-not-there-for-chats"),
        Rejection::UnknownFavourite { .. } => (S::NOT_FOUND, "unknown-favourite"),
        Rejection::ConsultGoingOn(_) => (S::CONFLICT, "consult-going-on"),
        Rejection::NoConsult(_) => (S::CONFLICT, "no-consult"),
        Rejection::ConsultNotAnswered(_) => (S::CONFLICT, "consult-not-answered"),
        Rejection::Consulted(_) => (S::CONFLICT, "consulted"),
        Rejection::DeviceLost(_) => (S::CONFLICT, "device-lost"),
        Rejection::CustomerGone(_) => (S::CONFLICT, "customer-gone"),
        Rejection::InConference(_) => (S::CONFLICT, "in-conference"),
        Rejection::Ending(_) => (S::CONFLICT, "ending"),
        Rejection::WrongStage { .. } => (S::CONFLICT, "wrong-stage"),
        Rejection::WrongLeg(_) => (S::CONFLICT, "wrong-leg"),
        Rejection::AfterCallTimed { .. } => (S::CONFLICT, "after-call-timed"),
        Rejection::WrongChannel { .. } => (S::CONFLICT, "wrong-channel"),
        Rejection::QueueFull(_) => (S::CONFLICT, "queue-full"),
        Rejection::NoCapacity(_) => (S::CONFLICT, "no-capacity"),
        Rejection::NotWithOperator { .. } => (S::CONFLICT, "not-with-operator"),
        Rejection::TicketVersion { .. } => (S::PRECONDITION_FAILED, "ticket-version"),
        Rejection::TicketTransition { .. } => (S::CONFLICT, "ticket-transition"),
        Rejection::OutOfRange { .. } => (S::BAD_REQUEST, "out-of-range"),
        Rejection::Supervised { .. } => (S::CONFLICT, "supervised"),
        Rejection::Supervising(_) => (S::CONFLICT, "supervising"),
        Rejection::NotSupervising(_) => (S::CONFLICT, "not-supervising"),
        Rejection::Configuration(_) => (S::CONFLICT, "configuration"),
        // A rule that this file does not name yet.
        _ => (S::CONFLICT, "refused"),
    }
}

impl From<Unavailable> for Problem {
    fn from(unavailable: Unavailable) -> Self {
        let rule = match unavailable {
            Unavailable::Busy => "busy",
            Unavailable::Stopped(_) => "stopped",
            Unavailable::Storage(_) => "storage",
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, rule, unavailable.to_string()).retry_after(1)
    }
}

impl From<StorageError> for Problem {
    fn from(problem: StorageError) -> Self {
        tracing::error!(%problem, "storage");
        match problem {
            StorageError::Full { .. } | StorageError::Backend { .. } | StorageError::Fenced { .. } => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "storage", "the store does not answer at present")
                    .retry_after(1)
            }
            StorageError::Damaged { .. } | StorageError::Sequence { .. } => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "storage-damaged", "what is stored cannot be read")
            }
        }
    }
}
