//! Recordings: samples go to a thread of their own, so that a slow disk does not disturb audio.

use super::jitter::FRAME;
use super::wav::WavWriter;
use super::{Recording, RecordingEnd};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::time::Duration;

/// Frames that may wait for the disk: about five seconds.
const MAX_WAITING: usize = 256;
/// A frame whose mean magnitude is below this is silence (about −46 dBFS).
const SILENT: u32 = 160;

#[derive(Debug)]
pub(super) struct Recorder {
    frames: Option<SyncSender<[i16; FRAME]>>,
    recording: Recording,
    count: u32,
    silent: u32,
}

const fn frames_of(duration: Duration) -> u128 {
    duration.as_millis() / 20
}

impl Recorder {
    pub(super) fn create(recording: Recording) -> Result<Self, String> {
        let mut writer =
            WavWriter::create(&recording.path).map_err(|e| format!("{}: {e}", recording.path.display()))?;
        let (sender, receiver) = sync_channel::<[i16; FRAME]>(MAX_WAITING);
        let path = recording.path.clone();
        let work = move || {
            for frame in receiver {
                if let Err(error) = writer.write(&frame) {
                    tracing::warn!(path = %path.display(), %error, "a recording cannot be written");
                    return;
                }
            }
            if let Err(error) = writer.finish() {
                tracing::warn!(path = %path.display(), %error, "a recording cannot be finished");
            }
        };
        std::thread::Builder::new().name("callfloor-record".to_owned()).spawn(work).map_err(|e| e.to_string())?;
        Ok(Self { frames: Some(sender), recording, count: 0, silent: 0 })
    }

    /// Takes 20 ms; says why the recording is over, if it is.
    pub(super) fn take(&mut self, frame: &[i16; FRAME]) -> Option<RecordingEnd> {
        match self.frames.as_ref()?.try_send(*frame) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => return Some(RecordingEnd::Failed),
        }
        self.count += 1;
        let sum: u32 = frame.iter().map(|s| u32::from(s.unsigned_abs())).sum();
        self.silent = if sum / 160 < SILENT { self.silent + 1 } else { 0 };
        if u128::from(self.count) >= frames_of(self.recording.limit) {
            return Some(RecordingEnd::Limit);
        }
        let quiet = self.recording.silence.is_some_and(|limit| u128::from(self.silent) >= frames_of(limit));
        quiet.then_some(RecordingEnd::Silence)
    }

    pub(super) fn stop_key(&self) -> Option<char> {
        self.recording.stop_key
    }

    pub(super) fn length(&self) -> Duration {
        Duration::from_millis(u64::from(self.count) * 20)
    }
}
