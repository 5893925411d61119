//! Keeps what can be played in step with what an administrator uploaded or wrote: at the start, and at each change.
//!
//! One task does it, in the order of the changes. A text is spoken by the program that `[speech] command` names; without one
//! a beep stands for it, and the log says so.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use callfloor_engine::AudioId;
use callfloor_sip::media::Clip;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{mpsc, oneshot};

use super::Clips;
use crate::document::{Document as _, Read as _};
use crate::floor::{Audio, AudioContent, AudioData, Organisation};
use crate::host::Handle;
use crate::storage::{Range, StorageError};

/// A change that is to be heard: which recording, and whom to tell when it is.
pub(super) type Changed = (Option<AudioId>, oneshot::Sender<()>);

/// How long a program may speak one text.
const SPEECH_LIMIT: Duration = Duration::from_secs(20);
/// Most bytes that it may say.
const SPEECH_BYTES: u64 = 32 << 20;

/// Loads what is stored into what is played.
pub(super) struct Recordings {
    pub(super) host: Handle,
    pub(super) clips: Arc<Clips>,
    /// The program that speaks texts, with its arguments; empty: none.
    pub(super) speech: Vec<String>,
}

impl Recordings {
    /// Loads everything. What cannot be loaded is logged and played as a beep: no other recording suffers for it.
    pub(super) async fn load_all(&self) -> Result<(), StorageError> {
        let all = self.host.read(|reader| reader.documents::<Audio>(&Range::all(Audio::KIND, usize::MAX))).await?;
        self.load_ring_back().await?;
        let count = all.len();
        for audio in all {
            self.put(audio).await?;
        }
        tracing::debug!(count, "recordings are loaded");
        Ok(())
    }

    /// Follows changes until who tells of them has gone.
    pub(super) async fn follow(self, mut changes: mpsc::UnboundedReceiver<Changed>) {
        while let Some((audio, heard)) = changes.recv().await {
            if let Err(problem) = self.load(audio).await {
                tracing::error!(%problem, "what is played cannot be read: the recording of before is kept");
            }
            // Who changed it may have gone.
            let _ = heard.send(());
        }
    }

    async fn load(&self, audio: Option<AudioId>) -> Result<(), StorageError> {
        self.load_ring_back().await?;
        let Some(id) = audio else { return Ok(()) };
        match self.host.read(move |reader| reader.document::<Audio>(id.0.into())).await? {
            Some(audio) => self.put(audio).await?,
            None => self.clips.put(id, None),
        }
        Ok(())
    }

    async fn load_ring_back(&self) -> Result<(), StorageError> {
        let organisation = self.host.read(|reader| reader.document::<Organisation>(1)).await?;
        self.clips.set_ring_back(organisation.and_then(|organisation| organisation.ring_back).map(AudioId));
        Ok(())
    }

    async fn put(&self, audio: Audio) -> Result<(), StorageError> {
        let Audio { id, content, .. } = audio;
        let clip = match content {
            AudioContent::Recording(_) => {
                // Decoding is slow work: it is done where reading is.
                let read = self.host.read(move |reader| {
                    let data = reader.document::<AudioData>(id)?;
                    Ok::<_, StorageError>(data.map(|data| decode(&data)))
                });
                read.await?.unwrap_or_else(|| Err("its file is not there".into()))
            }
            AudioContent::Text(text) => self.speak(&text).await,
        };
        let clip = clip.map_err(|problem| tracing::warn!(audio = id, problem, "a beep is played in its place")).ok();
        self.clips.put(AudioId(u32::try_from(id).unwrap_or(u32::MAX)), clip);
        Ok(())
    }

    /// Has a text spoken: it goes to the program's input, and a WAV file comes from its output.
    async fn speak(&self, text: &str) -> Result<Clip, String> {
        let Some((program, arguments)) = self.speech.split_first() else {
            return Err("it is a text, and no [speech] command is configured that would speak it".into());
        };
        let spoken = tokio::time::timeout(SPEECH_LIMIT, run(program, arguments, text)).await;
        let spoken = spoken.unwrap_or_else(|_| Err(std::io::Error::other(format!("no end after {SPEECH_LIMIT:?}"))));
        let file = spoken.map_err(|problem| format!("[speech] command {program:?}: {problem}"))?;
        Clip::from_wav(&file).map_err(|wrong| format!("[speech] command {program:?} did not say a WAV file: {wrong}"))
    }
}

async fn run(program: &str, arguments: &[String], text: &str) -> std::io::Result<Vec<u8>> {
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let (mut input, output) = (child.stdin.take().expect("it is piped"), child.stdout.take().expect("it is piped"));
    let text = text.to_owned();
    // Beside the reading: a program may speak before it has read to the end.
    let telling = tokio::spawn(async move { input.write_all(text.as_bytes()).await });
    let mut file = Vec::new();
    output.take(SPEECH_BYTES).read_to_end(&mut file).await?;
    // A program that does not want the whole text has said what it has to say.
    telling.abort();
    let status = child.wait().await?;
    if status.success() { Ok(file) } else { Err(std::io::Error::other(format!("it ended with {status}"))) }
}

fn decode(data: &AudioData) -> Result<Clip, String> {
    let file = STANDARD.decode(&data.base64).map_err(|problem| format!("its file is damaged: {problem}"))?;
    Clip::from_wav(&file).map_err(|problem| problem.to_string())
}
