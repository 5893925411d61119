//! Files that customers send with what they write: kept in the store with a hash of their content, under a ticket.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::room::Taken;
use super::signature::sha256;
use crate::document::{Document, Read};
use crate::host::{Documents, Turn};
use crate::http::{App, Problem};
use crate::organisations::Limits;
use crate::storage::{IndexKey, Kind, Range, Reader, StorageError, key_of};
use crate::tenant::Tenant;
use crate::tickets::{Line, LineKind, Ticket};

/// Most files that are sent at once.
pub(super) const MOST_AT_ONCE: usize = 5;
/// Largest file, in bytes: 5 MiB.
pub(super) const LARGEST: usize = 5 << 20;
/// Largest sum of what is sent at once, in bytes: 10 MiB.
pub(super) const LARGEST_AT_ONCE: usize = 10 << 20;
/// Most files of one ticket.
const MOST_OF_TICKET: usize = 50;

/// What is known of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Attachment {
    /// Its number.
    #[serde(rename = "attachment")]
    pub id: u64,
    /// Under which ticket.
    pub ticket: u64,
    /// When it came, in microseconds since 1970.
    pub at_us: u64,
    /// What the customer calls it; empty for one that was erased.
    pub name: String,
    /// What the customer says it is, as in `image/png`.
    pub media_type: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: String,
}

impl Document for Attachment {
    const KIND: Kind = "attachment";

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        vec![IndexKey::new("ticket", format!("{}:{}", self.ticket, key_of(self.id)))]
    }
}

/// A file's content, in Base64.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct AttachmentData {
    id: u64,
    base64: String,
}

impl Document for AttachmentData {
    const KIND: Kind = "attachment-data";

    fn id(&self) -> u64 {
        self.id
    }
}

/// A file that is sent.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Upload {
    /// Its name: 1 to 100 characters without `/` and `\`.
    name: String,
    /// What it is, as in `image/png`.
    media_type: String,
    /// Its content, 1 byte to 5 MiB, in Base64 (RFC 4648, with padding).
    base64: String,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload").field("media_type", &self.media_type).finish_non_exhaustive()
    }
}

/// A file that is right.
#[derive(Debug)]
pub(super) struct Checked {
    name: String,
    media_type: String,
    bytes: u64,
    sha256: String,
    base64: String,
}

impl Checked {
    /// Its length.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What tells it from another.
    pub(super) fn known_by(&self) -> (&str, &str, &str) {
        (&self.name, &self.media_type, &self.sha256)
    }
}

/// Whether a text is a media type without parameters (RFC 9110, section 8.3.1).
fn is_media_type(text: &str) -> bool {
    let token = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    text.len() <= 100 && text.split_once('/').is_some_and(|(kind, part)| token(kind) && token(part))
}

fn check_one(upload: Upload) -> Result<Checked, Problem> {
    let wrong = |detail: String| Problem::wrong("attachments", detail);
    let name = upload.name.trim().to_owned();
    let strange = |c: char| c.is_control() || matches!(c, '/' | '\\');
    if !(1..=100).contains(&name.chars().count()) || name.chars().any(strange) {
        return Err(wrong("a name of 1 to 100 characters without / and \\ is right".into()));
    }
    if !is_media_type(&upload.media_type) {
        return Err(wrong(format!("{name:?}: a media type as in image/png is right")));
    }
    let content = STANDARD.decode(&upload.base64);
    let content = content.map_err(|problem| wrong(format!("{name:?}: the content is no Base64: {problem}")))?;
    if !(1..=LARGEST).contains(&content.len()) {
        return Err(wrong(format!("{name:?} has {} bytes: 1 to {LARGEST} are right", content.len())));
    }
    let (bytes, sha256) = (content.len() as u64, sha256(&content));
    Ok(Checked { name, media_type: upload.media_type, bytes, sha256, base64: upload.base64 })
}

/// Checks what is sent at once, away from everything else: hashing takes its time.
///
/// # Errors
/// Which file is wrong, and what would be right.
pub(super) async fn check(uploads: Vec<Upload>) -> Result<Vec<Checked>, Problem> {
    if uploads.len() > MOST_AT_ONCE {
        let detail = format!("{} files: at most {MOST_AT_ONCE} at once are right", uploads.len());
        return Err(Problem::wrong("attachments", detail));
    }
    let all = move || uploads.into_iter().map(check_one).collect::<Result<Vec<_>, _>>();
    let checked = tokio::task::spawn_blocking(all).await.expect("checking does not panic")?;
    let sum: u64 = checked.iter().map(|file| file.bytes).sum();
    if sum > LARGEST_AT_ONCE as u64 {
        let detail = format!("the files have {sum} bytes: at most {LARGEST_AT_ONCE} at once are right");
        return Err(Problem::wrong("attachments", detail));
    }
    Ok(checked)
}

