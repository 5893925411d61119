//! Announcements and music: uploaded as WAV or written as text, played back, used by flows and settings.

use axum::Json;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use super::{Change, READERS, WRITERS, change, name, tell_phones};
use crate::auth::{Access, Caller, Role, Row};
use crate::document::{Document, Read};
use crate::floor::{Audio, AudioContent, AudioData, Recording, TEXT_LIMIT, read_wav};
use crate::http::{App, Asking, At, Body, File, Problem};
use crate::storage::Range;

pub(super) const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/floor/audio", access: READERS },
    Row { method: "POST", path: "/floor/audio", access: WRITERS },
    Row { method: "POST", path: "/floor/texts", access: WRITERS },
    Row {
        method: "GET",
        path: "/floor/audio/{audio}",
        access: Access::Roles(&[Role::Operator, Role::Supervisor, Role::Administrator]),
    },
    Row { method: "DELETE", path: "/floor/audio/{audio}", access: WRITERS },
];

/// Largest file, in bytes: some four minutes of 16-bit sound at 16 kHz, twice that at 8 kHz.
const LARGEST: usize = 8 << 20;
/// Most recordings and texts.
const MOST: usize = 10_000;
/// Longest sound of all recordings together, in milliseconds: they are played from memory, some 32 kB a second.
const MOST_SOUND_MS: u64 = 2 * 3_600_000;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(upload).layer(DefaultBodyLimit::max(LARGEST)))
        .routes(routes!(add_text))
        .routes(routes!(download, remove))
}

/// Something that can be played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
struct AudioView {
    /// The number that flows and settings name.
    audio: u64,
    /// Its name.
    name: String,
    /// Whether the server brings it itself.
    built_in: bool,
    /// What is known of the sound.
    recording: Option<Recording>,
    /// The text to be spoken.
    text: Option<String>,
}

impl AudioView {
    fn of(audio: Audio) -> Self {
        let (recording, text) = match audio.content {
            AudioContent::Recording(recording) => (Some(recording), None),
            AudioContent::Text(text) => (None, Some(text)),
        };
        Self { audio: audio.id, name: audio.name, built_in: false, recording, text }
    }
}

/// Everything that can be played.
#[utoipa::path(get, path = "/floor/audio", tag = "administration", responses(
    (status = 200, description = "by number", body = Vec<AudioView>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn list(caller: Caller) -> Result<Json<Vec<AudioView>>, Problem> {
    let found = caller.read(|reader| Ok(reader.documents::<Audio>(&Range::all(Audio::KIND, MOST))?)).await?;
    let built_in = ["announcement of a forced end", "music", "greeting"];
    let built_in = (0..).zip(built_in).map(|(audio, name)| AudioView {
        audio,
        name: name.into(),
        built_in: true,
        recording: None,
        text: None,
    });
    Ok(Json(built_in.chain(found.into_iter().map(AudioView::of)).collect()))
}

/// How an upload is called.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Named {
    /// 1 to 60 characters.
    name: String,
}

/// Uploads a WAV file: mono, 8 or 16 kHz, 16-bit PCM, or G.711 µ-law or A-law at 8 kHz; at most 8 MiB.
#[utoipa::path(post, path = "/floor/audio", tag = "administration",
    params(Named, ("If-Match" = String, Header, description = "the floor's version")),
    request_body(content = Vec<u8>, content_type = "audio/wav"), responses(
    (status = 201, description = "kept; the floor's version is the ETag", body = AudioView),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn upload(
    caller: Caller,
    headers: HeaderMap,
    Asking(named): Asking<Named>,
    file: Result<File, Problem>,
) -> Result<Response, Problem> {
    let own_name = name("name", &named.name)?;
    let File(file) = file.map_err(|wrong| match wrong.rule.as_str() {
        "too-large" => Problem { detail: "a file of at most 8 MiB is right".into(), ..wrong },
        _ => wrong,
    })?;
    let (recording, _) =
        read_wav(&file).map_err(|wrong| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "audio", wrong.to_string()))?;
    // Encoding is slow work: not for the loop.
    let base64 = STANDARD.encode(&file);
    let kept = caller.read(|reader| Ok(reader.documents::<Audio>(&Range::all(Audio::KIND, MOST + 1))?)).await?;
    has_room(&kept, recording.length_ms)?;
    let changed = change(&caller, &headers, move |change| {
        let id = new_id(change)?;
        let audio = Audio { id, name: own_name, content: AudioContent::Recording(recording) };
        change.documents.put(&audio);
        change.documents.put(&AudioData { id, base64 });
        Ok(AudioView::of(audio))
    })
    .await?;
    tell_phones(&caller, Some(changed.answer.audio)).await;
    Ok(changed.respond(StatusCode::CREATED))
}

