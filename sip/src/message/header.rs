//! Header names.

macro_rules! names {
    ($($variant:ident $text:literal $lower:literal $($short:literal)?,)*) => {
        /// A header's name; known ones are equal in any case and in their compact form.
        #[derive(Clone, Copy, Debug)]
        pub enum Name<'a> {
            $(#[doc = concat!("`", $text, "`")] $variant,)*
            /// Any other, as it was written; compared without case.
            Other(&'a str),
        }

        impl<'a> Name<'a> {
            /// The header of that name.
            #[must_use]
            pub fn of(text: &'a str) -> Self {
                let mut lower = [0_u8; 24];
                let Some(lower) = lower.get_mut(..text.len()) else { return Self::Other(text) };
                lower.copy_from_slice(text.as_bytes());
                lower.make_ascii_lowercase();
                match &*lower {
                    $($lower $(| $short)? => Self::$variant,)*
                    _ => Self::Other(text),
                }
            }

            /// Its long name.
            #[must_use]
            pub const fn as_str(self) -> &'a str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(other) => other,
                }
            }
        }

        impl PartialEq for Name<'_> {
            fn eq(&self, other: &Name<'_>) -> bool {
                match (self, other) {
                    $((Self::$variant, Name::$variant) => true,)*
                    (Self::Other(a), Name::Other(b)) => a.eq_ignore_ascii_case(b),
                    _ => false,
                }
            }
        }

        impl Eq for Name<'_> {}
    };
}

names! {
    Via "Via" b"via" b"v",
    From "From" b"from" b"f",
    To "To" b"to" b"t",
    CallId "Call-ID" b"call-id" b"i",
    CSeq "CSeq" b"cseq",
    Contact "Contact" b"contact" b"m",
    MaxForwards "Max-Forwards" b"max-forwards",
    ContentLength "Content-Length" b"content-length" b"l",
    ContentType "Content-Type" b"content-type" b"c",
    ContentEncoding "Content-Encoding" b"content-encoding" b"e",
    Route "Route" b"route",
    RecordRoute "Record-Route" b"record-route",
    Require "Require" b"require",
    ProxyRequire "Proxy-Require" b"proxy-require",
    Supported "Supported" b"supported" b"k",
    Unsupported "Unsupported" b"unsupported",
    Allow "Allow" b"allow",
    Accept "Accept" b"accept",
    Authorization "Authorization" b"authorization",
    ProxyAuthorization "Proxy-Authorization" b"proxy-authorization",
    WwwAuthenticate "WWW-Authenticate" b"www-authenticate",
    ProxyAuthenticate "Proxy-Authenticate" b"proxy-authenticate",
    Expires "Expires" b"expires",
    MinExpires "Min-Expires" b"min-expires",
    SessionExpires "Session-Expires" b"session-expires" b"x",
    MinSe "Min-SE" b"min-se",
    RSeq "RSeq" b"rseq",
    RAck "RAck" b"rack",
    ReferTo "Refer-To" b"refer-to" b"r",
    ReferredBy "Referred-By" b"referred-by" b"b",
    Replaces "Replaces" b"replaces",
    Event "Event" b"event" b"o",
    SubscriptionState "Subscription-State" b"subscription-state",
    RetryAfter "Retry-After" b"retry-after",
    Reason "Reason" b"reason",
    PAssertedIdentity "P-Asserted-Identity" b"p-asserted-identity",
    UserAgent "User-Agent" b"user-agent",
    AlertInfo "Alert-Info" b"alert-info",
    CallInfo "Call-Info" b"call-info",
    Path "Path" b"path",
    Timestamp "Timestamp" b"timestamp",
    Date "Date" b"date",
}