/// How long all files are together. It is there from when it was first asked for.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct AllFiles {
    bytes: u64,
}

impl Document for AllFiles {
    const KIND: Kind = "attachments-in-all";

    fn id(&self) -> u64 {
        1
    }
}

impl AllFiles {
    fn bytes(documents: &mut Documents) -> Result<u64, StorageError> {
        if let Some(all) = documents.get::<Self>(1)? {
            return Ok(all.bytes);
        }
        let kept = documents.with_prefix::<Attachment>("ticket", "", usize::MAX)?;
        let bytes = kept.iter().filter(|file| !file.name.is_empty()).map(|file| file.bytes).sum();
        documents.put(&Self { bytes });
        Ok(bytes)
    }

    fn change(documents: &mut Documents, to: impl FnOnce(u64) -> u64) -> Result<(), StorageError> {
        if let Some(all) = documents.get::<Self>(1)? {
            documents.put(&Self { bytes: to(all.bytes) });
        }
        Ok(())
    }
}

/// Whether the organisation may have these files too: to be asked before anything else is done.
///
/// # Errors
/// Where they would be too many.
pub(super) fn organisation_has_room(documents: &mut Documents, files: &[Checked]) -> Result<(), Problem> {
    let limits = Limits::of(documents)?;
    if limits.files_mib.is_none() || files.is_empty() {
        return Ok(());
    }
    limits.admit_files(AllFiles::bytes(documents)? + files.iter().map(Checked::bytes).sum::<u64>())
}

/// Whether a ticket, and the organisation, may have these files too: to be asked before anything else is done.
///
/// # Errors
/// Where they would be too many.
pub(super) fn has_room(documents: &mut Documents, ticket: u64, files: &[Checked]) -> Result<(), Problem> {
    organisation_has_room(documents, files)?;
    let before = documents.with_prefix::<Attachment>("ticket", &format!("{ticket}:"), MOST_OF_TICKET)?.len();
    if before + files.len() > MOST_OF_TICKET {
        let detail = format!("inquiry {ticket} has {before} files, and at most {MOST_OF_TICKET} are right");
        return Err(Problem::conflict("too-many-attachments", detail));
    }
    Ok(())
}

/// Keeps files under a ticket, each with a line in its history.
///
/// # Errors
/// What storage says.
pub(super) fn keep(turn: &mut Turn<'_>, ticket: u64, files: Vec<Checked>) -> Result<(), StorageError> {
    if files.is_empty() {
        return Ok(());
    }
    let at_us = turn.now().as_micros();
    let documents = turn.documents();
    let more: u64 = files.iter().map(Checked::bytes).sum();
    AllFiles::change(documents, |bytes| bytes + more)?;
    for Checked { name, media_type, bytes, sha256, base64 } in files {
        let id = documents.next_id::<Attachment>()?;
        documents.put(&AttachmentData { id, base64 });
        documents.put(&Attachment { id, ticket, at_us, name: name.clone(), media_type, bytes, sha256 });
        Line::add(documents, ticket, at_us, LineKind::Attached { attachment: id, name })?;
    }
    Ticket::edit(documents, ticket, at_us, |_| {})
}

/// The files of a ticket, in the order in which they came.
///
/// # Errors
/// What storage says.
pub(crate) fn of(reader: &mut dyn Reader, ticket: u64) -> Result<Vec<Attachment>, StorageError> {
    let (from, to) = (format!("{ticket}:"), format!("{ticket};"));
    let all = Range::all(Attachment::KIND, MOST_OF_TICKET);
    reader.documents(&Range { index: Some("ticket"), from: Some(&from), to: Some(&to), ..all })
}

/// Forgets the files of a ticket: content, names and hashes go.
///
/// # Errors
/// What storage says.
pub(crate) fn forget(documents: &mut Documents, ticket: u64) -> Result<(), StorageError> {
    for mut file in documents.with_prefix::<Attachment>("ticket", &format!("{ticket}:"), MOST_OF_TICKET)? {
        if !file.name.is_empty() {
            AllFiles::change(documents, |bytes| bytes.saturating_sub(file.bytes))?;
        }
        documents.delete::<AttachmentData>(file.id);
        (file.name, file.sha256) = Default::default();
        documents.put(&file);
    }
    Ok(())
}

fn unknown(ticket: u64, id: u64) -> Problem {
    Problem::unknown(format!("there is no attachment {id} of {ticket}"))
}

