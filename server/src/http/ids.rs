//! Ids as they stand in paths and bodies. A live thing's id is `NUMBER-SLOT`: the running number that people see, and
//! where the engine keeps it; an old one finds nothing.

use callfloor_engine::{CallId, CallbackId, ChatId, OfferId, TicketId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! reference {
    ($($(#[$doc:meta])* $name:ident($id:ty), $word:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, utoipa::ToSchema)]
        #[schema(value_type = String, example = "204-7", pattern = "^[0-9]{1,10}-[0-9]{1,10}$")]
        pub struct $name(pub $id);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}-{}", self.0.number(), self.0.slot())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                text.split_once('-')
                    .and_then(|(number, slot)| Some(<$id>::from_parts(number.parse().ok()?, slot.parse().ok()?)))
                    .map(Self)
                    .ok_or_else(|| format!(concat!("{:?} is no ", $word, ": NUMBER-SLOT is right, as in 204-7"), text))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                std::borrow::Cow::<str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl From<$id> for $name {
            fn from(id: $id) -> Self {
                Self(id)
            }
        }
    )*};
}

reference! {
    /// A live call.
    CallRef(CallId), "call";
    /// A live chat.
    ChatRef(ChatId), "chat";
    /// A live offer.
    OfferRef(OfferId), "offer";
    /// A live callback.
    CallbackRef(CallbackId), "callback";
    /// A ticket that is not Closed, where its number alone does not do.
    TicketRef(TicketId), "ticket";
}