/// Recordings are held in memory: there is an end to them.
fn has_room(kept: &[Audio], length_ms: u64) -> Result<(), Problem> {
    let sound: u64 = kept
        .iter()
        .map(|audio| match &audio.content {
            AudioContent::Recording(recording) => recording.length_ms,
            AudioContent::Text(_) => 0,
        })
        .sum();
    if kept.len() >= MOST {
        return Err(Problem::conflict(
            "too-much-audio",
            format!("{MOST} recordings and texts are kept: remove some first"),
        ));
    }
    if sound + length_ms > MOST_SOUND_MS {
        let detail = format!(
            "{} s of sound are kept, and with {} s more it would be above {} s: remove some first",
            sound / 1_000,
            length_ms / 1_000,
            MOST_SOUND_MS / 1_000
        );
        return Err(Problem::conflict("too-much-audio", detail));
    }
    Ok(())
}

fn new_id(change: &mut Change<'_>) -> Result<u64, Problem> {
    Ok(change.documents.next_id_from::<Audio>(crate::demo::audio::FIRST_OWN.0.into())?)
}

/// A text to be spoken.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewText {
    /// Its name.
    name: String,
    /// What is said: 1 to 1000 characters.
    text: String,
}

/// Adds a text that is spoken where an announcement is played: by the program that the server's `[speech] command` names;
/// without one a beep is played in its place.
#[utoipa::path(post, path = "/floor/texts", tag = "administration", request_body = NewText,
    params(("If-Match" = String, Header, description = "the floor's version")), responses(
    (status = 201, description = "kept; the floor's version is the ETag", body = AudioView),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn add_text(caller: Caller, headers: HeaderMap, Body(body): Body<NewText>) -> Result<Response, Problem> {
    let own_name = name("name", &body.name)?;
    let text = body.text.trim().to_owned();
    if text.is_empty() || text.chars().count() > TEXT_LIMIT {
        return Err(Problem::wrong("text", format!("a text has 1 to {TEXT_LIMIT} characters")));
    }
    let kept = caller.read(|reader| Ok(reader.documents::<Audio>(&Range::all(Audio::KIND, MOST + 1))?)).await?;
    has_room(&kept, 0)?;
    let changed = change(&caller, &headers, move |change| {
        let id = new_id(change)?;
        let audio = Audio { id, name: own_name, content: AudioContent::Text(text) };
        change.documents.put(&audio);
        Ok(AudioView::of(audio))
    })
    .await?;
    tell_phones(&caller, Some(changed.answer.audio)).await;
    Ok(changed.respond(StatusCode::CREATED))
}

/// The file as it was uploaded.
#[utoipa::path(get, path = "/floor/audio/{audio}", tag = "administration",
    params(("audio" = u64, Path, description = "which")), responses(
    (status = 200, description = "a WAV file", body = Vec<u8>, content_type = "audio/wav"),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn download(caller: Caller, At(audio): At<u64>) -> Result<Response, Problem> {
    let found = caller.read(move |reader| Ok(reader.document::<AudioData>(audio)?)).await?;
    let found =
        found.ok_or_else(|| Problem::unknown(format!("audio {audio} has no file: it is built in, a text, or none")))?;
    let file = STANDARD.decode(found.base64).map_err(|_| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "storage-damaged", "the file that is stored cannot be read")
    })?;
    let headers = [
        (header::CONTENT_TYPE, "audio/wav"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "private, max-age=3600"),
    ];
    Ok((headers, file).into_response())
}

/// Removes a recording or text that nothing plays.
#[utoipa::path(delete, path = "/floor/audio/{audio}", tag = "administration",
    params(("audio" = u64, Path, description = "which"), ("If-Match" = String, Header, description = "the floor's version")),
    responses(
    (status = 200, description = "removed; the floor's version is the ETag", body = AudioView),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn remove(caller: Caller, headers: HeaderMap, At(audio): At<u64>) -> Result<Response, Problem> {
    use callfloor_engine::Step;
    let changed = change(&caller, &headers, move |change| {
        let found = change.documents.get::<Audio>(audio)?;
        let found = found.ok_or_else(|| Problem::unknown(format!("there is no audio {audio} to remove")))?;
        let is = |other: callfloor_engine::AudioId| u64::from(other.0) == audio;
        let used = change.floor.services.iter().find(|service| {
            is(service.settings.hold_music)
                || is(service.settings.forced_end_audio)
                || service.flow.iter().any(|step| match step {
                    Step::Announcement { audio, .. } | Step::Menu { audio, .. } | Step::CallbackOffer { audio, .. } => {
                        is(*audio)
                    }
                    _ => false,
                })
        });
        if change.organisation.ring_back.is_some_and(|heard| u64::from(heard) == audio) {
            return Err(Problem::conflict("in-use", format!("audio {audio} is heard while a number rings")));
        }
        if let Some(service) = used {
            return Err(Problem::conflict("in-use", format!("audio {audio} is played by service {:?}", service.name)));
        }
        change.documents.delete::<Audio>(audio);
        change.documents.delete::<AudioData>(audio);
        Ok(AudioView::of(found))
    })
    .await?;
    tell_phones(&caller, Some(audio)).await;
    Ok(changed.respond(StatusCode::OK))
}