/// What is known of a file of a ticket.
///
/// # Errors
/// Where the ticket has no such file.
pub(super) fn one(reader: &mut dyn Reader, ticket: u64, id: u64) -> Result<Attachment, Problem> {
    let file = reader.document::<Attachment>(id)?.filter(|file| file.ticket == ticket);
    file.ok_or_else(|| unknown(ticket, id))
}

/// The content of a file, compared with its hash.
fn content(reader: &mut dyn Reader, file: &Attachment) -> Result<Vec<u8>, Problem> {
    let data = reader.document::<AttachmentData>(file.id)?.ok_or_else(|| unknown(file.ticket, file.id))?;
    let content = STANDARD.decode(data.base64).ok().filter(|content| sha256(content) == file.sha256);
    let damaged = || StorageError::Damaged {
        place: format!("attachment {}", file.id),
        what: "the content is not that of its hash".into(),
    };
    Ok(content.ok_or_else(damaged)?)
}

/// A file that is sent, and the room that it takes until it is.
struct Held {
    content: Vec<u8>,
    _room: Taken,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.content
    }
}

/// Reads a file, when there is room for it, and sends it.
///
/// # Errors
/// That there is no room at present, or what is stored is damaged.
pub(super) async fn send(app: &App, tenant: &Tenant, file: Attachment) -> Result<Response, Problem> {
    let room = app.open.room.for_file(&tenant.name, usize::try_from(file.bytes).unwrap_or(LARGEST)).await?;
    let (file, content) = tenant.host.read(move |reader| content(reader, &file).map(|content| (file, content))).await?;
    Ok(download(file, Held { content, _room: room }))
}

/// A file as it is downloaded: never shown in place, whatever it says it is.
fn download(file: Attachment, content: impl AsRef<[u8]> + Send + 'static) -> Response {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let name: String = file
        .name
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    let digest = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(content.as_ref())));
    let headers = [
        (header::CONTENT_TYPE.as_str(), file.media_type),
        (header::CONTENT_DISPOSITION.as_str(), format!("attachment; filename*=UTF-8''{name}")),
        (header::X_CONTENT_TYPE_OPTIONS.as_str(), "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY.as_str(), "sandbox; default-src 'none'".to_owned()),
        (header::CACHE_CONTROL.as_str(), "private, no-store".to_owned()),
        ("content-digest", digest),
    ];
    let mut response = Response::new(Body::from(Bytes::from_owner(content)));
    for (name, value) in headers {
        let value = HeaderValue::from_str(&value).expect("what is written in headers was checked");
        response.headers_mut().insert(name, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload(name: &str, media_type: &str, content: &[u8]) -> Upload {
        Upload { name: name.into(), media_type: media_type.into(), base64: STANDARD.encode(content) }
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_file_is_told() {
        let checked = check(vec![upload(" 請求書.pdf ", "application/pdf", b"%PDF")]).await.unwrap();
        assert_eq!((checked[0].name.as_str(), checked[0].bytes), ("請求書.pdf", 4));
        assert_eq!(checked[0].sha256, sha256(b"%PDF"));
        let no_base64 = Upload { base64: "%%%".into(), ..upload("a", "text/plain", b"") };
        let half = vec![0u8; LARGEST_AT_ONCE / 3 + 1];
        let cases = [
            (vec![upload("a/b", "text/plain", b"x")], "without /"),
            (vec![upload("", "text/plain", b"x")], "1 to 100"),
            (vec![upload("a", "text", b"x")], "image/png"),
            (vec![upload("a", "text/plain\r\nx: y", b"x")], "image/png"),
            (vec![upload("a", "text/plain", b"")], "has 0 bytes"),
            (vec![upload("a", "text/plain", &vec![0; LARGEST + 1])], "5242881 bytes"),
            (vec![no_base64], "no Base64"),
            (vec![upload("a", "text/plain", b"x"); 6], "at most 5"),
            (vec![upload("a", "text/plain", &half); 3], "10485760 at once"),
        ];
        for (uploads, part) in cases {
            let problem = check(uploads).await.unwrap_err();
            assert!(problem.rule == "attachments" && problem.detail.contains(part), "{part}: {problem}");
        }
    }

    #[test]
    fn a_download_is_saved_under_its_name_and_not_shown() {
        let file = Attachment {
            id: 1,
            ticket: 1,
            at_us: 0,
            name: "見\";.html".into(),
            media_type: "text/html".into(),
            bytes: 1,
            sha256: sha256(b"x"),
        };
        let response = download(file, b"x");
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-disposition"), "attachment; filename*=UTF-8''%E8%A6%8B%22%3B.html");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert!(header("content-security-policy").starts_with("sandbox"));
        assert_eq!(header("content-digest"), "sha-256=:LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=:");
    }
}
