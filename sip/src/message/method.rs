//! Methods.

use std::fmt;

macro_rules! methods {
    ($($variant:ident $text:literal $doc:literal,)*) => {
        /// A request's method. Method names are compared with their case (RFC 3261 section 7.1).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Method<'a> {
            $(#[doc = $doc] $variant,)*
            /// Any other.
            Other(&'a str),
        }

        impl<'a> Method<'a> {
            /// The method of that name.
            #[must_use]
            pub fn of(text: &'a str) -> Self {
                match text {
                    $($text => Self::$variant,)*
                    other => Self::Other(other),
                }
            }

            /// Its name.
            #[must_use]
            pub const fn as_str(self) -> &'a str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(other) => other,
                }
            }
        }
    };
}

methods! {
    Invite "INVITE" "Begins or changes a session.",
    Ack "ACK" "Confirms a final response to INVITE.",
    Bye "BYE" "Ends a session.",
    Cancel "CANCEL" "Gives up a pending INVITE.",
    Options "OPTIONS" "Asks what is supported.",
    Register "REGISTER" "Binds an address to a contact.",
    Prack "PRACK" "Acknowledges a provisional response (RFC 3262).",
    Update "UPDATE" "Changes a session without INVITE (RFC 3311).",
    Info "INFO" "Application data in a session (RFC 6086).",
    Refer "REFER" "Asks for a transfer (RFC 3515).",
    Notify "NOTIFY" "An event of a subscription (RFC 6665).",
    Subscribe "SUBSCRIBE" "Asks for events (RFC 6665).",
    Message "MESSAGE" "A text (RFC 3428).",
    Publish "PUBLISH" "Event state (RFC 3903).",
}

impl fmt::Display for Method<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
