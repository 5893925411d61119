//! What an organisation may have at most, as the server's administrators set it: on a server that many share, none takes what
//! is everybody's. Who is above a new limit keeps what there is and gets no more.

use callfloor_engine::{Channel, Engine};
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::host::{Documents, Handle, Turn};
use crate::http::Problem;
use crate::storage::{Kind, StorageError};

/// The limits of an organisation; `null`: none of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = OrganisationLimits)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Most operators.
    pub operators: Option<u32>,
    /// Most services.
    pub services: Option<u32>,
    /// Most calls that wait or ring in its queues: further ones find it busy.
    pub waiting_calls: Option<u32>,
    /// Most chats that wait or ring in its queues: further customers are asked to write.
    pub waiting_chats: Option<u32>,
    /// Most files of inquiries together, in MiB.
    pub files_mib: Option<u32>,
}

/// The copy in the organisation's own store: whoever decides by it has it in the same turn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Own {
    limits: Limits,
}

impl Document for Own {
    const KIND: Kind = "organisation-limits";

    fn id(&self) -> u64 {
        1
    }
}

impl Limits {
    /// The organisation's.
    ///
    /// # Errors
    /// What storage says.
    pub(crate) fn of(documents: &mut Documents) -> Result<Self, StorageError> {
        Ok(documents.get::<Own>(1)?.unwrap_or_default().limits)
    }

    /// One more operator beside so many.
    ///
    /// # Errors
    /// `organisation-limit`.
    pub(crate) fn admit_operator(&self, there_are: usize) -> Result<(), Problem> {
        admit(self.operators, there_are as u64 + 1, "operators")
    }

    /// One more service beside so many.
    ///
    /// # Errors
    /// `organisation-limit`.
    pub(crate) fn admit_service(&self, there_are: usize) -> Result<(), Problem> {
        admit(self.services, there_are as u64 + 1, "services")
    }

    /// Files of so many bytes in all.
    ///
    /// # Errors
    /// `organisation-limit`.
    pub(crate) fn admit_files(&self, bytes: u64) -> Result<(), Problem> {
        admit(self.files_mib, bytes.div_ceil(1 << 20), "MiB of files")
    }

    /// Whether one more call, or chat, may wait.
    pub(crate) fn let_wait(&self, engine: &Engine, channel: Channel) -> bool {
        let most = if channel == Channel::Chat { self.waiting_chats } else { self.waiting_calls };
        most.is_none_or(|most| {
            let queues = engine.config().queues.iter().zip(engine.queues());
            let of = queues.filter(|(queue, _)| queue.channel == channel);
            of.map(|(_, now)| now.waiting + now.ringing - now.callbacks).sum::<u32>() < most
        })
    }
}

fn admit(most: Option<u32>, wanted: u64, what: &str) -> Result<(), Problem> {
    match most {
        Some(most) if wanted > u64::from(most) => {
            let detail = format!("this organisation may have {most} {what}: who runs this server can raise its limit");
            Err(Problem::conflict("organisation-limit", detail))
        }
        _ => Ok(()),
    }
}

/// Brings an organisation's own copy in step with what is listed of it.
///
/// # Errors
/// What storage says.
pub(super) async fn set(host: &Handle, limits: Limits) -> Result<(), Problem> {
    let put = move |turn: &mut Turn<'_>| {
        let documents = turn.documents();
        if Limits::of(documents)? != limits {
            documents.put(&Own { limits });
        }
        Ok::<_, StorageError>(())
    };
    Ok(host.tell(put).await??)
}
